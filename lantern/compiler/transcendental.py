"""Exponentials, logarithms and what is made of them, for elements of float32, as instructions.

Errors stay below four units in the last place; infinities, zeros and NaN come out as in NumPy.
Wider elements go to the C library, lane by lane.
"""

from __future__ import annotations

import math
from typing import Any

Builder = Any

_ROUND = 12582912.0  # 1.5 * 2**23: adding it leaves the nearest whole number in the low bits
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440e-4
_EXP = (1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2)
_EXP += (1.6666665459e-1, 5.0000001201e-1)
_SIXTEENTHS = tuple(2.0 ** (i / 16) for i in range(16))


def _polynomial(b: Builder, e: str, x: str, coefficients: tuple[float, ...]) -> str:
    result: Any = coefficients[0]
    for each in coefficients[1:]:
        result = b.intrinsic("fma", e, result, x, each)
    return result


def exp(b: Builder, e: str, x: str) -> str:
    """Writes the exponential."""
    if e != "float":
        return b.library("exp", e, x)
    return _exp(b, e, x, 1)


def _exp(b: Builder, e: str, x: str, sign: int) -> str:
    """Writes `exp(sign * x)`."""
    if b.has_tables:
        return _exp_by_table(b, e, x, sign)
    if sign < 0:
        x = b.op("fneg", e, x)
    x = _within(b, e, x, -105.0, 89.0)
    shifted = b.intrinsic("fma", e, x, 1.44269504088896341, _ROUND)
    n = b.op("sub", "i32", b.convert("bitcast", e, "i32", shifted), 0x4B400000)
    whole = b.op("fsub", e, shifted, _ROUND)
    r = b.intrinsic("fma", e, whole, -_LN2_HIGH, x)
    r = b.intrinsic("fma", e, whole, -_LN2_LOW, r)
    tail = _polynomial(b, e, r, _EXP)
    value = b.intrinsic("fma", e, tail, b.op("fmul", e, r, r), r)
    return b.scaled(b.op("fadd", e, value, 1.0), whole, n)


def _exp_by_table(b: Builder, e: str, x: str, sign: int) -> str:
    """Writes `exp(sign * x)`: 2**n, times 2**(i / 16) from a table, times a short polynomial."""
    x = _within(b, e, x, -105.0, 105.0)
    shift = _ROUND / 16
    shifted = b.intrinsic("fma", e, x, sign * 1.44269504088896341, shift)
    sixteenths = b.op("fsub", e, shifted, shift)  # n + i / 16
    r = b.intrinsic("fma", e, sixteenths, -sign * _LN2_HIGH, x)
    r = b.intrinsic("fma", e, sixteenths, -sign * _LN2_LOW, r)  # times sign, what is left
    whole = b.looked_up(e, b.convert("bitcast", e, "i32", shifted), _SIXTEENTHS)
    slope = _polynomial(b, e, r, (sign / 6, 0.5000098, sign))
    value = b.intrinsic("fma", e, b.op("fmul", e, whole, r), slope, whole)
    return b.scaled(value, sixteenths, None)


def _within(b: Builder, e: str, x: str, low: float, high: float) -> str:
    x = b.select(b.op("fcmp ogt", e, x, high), e, high, x)
    return b.select(b.op("fcmp olt", e, x, low), e, low, x)


_LOG = (7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1)
_LOG += (-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)


def log(b: Builder, e: str, x: str) -> str:
    """Writes the natural logarithm, exact at 1; -inf at 0, NaN below."""
    if e != "float":
        return b.library("log", e, x)
    small = b.op("fcmp olt", e, x, 1.1754943508222875e-38)
    scaled = b.select(small, e, b.op("fmul", e, x, 8388608.0), x)
    word = b.convert("bitcast", e, "i32", scaled)
    exponent = b.op("ashr", "i32", b.op("sub", "i32", word, 0x3F3504F3), 23)
    word = b.op("sub", "i32", word, b.op("shl", "i32", exponent, 23))
    exponent = b.op("sub", "i32", exponent, b.select(small, "i32", 23, 0))
    n = b.convert("sitofp", "i32", e, exponent)
    f = b.op("fsub", e, b.convert("bitcast", "i32", e, word), 1.0)
    z = b.op("fmul", e, f, f)
    y = b.op("fmul", e, b.op("fmul", e, _polynomial(b, e, f, _LOG), f), z)
    y = b.intrinsic("fma", e, n, _LN2_LOW, y)
    y = b.intrinsic("fma", e, z, -0.5, y)
    y = b.intrinsic("fma", e, n, _LN2_HIGH, b.op("fadd", e, f, y))
    y = b.select(b.op("fcmp oeq", e, x, math.inf), e, math.inf, y)
    y = b.select(b.op("fcmp oeq", e, x, 0.0), e, -math.inf, y)
    return b.select(b.op("fcmp ult", e, x, 0.0), e, math.nan, y)


def log1p(b: Builder, e: str, x: str) -> str:
    """Writes log(1 + x), exact near 0."""
    if e != "float":
        return b.library("log1p", e, x)
    u = b.op("fadd", e, x, 1.0)
    lost = b.op("fsub", e, u, 1.0)
    value = b.op("fmul", e, log(b, e, u), b.op("fdiv", e, x, lost))
    value = b.select(b.op("fcmp oeq", e, x, math.inf), e, x, value)
    return b.select(b.op("fcmp oeq", e, u, 1.0), e, x, value)


def expm1(b: Builder, e: str, x: str) -> str:
    """Writes exp(x) - 1, exact near 0."""
    if e != "float":
        return b.library("expm1", e, x)
    u = exp(b, e, x)
    less = b.op("fsub", e, u, 1.0)
    value = b.op("fmul", e, less, b.op("fdiv", e, x, log(b, e, u)))
    value = b.select(b.op("fcmp oeq", e, u, math.inf), e, u, value)
    value = b.select(b.op("fcmp oeq", e, less, -1.0), e, -1.0, value)
    return b.select(b.op("fcmp oeq", e, u, 1.0), e, x, value)


_TANH = (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1)
_TANH += (-3.33332819422e-1,)


def tanh(b: Builder, e: str, x: str) -> str:
    """Writes the hyperbolic tangent."""
    if e != "float":
        return b.library("tanh", e, x)
    z = b.op("fmul", e, x, x)
    near = b.intrinsic("fma", e, b.op("fmul", e, _polynomial(b, e, z, _TANH), z), x, x)
    size = b.intrinsic("fabs", e, x)
    far = b.op("fadd", e, exp(b, e, b.op("fadd", e, size, size)), 1.0)
    far = b.intrinsic("fma", e, -2.0, b.op("fdiv", e, 1.0, far), 1.0)
    value = b.select(b.op("fcmp olt", e, size, 0.625), e, near, far)
    return b.intrinsic("copysign", e, value, x)


# erf(x) / x - 1 in x² up to 0.93², and -log(1 - erf(x)) in x from there to 4: least largest errors,
# found by weighted least squares.
_ERF_NEAR = (-5.97689359e-4, 4.99098003e-3, -2.67655663e-2, 1.12818025e-1, -3.76124948e-1)
_ERF_NEAR += (1.28379151e-1,)
_ERF_FAR = (6.62820412e-7, 1.23298896e-5, -3.84785002e-4, 4.01339494e-3, -2.48127915e-2)
_ERF_FAR += (1.07905701e-1, 6.33627295e-1, 1.12939703, -1.53382192e-4)


def erf(b: Builder, e: str, x: str) -> str:
    """Writes the error function."""
    if e != "float":
        return b.library("erf", e, x)
    square = b.op("fmul", e, x, x)
    near = b.intrinsic("fma", e, _polynomial(b, e, square, _ERF_NEAR), x, x)
    size = b.intrinsic("fabs", e, x)
    size = b.select(b.op("fcmp ogt", e, size, 4.0), e, 4.0, size)
    far = b.op("fsub", e, 1.0, exp(b, e, b.op("fneg", e, _polynomial(b, e, size, _ERF_FAR))))
    return b.select(b.op("fcmp olt", e, size, 0.93), e, near, b.intrinsic("copysign", e, far, x))


def sigmoid(b: Builder, e: str, x: str) -> str:
    """Writes 1 / (1 + exp(-x))."""
    if e != "float":
        x = b.library("exp", e, b.op("fneg", e, x))
    else:
        x = _exp(b, e, x, -1)
    return b.op("fdiv", e, 1.0, b.op("fadd", e, x, 1.0))
