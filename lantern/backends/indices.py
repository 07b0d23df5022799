"""Arrays of indices, as far as they are alike over both array libraries.

`library` is NumPy here; this file is loaded once more as a part of `cupy/`, where it is CuPy.
"""

from __future__ import annotations

from .library import np


def along(dim, index):
    """Returns what to index with so that `index` chooses along one dimension, all else in place."""
    ndim = index.ndim
    return tuple(
        index if d == dim else np.arange(size).reshape((size,) + (1,) * (ndim - 1 - d))
        for d, size in enumerate(index.shape)
    )


def rows(columns, count):
    """Returns index columns side by side as a matrix of `count` rows, stored by columns."""
    return np.stack(columns).T if columns else np.zeros((0, count), "int64").T


def nonzero(x):
    """Returns, per dimension, the places of the elements that are not zero."""
    return tuple([np.ascontiguousarray(each) for each in np.atleast_1d(x).nonzero()])
