"""Primitives that both array libraries have as functions, and what is alike over them.

`library` is NumPy here; this file is loaded once more as a part of `cupy/`, where it is CuPy.
"""

from __future__ import annotations

from lantern import dtypes as _dtypes
from lantern.backends.kinds import NUMPY_DTYPE as _NUMPY_DTYPE

from .library import np as _np

neg, abs, square = _np.negative, _np.absolute, _np.square
exp, exp2, expm1 = _np.exp, _np.exp2, _np.expm1
log, log2, log10, log1p, sqrt = _np.log, _np.log2, _np.log10, _np.log1p, _np.sqrt
sin, cos, tan = _np.sin, _np.cos, _np.tan
asin, acos, atan, atan2 = _np.arcsin, _np.arccos, _np.arctan, _np.arctan2
sinh, cosh, tanh = _np.sinh, _np.cosh, _np.tanh
asinh, acosh, atanh = _np.arcsinh, _np.arccosh, _np.arctanh
floor, ceil, trunc = _np.floor, _np.ceil, _np.trunc
bitwise_not, logical_not = _np.invert, _np.logical_not
isnan, isinf, isfinite, signbit = _np.isnan, _np.isinf, _np.isfinite, _np.signbit
add, sub, mul, div = _np.add, _np.subtract, _np.multiply, _np.true_divide
fmax, fmin = _np.fmax, _np.fmin
copysign, nextafter, hypot = _np.copysign, _np.nextafter, _np.hypot
gcd, lcm = _np.gcd, _np.lcm
bitwise_and, bitwise_or, bitwise_xor = _np.bitwise_and, _np.bitwise_or, _np.bitwise_xor
eq, ne, lt, le, gt, ge = (
    _np.equal,
    _np.not_equal,
    _np.less,
    _np.less_equal,
    _np.greater,
    _np.greater_equal,
)
logical_and, logical_or, logical_xor = _np.logical_and, _np.logical_or, _np.logical_xor
round = _np.rint
bitwise_left_shift, bitwise_right_shift = _np.left_shift, _np.right_shift


def rsqrt(x):
    return 1 / _np.sqrt(x)


def bitcast(x, dtype):
    target = _NUMPY_DTYPE[dtype]
    if target.itemsize != x.itemsize and x.ndim and x.strides[-1] != x.itemsize:
        x = _np.ascontiguousarray(x)
    return x.view(target)


def full(shape, value, like):
    kind = _NUMPY_DTYPE[like] if type(like) is _dtypes.dtype else like.dtype
    if type(value) is int and not value:
        return _np.zeros(shape, kind)  # NumPy has large pieces of memory from the system as zeros
    result = _np.empty(shape, kind)
    result.fill(value)
    return result


# --- services of the frame
def as_whole_numbers(x):
    """Returns an array of bool as one of uint8, any other as it is."""
    return x.astype("uint8") if x.dtype.kind == "b" else x


def value_range(x):
    """Returns the least and the largest element."""
    return x.min(), x.max()
