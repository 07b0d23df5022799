"""Losses by margins and distances, and the likelihoods of counts and of normal variables.

What PyTorch has one kernel for is one op with its own gradient; the others are made of other ops.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..autograd.mode import active, no_grad
from ..op import FLOAT, SAME, composite, op
from ..shape import broadcast_shapes
from ..tensor import Tensor
from .activation import logsigmoid
from .distance import pairwise_distance
from .index import outside
from .loss import (
    check_reduction,
    floating_pair,
    l1_loss,
    reduced,
    refuse_gradient,
    spread,
    warn_shapes,
)
from .transcendental import xlogy
from .views import unsqueeze


def _reduced(losses: Any, reduction: str) -> Any:
    """Returns a tensor of losses averaged, summed or as it is."""
    if reduction == "none":
        return losses
    return losses.mean() if reduction == "mean" else losses.sum()


def _both(formula: Callable[..., Any]) -> dict[str, Callable[..., Any]]:
    """Returns the formulas of a loss that grows alike as either of the two goes away."""
    return {
        "input": formula,
        "target": lambda xp, g, input, target, reduction, width: formula(
            xp, g, target, input, reduction, width
        ),
    }


# --- regression, square near 0 and straight beyond
# Which of the half types PyTorch rounds after each step depends on the kernel.
@op(
    promote=SAME,
    method=False,
    public=False,
    check=floating_pair("smooth_l1_cpu"),
    steps=lambda half, *rest: half is dtypes.float16,
)
def smooth_absolute(xp, input, target, reduction, width):
    """Half the squared difference over `width`, straight from there on."""
    distance = xp.abs(input - target)
    edge, middle = (xp.full((), each, distance) for each in (width, 0.5))
    bent = xp.square(distance) * middle / edge
    straight = distance - middle * edge
    return reduced(xp, xp.where(xp.lt(distance, edge), bent, straight), reduction)


def _smooth_gradient(xp, g, input, target, reduction, width):
    difference = input - target
    near = xp.lt(xp.abs(difference), width)
    slope = xp.where(near, difference * (1 / width), xp.sign(difference))
    return slope * spread(g, difference.shape, reduction)


@op(
    promote=SAME,
    method=False,
    public=False,
    check=floating_pair("huber_cpu"),
    steps=lambda half, *rest: half is dtypes.bfloat16,
)
def huber(xp, input, target, reduction, width):
    """Half the squared difference, straight from `width` on."""
    distance = xp.abs(input - target)
    edge, middle = (xp.full((), each, distance) for each in (width, 0.5))
    straight = (distance - middle * edge) * edge
    bent = xp.square(distance) * middle
    return reduced(xp, xp.where(xp.le(distance, edge), bent, straight), reduction)


def _huber_gradient(xp, g, input, target, reduction, width):
    difference = input - target
    near = xp.le(xp.abs(difference), width)
    slope = xp.where(near, difference, xp.sign(difference) * width)
    return slope * spread(g, difference.shape, reduction)


smooth_absolute.vjp(**_both(_smooth_gradient))
huber.vjp(**_both(_huber_gradient))
smooth_absolute._grad_name, huber._grad_name = "SmoothL1LossBackward0", "HuberLossBackward0"


def _of_elements(loss: Any, input: Any, target: Any, reduction: str, width: float) -> Any:
    """Returns a loss; of half types that of each element is rounded before they are summed."""
    if input.dtype.char in "eE":
        return _reduced(loss(input, target, "none", width), reduction)
    return loss(input, target, reduction, width)


@composite(method=False, function=False)
def smooth_l1_loss(xp, input, target, reduction="mean", beta=1.0):
    """Squared differences (over `2 * beta`) below `beta`, absolute ones (less `beta / 2`) above.

    Raises RuntimeError for a negative `beta`.
    """
    check_reduction(reduction)
    warn_shapes(input, target)
    if beta == 0:
        return l1_loss(input, target, reduction)
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    return _of_elements(smooth_absolute, input, target, reduction, beta)


@composite(method=False, function=False)
def huber_loss(xp, input, target, reduction="mean", delta=1.0, weight=None):
    """Half the squared difference, and beyond `delta` the straight line that goes on from there.

    Raises RuntimeError for a `delta` that is not positive.

    >>> import lantern
    >>> lantern.nn.functional.huber_loss(lantern.tensor([0.5, 3.0]), lantern.zeros(2))
    tensor(1.3125)
    """
    check_reduction(reduction)
    warn_shapes(input, target)
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    if weight is None:
        return _of_elements(huber, input, target, reduction, delta)
    if weight.shape != input.shape:
        raise ValueError("Weights and input must have the same size.")
    return _reduced(huber(input, target, "none", delta) * weight, reduction)


# --- distributions
@composite(method=False, function=False)
def kl_div(xp, input, target, reduction="mean", log_target=False):
    """The divergence of log-probabilities from target probabilities (or logs: `log_target`).

    `reduction` 'batchmean' divides the sum by the first size, which is the mathematical mean.
    """
    if reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math "
            "definition.'mean' will be changed to behave the same as 'batchmean' in the next major "
            "release.",
            stacklevel=4,
        )
    elif reduction != "batchmean":
        check_reduction(reduction)
    if not input.is_floating_point() or not target.is_floating_point():
        raise RuntimeError("kl_div: Integral inputs not supported.")
    if log_target:
        losses = xp.exp(target) * (target - input)
    else:
        losses = xlogy(target, target) - target * input
    if reduction != "batchmean":
        return _reduced(losses, reduction)
    total = losses.sum()
    return total / input.shape[0] if input.ndim else total


@composite(method=False, function=False)
def poisson_nll_loss(xp, input, target, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """The negative log-likelihood of counts that are Poisson distributed.

    `input` is the logarithm of the rate (or the rate itself); `full` adds Stirling's term.
    """
    check_reduction(reduction)
    if log_input:
        losses = xp.exp(input) - target * input
    else:
        losses = input - target * xp.log(input + eps)
    if full:
        stirling = target * xp.log(target) - target + 0.5 * xp.log(2 * math.pi * target)
        losses = losses + xp.where(xp.le(target, 1), 0, stirling)
    return _reduced(losses, reduction)


@composite(method=False, function=False, numbers="var")
def gaussian_nll_loss(xp, input, target, var, full=False, eps=1e-6, reduction="mean"):
    """The negative log-likelihood of normal variables with means `input` and variances `var`.

    Raises ValueError for a negative variance or one whose size does not fit.
    """
    if not isinstance(var, Tensor):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = xp.full(input.shape, var, input)
    elif var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = unsqueeze(var, -1)
        elif input.shape[:-1] != var.shape[:-1] or var.shape[-1] != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    if active.trace is None and bool(xp.any(xp.lt(var, 0))):
        raise ValueError("var has negative entry/entries")
    with no_grad():
        missing = xp.where(xp.lt(var, eps), eps - var, 0)
    var = var + missing  # held at eps or above, with the gradient of `var` itself
    losses = 0.5 * (xp.log(var) + xp.square(input - target) / var)
    if full:
        losses = losses + 0.5 * math.log(2 * math.pi)
    return _reduced(losses, reduction)


# --- two classes, -1 and 1
@op(promote=FLOAT, method=False, public=False, steps=True)
def soft_margin(xp, input, target, reduction):
    """log(1 + exp(-target * input))."""
    return reduced(xp, xp.log1p(xp.exp(-target * input)), reduction)


soft_margin.vjp(
    input=lambda xp, g, input, target, reduction: (
        -target * xp.sigmoid(-target * input) * spread(g, (input * target).shape, reduction)
    )
)
soft_margin._grad_name = "SoftMarginLossBackward0"


@composite(method=False, function=False)
def soft_margin_loss(xp, input, target, reduction="mean"):
    """`log(1 + exp(-target * input))` for targets 1 and -1."""
    check_reduction(reduction)
    broadcast_shapes(input.shape, target.shape)
    return soft_margin(input, target, reduction)


@composite(method=False, function=False)
def hinge_embedding_loss(xp, input, target, margin=1.0, reduction="mean"):
    """The input where the target is 1, `max(0, margin - input)` where it is -1."""
    check_reduction(reduction)
    broadcast_shapes(target.shape, input.shape)
    if input.dtype.char not in "fd":  # the margin has the dtype of the input, which moves the kink
        margin = xp.full((), int(margin) if input.dtype.kind != "f" else margin, input.dtype)
    short = (margin - input).clamp_min(0)
    losses = xp.where(xp.ne(target, 1), short, 0) + xp.where(xp.ne(target, -1), input, 0)
    return _reduced(losses, reduction)


# The parameters input1 and input2 are checked here: an op knows other names for its tensors.
def _check_tensors(name: str, **tensors: Any) -> None:
    for place, (key, each) in enumerate(tensors.items(), 1):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"{name}(): argument '{key}' (position {place}) must be Tensor, not "
                f"{type(each).__name__}"
            )


@composite(method=False, function=False)
def margin_ranking_loss(xp, input1, input2, target, margin=0.0, reduction="mean"):
    """`max(0, -target * (input1 - input2) + margin)`: which of two scores should be higher."""
    check_reduction(reduction)
    _check_tensors("margin_ranking_loss", input1=input1, input2=input2)
    if input1.ndim != input2.ndim or input1.ndim != target.ndim:
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.shape}, input2: {input2.shape}, target: {target.shape} "
        )
    return _reduced((-target * (input1 - input2) + float(margin)).clamp_min(0), reduction)


@composite(method=False, function=False)
def cosine_embedding_loss(xp, input1, input2, target, margin=0.0, reduction="mean"):
    """`1 - cos` of two vectors `(N, D)` for target 1, `max(0, cos - margin)` for target -1.

    Raises RuntimeError unless the target is `(N,)`, or `()` for vectors `(D,)`.
    """
    check_reduction(reduction)
    _check_tensors("cosine_embedding_loss", input1=input1, input2=input2)
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found "
            f"inputs with sizes {list(input1.shape)} and {list(input2.shape)}."
        )
    broadcast_shapes(input1.shape, input2.shape)
    dim = target.ndim
    product = (input1 * input2).sum(dim)
    squares = ((input1 * input1).sum(dim) + 1e-12) * ((input2 * input2).sum(dim) + 1e-12)
    cosine = product / xp.sqrt(squares)
    broadcast_shapes(target.shape, cosine.shape)
    alike, unlike = 1 - cosine, (cosine - margin).clamp_min(0)
    losses = xp.where(xp.eq(target, 1), alike, 0) + xp.where(xp.eq(target, -1), unlike, 0)
    return _reduced(losses, reduction)


# --- several classes
def _rows_and_classes(input: Tensor) -> tuple[int, int]:
    """Returns the sizes of scores `(N, C)`, `(C,)` or `()`; raises RuntimeError for others."""
    if input.ndim > 2 or (input.ndim and input.shape[-1] == 0):
        raise RuntimeError(
            "Expected non-empty vector or matrix with optional 0-dim batch size, but got: "
            f"{list(input.shape)}"
        )
    rows = input.shape[0] if input.ndim == 2 else 1
    return rows, input.shape[-1] if input.ndim else 1


def _check_long(target: Tensor) -> None:
    if target.dtype is not dtypes.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.legacy}")


def _matrix(xp, x):
    """Returns scores or labels `(N, C)`, `(C,)` or `()` as a matrix."""
    return x if x.ndim == 2 else xp.reshape(x, (1, x.shape[0] if x.ndim else 1))


@op(promote=FLOAT, method=False, public=False, exact=True)
def multi_margin(xp, input, index, p, margin, weight, reduction):
    """How far other scores of rows `(N, C)` come within the margin of the one `index` names."""
    scores = _matrix(xp, input)
    short = _shortfalls(xp, scores, index, margin)
    losses = xp.sum(short if p == 1 else short * short, (1,), False) / scores.shape[1]
    if weight is not None:
        losses = losses * xp.getitem(weight, (xp.reshape(index, losses.shape),))
    return reduced(xp, xp.reshape(losses, index.shape), reduction)


def _shortfalls(xp, input, index, margin):
    places = xp.reshape(index, (input.shape[0], 1))
    short = input - xp.gather(input, 1, places) + margin
    others = xp.ne(xp.arange(0, input.shape[1], 1, dtypes.int64), places)
    return xp.where(xp.logical_and(others, xp.gt(short, 0)), short, 0)


def _multi_margin_gradient(xp, g, input, index, p, margin, weight, reduction):
    scores = _matrix(xp, input)
    rows, classes = scores.shape
    places = xp.reshape(index, (rows, 1))
    short = _shortfalls(xp, scores, index, margin)
    slope = xp.cast(xp.gt(short, 0), xp.dtype_of(g)) if p == 1 else short * 2
    g = xp.reshape(g, (rows, 1)) if reduction == "none" else spread(g, (rows,), reduction)
    if weight is not None:
        g = g * xp.getitem(weight, (places,))
    slope = slope * (g / classes)
    slope = xp.scatter_add(slope, 1, places, -xp.sum(slope, (1,), True))
    return xp.reshape(slope, input.shape)


multi_margin.vjp(input=_multi_margin_gradient)
multi_margin._grad_name = "MultiMarginLossBackward0"


@composite(method=False, function=False)
def multi_margin_loss(xp, input, target, p=1, margin=1.0, weight=None, reduction="mean"):
    """By how much other classes' scores `(N, C)` come within `margin` of the right one's.

    Raises RuntimeError for a class out of range, ValueError unless `p` is 1 or 2.

    >>> import lantern
    >>> scores, target = lantern.tensor([[0.5, 1.0, 0.0]]), lantern.tensor([1])
    >>> lantern.nn.functional.multi_margin_loss(scores, target)
    tensor(0.1667)
    """
    check_reduction(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    rows, classes = _rows_and_classes(input)
    if target.ndim > 1 or target.numel() != rows:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input "
            f"samples (batch size). Expected target size [{rows}], but got {list(target.shape)}. "
            f"Input has shape {list(input.shape)}."
        )
    if weight is not None and weight.shape[0] != classes:
        raise RuntimeError(
            f"inconsistent weight size, expected {classes} but got {list(weight.shape)}"
        )
    refuse_gradient("multi_margin_loss", weight=weight)
    _check_long(target)
    if outside(target, 0, classes) is not None:
        raise RuntimeError("target out of range")
    return multi_margin(input, target, p, margin, weight, reduction)


@op(promote=FLOAT, method=False, public=False, exact=True)
def multilabel_margin(xp, input, index, reduction):
    """`multi_margin` with several right classes `(N, C)`, listed up to a -1."""
    short, near, _ = _label_shortfalls(xp, _matrix(xp, input), _matrix(xp, index))
    losses = xp.sum(xp.where(near, short, 0), (1, 2), False) / short.shape[2]
    return reduced(xp, xp.reshape(losses, input.shape[:1] if input.ndim == 2 else ()), reduction)


def _label_shortfalls(xp, input, index):
    """Returns, per label and other class, by how much their scores are too near each other.

    Also where they are so, and the labels with 0 for those that are none.
    """
    rows, classes = input.shape
    count = xp.cumprod(xp.cast(xp.ge(index, 0), dtypes.int64), 1)
    labels = index * count
    kind = xp.dtype_of(input)
    marks = xp.scatter_add(xp.full(input.shape, 0, input), 1, labels, xp.cast(count, kind))
    own = xp.reshape(xp.gather(input, 1, labels), (rows, classes, 1))
    short = xp.reshape(input, (rows, 1, classes)) - own + 1
    others = xp.logical_and(
        xp.reshape(xp.gt(count, 0), (rows, classes, 1)),
        xp.reshape(xp.eq(marks, 0), (rows, 1, classes)),
    )
    return short, xp.logical_and(others, xp.gt(short, 0)), labels


def _multilabel_margin_gradient(xp, g, input, index, reduction):
    _, near, labels = _label_shortfalls(xp, _matrix(xp, input), _matrix(xp, index))
    rows, classes = labels.shape
    slope = xp.cast(near, xp.dtype_of(g)) * (1 / classes)
    g = xp.reshape(g, (rows, 1, 1)) if reduction == "none" else spread(g, (rows,), reduction)
    slope = slope * g
    result = xp.scatter_add(xp.sum(slope, (1,), False), 1, labels, -xp.sum(slope, (2,), False))
    return xp.reshape(result, input.shape)


multilabel_margin.vjp(input=_multilabel_margin_gradient)
multilabel_margin._grad_name = "MultilabelMarginLossBackward0"


@composite(method=False, function=False)
def multilabel_margin_loss(xp, input, target, reduction="mean"):
    """`multi_margin_loss` with several right classes, listed in the target up to a -1.

    Raises RuntimeError for a class out of range and for a target in another shape.
    """
    check_reduction(reduction)
    rows, classes = _rows_and_classes(input)
    if target.ndim > 2 or target.numel() != rows * classes or target.ndim > max(input.ndim, 1):
        raise RuntimeError(
            f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}"
        )
    _check_long(target)
    if outside(target, -1, classes) is not None:
        raise RuntimeError("argument #2 'target' is out of range")
    return multilabel_margin(input, target, reduction)


@composite(method=False, function=False)
def multilabel_soft_margin_loss(xp, input, target, weight=None, reduction="mean"):
    """The mean over classes of `binary_cross_entropy_with_logits`."""
    losses = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        losses = losses * weight
    if not input.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    classes = input.shape[-1]
    losses = losses.sum(losses.ndim - 1) / classes
    return _reduced(losses, reduction)


# --- three points
def _check_triplet(margin: float, anchor: Any, positive: Any, negative: Any) -> None:
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    _check_tensors("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    sizes = (anchor.ndim, positive.ndim, negative.ndim)
    if len(set(sizes)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {sizes[0]}D, positive {sizes[1]}D, and negative "
            f"{sizes[2]}D inputs"
        )


def _triplet(xp, distance, anchor, positive, negative, margin, swap, reduction):
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = xp.minimum(far, distance(positive, negative))
    return _reduced((margin + near - far).clamp_min(0), reduction)


@composite(method=False, function=False)
def triplet_margin_loss(
    xp,
    anchor,
    positive,
    negative,
    margin=1.0,
    p=2.0,
    eps=1e-6,
    swap=False,
    reduction="mean",
):
    """By how much the negative is not `margin` farther from the anchor than the positive.

    Raises ValueError for a margin that is not positive.
    """
    check_reduction(reduction)
    _check_triplet(margin, anchor, positive, negative)

    def distance(one: Tensor, two: Tensor) -> Tensor:
        return pairwise_distance(one, two, p, eps)

    return _triplet(xp, distance, anchor, positive, negative, margin, swap, reduction)


@composite(method=False, function=False)
def triplet_margin_with_distance_loss(
    xp,
    anchor,
    positive,
    negative,
    *,
    distance_function=None,
    margin=1.0,
    swap=False,
    reduction="mean",
):
    """`triplet_margin_loss` with a distance of one's own."""
    check_reduction(reduction)
    _check_triplet(margin, anchor, positive, negative)
    distance = pairwise_distance if distance_function is None else distance_function
    return _triplet(xp, distance, anchor, positive, negative, margin, swap, reduction)
