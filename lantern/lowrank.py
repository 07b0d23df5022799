"""Factors of low rank, found on a random subspace: `svd_lowrank` and `pca_lowrank`."""

from __future__ import annotations

from . import ops
from .sampling import randn
from .tensor import Tensor

__all__ = ["pca_lowrank", "svd_lowrank"]


def _basis(A: Tensor, q: int, niter: int) -> Tensor:
    """Returns orthogonal columns that nearly span those of `A`."""
    turned = ops.transpose(A, -2, -1)
    start = randn(A.shape[-1], q, dtype=A.dtype, device=A.device)
    found = ops.linalg_qr(ops.matmul(A, start))[0]
    for _ in range(niter):
        found = ops.linalg_qr(ops.matmul(turned, found))[0]
        found = ops.linalg_qr(ops.matmul(A, found))[0]
    return found


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """U, S and V of nearly the largest `q` singular values of `A`, or of `A - M`.

    Halko et al., Finding structure with randomness, SIAM Review 53 (2011).

    >>> import lantern
    >>> U, S, V = lantern.svd_lowrank(lantern.ones(4, 3), 1)
    >>> S.round(decimals=4)
    tensor([3.4641])
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    if M is not None:
        A = ops.sub(A, ops.broadcast_to(M, A.shape))
    wide = A.shape[-2] < A.shape[-1]
    if wide:
        A = ops.transpose(A, -2, -1)
    basis = _basis(A, q, niter)
    inner = ops.matmul(ops.transpose(basis, -2, -1), A)
    U, S, Vh = ops.linalg_svd(inner, full_matrices=False)
    U, V = ops.matmul(basis, U), ops.transpose(Vh, -2, -1)
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """The principal components of rows: `A @ V[:, :k]` are those along the first `k` of them.

    With `center` the mean row is taken off first. Raises ValueError for a `q` that `A` cannot have.

    >>> import lantern
    >>> rows = lantern.tensor([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])
    >>> lantern.pca_lowrank(rows, 1)[1].round(decimals=4)
    tensor([5.])
    """
    rows, columns = A.shape[-2:]
    if q is None:
        q = min(6, rows, columns)
    elif not 0 <= q <= min(rows, columns):
        raise ValueError(
            f"q(={q}) must be non-negative integer and not greater than min(m, n)="
            f"{min(rows, columns)}"
        )
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - ops.mean(A, (-2,), True) if center else A, q, niter)
