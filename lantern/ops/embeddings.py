"""Rows of a table by number."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..autograd.mode import active, no_grad
from ..autograd.views import assign
from ..op import KEEP, composite, op
from ..tensor import Tensor
from .layout import at
from .views import unsqueeze


@op(promote=KEEP, method=False, public=False, exact=True)
def pick(xp, input, dim, index):
    """The slices along `dim` that an index of any shape names; its dimensions take that place.

    Raises IndexError for a number that is negative or too large.
    """
    return xp.pick(input, dim, index)


def _picked_back(xp, g, input_shape, dim, index):
    return xp.put_add(xp.full(input_shape, 0, g), at(dim, index), g)


pick.vjp(input=_picked_back)


@op(promote=KEEP, method=False, public=False, exact=True)
def embedding_rows(xp, weight, indices, padding_idx, scale_grad_by_freq):
    """The rows of `weight` `(V, D)` that `indices` name."""
    return xp.pick(weight, 0, indices)


def _embedding_gradient(xp, g, weight_shape, indices, padding_idx, scale_grad_by_freq):
    if scale_grad_by_freq or padding_idx >= 0:
        factor = _row_factors(xp, g, indices, weight_shape[0], padding_idx, scale_grad_by_freq)
        g = g * xp.reshape(factor, (*indices.shape, 1))
    return xp.put_add(xp.full(weight_shape, 0, g), (indices,), g)


def _row_factors(xp, g, indices, rows, padding_idx, by_frequency):
    """Returns by what the gradient of each row that was read is multiplied."""
    factor = xp.cast(xp.ne(indices, padding_idx), xp.dtype_of(g))
    if by_frequency:
        counts = xp.put_add(xp.full((rows,), 0, g), (indices,), xp.full(indices.shape, 1, g))
        factor = factor / xp.getitem(counts, (indices,))
    return factor


embedding_rows.vjp(weight=_embedding_gradient)
embedding_rows._grad_name = "EmbeddingBackward0"


@composite(method=False, function=False)
def embedding(
    xp,
    input,
    weight,
    padding_idx=None,
    max_norm=None,
    norm_type=2.0,
    scale_grad_by_freq=False,
    sparse=False,
):
    """The rows of the table `weight` `(V, D)` that whole numbers name, in their shape `(*, D)`.

    The row `padding_idx` gets no gradient; rows longer than `max_norm` are first shortened in the
    table itself. Raises IndexError for a number that is no row.

    >>> import lantern
    >>> table = lantern.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> lantern.nn.functional.embedding(lantern.tensor([1, 1, 0]), table)
    tensor([[2., 3.],
            [2., 3.],
            [0., 1.]])
    """
    rows = weight.shape[0] if weight.ndim else 0
    padding = -1
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding = padding_idx % rows
    _check_embedding(input, weight)
    if sparse:
        raise NotImplementedError("sparse gradients are not in Lantern yet; use sparse=False")
    if max_norm is not None:
        _shorten(xp, weight, input, max_norm, norm_type)
    return embedding_rows(weight, input, padding, scale_grad_by_freq)


def _check_embedding(indices: Tensor, weight: Tensor) -> None:
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if indices.dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{indices.dtype.legacy}Tensor instead (while checking "
            "arguments for embedding)"
        )


def _shorten(xp: Any, weight: Any, indices: Any, longest: float, norm_type: float) -> None:
    """Scales the rows that are going to be read down to a norm of `longest` at most."""
    with no_grad():
        zeros = xp.full(weight.shape[:1], 0, weight)
        used = xp.put(zeros, (indices,), xp.full(indices.shape, 1, weight))
        length = weight.norm(norm_type, 1)
        factor = longest / (length + 1e-7)
        wanted = xp.logical_and(xp.gt(used, 0), xp.gt(length, longest))
        scaled = weight * unsqueeze(factor, 1)
        assign(weight, xp.where(unsqueeze(wanted, 1), scaled, weight))


# --- bags
@composite(method=False, function=False, tensors="per_sample_weights -offsets")
def embedding_bag(
    xp,
    input,
    weight,
    offsets=None,
    max_norm=None,
    norm_type=2,
    scale_grad_by_freq=False,
    mode="mean",
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
):
    """The mean, sum or largest of the rows of the table `weight` `(V, D)` that each bag names.

    A bag is a row of `input` `(B, L)`, or begins where `offsets` `(B,)` says in `input` `(L,)`. The
    row `padding_idx` is left out; `per_sample_weights` multiplies rows of a sum.

    >>> import lantern
    >>> table = lantern.tensor([[0.0, 1.0], [2.0, 3.0]])
    >>> lantern.nn.functional.embedding_bag(lantern.tensor([[0, 1], [1, 1]]), table)
    tensor([[1., 2.],
            [2., 3.]])
    """
    _check_bags(input, weight, offsets, mode, sparse, scale_grad_by_freq, per_sample_weights)
    padding = _padding_row(padding_idx, weight.shape[0])
    if max_norm is not None:
        _shorten(xp, weight, input, max_norm, norm_type)
    flat = xp.reshape(input, (input.numel(),))
    shown = embedding_rows(weight, flat, -1, scale_grad_by_freq)
    kept = xp.ne(flat, padding)
    if per_sample_weights is not None:
        shown = shown * unsqueeze(xp.reshape(per_sample_weights, (flat.shape[0],)), 1)
    starts, ends = _bag_ends(xp, input, offsets, include_last_offset)
    if mode == "max" and flat.shape[0]:
        return _largest_of_bags(xp, shown, kept, starts, ends)
    shown = xp.where(unsqueeze(kept, 1), shown, xp.full((), 0, shown))
    places = xp.arange(0, flat.shape[0], 1, dtypes.int64)
    bag = xp.argsearch(xp.cast(starts, dtypes.int64), places, True) - 1
    total = xp.put_add(xp.full((starts.shape[0], weight.shape[1]), 0, shown), (bag,), shown)
    if mode != "mean":
        return total
    counts = xp.put_add(xp.full(starts.shape, 0, shown), (bag,), xp.cast(kept, shown.dtype))
    return total / unsqueeze(xp.maximum(counts, xp.full((), 1, counts)), 1)


def _padding_row(padding_idx: int | None, rows: int) -> int:
    """Returns the row that is left out of bags, counted from the front; -1 for none."""
    if padding_idx is None:
        return -1
    if not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, {-rows} through {rows - 1}, "
            f"but got {padding_idx}"
        )
    return padding_idx % rows


def _bag_ends(xp: Any, input: Any, offsets: Any, include_last_offset: bool) -> tuple[Any, Any]:
    """Returns where each bag begins and ends."""
    if input.ndim == 2:
        count, size = input.shape
        starts = xp.arange(0, count, 1, dtypes.int64) * size
        return starts, starts + size
    offsets = xp.cast(offsets, dtypes.int64)
    count = offsets.shape[0]
    if include_last_offset:
        return xp.getitem(offsets, (slice(0, count - 1),)), xp.getitem(offsets, (slice(1, count),))
    end = xp.full((1,), input.shape[0], dtypes.int64)
    return offsets, xp.cat([xp.getitem(offsets, (slice(1, count),)), end], 0)


def _largest_of_bags(xp: Any, shown: Any, kept: Any, starts: Any, ends: Any) -> Any:
    """Returns the largest of each column in each bag; zeros for an empty one."""
    total, count = shown.shape[0], starts.shape[0]
    longest = total
    if active.trace is None:
        longest = int((ends - starts).max()) if count else 0
    places = unsqueeze(starts, 1) + unsqueeze(xp.arange(0, longest, 1, dtypes.int64), 0)
    real = xp.lt(places, unsqueeze(ends, 1))
    places = xp.minimum(places, xp.full((), total - 1, places))
    real = unsqueeze(xp.logical_and(real, xp.pick(kept, 0, places)), 2)
    found = pick(shown, 0, places)
    found = xp.where(real, found, xp.full((), -math.inf, found))
    first = xp.argmax(found.detach(), 1, True)
    found = xp.reshape(xp.gather(found, 1, first), (count, shown.shape[1]))
    return xp.where(xp.any(real, 1), found, xp.full((), 0, found))


def _check_bags(
    input: Tensor,
    weight: Tensor,
    offsets: Any,
    mode: str,
    sparse: bool,
    by_frequency: bool,
    per_sample_weights: Any,
) -> None:
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if per_sample_weights is not None and per_sample_weights.shape != input.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then "
            f"it must have the same shape as the input ({input.shape})"
        )
    _check_offsets(input, offsets)
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and by_frequency:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported "
            f"for mode='sum' (got mode='{mode}'). Please open a feature request on GitHub."
        )
    if sparse:
        raise NotImplementedError("sparse gradients are not in Lantern yet; use sparse=False")
    if input.dtype not in (dtypes.int64, dtypes.int32):
        raise RuntimeError(
            "Expected tensor for argument #1 'indices' to have one of the following scalar types: "
            f"Long, Int; but got torch.{input.dtype.legacy}Tensor instead (while checking "
            "arguments for embedding_bag)"
        )
    if active.trace is None:
        rows = weight.shape[0]
        wrong = ((input < 0) | (input >= rows)).reshape(-1)
        if bool(wrong.any()):
            place = int(wrong.nonzero()[0, 0])
            raise RuntimeError(
                f"Index {place} of input takes value {input.reshape(-1)[place].item()} which is "
                f"not in the valid range [0, {rows})"
            )


def _check_offsets(input: Tensor, offsets: Any) -> None:
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch "
                "of fixed length sequences. However, found offsets of type <class 'torch.Tensor'>"
            )
        return
    if input.ndim != 1:
        raise ValueError(
            f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}"
        )
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.ndim != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if active.trace is not None or not offsets.shape[0]:
        return
    values = offsets.tolist()
    if values[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from "
            f"position 0. However, got {values[0]}"
        )
    if values[-1] > input.shape[0]:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {input.shape[0]} but got "
            f"offsets[-1] of {values[-1]}"
        )
