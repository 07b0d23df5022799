"""Element by element: arithmetic, comparison, the transcendental functions.

The table of unary functions comes first: a name, how its operand is promoted, its derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..op import BOOL, FLOAT, KEEP, SAME, Op, composite, op

TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


def unary(name: str, promote: str, formula: Callable[..., Any] | None, text: str) -> Op:
    """Declares a pointwise function of one tensor that is a primitive of the vocabulary."""

    def forward(xp, input):
        return getattr(xp, name)(input)

    forward.__name__ = name
    forward.__doc__ = text
    declared = op(forward, promote=promote, inplace=True, differentiable=formula is not None)
    if formula is not None:
        declared.vjp(input=formula)
    return declared


def _flat(xp, g):
    return xp.full(g.shape, 0, g)


def _where_positive(xp, g, input):
    return g * xp.sign(input)


exp = unary("exp", FLOAT, lambda g, out: g * out, "The exponential of each element.")
exp2 = unary("exp2", FLOAT, lambda g, out: g * out * math.log(2), "2 to the power of each element.")
expm1 = unary("expm1", FLOAT, lambda g, out: g * (out + 1), "exp(x) - 1, exact near 0.")
log = unary("log", FLOAT, lambda g, input: g / input, "The natural logarithm.")
log2 = unary("log2", FLOAT, lambda g, input: g / (input * math.log(2)), "The logarithm of base 2.")
log10 = unary("log10", FLOAT, lambda g, input: g / (input * math.log(10)), "Base 10 logarithm.")
log1p = unary("log1p", FLOAT, lambda g, input: g / (input + 1), "log(1 + x), exact near 0.")
sqrt = unary("sqrt", FLOAT, lambda g, out: g / (out * 2), "The square root; NaN below 0.")
rsqrt = unary("rsqrt", FLOAT, lambda g, out: g * (out * out * out) * -0.5, "1 / sqrt(x).")
sin = unary("sin", FLOAT, lambda xp, g, input: g * xp.cos(input), "The sine, of radians.")
cos = unary("cos", FLOAT, lambda xp, g, input: -g * xp.sin(input), "The cosine, of radians.")
tan = unary("tan", FLOAT, lambda g, out: g * (1 + out * out), "The tangent, of radians.")
asin = unary(
    "asin", FLOAT, lambda xp, g, input: g * xp.rsqrt(1 - input * input), "The inverse sine."
)
acos = unary(
    "acos", FLOAT, lambda xp, g, input: -g * xp.rsqrt(1 - input * input), "The inverse cosine."
)
atan = unary("atan", FLOAT, lambda g, input: g / (input * input + 1), "The inverse tangent.")
sinh = unary("sinh", FLOAT, lambda xp, g, input: g * xp.cosh(input), "The hyperbolic sine.")
cosh = unary("cosh", FLOAT, lambda xp, g, input: g * xp.sinh(input), "The hyperbolic cosine.")
tanh = unary("tanh", FLOAT, lambda g, out: g * (1 - out * out), "The hyperbolic tangent.")
asinh = unary(
    "asinh", FLOAT, lambda xp, g, input: g * xp.rsqrt(input * input + 1), "Inverse of sinh."
)
acosh = unary(
    "acosh", FLOAT, lambda xp, g, input: g * xp.rsqrt(input * input - 1), "Inverse of cosh."
)
atanh = unary("atanh", FLOAT, lambda g, input: g / (1 - input * input), "Inverse of tanh.")
sigmoid = unary("sigmoid", FLOAT, lambda g, out: g * ((1 - out) * out), "1 / (1 + exp(-x)).")
square = unary("square", SAME, lambda g, input: g * (input * 2), "The square of each element.")
square._grad_name = "PowBackward0"
neg = unary("neg", SAME, lambda g: -g, "Minus each element.")
neg.dunder = ["neg"]
abs = unary("abs", SAME, _where_positive, "The absolute value.")  # noqa: A001
abs.dunder = ["abs"]
sign = unary("sign", SAME, _flat, "-1, 0 or 1 by the sign of each element.")
floor = unary("floor", SAME, _flat, "The largest whole number not above each element.")
ceil = unary("ceil", SAME, _flat, "The smallest whole number not below each element.")
trunc = unary("trunc", SAME, _flat, "The whole part of each element.")
isnan = unary("isnan", BOOL, None, "Where elements are NaN.")
isinf = unary("isinf", BOOL, None, "Where elements are infinite.")
isfinite = unary("isfinite", BOOL, None, "Where elements are neither infinite nor NaN.")
signbit = unary("signbit", BOOL, None, "Where the sign bit is set, -0.0 included.")
logical_not = unary("logical_not", BOOL, None, "Where elements are zero.")
bitwise_not = unary("bitwise_not", SAME, None, "Each bit inverted; logical for bool.")
bitwise_not.dunder = ["invert"]


@op(promote=SAME, numbers="other", dunder="mul rmul", inplace=True)
def mul(xp, input, other):
    """The product of two tensors, element by element.

    >>> import lantern
    >>> lantern.mul(lantern.tensor([2.0, 3.0]), 4)
    tensor([ 8., 12.])
    """
    return xp.mul(input, other)


mul.vjp(input=lambda g, other: g * other, other=lambda g, input: g * input)


@op(promote=SAME, numbers="input other", dunder="add radd", inplace=True)
def add(xp, input, other, *, alpha=1):
    """`input + alpha * other`.

    >>> import lantern
    >>> lantern.add(lantern.tensor([1.0, 2.0]), lantern.tensor([10.0]), alpha=2)
    tensor([21., 22.])
    """
    if alpha != 1:
        _check_alpha(input, other, alpha)
        other = other * alpha
    return xp.add(input, other)


add.vjp(input=lambda g: g, other=lambda g, alpha: g if alpha == 1 else g * alpha)


def _refuse_bool(input, other, alpha):
    flags = [each.dtype.char == "?" for each in (input, other) if hasattr(each, "dtype")]
    if len(flags) == 2 and all(flags):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if any(flags):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )


@op(promote=SAME, numbers="input other", dunder="sub rsub", inplace=True, check=("?", _refuse_bool))
def sub(xp, input, other, *, alpha=1):
    """`input - alpha * other`; raises RuntimeError for bool tensors.

    >>> import lantern
    >>> lantern.sub(lantern.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    if alpha != 1:
        _check_alpha(input, other, alpha)
        other = other * alpha
    return xp.sub(input, other)


sub.vjp(input=lambda g: g, other=lambda g, alpha: -g if alpha == 1 else g * -alpha)


def _check_alpha(input, other, alpha):
    integral = all(
        isinstance(each, int) or getattr(each, "dtype", None) and each.dtype.kind in "biu"
        for each in (input, other)
    )
    if integral and isinstance(alpha, float):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")


@composite
def rsub(xp, input, other, *, alpha=1):
    """`other - alpha * input`."""
    return sub(other, input, alpha=alpha)


@op(promote=FLOAT, numbers="input other", dunder="truediv rtruediv", inplace=True)
def true_divide(xp, input, other):
    """The quotient in floating point.

    >>> import lantern
    >>> lantern.true_divide(lantern.tensor([3, 4]), 2)
    tensor([1.5000, 2.0000])
    """
    return xp.div(input, other)


true_divide.vjp(
    input=lambda g, other: g / other, other=lambda g, input, other: -g * ((input / other) / other)
)
true_divide._grad_name = "DivBackward0"


@op(promote=SAME, numbers="input other", method=False, public=False)
def trunc_divide(xp, input, other):
    """The quotient without its fraction."""
    if input.dtype.kind == "f":
        return xp.trunc(xp.div(input, other))
    quotient = xp.floor_divide(input, other)
    inexact = xp.ne(quotient * other, input)
    return xp.where(xp.logical_and(inexact, xp.lt(quotient, 0)), quotient + 1, quotient)


@op(promote=SAME, numbers="input other", dunder="floordiv rfloordiv", inplace=True)
def floor_divide(xp, input, other):
    """The quotient rounded down.

    >>> import lantern
    >>> lantern.floor_divide(lantern.tensor([7.0, -7.0]), 2)
    tensor([ 3., -4.])
    """
    return xp.floor_divide(input, other)


trunc_divide.vjp(input=_flat, other=_flat)
floor_divide.vjp(input=_flat, other=_flat)
trunc_divide._grad_name = "DivBackward1"


@composite(numbers="input other", inplace=True)
def div(xp, input, other, *, rounding_mode=None):
    """The quotient, with `rounding_mode` None, 'trunc' or 'floor'.

    >>> import lantern
    >>> lantern.div(lantern.tensor([-7.0]), 2, rounding_mode="trunc")
    tensor([-3.])
    """
    if rounding_mode is None:
        return true_divide(input, other)
    if rounding_mode == "trunc":
        return trunc_divide(input, other)
    if rounding_mode == "floor":
        return floor_divide(input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


@op(promote=SAME, numbers="input other", dunder="mod rmod", inplace=True)
def remainder(xp, input, other):
    """The remainder of the division rounded down; it has the sign of `other`.

    >>> import lantern
    >>> lantern.remainder(lantern.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    return xp.remainder(input, other)


@op(promote=SAME, numbers="other", inplace=True)
def fmod(xp, input, other):
    """The remainder of the division rounded toward zero; it has the sign of `input`."""
    return xp.fmod(input, other)


remainder.vjp(input=lambda g: g, other=lambda xp, g, input, other: -g * xp.floor(input / other))
fmod.vjp(input=lambda g: g, other=lambda xp, g, input, other: -g * xp.trunc(input / other))


@op(promote=SAME, numbers="input other", dunder="pow rpow", inplace=True)
def pow(xp, input, other):  # noqa: A001
    """`input` to the power of `other` (torch calls it `exponent`).

    >>> import lantern
    >>> lantern.pow(lantern.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    return xp.pow(input, other)


def _pow_input(xp, g, input, other):
    if isinstance(other, (int, float)):
        if other == 0:
            return xp.full(g.shape, 0, g)
        return g * (input * 2 if other == 2 else xp.pow(input, other - 1) * other)
    power = xp.pow(input, other - 1) * other
    return g * xp.where(xp.eq(other, 0), xp.full((), 0, power), power)


def _pow_other(xp, g, out, input, other):
    if isinstance(input, (int, float)):
        if input == 0:
            return g * xp.where(xp.ge(other, 0), xp.full((), 0, out), out * -math.inf)
        return g * (out * math.log(input) if input > 0 else out * math.nan)
    zero = xp.logical_and(xp.eq(input, 0), xp.ge(other, 0))
    return g * xp.where(zero, xp.full((), 0, out), out * xp.log(input))


pow.vjp(input=_pow_input, other=_pow_other)


def _extreme(name: str, compare: str, text: str) -> Op:
    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    def formula_input(xp, g, input, other):
        return _share(xp, g, getattr(xp, compare)(input, other), xp.eq(input, other))

    def formula_other(xp, g, input, other):
        return _share(xp, g, getattr(xp, compare)(other, input), xp.eq(input, other))

    forward.__name__, forward.__doc__ = name, text
    return op(forward, promote=SAME).vjp(input=formula_input, other=formula_other)


def _share(xp, g, wins, ties):
    """All of the gradient where this operand wins, half of it where both are equal."""
    zero = xp.full((), 0, g)
    return xp.where(ties, g * 0.5, xp.where(wins, g, zero))


maximum = _extreme("maximum", "gt", "The larger of each pair; NaN where either is.")
minimum = _extreme("minimum", "lt", "The smaller of each pair; NaN where either is.")


def comparison(name: str, text: str) -> Op:
    """Declares a comparison: bool, no gradient."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    forward.__name__, forward.__doc__ = name, text
    return op(
        forward, promote=BOOL, numbers="other", differentiable=False, dunder=name, inplace=True
    )


eq = comparison("eq", "Where elements are equal.")
ne = comparison("ne", "Where elements differ.")
lt = comparison("lt", "Where `input` is less.")
le = comparison("le", "Where `input` is less or equal.")
gt = comparison("gt", "Where `input` is greater.")
ge = comparison("ge", "Where `input` is greater or equal.")


def logical(name: str, text: str) -> Op:
    """Declares a logical function of two tensors: what is not zero counts as true."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    forward.__name__, forward.__doc__ = name, text
    return op(forward, promote=BOOL, differentiable=False, inplace=True)


logical_and = logical("logical_and", "Where both are not zero.")
logical_or = logical("logical_or", "Where either is not zero.")
logical_xor = logical("logical_xor", "Where one of the two is not zero.")


def bitwise(name: str, dunder: str, text: str) -> Op:
    """Declares a function of the bits of two integer (or bool) tensors."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    def refuse_float(input, other):
        for each in (input, other):
            if isinstance(each, float) or getattr(each, "dtype", None) and each.dtype.kind == "f":
                kind = each.dtype.legacy if hasattr(each, "dtype") else "Float"
                raise RuntimeError(f'"{name}_cpu" not implemented for \'{kind}\'')

    forward.__name__, forward.__doc__ = name, text
    return op(
        forward,
        promote=SAME,
        check=("fdeE", refuse_float),
        numbers="input other",
        differentiable=False,
        dunder=f"{dunder} r{dunder}",
        inplace=True,
    )


bitwise_and = bitwise("bitwise_and", "and", "The bits set in both.")
bitwise_or = bitwise("bitwise_or", "or", "The bits set in either.")
bitwise_xor = bitwise("bitwise_xor", "xor", "The bits set in one of the two.")
bitwise_left_shift = bitwise("bitwise_left_shift", "lshift", "The bits moved to higher places.")
bitwise_right_shift = bitwise("bitwise_right_shift", "rshift", "The bits moved to lower places.")


@op(promote=SAME, numbers="input other", method=False, public=False)
def where(xp, condition, input, other):
    """`input` where the condition holds, else `other`."""
    return xp.where(condition, input, other)


where.vjp(
    input=lambda xp, g, condition: xp.where(condition, g, xp.full((), 0, g)),
    other=lambda xp, g, condition: xp.where(condition, xp.full((), 0, g), g),
)


@op(promote=KEEP, method=False, public=False)
def cast(xp, input, dtype):
    """The tensor in another dtype."""
    return xp.cast(input, dtype)


cast.vjp(input=lambda xp, g, input_dtype: xp.cast(g, input_dtype))
cast._grad_name = "ToCopyBackward0"


@op(promote=KEEP, inplace=False)
def clone(xp, input, *, memory_format=None):
    """A copy in memory of its own.

    >>> import lantern
    >>> lantern.clone(lantern.tensor([1.0]))
    tensor([1.])
    """
    return xp.clone(input)


clone.vjp(input=lambda g: g)


@op(promote=KEEP, function=False, method=False, public=False)
def copy(xp, input, src):
    """`src` in the shape and dtype of `input`: the plain form of `copy_`."""
    return xp.clone(xp.expand(xp.cast(src, xp.dtype_of(input)), input.shape))


copy.vjp(input=_flat, src=lambda xp, g, src_dtype: xp.cast(g, src_dtype))
copy._grad_name = "CopyBackwards"
