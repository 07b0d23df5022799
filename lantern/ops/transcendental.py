"""Transcendental functions of two operands, and sums taken in the logarithm."""

from __future__ import annotations

import math

from ..op import FLOAT, SAME, op
from ..tensor import Tensor
from .pointwise import flat


@op(promote=FLOAT, inplace=True, aliases="arctan2")
def atan2(xp, input, other):
    """The angle, in radians, of the points `(other, input)`.

    >>> import lantern
    >>> lantern.atan2(lantern.tensor([1.0]), lantern.tensor([1.0]))
    tensor([0.7854])
    """
    return xp.atan2(input, other)


def _over_square(xp, g, input, other):
    square = input * input + other * other
    return g * xp.where(xp.eq(square, 0), xp.full((), 0, square), 1 / square)


atan2.vjp(
    input=lambda xp, g, input, other: _over_square(xp, g, input, other) * other,
    other=lambda xp, g, input, other: _over_square(xp, g, input, other) * -input,
)


@op(promote=SAME, inplace=True, lacks="?BHILbhil hypot_cpu")
def hypot(xp, input, other):
    """The length of the vectors `(input, other)`, without overflow."""
    return xp.hypot(input, other)


hypot.vjp(
    input=lambda g, out, input: g * (input / out),
    other=lambda g, out, other: g * (other / out),
)


def _copysign_label(input, other):
    return f"CopysignBackward{int(not isinstance(other, Tensor))}"


@op(promote=FLOAT, numbers="other", inplace=True, label=_copysign_label, packed="as operands")
def copysign(xp, input, other):
    """The size of `input` with the sign of `other`, also that of -0.0."""
    if isinstance(other, (int, float)):
        other = xp.full((), other, input)
    return xp.copysign(input, other)


def _copysign_input(xp, g, out, input):
    ratio = out / input
    return g * xp.where(xp.eq(input, 0), xp.full((), 0, ratio), ratio)


copysign.vjp(input=_copysign_input, other=flat)


@op(promote=SAME, inplace=True, lacks="?BHILbhil nextafter_cpu")
def nextafter(xp, input, other):
    """The next floating point number from `input` toward `other`."""
    return xp.nextafter(input, other)


def _nextafter_input(xp, g, input, other):
    same = xp.eq(input, other)
    return xp.where(same, xp.full((), 0, g), g)


nextafter.vjp(input=_nextafter_input, other=flat)


def log_of_sum(xp, x, y):
    """Returns log(exp(x) + exp(y)), also of infinities."""
    high = xp.maximum(x, y)
    gap = xp.abs(x - y)
    total = high + xp.log1p(xp.exp(-gap))
    return xp.where(xp.logical_and(xp.isinf(x), xp.eq(x, y)), x, total)


@op(promote=SAME, lacks="?BHILbhil logaddexp_cpu")
def logaddexp(xp, input, other):
    """log(exp(input) + exp(other)), without overflow.

    >>> import lantern
    >>> lantern.logaddexp(lantern.tensor([1000.0]), lantern.tensor([1000.0]))
    tensor([1000.6932])
    """
    return log_of_sum(xp, input, other)


logaddexp.vjp(
    input=lambda xp, g, input, other: g / (1 + xp.exp(other - input)),
    other=lambda xp, g, input, other: g / (1 + xp.exp(input - other)),
)


@op(promote=SAME, lacks="?BHILbhil logaddexp2_cpu")
def logaddexp2(xp, input, other):
    """log2(2**input + 2**other), without overflow."""
    high = xp.maximum(input, other)
    gap = xp.abs(input - other)
    total = high + xp.log1p(xp.exp2(-gap)) * (1 / math.log(2))
    return xp.where(xp.logical_and(xp.isinf(input), xp.eq(input, other)), input, total)


logaddexp2.vjp(
    input=lambda xp, g, input, other: g / (1 + xp.exp2(other - input)),
    other=lambda xp, g, input, other: g / (1 + xp.exp2(input - other)),
)


def _xlogy_label(input, other):
    if not isinstance(input, Tensor):
        return "XlogyBackward1"
    return "XlogyBackward0" if isinstance(other, Tensor) else "XlogyBackward2"


@op(
    promote=FLOAT,
    numbers="input other",
    steps=True,
    inplace=True,
    label=_xlogy_label,
    packed="as operands",
)
def xlogy(xp, input, other):
    """`input * log(other)`, and 0 where `input` is 0 and `other` is not NaN.

    >>> import lantern
    >>> lantern.xlogy(lantern.tensor([0.0, 1.0]), lantern.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    if isinstance(other, (int, float)):
        other = xp.full((), other, input)
    product = input * xp.log(other)
    zero = xp.logical_and(xp.eq(input, 0), xp.logical_not(xp.isnan(other)))
    return xp.where(zero, xp.full((), 0, product), product)


def _xlogy_input(xp, g, input, other):
    if isinstance(other, (int, float)):
        other = xp.full((), other, g)
    zero = xp.logical_and(xp.eq(input, 0), xp.le(other, 0))
    return xp.where(zero, xp.full((), 0, g), g * xp.log(other))


xlogy.vjp(input=_xlogy_input, other=lambda g, input, other: g * input / other)


def _steps_down(function, input, p):
    """Returns the sum of a function at input, input - 1/2, ..., p times."""
    total = function(input)
    for j in range(1, p):
        total = total + function(input - j / 2)
    return total


@op(packed="always", promote=FLOAT, inplace=True)
def mvlgamma(xp, input, p):
    """The multivariate log-gamma function of dimension `p`; raises RuntimeError for p < 1."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    return _steps_down(xp.lgamma, input, p) + p * (p - 1) / 4 * math.log(math.pi)


mvlgamma.vjp(input=lambda xp, g, input, p: g * _steps_down(xp.digamma, input, p))


@op(promote=FLOAT)
def angle(xp, input):
    """0 for positive numbers, pi for negative ones; NaN stays NaN."""
    value = xp.where(xp.lt(input, 0), xp.full((), math.pi, input), xp.full((), 0, input))
    return xp.where(xp.isnan(input), input, value)


angle.vjp(input=flat)
