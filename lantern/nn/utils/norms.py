"""Weight and spectral norm as hooks: the older form, which keeps the parts in the module itself.

`lantern.nn.utils.parametrizations` has the newer one.
"""

from __future__ import annotations

import warnings
from typing import Any

import lantern
from lantern.nn import functional as F
from lantern.nn.parameter import Parameter, is_lazy
from lantern.tensor import Tensor

__all__ = ["remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


def norm_except(v: Tensor, dim: int) -> Tensor:
    """Returns the norms of the slices along `dim`, or of all for -1, in a shape that broadcasts."""
    if dim == -1:
        return v.norm()
    return v.norm(2, [d for d in range(v.dim()) if d != dim], keepdim=True)


def rows_of(weight: Tensor, dim: int) -> Tensor:
    """Returns a weight as a matrix that has a row for each slice along `dim`."""
    if dim != 0:
        weight = weight.permute(dim, *(d for d in range(weight.dim()) if d != dim))
    return weight.reshape(weight.size(0), -1)


def default_dim(module: Any) -> int:
    """Returns the dimension of a layer's weight that its outputs lie along."""
    nn = lantern.nn
    return int(isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)))


# --- weight norm
class WeightNorm:
    """A hook that makes the weight of a direction `v` and of lengths `g` before each call."""

    def __init__(self, name: str, dim: int | None):
        self.name, self.dim = name, -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Tensor:
        """Returns the weight as it is now."""
        g, v = (getattr(module, f"{self.name}_{part}") for part in "gv")
        return v * (g / norm_except(v, self.dim))

    def remove(self, module: Any) -> None:
        """Makes the weight a parameter again."""
        weight = self.compute_weight(module)
        for name in (self.name, f"{self.name}_g", f"{self.name}_v"):
            delattr(module, name)
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Splits a weight into lengths `weight_g` and directions `weight_v`, which are trained instead.

    Salimans and Kingma, Weight Normalization, 2016. Raises RuntimeError if it was done before.

    >>> import lantern
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     layer = lantern.nn.utils.weight_norm(lantern.nn.Linear(2, 3))
    >>> layer.weight_g.shape, layer.weight_v.shape
    (torch.Size([3, 1]), torch.Size([3, 2]))
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of "
        "`torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm) and hook.name == name:
            raise RuntimeError(
                f"Cannot register two weight_norm hooks on the same parameter {name}"
            )
    hook = WeightNorm(name, dim)
    weight = getattr(module, name)
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to "
            "run the dummy forward before applying weight normalization"
        )
    del module._parameters[name]
    length = norm_except(weight.detach(), hook.dim)
    module.register_parameter(f"{name}_g", Parameter(length))
    module.register_parameter(f"{name}_v", Parameter(weight.data))
    setattr(module, name, hook.compute_weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Undoes `weight_norm`; raises ValueError if it was not done."""
    return _removed(module, name, WeightNorm, "weight_norm")


def _removed(module: Any, name: str, kind: type, what: str) -> Any:
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"{what} of '{name}' not found in {module}")


# --- spectral norm
class SpectralNorm:
    """A hook that divides the weight by its largest singular value before each call."""

    def __init__(self, name: str, n_power_iterations: int, dim: int, eps: float):
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.name, self.dim, self.eps = name, dim, eps
        self.n_power_iterations = n_power_iterations

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Tensor:
        """Returns the weight as it is now, after some steps of the power method."""
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = rows_of(weight, self.dim)
        if do_power_iteration:
            with lantern.no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(lantern.mv(matrix.t(), u), dim=0, eps=self.eps))
                    u.copy_(F.normalize(lantern.mv(matrix, v), dim=0, eps=self.eps))
        u, v = u.clone(), v.clone()  # a later step must not change what backward needs
        return weight / lantern.dot(u, lantern.mv(matrix, v))

    def remove(self, module: Any) -> None:
        """Makes the weight a parameter again."""
        with lantern.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for end in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + end)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(
    module: Any,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Any:
    """Divides a weight by an estimate of its largest singular value before each call.

    Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018. Raises
    RuntimeError if it was done before.

    >>> import lantern
    >>> sorted(lantern.nn.utils.spectral_norm(lantern.nn.Linear(2, 3, bias=False)).state_dict())
    ['weight_orig', 'weight_u', 'weight_v']
    """
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            raise RuntimeError(
                f"Cannot register two spectral_norm hooks on the same parameter {name}"
            )
    hook = SpectralNorm(name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    weight = module._parameters[name]
    if weight is None:
        raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
    if is_lazy(weight):
        raise ValueError(
            "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to "
            "run the dummy forward before applying spectral normalization"
        )
    with lantern.no_grad():
        height, width = rows_of(weight, hook.dim).size()
        u = F.normalize(weight.new_empty(height).normal_(0, 1), dim=0, eps=eps)
        v = F.normalize(weight.new_empty(width).normal_(0, 1), dim=0, eps=eps)
    delattr(module, name)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.data)
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Undoes `spectral_norm`; raises ValueError if it was not done."""
    return _removed(module, name, SpectralNorm, "spectral_norm")
