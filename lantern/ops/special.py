"""The functions of `torch.special` that have no plain name: the normal law, Bessel's, entropy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..op import FLOAT, Op, composite, op
from ..tensor import Tensor
from .pointwise import unary

ROOT_HALF = math.sqrt(0.5)
ROOT_TWO_PI = math.sqrt(2 * math.pi)


def _special(
    name: str, formula: Callable[..., Any], grad_name: str, text: str, lacks: str = ""
) -> Op:
    options = {"method": False, "function": False, "inplace": False, "lacks": lacks}
    return unary(name, FLOAT, formula, text, grad_name=f"Special{grad_name}Backward0", **options)


erfcx = _special(
    "erfcx",
    lambda g, out, input: g * (input * out * 2 - 2 / math.sqrt(math.pi)),
    "Erfcx",
    "exp(x * x) erfc(x), which does not underflow for large x.",
    "eE erfcx_cpu",
)
ndtri = _special(
    "ndtri",
    lambda xp, g, out: g * (xp.exp(out * out * 0.5) * ROOT_TWO_PI),
    "Ndtri",
    "The inverse of the normal distribution function.",
    "eE ndtri_cpu",
)
i0e = _special(
    "i0e",
    lambda xp, g, out, input: g * (xp.i1e(input) - xp.sign(input) * out),
    "I0E",
    "exp(-|x|) I0(x), the modified Bessel function of order 0, scaled.",
)


def _i1_over_x(xp, i1, input):
    # I1(x) / x is 1/2 at 0.
    zero = xp.eq(input, 0)
    divisor = xp.where(zero, xp.full((), 1, input), input)
    return xp.where(zero, xp.full((), 0.5, i1), i1 / divisor)


def _i1e_input(xp, g, out, input):
    return g * (xp.i0e(input) - xp.sign(input) * out - _i1_over_x(xp, out, input))


i1e = _special(
    "i1e", _i1e_input, "I1E", "exp(-|x|) I1(x), the modified Bessel function of order 1, scaled."
)


def _unscaled(xp, scaled, input):
    # exp in two steps, of which none overflows before the product does.
    half = xp.exp(xp.abs(input) * 0.5)
    return scaled * half * half


@op(promote=FLOAT, inplace=True, packed="as operands")
def i0(xp, input):
    """I0(x), the modified Bessel function of the first kind of order 0."""
    return _unscaled(xp, xp.i0e(input), input)


@op(
    promote=FLOAT,
    method=False,
    function=False,
    grad_name="SpecialI1Backward0",
    packed="as operands",
)
def i1(xp, input):
    """I1(x), the modified Bessel function of the first kind of order 1."""
    return _unscaled(xp, xp.i1e(input), input)


i0.vjp(input=lambda xp, g, input: g * _unscaled(xp, xp.i1e(input), input))


def _i1_input(xp, g, out, input):
    return g * (_unscaled(xp, xp.i0e(input), input) - _i1_over_x(xp, out, input))


i1.vjp(input=_i1_input)


@op(
    promote=FLOAT,
    method=False,
    function=False,
    grad_name="SpecialNdtrBackward0",
    packed="as operands",
)
def ndtr(xp, input):
    """The normal distribution function."""
    return xp.erfc(input * -ROOT_HALF) * 0.5


ndtr.vjp(input=lambda xp, g, input: g * (xp.exp(input * input * -0.5) / ROOT_TWO_PI))


@op(
    packed="as operands",
    promote=FLOAT,
    method=False,
    function=False,
    lacks="eE log_ndtr_cpu",
    grad_name="SpecialLogNdtrBackward0",
)
def log_ndtr(xp, input):
    """The logarithm of the normal distribution function, exact for very negative numbers."""
    scaled = input * ROOT_HALF
    low = xp.log(xp.erfcx(-scaled) * 0.5) - scaled * scaled
    high = xp.log1p(xp.erfc(scaled) * -0.5)
    return xp.where(xp.lt(input, -1), low, high)


log_ndtr.vjp(input=lambda xp, g, input: g * (math.sqrt(2 / math.pi) / xp.erfcx(input * -ROOT_HALF)))


@op(
    promote=FLOAT,
    method=False,
    function=False,
    steps=True,
    grad_name="SpecialEntrBackward0",
    packed="as operands",
)
def entr(xp, input):
    """-x log(x); 0 at 0, minus infinity below."""
    value = -input * xp.log(input)
    value = xp.where(xp.eq(input, 0), xp.full((), 0, value), value)
    return xp.where(xp.lt(input, 0), xp.full((), -math.inf, value), value)


entr.vjp(input=lambda xp, g, input: g * (-xp.log(input) - 1))


def _xlog1py_label(input, other):
    if not isinstance(input, Tensor):
        return "SpecialXlog1PyBackward1"
    return "SpecialXlog1PyBackward0" if isinstance(other, Tensor) else "SpecialXlog1PyBackward2"


@op(
    packed="as operands",
    promote=FLOAT,
    numbers="input other",
    steps=True,
    method=False,
    function=False,
    label=_xlog1py_label,
)
def xlog1py(xp, input, other):
    """`input * log1p(other)`, and 0 where `input` is 0 and `other` is not NaN."""
    if isinstance(other, (int, float)):
        other = xp.full((), other, input)
    product = input * xp.log1p(other)
    zero = xp.logical_and(xp.eq(input, 0), xp.logical_not(xp.isnan(other)))
    return xp.where(zero, xp.full((), 0, product), product)


def _xlog1py_input(xp, g, input, other):
    if isinstance(other, (int, float)):
        other = xp.full((), other, g)
    zero = xp.logical_and(xp.eq(input, 0), xp.le(other, -1))
    return xp.where(zero, xp.full((), 0, g), g * xp.log1p(other))


xlog1py.vjp(input=_xlog1py_input, other=lambda g, input, other: g * input / (other + 1))


def _incomplete(name: str, sign: int, text: str) -> Op:
    """Declares an incomplete gamma function, with a derivative by its second argument."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    def slope(xp, g, input, other):
        density = xp.exp((input - 1) * xp.log(other) - other - xp.lgamma(input))
        return g * density * sign

    def refuse(g):
        raise RuntimeError("the derivative for 'igamma: input' is not implemented.")

    forward.__name__, forward.__doc__ = name, text
    declared = op(forward, promote=FLOAT, method=False, function=False)
    declared._grad_name = "IgammaBackward0" if sign > 0 else "IgammacBackward0"
    return declared.vjp(input=refuse, other=slope)


gammainc = _incomplete("gammainc", 1, "The part of the gamma function of x below y, P(x, y).")
gammaincc = _incomplete("gammaincc", -1, "The part of the gamma function of x above y, Q(x, y).")


@composite(inplace=True)
def igamma(xp, input, other):
    """The plain name of `special.gammainc`."""
    return xp.gammainc(input, other)


@composite(inplace=True)
def igammac(xp, input, other):
    """The plain name of `special.gammaincc`."""
    return xp.gammaincc(input, other)
