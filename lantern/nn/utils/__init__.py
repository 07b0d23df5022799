"""Helpers for training: clipping gradients, parameters as one vector, weights that are computed."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.nn.modules.module import Module
from lantern.tensor import Tensor

from .fusion import (
    fuse_conv_bn_eval,
    fuse_conv_bn_weights,
    fuse_linear_bn_eval,
    fuse_linear_bn_weights,
)
from .norms import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "convert_conv2d_weight_memory_format",
    "convert_conv3d_weight_memory_format",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "get_total_norm",
    "parameters_to_vector",
    "remove_spectral_norm",
    "remove_weight_norm",
    "skip_init",
    "spectral_norm",
    "vector_to_parameters",
    "weight_norm",
]

Tensors = Tensor | Iterable[Tensor]


def clip_grad_norm_(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scales all gradients down together so that their norm is `max_norm` at most.

    The norm is that of all gradients as one vector; it is returned as it was before. Raises
    RuntimeError for a norm that is not finite, if `error_if_nonfinite`. `foreach` changes nothing.

    >>> import lantern
    >>> weight = lantern.nn.Parameter(lantern.zeros(2))
    >>> weight.grad = lantern.tensor([3.0, 4.0])
    >>> lantern.nn.utils.clip_grad_norm_([weight], 1.0)
    tensor(5.)
    """
    held = _listed(parameters)
    grads = [each.grad for each in held if each.grad is not None]
    total_norm = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(held, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(
    parameters: Tensors,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The deprecated name of `clip_grad_norm_`."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of "
        "`torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


def get_total_norm(
    tensors: Tensors,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Returns the norm of all tensors as one vector.

    >>> import lantern
    >>> lantern.nn.utils.get_total_norm([lantern.tensor([3.0]), lantern.tensor([4.0])])
    tensor(5.)
    """
    held = _listed(tensors)
    norm_type = float(norm_type)
    if not held:
        return lantern.tensor(0.0)
    with lantern.no_grad():
        norms = [_norm(each, norm_type) for each in held]
        total_norm = _norm(lantern.stack(norms), norm_type)
    if error_if_nonfinite and not bool(total_norm.isfinite()):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total_norm


def _norm(tensor: Tensor, order: float) -> Tensor:
    if not tensor.is_floating_point():
        raise RuntimeError(
            "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
            + tensor.type().rpartition(".")[2].removesuffix("Tensor")
        )
    size = tensor.abs()
    if order == 0.0:
        return (size != 0).sum().to(tensor.dtype)
    if order in (float("inf"), float("-inf")):
        return size.amax() if order > 0 else size.amin()
    if order == 1.0:
        return size.sum()
    if order == 2.0:
        return tensor.square().sum().sqrt()
    return (size**order).sum() ** (1.0 / order)


def clip_grads_with_norm_(
    parameters: Tensors, max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scales all gradients by `max_norm / total_norm` where that is below 1."""
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    with lantern.no_grad():
        for parameter in _listed(parameters):
            if parameter.grad is not None:
                parameter.grad.mul_(factor)


def clip_grad_value_(parameters: Tensors, clip_value: float, foreach: bool | None = None) -> None:
    """Clamps every element of every gradient between `-clip_value` and `clip_value`."""
    bound = float(clip_value)
    with lantern.no_grad():
        for parameter in _listed(parameters):
            if parameter.grad is not None:
                parameter.grad.clamp_(-bound, bound)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Returns the elements of all parameters, one after another, as a vector.

    >>> import lantern
    >>> lantern.nn.utils.parameters_to_vector([lantern.ones(1, 2), lantern.zeros(1)])
    tensor([1., 1., 0.])
    """
    return lantern.cat([each.reshape(-1) for each in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Gives all parameters new values, taken from a vector one after another.

    Raises TypeError unless `vec` is a tensor and RuntimeError if it is too short.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view_as(parameter).data
        start = end


def skip_init(module_cls: type[Module], *args: Any, **kwargs: Any) -> Module:
    """Makes a module without drawing initial values: its parameters hold whatever memory held.

    Raises RuntimeError for a class whose `__init__` takes no `device`.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    # There is no device without memory here, so the values are drawn and left; the generator's
    # state is put back, as if nothing had been drawn.
    state = lantern.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        lantern.set_rng_state(state)


def convert_conv2d_weight_memory_format(module: Module, memory_format: Any) -> Module:
    """Lays the weights of all 2-d convolutions out in memory as `memory_format` says."""
    return _laid_out(module, memory_format, 4, (lantern.nn.Conv2d, lantern.nn.ConvTranspose2d))


def convert_conv3d_weight_memory_format(module: Module, memory_format: Any) -> Module:
    """Lays the weights of all 3-d convolutions out in memory as `memory_format` says."""
    return _laid_out(module, memory_format, 5, (lantern.nn.Conv3d, lantern.nn.ConvTranspose3d))


def _laid_out(module: Module, memory_format: Any, ndim: int, kinds: tuple) -> Module:
    for each in module.modules():
        if isinstance(each, kinds) and each.weight.dim() == ndim:
            weight = each.weight.detach()
            each.weight.data = weight.clone().contiguous(memory_format=memory_format)
    return module


def _listed(tensors: Tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


__getattr__ = missing(__name__)
