"""Rows of a table by number."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd.mode import no_grad
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
