"""Losses of several classes: the cross entropies with class numbers and with probabilities.

The core ops have gradients of their own; the public ones add checks, class weights and label
smoothing.
"""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..op import FLOAT, composite, op
from ..tensor import Tensor
from .activation import log_softmax
from .loss import check_reduction, refuse_gradient
from .slices import laid_along


# --- against class numbers
@op(packed="always", promote=FLOAT, method=False, public=False, exact=True, steps=True)
def picked_loss(xp, input, index, weight=None, ignore_index=-100, reduction="mean"):
    """Minus the entry along dimension 1 of `(N, C, *)` that `index` `(N, *)` names, weighed."""
    valid = xp.ne(index, ignore_index)
    safe = xp.where(valid, index, 0)
    losses = _entries(xp, input, safe)
    if weight is not None:
        weight = xp.where(valid, xp.getitem(weight, (safe,)), 0)
        losses = losses * weight
    losses = xp.where(valid, losses, 0)
    if reduction == "none":
        return -losses
    total = -_added_up(xp, losses)
    if reduction == "sum":
        return total
    if weight is not None:
        return total / _added_up(xp, weight)
    return total / xp.sum(xp.cast(valid, xp.dtype_of(input)), None, False)


def _added_up(xp, x):
    """Returns the sum; that of a half type as PyTorch's kernel adds, sixteen by sixteen.

    The first element is added last, after what is left over of elements, blocks, blocks of blocks.
    """
    x = xp.reshape(x, (math.prod(x.shape),))
    if x.dtype.char not in "eE" or not x.shape[0]:
        return xp.sum(x, None, False)

    def part(start, end):
        return xp.getitem(x, (slice(start, end),))

    first, x, parts = part(0, 1), part(1, None), []
    while x.shape[0]:
        count = x.shape[0] // 16
        if x.shape[0] % 16:
            parts.append(xp.getitem(xp.cumsum(part(count * 16, None), 0), (slice(-1, None),)))
        blocks = xp.cumsum(xp.reshape(part(0, count * 16), (count, 16)), 1)
        x = xp.getitem(blocks, (slice(None), 15))
    return xp.getitem(xp.cumsum(xp.cat([*parts, first], 0), 0), (-1,))


def _places(xp, ndim, index):
    """Returns the dimension of the classes, and the index with that dimension in it."""
    if ndim == 1:
        return 0, xp.reshape(index, (1,))
    return 1, xp.reshape(index, (index.shape[0], 1, *index.shape[1:]))


def _entries(xp, input, index):
    """Returns the entry of each row that an index names."""
    try:
        entries = xp.gather(input, *_places(xp, input.ndim, index))
    except (IndexError, RuntimeError) as error:
        raise IndexError(f"Target {str(error).split()[1]} is out of bounds.") from None
    return xp.reshape(entries, index.shape)


def _picked_loss_input(xp, g, input_shape, index, weight, ignore_index, reduction):
    valid = xp.ne(index, ignore_index)
    safe = xp.where(valid, index, 0)
    if weight is not None:
        weight = xp.where(valid, xp.getitem(weight, (safe,)), 0)
    if reduction == "mean":
        scale = xp.cast(valid, xp.dtype_of(g)) if weight is None else weight
        g = g / xp.sum(scale, None, False)
    g = -g if weight is None else -g * weight
    dim, places = _places(xp, len(input_shape), safe)
    values = xp.reshape(xp.where(valid, g, 0), places.shape)
    return xp.scatter(xp.full(input_shape, 0, g), dim, places, values)


def _picked_loss_name(node: Any) -> str:
    ndim, reduction = len(node.values[0]), node.values[-1]
    if ndim < 3:
        return "NllLossBackward0"
    return "ViewBackward0" if ndim != 4 and reduction == "none" else "NllLoss2DBackward0"


picked_loss.vjp(input=_picked_loss_input)
picked_loss._grad_name = _picked_loss_name


def _classes(input: Any, target: Any) -> Any:
    """Returns the target as int64; raises for shapes and dtypes that do not fit."""
    shape, wanted = input._array.shape, target._array.shape
    if target.dtype is dtypes.int64 and len(shape) > 1 and wanted == (shape[0], *shape[2:]):
        return target
    if not shape:
        raise ValueError("Expected 1 or more dimensions (got 0)")
    if len(shape) == 1:
        if wanted not in ((), (1,)):
            raise ValueError(
                f"For 1D input, 1D target must have size 1, but got target size: {wanted[0]}"
            )
    elif not wanted or shape[0] != wanted[0]:
        raise ValueError(
            f"Expected input batch_size ({shape[0]}) to match target batch_size "
            f"({wanted[0] if wanted else 0})."
        )
    elif tuple(wanted[1:]) != tuple(shape[2:]):
        _refuse_sizes(list(shape), list(wanted))
    if target.dtype is dtypes.int64:
        return target
    if target.dtype is not dtypes.uint8:
        raise RuntimeError(
            f"expected target dtype to be Long or Byte, but got {target.dtype.legacy}"
        )
    return target.to(dtypes.int64)


def _refuse_sizes(shape: list, wanted: list) -> None:
    if len(shape) == 2:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if len(shape) == 4 and len(wanted) == 3:
        raise RuntimeError(f"size mismatch (got input: {shape} , target: {wanted}")
    raise RuntimeError(f"Expected target size {[shape[0], *shape[2:]]}, got {wanted}")


def _check_class_weight(name: str, weight: Tensor, classes: int, dtype: Any) -> None:
    if tuple(weight.shape) != (classes,):
        raise RuntimeError(
            f"{name}weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {list(weight.shape)}"
        )
    if dtype is not None and weight.dtype is not dtype:
        raise RuntimeError(f"expected scalar type {dtype.legacy} but found {weight.dtype.legacy}")


@composite(method=False, function=False)
def nll_loss(xp, input, target, weight=None, ignore_index=-100, reduction="mean"):
    """The negative log likelihood of classes: `(N, C, *)` log-probabilities, targets `(N, *)`.

    Raises IndexError for a class out of range.

    >>> import lantern
    >>> logs, target = lantern.tensor([[-0.5, -1.0]]), lantern.tensor([1])
    >>> lantern.nn.functional.nll_loss(logs, target)
    tensor(1.)
    """
    check_reduction(reduction)
    if input.dtype.kind != "f":
        raise NotImplementedError(
            f"\"nll_loss_out_frame\" not implemented for '{input.dtype.legacy}'"
        )
    return _nll(xp, input, target, weight, ignore_index, reduction)


def _nll(xp, input, target, weight, ignore_index, reduction):
    target = _classes(input, target)
    if weight is not None:
        classes = input.shape[1] if input.ndim > 1 else input.shape[0]
        _check_class_weight("", weight, classes, input.dtype)
        refuse_gradient("nll_loss_forward", weight=weight)
    if input.ndim == 1 and target.ndim:
        target = xp.reshape(target, ())
    return picked_loss(input, target, weight, ignore_index, reduction)


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

    Raises IndexError for a class out of range, RuntimeError where dtypes do not fit.

    >>> import lantern
    >>> logits, target = lantern.zeros(2, 4), lantern.tensor([0, 3])
    >>> lantern.nn.functional.cross_entropy(logits, target)
    tensor(1.3863)
    """
    check_reduction(reduction)
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    ndim, soft = input.ndim, input._array.shape == target._array.shape
    dim = 0 if ndim == 1 else 1
    if soft:
        _check_probabilities(input, target, weight, ignore_index, dim)
    if not ndim:
        raise IndexError("Dimension specified as 1 but tensor has no dimensions")
    if soft:
        return _soft(xp, input, target, weight, reduction, label_smoothing, dim)
    logs = log_softmax(input, dim)
    if label_smoothing == 0.0:
        return _nll(xp, logs, target, weight, ignore_index, reduction)
    return _smoothed(xp, logs, target, weight, ignore_index, reduction, label_smoothing, dim)


def _smoothed(xp, logs, target, weight, ignore_index, reduction, smoothing, dim):
    """Cross entropy with part of each target spread evenly over all classes."""
    hard = _nll(xp, logs, target, weight, ignore_index, reduction)
    target = _classes(logs, target)
    valid = xp.ne(target, ignore_index)
    weighed = logs if weight is None else logs * laid_along(xp, weight, dim, logs.ndim)
    even = xp.where(valid, -weighed.sum(dim), 0)
    classes = logs.shape[dim]
    if reduction == "sum":
        even = even.sum()
    elif reduction == "mean" and weight is None:
        even = even.sum() / xp.cast(valid, logs.dtype).sum()
    elif reduction == "mean":
        safe = xp.where(valid, target, 0)
        even = even.sum() / xp.where(valid, xp.getitem(weight, (safe,)), 0).sum()
    return hard * (1 - smoothing) + even * (smoothing / classes)


# --- against probabilities
@op(promote=FLOAT, method=False, public=False)
def soft_entropy(xp, input, target, weight=None, reduction="mean", dim=1):
    """Minus the sum over classes of log-probabilities times target probabilities."""
    losses = input * target if weight is None else input * target * weight
    if reduction == "none":
        return -xp.sum(losses, (dim,), False)
    total = -xp.sum(losses, None, False)
    return total if reduction == "sum" else total / (_rows(input.shape, dim) or math.nan)


def _rows(shape, dim):
    return math.prod(shape) / max(shape[dim], 1)


def _soft_entropy_gradient(xp, g, other, weight, reduction, dim):
    if reduction == "none":
        shape = other.shape
        g = xp.reshape(g, (*shape[:dim], 1, *shape[dim + 1 :]))
    elif reduction == "mean":
        g = g / (_rows(other.shape, dim) or 1)
    return other * -g if weight is None else other * -g * weight


soft_entropy.vjp(
    input=lambda xp, g, target, weight, reduction, dim: _soft_entropy_gradient(
        xp, g, target, weight, reduction, dim
    ),
    target=lambda xp, g, input, weight, reduction, dim: _soft_entropy_gradient(
        xp, g, input, weight, reduction, dim
    ),
)
soft_entropy._grad_name = lambda node: (
    "DivBackward1" if node.values[-2] == "mean" else "NegBackward0"
)


def _check_probabilities(input, target, weight, ignore_index, dim):
    if not target.is_floating_point():
        raise RuntimeError(
            "Expected floating point type for target with class probabilities, got "
            f"{target.dtype.legacy}"
        )
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    if weight is not None:
        _check_class_weight("cross_entropy: ", weight, input.shape[dim], None)


def _soft(xp, input, target, weight, reduction, smoothing, dim):
    if smoothing:
        target = target * (1 - smoothing) + smoothing / input.shape[dim]
    if weight is not None:
        weight = laid_along(xp, weight, dim, input.ndim)
    return soft_entropy(log_softmax(input, dim), target, weight, reduction, dim)
