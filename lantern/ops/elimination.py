"""Factors by elimination: LU, Cholesky and inverses that report failure, and what they solve."""

from __future__ import annotations

from ..dtypes import int32, int64
from ..matrices import LinAlgError, packed_shapes
from ..op import SAME, composite, op
from ..return_types import (
    linalg_cholesky_ex,
    linalg_inv_ex,
    linalg_lu,
    linalg_lu_factor,
    linalg_lu_factor_ex,
)
from ..return_types import lu_unpack as LuUnpackResult
from ..return_types import triangular_solve as TriangularSolveResult
from ..shape import broadcast_shapes
from .contraction import check_square, identity_like
from .decompositions import _factor_gradient, svdvals
from .layout import triangle
from .linalg import column, row, swapped
from .norms import matrix_norm
from .selection import where
from .solvers import linalg_solve_triangular
from .systems import check_matrices, check_type, floating, inv, inverse_gradient, parts, unpacked


# --- LU
@op(promote=SAME, tensors="A", method=False, public=False)
def lu_packed(xp, A, check):
    """The triangles in one matrix, the order of rows, and the swaps that led to it, end to end."""
    return xp.lu_packed(A, check)


@lu_packed.vjp_together("A")
def _(xp, g, out, A_shape):
    rows, columns = A_shape[-2:]
    least, ndim = min(rows, columns), len(A_shape)
    shapes = packed_shapes("lu_packed", rows, columns)
    (lu, order, _), (g_lu, *_) = parts(xp, out, shapes), parts(xp, g, shapes)
    head, g_head = (_block(xp, x, slice(least), slice(least)) for x in (lu, g_lu))
    upper = triangle(xp, head, 0, False)
    turned = swapped(xp, triangle(xp, head, -1, True) + identity_like(xp, head))
    g_lower, g_upper = triangle(xp, g_head, -1, True), triangle(xp, g_head, 0, False)
    rest = None
    if rows > columns:  # the rows below are those of the matrix divided by U
        below = slice(least, None), slice(None)
        rest = _divided(xp, _block(xp, g_lu, *below), upper)
        along = xp.matmul(swapped(xp, _block(xp, lu, *below)), rest)
        g_upper = g_upper - triangle(xp, along, 0, False)
    elif columns > rows:  # the columns beside are those of the matrix with L divided out
        beside = slice(None), slice(least, None)
        rest = xp.solve(turned, _block(xp, g_lu, *beside))
        along = xp.matmul(rest, swapped(xp, _block(xp, lu, *beside)))
        g_lower = g_lower - triangle(xp, along, -1, True)
    inner = triangle(xp, xp.matmul(turned, g_lower), -1, True)
    inner = inner + triangle(xp, xp.matmul(g_upper, swapped(xp, upper)), 0, False)
    found = xp.solve(turned, _divided(xp, inner, upper))
    if rest is not None:
        found = xp.cat([found, rest], ndim - 2 if rows > columns else ndim - 1)
    return (xp.matmul(_permutation(xp, order), found),)


def _block(xp, x, rows, columns):
    return xp.getitem(x, (*(slice(None),) * (x.ndim - 2), rows, columns))


def _divided(xp, x, upper):
    """Returns `x @ inverse(upper).T`."""
    return swapped(xp, xp.solve(upper, swapped(xp, x)))


def _permutation(xp, order):
    """Returns the matrices P that put the rows taken in an order back where they were."""
    places = xp.arange(0, order.shape[-1], 1, int64)
    chosen = xp.eq(column(xp, places), row(xp, xp.cast(order, int64)))
    return xp.where(chosen, xp.full((), 1, order), xp.full((), 0, order))


def _lu(name, A, pivot, label, check=""):
    if A.ndim < 2:
        start = name if name == "linalg.lu" else "torch.lu_factor"
        raise RuntimeError(
            f"{start}: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead"
        )
    check_type(name, A, "lu_factor_cpu")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    shapes = packed_shapes("lu_packed", *A.shape[-2:])
    return unpacked(lu_packed(A, check), shapes, label)


FACTORED = "LinalgLuFactorExBackward0"


def _triangles(xp, LU):
    rows, columns = LU.shape[-2:]
    least = min(rows, columns)
    lower = triangle(xp, LU[..., :least], -1, True)
    ones = xp.full((least,), 1, LU).diag_embed()
    if rows > least:
        ones = xp.cat([ones, xp.full((rows - least, least), 0, LU)], 0)
    return lower + ones, triangle(xp, LU[..., :least, :], 0, False)


@composite(tensors="A", method=False, function=False)
def linalg_lu_(xp, A, *, pivot=True):
    """A permutation P, a lower triangle L with ones on its diagonal and U, `A = P @ L @ U`.

    >>> import lantern
    >>> P, L, U = lantern.linalg.lu(lantern.tensor([[1.0, 2.0], [2.0, 2.0]]))
    >>> L, U
    (tensor([[1.0000, 0.0000],
            [0.5000, 1.0000]]), tensor([[2., 2.],
            [0., 1.]]))
    """
    LU, order, _ = _lu("linalg.lu", A, pivot, "LinalgLuBackward0")
    return linalg_lu(_permutation(xp, order.detach()), *_triangles(xp, LU))


@composite(tensors="A", method=False, function=False)
def linalg_lu_factor_(xp, A, *, pivot=True):
    """L and U in one matrix, and the row that each was swapped with, counted from 1.

    Raises `LinAlgError` where U has a zero on its diagonal.

    >>> import lantern
    >>> lantern.linalg.lu_factor(lantern.tensor([[1.0, 2.0], [2.0, 2.0]])).pivots
    tensor([2, 2], dtype=torch.int32)
    """
    LU, _, swaps = _lu("linalg.lu_factor", A, pivot, FACTORED, "torch.linalg.lu_factor")
    return linalg_lu_factor(LU, xp.cast(swaps.detach(), int32))


@composite(tensors="A", method=False, function=False)
def linalg_lu_factor_ex_(xp, A, *, pivot=True, check_errors=False):
    """As `linalg.lu_factor`; `info` is the place of the first zero on U's diagonal, else 0."""
    check = "torch.linalg.lu_factor_ex" if check_errors else ""
    LU, _, swaps = _lu("linalg.lu_factor_ex", A, pivot, FACTORED, check)
    zero = xp.cast(xp.eq(LU.detach().diagonal(dim1=-2, dim2=-1), 0), int64)
    if not zero.shape[-1]:
        info = xp.full(zero.shape[:-1], 0, int32)
    else:
        place = xp.cast(xp.argmax(zero, -1, False) + 1, int32)
        info = where(xp.any(zero, -1, False), place, xp.full((), 0, int32))
    return linalg_lu_factor_ex(LU, xp.cast(swaps.detach(), int32), info)


@composite(tensors="LU_data LU_pivots", method=False)
def lu_unpack(xp, LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """P, L and U of what `linalg.lu_factor` returns; empty where they are not asked for."""
    if unpack_pivots and LU_pivots.dtype is not int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 "
            "dtype.\nNote: this function is intended to be used with the output produced by "
            "torch.linalg.lu_factor"
        )
    none = xp.full((0,), 0, LU_data)
    lower, upper = _triangles(xp, LU_data) if unpack_data else (none, none)
    if not unpack_pivots:
        return LuUnpackResult(none, lower, upper)
    order = _order(xp, LU_pivots, LU_data.shape[-2])
    return LuUnpackResult(_permutation(xp, xp.cast(order, LU_data.dtype)), lower, upper)


def _order(xp, pivots, rows):
    """Returns the order of rows that swaps lead to."""
    places = xp.expand(xp.arange(0, rows, 1, int64), (*pivots.shape[:-1], rows))
    order, last = places, pivots.ndim - 1
    for k in range(pivots.shape[-1]):
        other = xp.cast(pivots[..., k : k + 1], int64) - 1
        mine, theirs = order[..., k : k + 1], xp.gather(order, last, other)
        order = where(xp.eq(places, other), mine, order)
        order = where(xp.eq(places, k), theirs, order)
    return order


@composite(tensors="LU pivots B", method=False, function=False)
def linalg_lu_solve(xp, LU, pivots, B, *, left=True, adjoint=False):
    """X of `A @ X = B` for the factors of A that `linalg.lu_factor` returns.

    With `left=False` of `X @ A = B`, with `adjoint` for the transpose of A.

    >>> import lantern
    >>> factors = lantern.linalg.lu_factor(lantern.tensor([[0.0, 2.0], [1.0, 0.0]]))
    >>> lantern.linalg.lu_solve(*factors, lantern.tensor([[4.0], [3.0]]))
    tensor([[3.],
            [2.]])
    """
    check_square("linalg.lu_solve", LU)
    if B.ndim < 2:
        raise RuntimeError("linalg.lu_solve: The input tensor B must have at least 2 dimensions.")
    if LU.dtype is not B.dtype:
        raise RuntimeError(
            "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type "
            f"{LU.dtype.legacy} and B of type {B.dtype.legacy} instead"
        )
    if LU.shape[-1] != B.shape[-2 if left else -1]:
        raise RuntimeError(
            "linalg.lu_solve: Incompatible shapes of A and B for the equation "
            f"{'AX' if left else 'XA'} = B ({LU.shape[-2]}x{LU.shape[-1]} and "
            f"{B.shape[-2]}x{B.shape[-1]})"
        )
    order = _order(xp, pivots, LU.shape[-2])
    P = _permutation(xp, xp.cast(order, LU.dtype))
    if not left:
        return swapped(xp, _lu_solve(xp, LU, P, swapped(xp, B), not adjoint))
    return _lu_solve(xp, LU, P, B, adjoint)


def _lu_solve(xp, LU, P, B, turned):
    def solve(A, B, upper, ones):
        return linalg_solve_triangular(A, B, upper=upper, unitriangular=ones)

    if not turned:
        return solve(LU, solve(LU, xp.matmul(swapped(xp, P), B), False, True), True, False)
    LU = swapped(xp, LU)
    return xp.matmul(P, solve(LU, solve(LU, B, False, False), True, True))


@composite(tensors="LU_data LU_pivots")
def lu_solve(xp, input, LU_data, LU_pivots):
    """X of `A @ X = input`; `linalg.lu_solve` is the newer form."""
    return linalg_lu_solve(LU_data, LU_pivots, input)


@composite(function=False)
def lu(xp, input, pivot=True, get_infos=False):
    """What `linalg.lu_factor` returns, with `get_infos` what `linalg.lu_factor_ex` does."""
    found = linalg_lu_factor_ex_(input, pivot=pivot)
    return tuple(found) if get_infos else tuple(found)[:2]


def _insist(function, A, name):
    """Calls a function that raises where there is no result, as one whose name ends in `_ex`."""
    try:
        function(A)
    except LinAlgError as error:
        raise LinAlgError(str(error).replace(name, f"{name}_ex", 1)) from None


def _differentiate_first(packed, gradient):
    """Declares the gradient of an op of two results, of which the second, what failed, has none."""

    @packed.vjp_together("A")
    def _(xp, g, out, A_shape):
        shapes = packed_shapes(packed.name, *A_shape[-2:])
        (found, _), (g, _) = parts(xp, out, shapes), parts(xp, g, shapes)
        return (gradient(xp, g, found),)


# --- Cholesky
@op(promote=SAME, tensors="A", method=False, public=False)
def cholesky_packed(xp, A):
    """The triangular factors and what went wrong, end to end."""
    return xp.cholesky_packed(A)


_differentiate_first(cholesky_packed, lambda xp, g, found: _factor_gradient(xp, g, found, False))


@composite(tensors="A", method=False, function=False)
def linalg_cholesky_ex_(xp, A, *, upper=False, check_errors=False):
    """The factors of `linalg.cholesky`; `info` is 0 or the order of the minor that is not positive.

    >>> import lantern
    >>> lantern.linalg.cholesky_ex(lantern.tensor([[4.0, 0.0], [0.0, -1.0]])).info
    tensor(2, dtype=torch.int32)
    """
    check_matrices("linalg.cholesky", A, True, "cholesky_cpu")
    if check_errors:
        _insist(xp.cholesky, A.detach(), "linalg.cholesky")
    shapes = packed_shapes("cholesky_packed", *A.shape[-2:])
    label = "LinalgCholeskyExBackward0"
    found, info = unpacked(cholesky_packed(swapped(xp, A) if upper else A), shapes, label)
    found = swapped(xp, found) if upper else found
    return linalg_cholesky_ex(found, xp.cast(info.detach(), int32))


def _check_fit(name, A, B):
    if A.shape[-1] != B.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {A.shape[-1]} by "
            f"{A.shape[-1]} but each b matrix is {B.shape[-2]} by {B.shape[-1]}"
        )


def _check_solve(B, L):
    for name, each in (("b", B), ("u", L)):
        if each.ndim < 2:
            raise RuntimeError(
                f"{name} should have at least 2 dimensions, but has {each.ndim} dimensions instead"
            )
    check_square("cholesky_solve", L)
    _check_fit("cholesky_solve", L, B)
    if L.dtype is not B.dtype:
        raise RuntimeError(
            "cholesky_solve: Expected b and A to have the same dtype, but found b of type "
            f"{B.dtype.legacy} and A of type {L.dtype.legacy} instead."
        )


@composite(tensors="L")
def cholesky_solve(xp, input, L, upper=False):
    """X of `A @ X = input` for the triangular factor of A that `linalg.cholesky` returns.

    >>> import lantern
    >>> L = lantern.linalg.cholesky(lantern.tensor([[4.0, 0.0], [0.0, 1.0]]))
    >>> lantern.cholesky_solve(lantern.tensor([[8.0], [3.0]]), L)
    tensor([[2.],
            [3.]])
    """
    _check_solve(input, L)
    if upper:
        L = swapped(xp, L)
    inner = linalg_solve_triangular(L, input, upper=False)
    return linalg_solve_triangular(swapped(xp, L), inner, upper=True)


@composite
def cholesky_inverse(xp, input, upper=False):
    """The inverse of the matrices whose triangular factors are given."""
    check_square("cholesky_inverse", input)
    return cholesky_solve(identity_like(xp, input), input, upper)


# --- inverses
@op(promote=SAME, tensors="A", method=False, public=False)
def inv_packed(xp, A):
    """The inverses and what went wrong, end to end."""
    return xp.inv_packed(A)


_differentiate_first(inv_packed, inverse_gradient)


def _inverse(A):
    shapes = packed_shapes("inv_packed", *A.shape[-2:])
    return unpacked(inv_packed(A), shapes, "LinalgInvExBackward0")


@composite(tensors="A", method=False, function=False)
def linalg_inv_ex_(xp, A, *, check_errors=False):
    """Inverses; `info` is 0, or the place of the pivot that is zero: then the inverse is NaN.

    >>> import lantern
    >>> lantern.linalg.inv_ex(lantern.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """
    check_matrices("linalg.inv", A)
    if check_errors:
        _insist(inv, A.detach(), "linalg.inv")
    found, info = _inverse(A)
    return linalg_inv_ex(found, xp.cast(info.detach(), int32))


CONDITION_NORMS = (1, -1, float("inf"), -float("inf"), "fro", "nuc")


@composite(tensors="A", method=False, function=False)
def linalg_cond(xp, A, p=None):
    """How much a system of these matrices amplifies errors; infinite for singular ones.

    `p` names the norm: None and 2 the largest singular value, else as `linalg.matrix_norm`.

    >>> import lantern
    >>> lantern.linalg.cond(lantern.tensor([[4.0, 0.0], [0.0, 0.5]]))
    tensor(8.)
    """
    if A.ndim < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if p not in (None, 2, -2, *CONDITION_NORMS):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if 0 in A.shape[-2:]:
        return xp.full(A.shape[:-2], 0, A).detach()
    if p in (None, 2, -2):
        values = svdvals(A)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    check_square(f"linalg.cond(ord={p})", A)
    found, info = _inverse(A)
    number = matrix_norm(A, p) * matrix_norm(found, p)
    infinite = xp.full((), float("inf"), number)
    return where(xp.eq(info.detach(), 0), number, infinite)


# --- the exponential
@op(grad_name="LinalgMatrixExpBackward0", **floating("linalg.matrix_exp"))
def matrix_exp(xp, input):
    """The exponential of square matrices, the sum of `A^k / k!`.

    >>> import lantern
    >>> lantern.matrix_exp(lantern.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    check_square("linalg.matrix_exp", input)
    return xp.matrix_exp(input)


@matrix_exp.vjp_together("input")
def _(xp, g, input):
    # The exponential of a block matrix holds the derivative in its corner.
    turned, size = swapped(xp, input), input.shape[-1]
    top = xp.cat([turned, g], input.ndim - 1)
    bottom = xp.cat([turned * 0, turned], input.ndim - 1)
    found = xp.matrix_exp(xp.cat([top, bottom], input.ndim - 2))
    return (_block(xp, found, slice(size), slice(size, None)),)


# --- other systems
@composite(tensors="A")
def triangular_solve(xp, input, A, upper=True, transpose=False, unitriangular=False):
    """X of `A @ X = input` and A itself; `linalg.solve_triangular` is the newer form."""
    for name, each in (("b", input), ("A", A)):
        if each.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {name} to have at least 2 dimensions, but "
                f"it has {each.ndim} dimensions instead"
            )
    _check_fit("triangular_solve", A, input)
    shape = broadcast_shapes(input.shape[:-2], A.shape[:-2])
    shown = A.expand((*shape, *A.shape[-2:])).clone()
    if transpose:
        A, upper = swapped(xp, A), not upper
    found = linalg_solve_triangular(A, input, upper=upper, unitriangular=unitriangular)
    return TriangularSolveResult(found, shown)


def _check_reflections(input, tau):
    name = "torch.linalg.householder_product"
    if input.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if input.shape[-2] < input.shape[-1]:
        raise RuntimeError(
            f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]"
        )
    if not tau.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    if input.shape[-1] < tau.shape[-1]:
        raise RuntimeError(
            f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]"
        )
    if input.dtype is not tau.dtype:
        raise RuntimeError(
            f"{name}: tau dtype {tau.dtype.legacy} does not match input dtype {input.dtype.legacy}"
        )


@composite(tensors="tau", method=False, function=False)
def householder_product(xp, input, tau):
    """The first columns of a product of reflections `1 - tau[i] * outer(v, v)`.

    The vectors v are the columns of `input`, with 1 on the diagonal and 0 above.
    """
    _check_reflections(input, tau)
    *batch, rows, columns = input.shape
    eye = identity_like(xp, xp.full((*batch, rows, rows), 0, input))[..., :columns]
    below = triangle(xp, input, -1, True)
    vectors, found = below + eye, eye
    if not tau.shape[-1]:  # nothing of the input is left, and yet the result depends on it
        return eye + triangle(xp, below, -rows, True)
    for i in reversed(range(tau.shape[-1])):
        vector = vectors[..., i : i + 1]
        along = xp.matmul(swapped(xp, vector), found)
        found = found - tau[..., i : i + 1].unsqueeze(-1) * vector * along
    return found


@composite(tensors="A", method=False, function=False)
def tensorinv(xp, A, ind=2):
    """The inverse of a tensor whose first `ind` sizes multiply to as much as the others.

    >>> import lantern
    >>> lantern.linalg.tensorinv(lantern.eye(6).reshape(6, 2, 3), ind=1).shape
    torch.Size([2, 3, 6])
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    if A.ndim < ind:
        raise RuntimeError(f"ArrayRef: invalid slice, N = {ind}; size = {A.ndim}")
    rows, columns = A.shape[:ind], A.shape[ind:]
    if rows.numel() != columns.numel():
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[ind:]) == "
            f"prod(self.shape[:ind]), but got {columns.numel()} != {rows.numel()}"
        )
    found = inv(A.reshape(rows.numel(), columns.numel()))
    return found.reshape((*columns, *rows))
