"""Losses of regression and of two classes: squared and absolute errors, the binary entropies.

Each core op takes `reduction` last and has a gradient of its own; the public ones add checks.
`class_loss` has those of several classes. Deprecated flags are the business of `nn.functional`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..autograd.mode import active, mode
from ..backends import NAMESPACES
from ..op import SAME, composite, op
from ..shape import Size, broadcast_shapes
from ..tensor import Tensor
from .arithmetic import refuse_bool
from .pointwise import unrounded

REDUCTIONS = ("none", "mean", "sum")


# --- parts that all losses share
def reduced(xp, values, reduction):
    """Returns losses averaged, summed or as they are."""
    if reduction == "none":
        return values
    total = xp.sum(unrounded(xp, values), None, False)
    return total if reduction == "sum" else total / count_of(values.shape)


def count_of(shape):
    """Returns the number of elements; NaN for none, since the mean of nothing is NaN."""
    return math.prod(shape) or math.nan


def spread(g, shape, reduction):
    """Returns the gradient of one loss value, given that of the reduced loss."""
    return g / max(math.prod(shape), 1) if reduction == "mean" else g


def check_reduction(reduction: str) -> None:
    """Raises ValueError for a reduction that is none of the three."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")


def warn_shapes(input: Any, target: Any) -> None:
    """Warns where sizes differ; raises RuntimeError where they do not broadcast either."""
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({Size(target.shape)}) that is different to the input size "
            f"({Size(input.shape)}). This will likely lead to incorrect results due to "
            "broadcasting. Please ensure they have the same size.",
            UserWarning,
            stacklevel=5,
        )
        broadcast_shapes(input.shape, target.shape)


def refuse_gradient(name: str, **parameters: Any) -> None:
    """Raises RuntimeError for a tensor that wants a gradient where the loss has none for it."""
    for key, each in parameters.items():
        if each is not None and mode.enabled and each.requires_grad:
            raise RuntimeError(
                f"The function '{name}' is not differentiable with respect to argument '{key}'. "
                "This input cannot have requires_grad True."
            )


def floating_pair(kernel: str) -> tuple[str, Callable[..., None]]:
    """Returns the `check` of an op of which input or target must be floating point."""

    def refuse(input: Any, target: Any, *rest: Any) -> None:
        pair = (input, target)
        if all(isinstance(each, Tensor) and each.dtype.kind != "f" for each in pair):
            kind = dtypes.promote_types(input.dtype, target.dtype).legacy
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")

    return "?bBhHiIlL", refuse


def _check_weight(input: Tensor, weight: Tensor) -> None:
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")


def _weighed_mean(losses: Any, weight: Any, reduction: str) -> Any:
    losses = losses * weight
    if reduction == "none":
        return losses
    return losses.sum() / weight.sum() if reduction == "mean" else losses.sum()


# --- regression
@op(promote=SAME, method=False, function=False, check=floating_pair("mse_cpu"), steps=True)
def mse_loss(xp, input, target, reduction="mean", weight=None):
    """The mean squared error.

    >>> import lantern
    >>> lantern.nn.functional.mse_loss(lantern.tensor([1.0, 2.0]), lantern.tensor([1.0, 4.0]))
    tensor(2.)
    """
    if reduction not in REDUCTIONS:
        check_reduction(reduction)
    if input.shape != target.shape:
        warn_shapes(input, target)
    losses = xp.square(input - target)
    if weight is None:
        return reduced(xp, losses, reduction)
    _check_weight(input, weight)
    losses = losses * weight
    if reduction == "mean":
        return xp.sum(losses, None, False) / xp.sum(weight, None, False)
    return reduced(xp, losses, reduction)


def _squared_error_gradient(xp, g, input, target, reduction, weight):
    difference = input - target
    if weight is None:
        return difference * spread(g * 2, difference.shape, reduction)
    share = weight / xp.sum(weight, None, False) if reduction == "mean" else weight
    return difference * (g * 2) * share


def _squared_error_weight(xp, g, input, target, reduction, weight, out):
    losses = xp.square(input - target)
    return (losses - out) * (g / xp.sum(weight, None, False)) if reduction == "mean" else losses * g


def _squared_error_name(node: Any) -> str:
    _, _, reduction, weight, *_ = node.values
    if weight is None:
        return "MseLossBackward0"
    return {"none": "Mul", "mean": "Div", "sum": "Sum"}[reduction] + "Backward0"


mse_loss.vjp(
    input=_squared_error_gradient,
    target=lambda xp, g, input, target, reduction, weight: _squared_error_gradient(
        xp, g, target, input, reduction, weight
    ),
    weight=_squared_error_weight,
)
mse_loss._grad_name = _squared_error_name


@op(
    promote=SAME,
    method=False,
    public=False,
    steps=True,
    check=("?", lambda input, target, reduction: refuse_bool(input, target)),
)
def absolute_error(xp, input, target, reduction):
    """The absolute difference."""
    return reduced(xp, xp.abs(input - target), reduction)


def _absolute_error_gradient(xp, g, input, target, reduction):
    difference = input - target
    return xp.sign(difference) * spread(g, difference.shape, reduction)


def _absolute_error_name(node: Any) -> str:
    return {"none": "Abs", "mean": "Mean", "sum": "Sum"}[node.values[-1]] + "Backward0"


absolute_error.vjp(
    input=_absolute_error_gradient,
    target=lambda xp, g, input, target, reduction: _absolute_error_gradient(
        xp, g, target, input, reduction
    ),
)
absolute_error._grad_name = _absolute_error_name


@composite(method=False, function=False)
def l1_loss(xp, input, target, reduction="mean", weight=None):
    """The mean absolute error."""
    check_reduction(reduction)
    warn_shapes(input, target)
    if weight is not None:
        _check_weight(input, weight)
        return _weighed_mean(absolute_error(input, target, "none"), weight, reduction)
    if input.is_floating_point() or target.is_floating_point():
        return absolute_error(input, target, reduction)
    difference = xp.abs(input - target)
    if reduction == "none":
        return difference
    return difference.sum() if reduction == "sum" else difference.mean()


# --- two classes
@op(promote=SAME, method=False, public=False, steps=True)
def binary_entropy(xp, input, target, weight=None, reduction="mean"):
    """-(t log p + (1 - t) log(1 - p)), the logarithms held at -100 or above."""
    losses = (target - 1) * xp.maximum(xp.log1p(-input), -100) - target * xp.maximum(
        xp.log(input), -100
    )
    return reduced(xp, losses if weight is None else losses * weight, reduction)


def _weighed(g, weight, shape, reduction):
    g = spread(g, shape, reduction)
    return g if weight is None else g * weight


def _binary_entropy_input(xp, g, input, target, weight, reduction):
    spread_out = (1 - input) * input
    spread_out = xp.where(xp.gt(spread_out, 1e-12), spread_out, 1e-12)
    return (input - target) / spread_out * _weighed(g, weight, input.shape, reduction)


binary_entropy.vjp(
    input=_binary_entropy_input,
    target=lambda xp, g, input, weight, reduction: (
        (xp.log1p(-input) - xp.log(input)) * _weighed(g, weight, input.shape, reduction)
    ),
)
binary_entropy._grad_name = "BinaryCrossEntropyBackward0"


@composite(method=False, function=False)
def binary_cross_entropy(xp, input, target, weight=None, reduction="mean"):
    """The cross entropy of probabilities in [0, 1] and targets of the same shape.

    Raises ValueError where the shapes differ and RuntimeError for a probability outside [0, 1].

    >>> import lantern
    >>> p, target = lantern.tensor([0.5, 0.5]), lantern.tensor([0.0, 1.0])
    >>> lantern.nn.functional.binary_cross_entropy(p, target)
    tensor(0.6931)
    """
    check_reduction(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    refuse_gradient("binary_cross_entropy", weight=weight)
    if weight is not None:
        weight = _expanded(xp, weight.to(input.dtype), input.shape)
    if input.dtype is not target.dtype:
        raise RuntimeError(f"Found dtype {target.dtype.legacy} but expected {input.dtype.legacy}")
    _refuse_improbable(input, "input")
    _refuse_improbable(target, "target")
    return binary_entropy(input, target, weight, reduction)


def _expanded(xp, weight, shape):
    """Returns a weight in the shape of losses; raises RuntimeError where it does not fit."""
    lead = len(shape) - weight.ndim
    for i, (size, want) in enumerate(zip(weight.shape, shape[max(lead, 0) :], strict=False)):
        if lead < 0 or size not in (1, want):
            raise RuntimeError(
                f"Attempting to broadcast a dimension of length {size} at {i - weight.ndim}! "
                f"Mismatching argument at index 1 had {weight.shape}; but expected shape should be "
                f"broadcastable to {list(shape)}"
            )
    return xp.expand(weight, shape)


def _refuse_improbable(input: Tensor, name: str) -> None:
    """Raises RuntimeError for an element outside [0, 1] or NaN; a trace cannot know."""
    if active.trace is not None or not input.numel():
        return
    value = input._array
    least, most = NAMESPACES[type(value)].value_range(value)
    if not (float(least) >= 0 and float(most) <= 1):
        raise RuntimeError(f"all elements of {name} should be between 0 and 1")


@op(promote=SAME, method=False, public=False, steps=True)
def binary_entropy_of_logits(xp, input, target, weight=None, other=None, reduction="mean"):
    """The binary cross entropy of sigmoid(input), without overflow; `other` weighs the ones."""
    losses = (1 - target) * input + _softplus_of_minus(xp, input, target, other)
    return reduced(xp, losses if weight is None else losses * weight, reduction)


def _softplus_of_minus(xp, input, target, positive_weight):
    # log(1 + exp(-|x|)) + max(-x, 0) is log(1 + exp(-x)) for x of either sign
    wide = unrounded(xp, input)
    result = xp.log1p(xp.exp(-xp.abs(wide))) - xp.where(xp.lt(wide, 0), wide, 0)
    if wide is not input:
        result = xp.cast(result, xp.dtype_of(input))
    return result if positive_weight is None else result * ((positive_weight - 1) * target + 1)


def _logits_input(xp, g, input, target, weight, other, reduction):
    g = _weighed(g, weight, input.shape, reduction)
    if other is None:
        return (xp.sigmoid(input) - target) * g
    positive = other * target
    return ((positive + 1 - target) * xp.sigmoid(input) - positive) * g


def _logits_target(xp, g, input, weight, other, reduction):
    g = _weighed(g, weight, input.shape, reduction)
    if other is None:
        return -input * g
    return (_softplus_of_minus(xp, input, None, None) * (other - 1) - input) * g


binary_entropy_of_logits.vjp(input=_logits_input, target=_logits_target)
binary_entropy_of_logits._grad_name = "BinaryCrossEntropyWithLogitsBackward0"


@composite(method=False, function=False)
def binary_cross_entropy_with_logits(
    xp, input, target, weight=None, reduction="mean", pos_weight=None
):
    """The binary cross entropy of logits, which need no sigmoid before.

    >>> import lantern
    >>> logits, target = lantern.zeros(2), lantern.tensor([0.0, 1.0])
    >>> lantern.nn.functional.binary_cross_entropy_with_logits(logits, target)
    tensor(0.6931)
    """
    check_reduction(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    _check_logits(input, target)
    name = "binary_cross_entropy_with_logits"
    refuse_gradient(name, weight=weight, pos_weight=pos_weight)
    for each in (pos_weight, weight):
        if each is not None:
            broadcast_shapes(each.shape, input.shape)
    result = binary_entropy_of_logits(input, target, weight, pos_weight, reduction)
    return result if input.dtype is target.dtype else xp.cast(result, target.dtype)


def _check_logits(input: Any, target: Any) -> None:
    if not input.is_floating_point():
        raise NotImplementedError(f"\"log_sigmoid_cpu\" not implemented for '{input.dtype.legacy}'")
    kind = target.dtype
    if kind is dtypes.bool_:
        refuse_bool(target, target)
    if kind in (dtypes.uint16, dtypes.uint32, dtypes.uint64):
        raise NotImplementedError(f"\"add_stub\" not implemented for '{kind.legacy}'")
    if kind.kind != "f":
        raise RuntimeError(
            f"result type {input.dtype.legacy} can't be cast to the desired output type "
            f"{kind.legacy}"
        )
