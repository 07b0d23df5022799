"""Triangular systems, least squares, and powers in a matrix."""

from __future__ import annotations

from ..op import composite
from ..return_types import linalg_lstsq as LstsqResult
from .contraction import identity_like
from .decompositions import linalg_pinv, matrix_rank, svdvals
from .systems import check_matrices, linalg_solve


def _columns(name, A, B):
    if B.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor B must have at least 2 dimensions.")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype.legacy} and B of type {B.dtype.legacy} instead"
        )


@composite(tensors="A B", method=False, function=False)
def linalg_solve_triangular(xp, A, B, *, upper, left=True, unitriangular=False):
    """X of `A @ X = B` (or `X @ A = B`) for a triangle A; what is outside of it is not read.

    Raises `LinAlgError` where the diagonal has a zero.

    >>> import lantern
    >>> A, B = lantern.tensor([[2.0, 0.0], [1.0, 4.0]]), lantern.tensor([[2.0], [9.0]])
    >>> lantern.linalg.solve_triangular(A, B, upper=False)
    tensor([[1.],
            [2.]])
    """
    name = "linalg.solve_triangular"
    check_matrices(name, A)
    _columns(name, A, B)
    if A.shape[-1] != B.shape[-2 if left else -1]:
        (m, n), (k, j) = A.shape[-2:], B.shape[-2:]
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {equation} ({m}x{n} and "
            f"{k}x{j})"
        )
    if unitriangular:
        A = A - A.diagonal(dim1=-2, dim2=-1).diag_embed() + identity_like(xp, A)
    A = A.triu() if upper else A.tril()
    return linalg_solve(A, B, left=left)


DRIVERS = ("gels", "gelsy", "gelsd", "gelss")


@composite(tensors="A B", method=False, function=False)
def linalg_lstsq(xp, A, B, rcond=None, *, driver=None):
    """X that makes `A @ X - B` least, of several the smallest; with residuals and the rank.

    Which parts of the result there are depends on `driver`, as in PyTorch: residuals and singular
    values are empty for the usual "gelsy".

    >>> import lantern
    >>> A = lantern.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> lantern.linalg.lstsq(A, lantern.tensor([[1.0], [3.0], [5.0]])).solution.round(decimals=3)
    tensor([[1.],
            [2.]])
    """
    name = "torch.linalg.lstsq"
    if A.ndim < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B.ndim < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype "
            f"{A.dtype.legacy} and other's dtype {B.dtype.legacy}"
        )
    if driver is not None and driver not in DRIVERS:
        raise RuntimeError(f"{name}: parameter `driver` should be one of ({', '.join(DRIVERS)})")
    vector = B.ndim == A.ndim - 1 and B.shape == A.shape[:-1]
    right = B.unsqueeze(-1) if vector else B
    if A.shape[-2] != right.shape[-2]:
        raise RuntimeError(f"{name}: input.size(-2) should match other.size(-2)")
    return LstsqResult(_least_squares(xp, A, right, rcond, driver or "gelsy", vector))


def _least_squares(xp, A, B, rcond, driver, vector):
    rows, columns = A.shape[-2:]
    X = linalg_pinv(A, rtol=rcond) @ B
    none = A.new_zeros(0)
    values = svdvals(A) if driver in ("gelsd", "gelss") else none
    rank = none.long() if driver == "gels" else matrix_rank(A.detach(), rtol=rcond)
    residuals = none
    full = driver == "gels" or driver != "gelsy" and bool((rank == columns).all())
    if rows > columns and full:
        residuals = (A @ X - B).square().sum(-2)
    return X.squeeze(-1) if vector else X, residuals, rank, values


@composite(method=False)
def vander(xp, x, N=None, increasing=False):
    """The powers of each number, the highest first unless `increasing`: `(n,)` to `(n, N)`.

    >>> import lantern
    >>> lantern.vander(lantern.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    powers = _powers(xp, x, count)
    return powers if increasing else powers.flip(-1)


@composite(method=False, function=False)
def linalg_vander(xp, x, *, N=None):
    """The powers of each number, from 0 up: `(..., n)` to `(..., n, N)`."""
    count = N if N is not None else x.shape[-1] if x.ndim else 1
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    return _powers(xp, x, count)


def _powers(xp, x, count):
    columns = x.unsqueeze(-1).expand(*x.shape, max(count - 1, 0))
    ones = xp.full((*x.shape, 1), 1, x)
    return xp.cat([ones, columns], -1)[..., :count].cumprod(-1)
