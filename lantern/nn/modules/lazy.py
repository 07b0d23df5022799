"""Layers that learn the size of their input from the first one they meet."""

# What `forward` and `initialize_parameters` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

import lantern
from lantern.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from lantern.tensor import Tensor

from . import batchnorm, conv, instancenorm, linear
from .linear import Linear

_KINDS = ("BatchNorm", "Conv", "ConvTranspose", "InstanceNorm")
__all__ = ["LazyLinear"]
__all__ += [f"Lazy{kind}{n}d" for kind in _KINDS for n in (1, 2, 3)]


class LazyModuleMixin:
    """Makes of a module one whose parameters get their shapes when it is first called.

    The class overrides `initialize_parameters(*args)`, which is given the arguments of that call,
    and may name in `cls_to_become` what the module is from then on.
    """

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        module: Any = self
        self._load_hook = module._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = module.register_forward_pre_hook(
            self._infer_parameters, with_kwargs=True
        )

    def _tensors(self) -> dict[str, Any]:
        module: Any = self
        return {**module._parameters, **module._buffers}

    def _lazy_load_hook(self, state_dict: dict, prefix: str, *rest: Any) -> None:
        """Gives parameters the shapes of those that are about to be loaded."""
        for name, tensor in self._tensors().items():
            loaded = state_dict.get(prefix + name)
            if loaded is not None and is_lazy(tensor) and not is_lazy(loaded):
                tensor.materialize(loaded.shape)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"initialize_parameters is not implemented for {type(self).__name__}"
        )

    def has_uninitialized_params(self) -> bool:
        """Says whether some parameter or buffer has no shape yet."""
        return any(is_lazy(each) for each in self._tensors().values())

    def _infer_parameters(self, module: Any, args: tuple, kwargs: dict | None = None) -> None:
        module.initialize_parameters(*args, **(kwargs or {}))
        if module.has_uninitialized_params():
            raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
        module._initialize_hook.remove()
        module._load_hook.remove()
        del module._initialize_hook, module._load_hook
        if module.cls_to_become is not None:
            module.__class__ = module.cls_to_become


class LazyLinear(LazyModuleMixin, Linear):
    """A `Linear` whose `in_features` are those of its first input.

    >>> import lantern
    >>> layer = lantern.nn.LazyLinear(2)
    >>> layer(lantern.ones(4, 3)).shape, layer
    (torch.Size([4, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)  # of nothing, so that nothing is drawn
        place = {"device": device, "dtype": dtype}
        self.weight = UninitializedParameter(**place)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(**place)

    def reset_parameters(self) -> None:
        if self.in_features != 0 and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        if not self.has_uninitialized_params():
            if self.in_features == 0:
                self.in_features = self.weight.shape[-1]
            return
        with lantern.no_grad():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()


LazyLinear.__module__ = linear.__name__  # where PyTorch's pickles look for it
linear.LazyLinear = LazyLinear  # type: ignore[attr-defined]


class _LazyConv(LazyModuleMixin):
    _ndim = 0

    def __init__(self, out_channels: int, kernel_size: Any, *args: Any, **kwargs: Any) -> None:
        names = ["stride", "padding", *self._more]
        settings = dict(zip(names, args, strict=False)) | kwargs
        bias = settings.pop("bias", True)
        place = {name: settings.pop(name, None) for name in ("device", "dtype")}
        super().__init__(0, 0, kernel_size, bias=False, **settings)
        self.weight = UninitializedParameter(**place)
        self.out_channels = out_channels
        if bias:
            self.bias = UninitializedParameter(**place)

    _more: tuple[str, ...] = ("dilation", "groups", "bias", "padding_mode", "device", "dtype")

    def reset_parameters(self: Any) -> None:
        if self.in_channels != 0 and not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor, *args: Any, **kwargs: Any) -> None:
        if not self.has_uninitialized_params():
            return
        if input.dim() not in (self._ndim + 1, self._ndim + 2):
            raise RuntimeError(
                f"Expected {self._ndim + 1}D (unbatched) or {self._ndim + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {input.shape}"
            )
        self.in_channels = channels = input.shape[input.dim() - self._ndim - 1]
        if channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        pair = (self.out_channels, channels // self.groups)
        if self.transposed:
            pair = (channels, self.out_channels // self.groups)
        self.weight.materialize((*pair, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyNorm(LazyModuleMixin):
    _ndim = 0

    def __init__(
        self: Any,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False, device, dtype, bias=bias)
        place = {"device": device, "dtype": dtype}
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(**place)
            if bias:
                self.bias = UninitializedParameter(**place)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**place)
            self.running_var = UninitializedBuffer(**place)
            self.num_batches_tracked = lantern.tensor(0, dtype=lantern.long)

    def reset_parameters(self: Any) -> None:
        if self.num_features != 0 and not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor) -> None:
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        for each in self._tensors().values():
            if is_lazy(each):
                each.materialize((self.num_features,))
        self.reset_parameters()


def _declare(mixin: type, home: Any, kind: str, ndim: int) -> None:
    layer = getattr(home, f"{kind}{ndim}d")
    name = f"Lazy{layer.__name__}"
    doc = f"""A `{layer.__name__}` that takes its channels from its first input."""
    members = {"__doc__": doc, "__module__": home.__name__, "_ndim": ndim, "cls_to_become": layer}
    if kind == "ConvTranspose":
        members["_more"] = ("output_padding", "groups", "bias", "dilation", *_LazyConv._more[3:])
    globals()[name] = made = type(name, (mixin, layer), members)
    setattr(home, name, made)  # PyTorch's pickles look for it there


for _n in (1, 2, 3):
    _declare(_LazyConv, conv, "Conv", _n)
    _declare(_LazyConv, conv, "ConvTranspose", _n)
    _declare(_LazyNorm, batchnorm, "BatchNorm", _n)
    _declare(_LazyNorm, instancenorm, "InstanceNorm", _n)
