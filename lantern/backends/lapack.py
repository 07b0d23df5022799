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
    try:
        found = np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        found = None
    if found is None or np.isnan(found).any():
        sentence = (
            "The factorization could not be completed because the input is not positive-definite "
            "(the leading minor of order {} is not positive-definite)."
        )
        raise _located(x, _bad_minor, "linalg.cholesky", sentence)
    return found


def _bad_minor(matrix):
    for order in range(1, len(matrix) + 1):
        try:
            if np.isnan(np.linalg.cholesky(matrix[:order, :order])).any():
                return order
        except np.linalg.LinAlgError:
            return order
    return None


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
