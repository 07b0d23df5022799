"""Which dtype of NumPy's, and of CuPy's, each of Lantern's dtypes is."""

from __future__ import annotations

import ml_dtypes
import numpy as np

from .. import dtypes

NUMPY_DTYPE = {
    each: np.dtype(ml_dtypes.bfloat16 if each is dtypes.bfloat16 else each.name)
    for each in dtypes.ALL
}
LANTERN_DTYPE = {value: key for key, value in NUMPY_DTYPE.items()}


def dtype_of(x):
    """Returns the Lantern dtype of an array; raises TypeError for a type it has none for."""
    try:
        return LANTERN_DTYPE[x.dtype]
    except KeyError:
        raise TypeError(
            f"can't convert np.ndarray of type numpy.{x.dtype.type.__name__}. The only supported "
            "types are: float64, float32, float16, int64, int32, int16, int8, uint64, uint32, "
            "uint16, uint8, and bool."
        ) from None
