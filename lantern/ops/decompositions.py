"""Factors of matrices `(*, m, n)`: Cholesky, QR, eigenvalues, singular values, pseudoinverse."""

from __future__ import annotations

from ..dtypes import int64
from ..matrices import packed_shapes
from ..op import SAME, composite, op
from ..return_types import linalg_eigh, linalg_qr, linalg_svd
from ..return_types import qr as QrResult
from ..return_types import svd as SvdResult
from ..tensor import Tensor
from .contraction import check_square, identity_like
from .layout import triangle
from .linalg import column, row, swapped
from .systems import check_matrices, floating, parts, unpacked
from .views import transpose


# --- triangles
def _factor(xp, input, upper):
    found = xp.cholesky(swapped(xp, input) if upper else input)
    return swapped(xp, found) if upper else found


def _factor_gradient(xp, g, out, upper):
    if upper:
        g, out = swapped(xp, g), swapped(xp, out)
    inner = triangle(xp, xp.matmul(swapped(xp, out), g), 0, True)
    inner = inner - identity_like(xp, inner) * inner * 0.5
    turned = xp.inv(swapped(xp, out))
    found = xp.matmul(turned, xp.matmul(inner, swapped(xp, turned)))
    return (found + swapped(xp, found)) * 0.5


def _check_positive(input, *rest):
    if isinstance(input, Tensor) and input.dtype.char not in "fd":
        raise NotImplementedError(f"\"cholesky_cpu\" not implemented for '{input.dtype.legacy}'")


@op(promote=SAME, check=("?bBhHiIlLeE", _check_positive))
def cholesky(xp, input, upper=False):
    """The triangular factor L of positive definite matrices; `linalg.cholesky` is newer."""
    check_square("cholesky", input)
    return _factor(xp, input, upper)


@op(
    method=False,
    function=False,
    grad_name="LinalgCholeskyExBackward0",
    **floating("linalg.cholesky", "cholesky_cpu"),
)
def linalg_cholesky(xp, A, *, upper=False):
    """The triangular factor L of positive definite matrices `L @ L.mT`.

    Raises `LinAlgError` where a matrix is not positive definite.

    >>> import lantern
    >>> lantern.linalg.cholesky(lantern.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    check_square("linalg.cholesky", A)
    return _factor(xp, A, upper)


cholesky.vjp(input=_factor_gradient)
linalg_cholesky.vjp(A=_factor_gradient)


# --- orthogonal factors
@op(promote=SAME, tensors="A", method=False, public=False)
def qr_packed(xp, A, complete):
    """Q and R, end to end."""
    return xp.qr_packed(A, complete)


@qr_packed.vjp_together("A")
def _(xp, g, out, A, complete):
    rows, columns = A.shape[-2:]
    if complete and rows > columns:
        raise RuntimeError(
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        )
    shapes = packed_shapes("qr_packed", rows, columns, complete)
    (q, r), (gq, gr) = parts(xp, out, shapes), parts(xp, g, shapes)
    if rows >= columns:
        return (_tall_qr(xp, q, r, gq, gr),)
    head, tail = (..., slice(None), slice(None, rows)), (..., slice(None), slice(rows, None))
    head, tail = (_whole(index, A.ndim) for index in (head, tail))
    gr_tail = xp.getitem(gr, tail)
    gq = gq + xp.matmul(xp.getitem(A, tail), swapped(xp, gr_tail))
    first = _tall_qr(xp, q, xp.getitem(r, head), gq, xp.getitem(gr, head))
    return (xp.cat([first, xp.matmul(q, gr_tail)], A.ndim - 1),)


def _whole(index, ndim):
    return (*(slice(None),) * (ndim - 2), *index[1:])


def _tall_qr(xp, q, r, gq, gr):
    inner = xp.matmul(r, swapped(xp, gr)) - xp.matmul(swapped(xp, gq), q)
    inner = triangle(xp, inner, 0, True) + swapped(xp, triangle(xp, inner, -1, True))
    return swapped(xp, xp.solve(r, swapped(xp, gq + xp.matmul(q, inner))))


def _qr(A, mode):
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', "
            "or 'complete'"
        )
    check_matrices("linalg.qr", A, False, "geqrf_cpu")
    complete = mode == "complete"
    shapes = packed_shapes("qr_packed", *A.shape[-2:], complete)
    return unpacked(qr_packed(A, complete), shapes, "LinalgQrBackward0")


@composite(tensors="A", method=False, function=False)
def linalg_qr_(xp, A, mode="reduced"):
    """Orthogonal columns Q and a triangle R with `Q @ R = A`; mode 'r' gives an empty Q.

    >>> import lantern
    >>> q, r = lantern.linalg.qr(lantern.tensor([[3.0, 1.0], [4.0, 1.0]]))
    >>> (q @ r).round()
    tensor([[3., 1.],
            [4., 1.]])
    """
    q, r = _qr(A, mode)
    return linalg_qr(xp.full((0,), 0, A) if mode == "r" else q, r)


@composite
def qr(xp, input, some=True):
    """Orthogonal columns Q and a triangle R; `linalg.qr` is the newer form."""
    return QrResult(_qr(input, "reduced" if some else "complete"))


def quotient(xp, x, y):
    """Returns `x / y`, and 0 for 0 / 0: what takes no part needs no derivative."""
    none = xp.logical_and(xp.eq(x, 0), xp.eq(y, 0))
    return x / xp.where(none, xp.full((), 1, y), y)


def _off_diagonal(xp, x):
    return x - x * identity_like(xp, x)


def _apart(xp, values):
    """Returns how far each value (a column) is from each other (in its row)."""
    return row(xp, values) - column(xp, values)


# --- eigenvalues of symmetric matrices
@op(promote=SAME, tensors="A", method=False, public=False)
def eigh_packed(xp, A, upper):
    """Eigenvalues and eigenvectors, end to end."""
    return xp.eigh_packed(A, upper)


@eigh_packed.vjp_together("A")
def _(xp, g, out, A_shape):
    shapes = packed_shapes("eigh_packed", *A_shape[-2:])
    (values, vectors), (g_values, g_vectors) = parts(xp, out, shapes), parts(xp, g, shapes)
    turned = swapped(xp, vectors)
    inner = _off_diagonal(xp, xp.matmul(turned, g_vectors))
    inner = quotient(xp, inner, _apart(xp, values))
    inner = inner + identity_like(xp, inner) * row(xp, g_values)
    return (xp.matmul(vectors, xp.matmul(inner, turned)),)


def _eigh(A, UPLO):
    if str(UPLO).upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    check_square("linalg.eigh", A)
    if A.dtype.char not in "fd":
        raise NotImplementedError(f"\"linalg_eigh_cpu\" not implemented for '{A.dtype.legacy}'")
    shapes = packed_shapes("eigh_packed", *A.shape[-2:])
    packed = eigh_packed(A, str(UPLO).upper() == "U")
    return unpacked(packed, shapes, "LinalgEighBackward0")


@composite(tensors="A", method=False, function=False)
def eigh(xp, A, UPLO="L"):
    """The eigenvalues, in rising order, and eigenvectors of symmetric matrices.

    Of each matrix only the lower (or, for `UPLO="U"`, the upper) triangle is read.

    >>> import lantern
    >>> lantern.linalg.eigh(lantern.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    return linalg_eigh(_eigh(A, UPLO))


@composite(tensors="A", method=False, function=False)
def eigvalsh(xp, A, UPLO="L"):
    """The eigenvalues of symmetric matrices in rising order."""
    return _eigh(A, UPLO)[0]


# --- singular values
@op(promote=SAME, tensors="A", method=False, public=False)
def svd_packed(xp, A, full):
    """U, S and V transposed, end to end."""
    return xp.svd_packed(A, full)


@svd_packed.vjp_together("A")
def _(xp, g, out, A_shape, full):
    rows, columns = A_shape[-2:]
    shapes = packed_shapes("svd_packed", rows, columns, full)
    (u, s, vh), (gu, gs, gvh) = parts(xp, out, shapes), parts(xp, g, shapes)
    if full:  # further columns may be any that complete the others: nothing depends on them
        u, gu = (_first(xp, x, x.ndim - 1, s.shape[-1]) for x in (u, gu))
        vh, gvh = (_first(xp, x, x.ndim - 2, s.shape[-1]) for x in (vh, gvh))
    ut, v = swapped(xp, u), swapped(xp, vh)
    by_u, by_v = xp.matmul(ut, gu), xp.matmul(gvh, v)
    squares = xp.square(s)
    apart = _apart(xp, squares)
    left = quotient(xp, by_u - swapped(xp, by_u), apart) * row(xp, s)
    right = quotient(xp, swapped(xp, by_v) - by_v, apart) * column(xp, s)
    inner = left + right + identity_like(xp, left) * row(xp, gs)
    found = xp.matmul(u, xp.matmul(inner, vh))
    if rows > columns:
        outside = quotient(xp, gu - xp.matmul(u, by_u), row(xp, s))
        found = found + xp.matmul(outside, vh)
    if columns > rows:
        outside = quotient(xp, gvh - xp.matmul(by_v, vh), column(xp, s))
        found = found + xp.matmul(u, outside)
    return (found,)


def _first(xp, x, dim, count):
    return xp.getitem(x, (*(slice(None),) * dim, slice(0, count)))


def _svd(A, full):
    check_matrices("linalg.svd", A, False, "linalg_svd_cpu")
    shapes = packed_shapes("svd_packed", *A.shape[-2:], full)
    return unpacked(svd_packed(A, full), shapes, "LinalgSvdBackward0")


@composite(tensors="A", method=False, function=False)
def linalg_svd_(xp, A, full_matrices=True, *, driver=None):
    """Orthogonal U and Vh and singular values S, in falling order, with `U @ diag(S) @ Vh = A`.

    >>> import lantern
    >>> lantern.linalg.svd(lantern.tensor([[3.0, 0.0], [0.0, -2.0]])).S
    tensor([3., 2.])
    """
    return linalg_svd(_svd(A, full_matrices))


@composite(tensors="A", method=False, function=False)
def svdvals(xp, A, *, driver=None):
    """The singular values of matrices, in falling order."""
    return _svd(A, False)[1]


@composite
def svd(xp, input, some=True, compute_uv=True):
    """U, S and V of `U @ diag(S) @ V.mT`; `linalg.svd` is the newer form."""
    if input.ndim < 2:
        raise RuntimeError(
            "linalg.svd: input should have at least 2 dimensions, but has "
            f"{input.ndim} dimensions instead"
        )
    if not compute_uv:
        *batch, rows, columns = input.shape
        zeros = [xp.full((*batch, size, size), 0, input) for size in (rows, columns)]
        return SvdResult(zeros[0], _svd(input, False)[1], zeros[1])
    u, s, vh = _svd(input, not some)
    return SvdResult(u, s, transpose(vh, -2, -1))


# --- pseudoinverse and rank
@op(promote=SAME, tensors="A", method=False, public=False, grad_name="LinalgPinvBackward0")
def pinv(xp, A, atol, rtol):
    """The pseudoinverse, by the singular values above `max(atol, rtol * largest)`."""
    return xp.pinv(A, atol, rtol)


@pinv.vjp_together("A")
def _(xp, g, out, A):
    turned, g = swapped(xp, out), swapped(xp, g)
    outside = xp.matmul(g, xp.matmul(out, turned))
    inside = xp.matmul(turned, xp.matmul(out, g))
    return (
        -xp.matmul(turned, xp.matmul(swapped(xp, g), turned))
        + (outside - xp.matmul(A, xp.matmul(out, outside)))
        + (inside - xp.matmul(inside, xp.matmul(out, A))),
    )


def _precision(A, atol, rtol):
    if rtol is None:
        epsilon = 2.0**-23 if A.dtype.char == "f" else 2.0**-52
        rtol = 0.0 if atol else epsilon * max(A.shape[-2:])
    return 0.0 if atol is None else float(atol), float(rtol)


def _lower_mirrored(A):
    """The symmetric matrices that have the lower triangles of `A`: what `hermitian=True` reads."""
    return A.tril() + A.tril(-1).transpose(-2, -1)


def _pinv(A, atol, rtol):
    if A.ndim < 2 or A.dtype.char not in "fd":
        raise RuntimeError(
            f"linalg.pinv({A.dtype.legacy}{{{list(A.shape)}}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    return pinv(A, *_precision(A, atol, rtol))


@composite(tensors="A -atol -rtol", method=False, function=False)
def linalg_pinv(xp, A, *, atol=None, rtol=None, hermitian=False):
    """The pseudoinverse of matrices.

    >>> import lantern
    >>> lantern.linalg.pinv(lantern.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return _pinv(_lower_mirrored(A) if hermitian and A.ndim >= 2 else A, atol, rtol)


@composite
def pinverse(xp, input, rcond=1e-15):
    """The pseudoinverse of matrices; `linalg.pinv` is the newer form."""
    return _pinv(input, None, rcond)


@composite(tensors="A -atol -rtol", method=False, function=False)
def matrix_rank(xp, A, *, atol=None, rtol=None, hermitian=False):
    """How many singular values are larger than `max(atol, rtol * largest)`.

    >>> import lantern
    >>> lantern.linalg.matrix_rank(lantern.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    if A.ndim < 2:
        raise RuntimeError(
            "torch.linalg.matrix_rank: The input tensor input must have at least 2 dimensions."
        )
    if A.dtype.char not in "fd":
        raise RuntimeError("This function doesn't handle types other than float and double")
    values = svdvals((_lower_mirrored(A) if hermitian else A).detach())
    if 0 in A.shape[-2:]:
        return xp.full(A.shape[:-2], 0, int64)
    atol, rtol = _precision(A, atol, rtol)
    least = xp.maximum(xp.amax(values, -1, True) * rtol, xp.full((), atol, values))
    return xp.sum(xp.cast(xp.gt(values, least), int64), -1, False)
