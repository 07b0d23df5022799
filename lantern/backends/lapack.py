"""Factors of matrices, computed by NumPy's LAPACK.

Functions that have several results return them end to end in one array, flat per matrix; what the
parts are, `matrices.packed_shapes` says.
"""

from __future__ import annotations

from math import prod

import numpy as np

from ..matrices import LinAlgError


def _located(x, fails, start, sentence):
    """Returns the error for the first matrix of a batch for which `fails` gives a place."""
    matrices = x.reshape(-1, *x.shape[-2:])
    for i, matrix in enumerate(matrices):
        place = fails(matrix)
        if place is not None:
            which = f"(Batch element {i}): " if x.ndim > 2 else ""
            return LinAlgError(f"{start}: {which}{sentence.format(place)}")
    return LinAlgError(f"{start}: The computation failed.")


def _zero_pivot(matrix):
    # The elimination that LAPACK did, once more, to say where it met a zero.
    a = matrix.astype(np.float64)
    for i in range(len(a)):
        row = i + int(np.argmax(np.abs(a[i:, i])))
        if a[row, i] == 0:
            return i + 1
        a[[i, row]] = a[[row, i]]
        a[i + 1 :] -= np.outer(a[i + 1 :, i] / a[i, i], a[i])
    return None


def inv(x):
    try:
        return np.linalg.inv(x)
    except np.linalg.LinAlgError:
        sentence = (
            "The diagonal element {} is zero, the inversion could not be completed because the "
            "input matrix is singular."
        )
        raise _located(x, _zero_pivot, "linalg.inv", sentence) from None


def solve(x, y):
    try:
        return np.linalg.solve(x, y)
    except np.linalg.LinAlgError:
        sentence = "The solver failed because the input matrix is singular."
        raise _located(x, _zero_pivot, "torch.linalg.solve", sentence) from None


def det(x):
    return np.asarray(np.linalg.det(x))


def cofactor(x):
    """Returns the derivative of the determinant, which singular matrices have as well."""
    finite = np.isfinite(x).all((-2, -1), keepdims=True)
    if not x.size:
        return x.copy()
    u, s, vh = np.linalg.svd(np.where(finite, x, x.dtype.type(0)))
    size = x.shape[-1]
    others = np.where(np.eye(size, dtype=bool), x.dtype.type(1), s[..., None, :]).prod(-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    found = (u * (others * np.round(sign)[..., None])[..., None, :]) @ vh
    return np.where(finite, found, x.dtype.type(np.nan))


def cholesky(x):
    found = _factor(x)
    if found is None:
        sentence = (
            "The factorization could not be completed because the input is not positive-definite "
            "(the leading minor of order {} is not positive-definite)."
        )
        raise _located(x, _bad_minor, "linalg.cholesky", sentence)
    return found


def _factor(x):
    try:
        found = np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return None
    return None if np.isnan(found).any() else found


def _bad_minor(matrix):
    orders = range(1, len(matrix) + 1)
    return next((n for n in orders if _factor(matrix[:n, :n]) is None), None)


def _stack(x):
    return x.reshape(prod(x.shape[:-2]), *x.shape[-2:])


def cholesky_packed(x):
    """Returns the factors, and for each matrix 0 or the order of the minor that is not positive.

    Of a matrix that has no factor only that of the minors before is there.
    """
    matrices, batch = _stack(x), x.shape[:-2]
    found, info = np.zeros_like(matrices), np.zeros(len(matrices), x.dtype)
    for i, matrix in enumerate(matrices):
        factor, size = _factor(matrix), len(matrix)
        if factor is None:
            info[i] = order = _bad_minor(matrix)
            size = order - 1
            factor = _factor(matrix[:size, :size])
        found[i, :size, :size] = factor
    return _packed(x, found.reshape(x.shape), info.reshape(*batch, 1))


def inv_packed(x):
    """Returns inverses, and for each matrix 0 or the place of the pivot that is zero (then NaN)."""
    matrices, batch = _stack(x), x.shape[:-2]
    found, info = np.full_like(matrices, np.nan), np.zeros(len(matrices), x.dtype)
    for i, matrix in enumerate(matrices):
        try:
            found[i] = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            info[i] = _zero_pivot(matrix)
    return _packed(x, found.reshape(x.shape), info.reshape(*batch, 1))


def lu_packed(x, check):
    """Returns triangles L (its ones left out) and U in one, the order of rows, and LAPACK's swaps.

    With `check`, the name of the caller, raises LinAlgError where U has a zero on its diagonal.
    """
    rows, columns = x.shape[-2:]
    a = _stack(x).copy()
    order = np.tile(np.arange(rows), (len(a), 1))
    swaps = np.zeros((len(a), min(rows, columns)), int)
    which = np.arange(len(a))
    for k in range(min(rows, columns)):
        row = k + np.abs(a[:, k:, k]).argmax(1)
        swaps[:, k] = row + 1
        for each in (a, order):
            each[which, k], each[which, row] = each[which, row], each[which, k]
        pivot = a[:, k, None, k]
        np.divide(a[:, k + 1 :, k], pivot, out=a[:, k + 1 :, k], where=pivot != 0)
        a[:, k + 1 :, k + 1 :] -= a[:, k + 1 :, k, None] * a[:, k, None, k + 1 :]
    if check:
        _refuse_zero_diagonal(a, x.ndim > 2, check)
    batch = x.shape[:-2]
    found = [each.reshape(*batch, *each.shape[1:]) for each in (a, order, swaps)]
    return _packed(x, *(each.astype(x.dtype, copy=False) for each in found))


def _refuse_zero_diagonal(matrices, batched, name):
    zero = np.diagonal(matrices, axis1=-2, axis2=-1) == 0
    if zero.any():
        i, place = np.argwhere(zero)[0]
        which = f"(Batch element {i}): " if batched else ""
        raise LinAlgError(
            f"{name}: {which}U[{place + 1},{place + 1}] is zero and using it on "
            "lu_solve would result in a division by zero. If you still want to perform the "
            "factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )


# Of Pade's approximation of degree 13 of the exponential; N. J. Higham, "The scaling and squaring
# method for the matrix exponential revisited", SIAM J. Matrix Anal. Appl. 26 (2005).
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0,
    960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip
_PADE_BOUND = 5.371920351148152  # of the norm for which it is as exact as float64


def matrix_exp(x):
    found = [_exponential(each) for each in _stack(x)]
    return np.asarray(found, x.dtype).reshape(x.shape)


def _exponential(matrix):
    a = matrix.astype(np.float64)
    if not a.size or not np.isfinite(a).all():
        return np.full_like(a, np.nan)
    norm = np.abs(a).sum(0).max()
    halvings = max(0, int(np.ceil(np.log2(norm / _PADE_BOUND)))) if norm else 0
    a /= 2.0**halvings
    b, one = _PADE, np.eye(len(a))
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = (
        a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * one
    )
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2
    even += b[0] * one
    odd = a @ odd
    found = np.linalg.solve(even - odd, even + odd)
    for _ in range(halvings):
        found = found @ found
    return found


def _packed(x, *parts):
    batch = x.shape[:-2]
    flat = [each.reshape(*batch, prod(each.shape[len(batch) :])) for each in parts]
    return np.concatenate(flat, -1)


def slogdet_packed(x):
    return _packed(x, *[np.asarray(each)[..., None] for each in np.linalg.slogdet(x)])


def qr_packed(x, complete):
    return _packed(x, *np.linalg.qr(x, "complete" if complete else "reduced"))


def _refuse_infinite(x, name):
    if not np.isfinite(x).all():
        raise LinAlgError(
            f"{name}: The algorithm failed to converge because the input matrix contained "
            "non-finite values."
        )


def eigh_packed(x, upper):
    _refuse_infinite(x, "linalg.eigh")
    return _packed(x, *np.linalg.eigh(x, "U" if upper else "L"))


def svd_packed(x, full):
    _refuse_infinite(x, "linalg.svd")
    return _packed(x, *np.linalg.svd(x, full))


def pinv(x, atol, rtol):
    rows, columns = x.shape[-2:]
    if not x.size:
        return np.zeros((*x.shape[:-2], columns, rows), x.dtype)
    _refuse_infinite(x, "linalg.svd")
    u, s, vh = np.linalg.svd(x, False)
    kept = s > np.maximum(x.dtype.type(atol), x.dtype.type(rtol) * s[..., :1])
    inverse = np.divide(1, s, out=np.zeros_like(s), where=kept)
    return vh.swapaxes(-1, -2) @ (inverse[..., None] * u.swapaxes(-1, -2))
