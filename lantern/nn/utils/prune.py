"""Pruning: parameters times masks of zeros and ones.

A pruned parameter `weight` is kept as `weight_orig` with a buffer `weight_mask`; a hook computes
their product before each call of the module.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.nn.utils import parameters_to_vector
from lantern.tensor import Tensor

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """A way of choosing what is pruned; a subclass computes the mask and names its kind."""

    PRUNING_TYPE = "unstructured"  # or "structured", or "global"
    _tensor_name: str

    def __call__(self, module: Any, inputs: Any) -> None:
        """Computes the pruned parameter anew; a module calls it before each of its calls."""
        setattr(module, self._tensor_name, self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the mask of a tensor of which `default_mask` has pruned some already."""

    def apply_mask(self, module: Any) -> Tensor:
        """Returns the pruned parameter of the module as it is now."""
        mask, original = (getattr(module, f"{self._tensor_name}_{end}") for end in ("mask", "orig"))
        return mask.to(dtype=original.dtype) * original

    @classmethod
    def apply(
        cls,
        module: Any,
        name: str,
        *args: Any,
        importance_scores: Tensor | None = None,
        **kwargs: Any,
    ) -> BasePruningMethod:
        """Prunes a parameter, after what pruned it before."""
        method = _combined(module, name, cls(*args, **kwargs))
        original = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, "
                f"got {importance_scores.shape} vs {original.shape}"
            )
        scores = original if importance_scores is None else importance_scores
        again = isinstance(method, PruningContainer)
        if again:
            before = getattr(module, f"{name}_mask").detach().clone()
        else:
            before = lantern.ones_like(original).detach()
        with lantern.no_grad():
            mask = method.compute_mask(scores.detach(), default_mask=before)
        if not again:
            del module._parameters[name]
            module.register_parameter(f"{name}_orig", original)
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(
        self,
        t: Tensor,
        default_mask: Tensor | None = None,
        importance_scores: Tensor | None = None,
    ) -> Tensor:
        """Returns a tensor pruned, without a module."""
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError(
                "importance_scores should have the same shape as tensor t, got "
                f"{importance_scores.shape} vs {t.shape}"
            )
        scores = t if importance_scores is None else importance_scores
        before = lantern.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(scores, default_mask=before)

    def remove(self, module: Any) -> None:
        """Makes the pruned parameter a plain one, zeros included."""
        name = self._tensor_name
        weight = self.apply_mask(module).detach()
        if name in vars(module):
            delattr(module, name)
        original = module._parameters.pop(f"{name}_orig")
        original.data = weight
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _combined(module: Any, name: str, method: BasePruningMethod) -> BasePruningMethod:
    """Returns the method, or a container of it and of what pruned the parameter before."""
    method._tensor_name = name
    held = module._forward_pre_hooks
    keys = [k for k, hook in held.items() if _prunes(hook, name)]
    if not keys:
        return method
    old = held.pop(keys[0])
    container = old if isinstance(old, PruningContainer) else PruningContainer(old)
    container.add_pruning_method(method)
    return container


def _prunes(hook: Any, name: str) -> bool:
    return isinstance(hook, BasePruningMethod) and hook._tensor_name == name


class PruningContainer(BasePruningMethod):
    """Several pruning methods, one after another."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Adds a method for the same parameter; raises ValueError for another."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if self._tensor_name != method._tensor_name:
            raise ValueError(
                "Can only add pruning methods acting on the parameter named "
                f"'{self._tensor_name}' to PruningContainer {self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, idx: int) -> BasePruningMethod:
        return self._pruning_methods[idx]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Applies the last method to what is not pruned yet."""
        method = self._pruning_methods[-1]
        kind, ndim = method.PRUNING_TYPE, t.dim()
        kept: Any
        if kind == "unstructured":
            kept = default_mask == 1
        elif kind == "structured":
            dim = method.dim % ndim  # type: ignore[attr-defined]
            rest = [d for d in range(ndim) if d != dim]
            alive = default_mask.sum(dim=rest) != 0
            kept = tuple(alive if d == dim else slice(None) for d in range(ndim))
        elif kind == "global":
            kept = (slice(None),) * ndim
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {kind}")
        mask = default_mask.to(dtype=t.dtype).clone()
        part = method.compute_mask(t[kept], default_mask=default_mask[kept])
        mask[kept] = part.to(dtype=mask.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing, but gives the parameter a mask."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the mask as it was."""
        return default_mask


class _Some(BasePruningMethod):
    """Prunes an `amount`: a number of them, or a share between 0 and 1."""

    def __init__(self, amount: float) -> None:
        if not isinstance(amount, (int, float)):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (isinstance(amount, float) and amount > 1.0):
            raise ValueError(
                f"amount={amount} should either be a float in the range [0, 1] or a non-negative "
                "integer"
            )
        self.amount = amount

    def _count(self, size: int) -> int:
        count = self.amount if isinstance(self.amount, int) else round(self.amount * size)
        if count > size:
            raise ValueError(
                f"amount={count} should be smaller than the number of parameters to prune={size}"
            )
        return count

    def _pruned(self, mask: Tensor, score: Callable[[Tensor], Tensor], t: Tensor) -> Tensor:
        """Returns the mask with zeros at the `amount` of elements of `t` that score lowest."""
        count = self._count(t.numel())
        mask = mask.clone()
        if count:
            lowest = lantern.topk(score(t).reshape(-1), k=count, largest=False)
            mask.view(-1)[lowest.indices] = 0
        return mask


class RandomUnstructured(_Some):
    """Prunes single elements at random."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the mask with `amount` more zeros."""
        return self._pruned(default_mask, lambda t: -lantern.rand_like(t), t)


class L1Unstructured(_Some):
    """Prunes the single elements that are nearest to zero."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the mask with `amount` more zeros."""
        return self._pruned(default_mask, lantern.abs, t)


class _SomeSlices(_Some):
    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _check(self, t: Tensor) -> None:
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor "
                f"of shape {t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")

    def _mask(self, t: Tensor, kept: Tensor, default_mask: Tensor) -> Tensor:
        mask = lantern.zeros_like(t)
        dim = self.dim % t.dim()
        mask[tuple(kept if d == dim else slice(None) for d in range(t.dim()))] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_SomeSlices):
    """Prunes whole slices along `dim` at random."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the mask with `amount` more slices of zeros."""
        self._check(t)
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        drawn = lantern.rand(size)
        return self._mask(t, drawn > drawn.sort().values[count - 1], default_mask)


class LnStructured(_SomeSlices):
    """Prunes the slices along `dim` of the smallest `n`-norm."""

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the mask with `amount` more slices of zeros."""
        self._check(t)
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        rest = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        kept = lantern.topk(t.norm(self.n, rest), k=size - count, largest=True).indices
        return self._mask(t, kept, default_mask)


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is zero."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Returns the product of both masks."""
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape "
                f"{self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# --- functions of users
def identity(module: Any, name: str) -> Any:
    """Gives a parameter a mask that prunes nothing."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Any, name: str, amount: float) -> Any:
    """Prunes `amount` single elements of a parameter at random."""
    RandomUnstructured.apply(module, name, amount=amount)
    return module


def l1_unstructured(
    module: Any, name: str, amount: float, importance_scores: Tensor | None = None
) -> Any:
    """Prunes the `amount` elements of a parameter (or of its scores) nearest to zero.

    >>> import lantern
    >>> layer = lantern.nn.Linear(4, 2, bias=False)
    >>> _ = lantern.nn.utils.prune.l1_unstructured(layer, "weight", amount=0.5)
    >>> int((layer.weight == 0).sum()), sorted(layer.state_dict())
    (4, ['weight_mask', 'weight_orig'])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Any, name: str, amount: float, dim: int) -> Any:
    """Prunes `amount` whole slices of a parameter at random."""
    RandomStructured.apply(module, name, amount=amount, dim=dim)
    return module


def ln_structured(
    module: Any,
    name: str,
    amount: float,
    n: Any,
    dim: int,
    importance_scores: Tensor | None = None,
) -> Any:
    """Prunes the `amount` slices of a parameter with the smallest `n`-norm."""
    how = {"amount": amount, "n": n, "dim": dim}
    LnStructured.apply(module, name, importance_scores=importance_scores, **how)
    return module


def custom_from_mask(module: Any, name: str, mask: Tensor) -> Any:
    """Prunes a parameter where `mask` is zero."""
    CustomFromMask.apply(module, name, mask=mask)
    return module


def global_unstructured(
    parameters: Any, pruning_method: type, importance_scores: dict | None = None, **kwargs: Any
) -> None:
    """Prunes several parameters, given as pairs of module and name, as if they were one."""
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    held = [getattr(module, name) for module, name in pairs]
    masks = [
        getattr(module, f"{name}_mask", lantern.ones_like(each))
        for (module, name), each in zip(pairs, held, strict=True)
    ]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    method._tensor_name = "all"
    container = PruningContainer(method)
    with lantern.no_grad():
        values = [scores.get(pair, each) for pair, each in zip(pairs, held, strict=True)]
        mask = container.compute_mask(parameters_to_vector(values), parameters_to_vector(masks))
    start = 0
    for (module, name), each in zip(pairs, held, strict=True):
        own = mask[start : start + each.numel()].view_as(each)
        custom_from_mask(module, name, mask=own)
        start += each.numel()


def remove(module: Any, name: str) -> Any:
    """Makes pruning final: the parameter is a plain one again, with zeros where it was pruned."""
    for key, hook in module._forward_pre_hooks.items():
        if _prunes(hook, name):
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(
        f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed"
    )


def is_pruned(module: Any) -> bool:
    """Says whether some parameter of the module or of one inside it is pruned."""
    return any(
        isinstance(hook, BasePruningMethod)
        for each in module.modules()
        for hook in each._forward_pre_hooks.values()
    )


__getattr__ = missing(__name__)
