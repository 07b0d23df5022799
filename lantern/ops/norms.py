"""Norms as `torch.linalg` has them: of vectors, of matrices, and `norm`, which chooses."""

from __future__ import annotations

import math

from .. import dtypes
from ..dtypes import can_cast
from ..op import composite
from ..shape import wrap_dim
from ..tensor import Tensor
from .arithmetic import mul
from .decompositions import svdvals
from .reduce import amax, amin, vector_norm
from .reduce import sum as sum_over
from .slices import diagonal
from .systems import check_type
from .views import movedim, reshape


def _typed(xp, name, x, dtype):
    if x.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype.legacy}"
        )
    if dtype is None or dtype is x.dtype:
        return x
    if dtype.kind != "f":
        raise RuntimeError(
            f"{name}: dtype should be floating point or complex, but got {dtype.legacy}"
        )
    if dtypes.promote_types(x.dtype, dtype) is not dtype or not can_cast(x.dtype, dtype):
        raise RuntimeError(
            f"{name}: the dtype of the input ({x.dtype.legacy}) should be convertible without "
            f"narrowing to the specified dtype ({dtype.legacy})"
        )
    return xp.cast(x, dtype)


@composite(method=False, function=False)
def linalg_vector_norm(xp, x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The `ord`-norm of all elements or over `dim`: (sum |x|**ord) ** (1 / ord) and its limits.

    >>> import lantern
    >>> lantern.linalg.vector_norm(lantern.tensor([3.0, -4.0]))
    tensor(5.)
    """
    if isinstance(ord, (str, bool)) or not isinstance(ord, (int, float)):
        raise TypeError(
            "linalg_vector_norm(): argument 'ord' (position 2) must be Number, not "
            f"{type(ord).__name__}"
        )
    x = _typed(xp, "linalg.vector_norm", x, dtype)
    return vector_norm(x, ord, dim, keepdim)


def _matrix_dims(A, dim):
    dims = tuple(dim) if isinstance(dim, (list, tuple)) else (dim,)
    if len(dims) != 2:
        shown = ", ".join(map(str, dims))
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {shown}")
    rows, columns = (wrap_dim(each, A.ndim) for each in dims)
    if rows == columns:
        raise RuntimeError(
            f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})"
        )
    return rows, columns


def _refuse_order(ord):
    raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")


@composite(tensors="A", method=False, function=False)
def matrix_norm(xp, A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """A norm of matrices that lie along two dimensions.

    `ord` is 'fro', 'nuc', 1, -1 (columns), infinity, -infinity (rows), 2 or -2 (singular values).

    >>> import lantern
    >>> lantern.linalg.matrix_norm(lantern.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    A = _typed(xp, "linalg.matrix_norm", A, dtype)
    if A.ndim < 2:
        raise RuntimeError(
            "linalg.matrix_norm: The input tensor A must have at least 2 dimensions."
        )
    rows, columns = _matrix_dims(A, dim)
    if ord == "fro":
        return vector_norm(A, 2, (rows, columns), keepdim)
    if ord == "nuc" or not isinstance(ord, str) and abs(ord) == 2:
        return _of_singular_values(A, ord, rows, columns, keepdim)
    if isinstance(ord, str) or not (math.isinf(ord) or abs(ord) == 1):
        _refuse_order(ord)
    inner, outer = (columns, rows) if math.isinf(ord) else (rows, columns)
    sums = vector_norm(A, 1, inner, keepdim)
    if not keepdim and inner < outer:
        outer -= 1
    return _extreme(sums, ord, outer, keepdim)


def _extreme(values, ord, dim, keepdim=False):
    # The largest of no sums or singular values, none of which is negative, is 0.
    if ord < 0 or values.shape[dim]:
        return (amax if ord > 0 else amin)(values, dim, keepdim)
    return sum_over(values.detach(), dim, keepdim)


def _of_singular_values(A, ord, rows, columns, keepdim):
    check_type("linalg.matrix_norm", A)
    values = svdvals(movedim(A, (rows, columns), (-2, -1)))
    if ord == "nuc":
        found = sum_over(values, -1)
    else:
        found = _extreme(values, ord, -1)
    if not keepdim:
        return found
    shape = [1 if dim in (rows, columns) else size for dim, size in enumerate(A.shape)]
    return reshape(found, tuple(shape))


@composite(tensors="A", method=False, function=False)
def linalg_norm(xp, A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """A norm of vectors or matrices: of vectors if `dim` is one, of matrices if it is two.

    >>> import lantern
    >>> lantern.linalg.norm(lantern.tensor([[3.0, 0.0], [0.0, -4.0]]), 2)
    tensor(4.)
    """
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}"
        )
    if ord is None:
        return linalg_vector_norm(A, 2, dims, keepdim, dtype=dtype)
    if dims is None and A.ndim not in (1, 2):
        raise RuntimeError(
            "linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got "
            f"{A.ndim}D."
        )
    if isinstance(ord, str) or (A.ndim if dims is None else len(dims)) == 2:
        if dims is None and A.ndim < 2:
            dims = (-2, -1)
        return matrix_norm(A, ord, (0, 1) if dims is None else dims, keepdim, dtype=dtype)
    return linalg_vector_norm(A, ord, dims, keepdim, dtype=dtype)


@composite(method=False, function=False)
def vecdot(xp, x, y, *, dim=-1):
    """The inner products of the vectors that lie along `dim`.

    >>> import lantern
    >>> lantern.linalg.vecdot(lantern.tensor([[1.0, 2.0], [3.0, 4.0]]), lantern.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    if x.dtype.kind != "f":
        raise RuntimeError(
            "linalg.vecdot: Expected a floating point or complex tensor as input. Got "
            f"{x.dtype.legacy}"
        )
    if isinstance(y, Tensor) and x.dtype is not y.dtype:
        raise RuntimeError(
            "linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
            f"{x.dtype.legacy} and y of type {y.dtype.legacy} instead"
        )
    return sum_over(mul(x, y), dim)


@composite(tensors="A", method=False, function=False)
def linalg_diagonal(xp, A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonals of matrices as the last dimension of a view."""
    return diagonal(A, offset, dim1, dim2)
