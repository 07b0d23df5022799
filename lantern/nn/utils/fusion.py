"""A layer and the batch norm behind it as one layer, for evaluation."""

from __future__ import annotations

import copy
from typing import Any

import lantern
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """Returns a copy of `conv` that also does what `bn` does in evaluation mode.

    >>> import lantern
    >>> conv, bn = lantern.nn.Conv1d(1, 2, 1).eval(), lantern.nn.BatchNorm1d(2).eval()
    >>> fused, x = lantern.nn.utils.fuse_conv_bn_eval(conv, bn), lantern.ones(1, 1, 3)
    >>> lantern.allclose(fused(x), bn(conv(x)))
    True
    """
    fused = _copied(conv, bn)
    statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    weights = fuse_conv_bn_weights(fused.weight, fused.bias, *statistics, transpose)
    fused.weight, fused.bias = weights
    return fused


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """Returns a copy of `linear` that also does what `bn` does in evaluation mode."""
    fused = _copied(linear, bn)
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise AssertionError(
            "To fuse, linear.out_features == bn.num_features or bn.num_features == 1"
        )
    statistics = (bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    fused.weight, fused.bias = fuse_linear_bn_weights(fused.weight, fused.bias, *statistics)
    return fused


def _copied(layer: Any, bn: Any) -> Any:
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError("bn.running_mean and bn.running_var must not be None")
    return copy.deepcopy(layer)


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Returns the weight and the bias of a convolution with a batch norm behind it."""
    shape = [1, -1] if transpose else [-1, 1]
    shape += [1] * (conv_w.dim() - 2)
    return _fused(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Returns the weight and the bias of a linear layer with a batch norm behind it."""
    return _fused(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _fused(
    weight: Tensor,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    eps: float,
    bn_weight: Tensor | None,
    bn_bias: Tensor | None,
    shape: list[int],
) -> tuple[Parameter, Parameter]:
    dtypes = (weight.dtype, weight.dtype if bias is None else bias.dtype)
    bias = lantern.zeros_like(mean) if bias is None else bias
    bn_weight = lantern.ones_like(mean) if bn_weight is None else bn_weight
    bn_bias = lantern.zeros_like(mean) if bn_bias is None else bn_bias
    scale = bn_weight * lantern.rsqrt(variance + eps)
    made = (weight * scale.reshape(shape), (bias - mean) * scale + bn_bias)
    wanted = (weight.requires_grad, bias.requires_grad)
    return tuple(  # type: ignore[return-value]
        Parameter(each.to(dtype).detach(), grad)
        for each, dtype, grad in zip(made, dtypes, wanted, strict=True)
    )
