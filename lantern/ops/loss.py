"""Losses of the first course: regression, binary and multi-class classification.

Each core op takes `reduction` last and has a hand-written gradient; the public ones add checks,
class weights and label smoothing. Deprecated flags are the business of `nn.functional`.
"""

from __future__ import annotations

import math
import warnings

from ..autograd.mode import active
from ..backends import NAMESPACES
from ..op import KEEP, SAME, composite, op
from ..shape import broadcast_shapes
from .activation import log_softmax

REDUCTIONS = ("none", "mean", "sum")


def reduced(xp, values, reduction):
    """Returns losses averaged, summed or as they are."""
    if reduction == "none":
        return values
    total = xp.sum(values, None, False)
    return total if reduction == "sum" else total / count_of(values.shape)


def count_of(shape):
    """Returns the number of elements; NaN for none, since the mean of nothing is NaN."""
    return math.prod(shape) or math.nan


def spread(g, shape, reduction):
    """Returns the gradient of one loss value, given that of the reduced loss."""
    return g / count_of(shape) if reduction == "mean" else g


def check_reduction(reduction):
    """Raises ValueError for a reduction that is none of the three."""
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction")


def _warn_shapes(input, target):
    if input.shape != target.shape:
        warnings.warn(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}). This will likely lead to incorrect results due to broadcasting. "
            "Please ensure they have the same size.",
            UserWarning,
            stacklevel=5,
        )
        broadcast_shapes(input.shape, target.shape)


@op(promote=SAME, method=False, public=False)
def squared_error(xp, input, target, reduction):
    """The squared difference."""
    return reduced(xp, xp.square(input - target), reduction)


@op(promote=SAME, method=False, public=False)
def absolute_error(xp, input, target, reduction):
    """The absolute difference."""
    return reduced(xp, xp.abs(input - target), reduction)


def _squared_error_gradient(xp, g, input, target, reduction):
    difference = input - target
    scale = 2.0 / count_of(difference.shape) if reduction == "mean" else 2.0
    return difference * (g * scale)


def _absolute_error_gradient(xp, g, input, target, reduction):
    difference = input - target
    return xp.sign(difference) * spread(g, difference.shape, reduction)


squared_error.vjp(
    input=_squared_error_gradient,
    target=lambda xp, g, input, target, reduction: -_squared_error_gradient(
        xp, g, input, target, reduction
    ),
)
absolute_error.vjp(
    input=_absolute_error_gradient,
    target=lambda xp, g, input, target, reduction: -_absolute_error_gradient(
        xp, g, input, target, reduction
    ),
)
squared_error._grad_name = "MseLossBackward0"
absolute_error._grad_name = lambda node: "AbsBackward0" if node.values[-1] == "none" else (
    "MeanBackward0" if node.values[-1] == "mean" else "SumBackward0"
)


@composite(method=False, function=False)
def mse_loss(xp, input, target, reduction="mean", weight=None):
    """The mean squared error.

    >>> import lantern
    >>> lantern.nn.functional.mse_loss(lantern.tensor([1.0, 2.0]), lantern.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_reduction(reduction)
    _warn_shapes(input, target)
    if weight is not None:
        losses = squared_error(input, target, "none") * weight
        if reduction == "mean":
            return losses.sum() / weight.expand(losses.shape).sum()
        return losses if reduction == "none" else losses.sum()
    return squared_error(input, target, reduction)


@composite(method=False, function=False)
def l1_loss(xp, input, target, reduction="mean", weight=None):
    """The mean absolute error."""
    check_reduction(reduction)
    _warn_shapes(input, target)
    if weight is not None:
        losses = absolute_error(input, target, "none") * weight
        if reduction == "mean":
            return losses.sum() / weight.expand(losses.shape).sum()
        return losses if reduction == "none" else losses.sum()
    return absolute_error(input, target, reduction)


@op(promote=SAME, method=False, public=False)
def binary_entropy(xp, input, target, weight, reduction):
    """-(t log p + (1 - t) log(1 - p)), the logarithms held at -100 or above."""
    losses = (target - 1) * xp.maximum(xp.log1p(-input), -100) - target * xp.maximum(
        xp.log(input), -100
    )
    return reduced(xp, losses if weight is None else losses * weight, reduction)


def _binary_entropy_input(xp, g, input, target, weight, reduction):
    g = spread(g, input.shape, reduction)
    g = g if weight is None else g * weight
    return (input - target) / xp.maximum((1 - input) * input, 1e-12) * g


def _binary_entropy_target(xp, g, input, target, weight, reduction):
    g = spread(g, input.shape, reduction)
    g = g if weight is None else g * weight
    return (xp.log1p(-input) - xp.log(input)) * g


binary_entropy.vjp(input=_binary_entropy_input, target=_binary_entropy_target)
binary_entropy._grad_name = "BinaryCrossEntropyBackward0"


def _refuse_outside(input):
    """Raises RuntimeError for a probability outside [0, 1]; NaN and recorded values pass."""
    if active.trace is None and input.numel():
        value = input._array
        low, high = NAMESPACES[type(value)].value_range(value)
        if low < 0 or high > 1:
            raise RuntimeError("all elements of input should be between 0 and 1")


@composite(method=False, function=False)
def binary_cross_entropy(
    xp, input, target, weight=None, reduction="mean"
):
    """The cross entropy of probabilities in [0, 1] and targets of the same shape.

    Raises ValueError where the shapes differ and RuntimeError for a probability outside [0, 1].
    """
    check_reduction(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size "
            f"({input.shape}) is deprecated. Please ensure they have the same size."
        )
    if input.dtype is not target.dtype:
        raise RuntimeError(
            f"Found dtype {target.dtype.legacy} but expected {input.dtype.legacy}"
        )
    _refuse_outside(input)
    return binary_entropy(input, target, weight, reduction)


@op(promote=SAME, method=False, public=False)
def binary_entropy_of_logits(xp, input, target, weight, pos_weight, reduction):
    """The binary cross entropy of sigmoid(input), without overflow."""
    # log(1 + exp(-|x|)) + max(-x, 0) is log(1 + exp(-x)) for x of either sign
    softplus = xp.log1p(xp.exp(-xp.abs(input))) + xp.maximum(-input, 0)
    if pos_weight is not None:
        softplus = softplus * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * input + softplus
    return reduced(xp, losses if weight is None else losses * weight, reduction)


def _logits_input(xp, g, input, target, weight, pos_weight, reduction):
    g = spread(g, input.shape, reduction)
    g = g if weight is None else g * weight
    if pos_weight is None:
        return (xp.sigmoid(input) - target) * g
    positive = pos_weight * target
    return ((positive + 1 - target) * xp.sigmoid(input) - positive) * g


def _logits_target(xp, g, input, weight, pos_weight, reduction):
    g = spread(g, input.shape, reduction)
    g = g if weight is None else g * weight
    if pos_weight is None:
        return -input * g
    softplus = xp.log1p(xp.exp(-xp.abs(input))) + xp.maximum(-input, 0)
    return (softplus * (pos_weight - 1) - input) * g


binary_entropy_of_logits.vjp(input=_logits_input, target=_logits_target)
binary_entropy_of_logits._grad_name = "BinaryCrossEntropyWithLogitsBackward0"


@composite(method=False, function=False)
def binary_cross_entropy_with_logits(
    xp,
    input,
    target,
    weight=None,
    reduction="mean",
    pos_weight=None,
):
    """The binary cross entropy of logits, which need no sigmoid before."""
    check_reduction(reduction)
    if target.shape != input.shape:
        raise ValueError(
            f"Target size ({target.shape}) must be the same as input size ({input.shape})"
        )
    return binary_entropy_of_logits(input, target, weight, pos_weight, reduction)


@op(promote=KEEP, method=False, public=False)
def picked_loss(xp, input, target, weight, ignore_index, reduction):
    """Minus the entry of each row `(N, C)` that `target` `(N,)` names, weighed by its class."""
    safe, scale = _picked(xp, input, target, weight, ignore_index)
    try:
        losses = xp.gather(input, 1, xp.reshape(safe, (-1, 1)))
    except IndexError as error:
        raise IndexError(f"Target {str(error).split()[1]} is out of bounds.") from None
    losses = xp.reshape(losses, safe.shape) * -scale
    if reduction == "none":
        return losses
    total = xp.sum(losses, None, False)
    return total if reduction == "sum" else total / xp.sum(scale, None, False)


def _picked(xp, input, target, weight, ignore_index):
    """Returns the class of each row with a safe one for ignored rows, and the rows' weights."""
    valid = xp.ne(target, ignore_index)
    safe = xp.where(valid, target, 0)
    scale = xp.cast(valid, xp.dtype_of(input))
    if weight is not None:
        scale = scale * xp.getitem(weight, (safe,))
    return safe, scale


def _picked_loss_input(xp, g, input_shape, target, weight, ignore_index, reduction):
    valid = xp.ne(target, ignore_index)
    safe = xp.where(valid, target, 0)
    scale = xp.cast(valid, xp.dtype_of(g))
    if weight is not None:
        scale = scale * xp.getitem(weight, (safe,))
    g = g / xp.sum(scale, None, False) if reduction == "mean" else g
    values = xp.reshape(-scale * g, (-1, 1))
    return xp.scatter(xp.full(input_shape, 0, g), 1, xp.reshape(safe, (-1, 1)), values)


picked_loss.vjp(input=_picked_loss_input)
picked_loss._grad_name = "NllLossBackward0"


def _check_classes(input, target):
    if input.ndim < 1:
        raise ValueError(f"Expected 1 or more dimensions (got {input.ndim})")
    if input.ndim != 1 and input.shape[0] != target.shape[:1][0] if target.ndim else False:
        raise ValueError(
            f"Expected input batch_size ({input.shape[0]}) to match target batch_size "
            f"({target.shape[0]})."
        )
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.legacy}")
    if input.ndim > 2 and (target.shape != (input.shape[0], *input.shape[2:])):
        raise ValueError(
            f"Expected target size {[input.shape[0], *input.shape[2:]]}, got {list(target.shape)}"
        )
    if input.ndim == 2 and target.ndim != 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")


@composite(method=False, function=False)
def nll_loss(
    xp,
    input,
    target,
    weight=None,
    ignore_index=-100,
    reduction="mean",
):
    """The negative log likelihood of classes: `(N, C, *)` log-probabilities, targets `(N, *)`.

    Raises IndexError for a class out of range.
    """
    check_reduction(reduction)
    _check_classes(input, target)
    if input.ndim == 1:
        result = picked_loss(
            xp.reshape(input, (1, -1)),
            xp.reshape(target, (1,)),
            weight,
            ignore_index,
            reduction,
        )
        return xp.reshape(result, ())
    if input.ndim == 2:
        return picked_loss(input, target, weight, ignore_index, reduction)
    classes = input.shape[1]
    rows = xp.reshape(xp.permute(input, (0, *range(2, input.ndim), 1)), (-1, classes))
    result = picked_loss(rows, xp.reshape(target, (-1,)), weight, ignore_index, reduction)
    return xp.reshape(result, target.shape) if reduction == "none" else result


@composite(method=False, function=False)
def cross_entropy(
    xp,
    input,
    target,
    weight=None,
    ignore_index=-100,
    reduction="mean",
    label_smoothing=0.0,
):
    """The cross entropy of logits `(N, C, *)` and class indices `(N, *)` or probabilities.

    >>> import lantern
    >>> logits, target = lantern.zeros(2, 4), lantern.tensor([0, 3])
    >>> lantern.nn.functional.cross_entropy(logits, target)
    tensor(1.3863)
    """
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(
            f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}"
        )
    dim = 0 if input.ndim == 1 else 1
    if input.shape == target.shape and target.is_floating_point():
        return _soft_entropy(xp, input, target, weight, reduction, label_smoothing, dim)
    if target.is_floating_point() and target.shape == input.shape:
        raise RuntimeError("expected scalar type Long but found Float")
    logs = log_softmax(input, dim)
    if label_smoothing == 0.0:
        return nll_loss(logs, target, weight, ignore_index, reduction)
    return _smoothed(xp, logs, target, weight, ignore_index, reduction, label_smoothing, dim)


def _smoothed(xp, logs, target, weight, ignore_index, reduction, smoothing, dim):
    """Cross entropy with part of each target spread evenly over all classes."""
    hard = nll_loss(logs, target, weight, ignore_index, reduction)
    valid = xp.ne(target, ignore_index)
    weighed = logs if weight is None else logs * _along(xp, weight, dim, logs.ndim)
    even = xp.where(valid, -weighed.sum(dim), xp.full((), 0, logs))
    classes = logs.shape[dim]
    if reduction == "sum":
        even = even.sum()
    elif reduction == "mean":
        if weight is None:
            even = even.sum() / xp.cast(valid, logs.dtype).sum()
        else:
            safe = xp.where(valid, target, 0)
            even = even.sum() / (weight[safe] * xp.cast(valid, logs.dtype)).sum()
    return hard * (1 - smoothing) + even * (smoothing / classes)


def _along(xp, weight, dim, ndim):
    return xp.reshape(weight, tuple(-1 if i == dim else 1 for i in range(ndim)))


def _soft_entropy(xp, input, target, weight, reduction, smoothing, dim):
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[dim]
    losses = log_softmax(input, dim) * target
    if weight is not None:
        losses = losses * _along(xp, weight, dim, input.ndim)
    if reduction == "none":
        return -losses.sum(dim)
    rows = math.prod(input.shape) / max(input.shape[dim], 1) or math.nan
    return -losses.sum() if reduction == "sum" else -losses.sum() / rows
