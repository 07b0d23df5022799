"""Functions of one tensor, element by element; casts and copies.

The table comes first: a name, how the operand is promoted, the derivative, one sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..op import BOOL, BOOL_TO_LONG, FLOAT, KEEP, SAME, Op, composite, op

# Functions that NumPy has not, made of several of its own.
COMPOSED = frozenset("sigmoid sign erf erfc erfinv lgamma digamma erfcx ndtri i0e i1e".split())
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)


def unary(
    name: str, promote: str, formula: Callable[..., Any] | None, text: str, **options: Any
) -> Op:
    """Declares a pointwise function of one tensor that is a primitive of the vocabulary."""

    def forward(xp, input):
        return getattr(xp, name)(input)

    forward.__name__, forward.__doc__ = name, text
    options = {"inplace": True, "differentiable": formula is not None, **options}
    if name in COMPOSED:
        options["packed"] = "as operands"
    declared = op(forward, promote=promote, **options)
    if formula is not None:
        declared.vjp(input=formula)
    return declared


def flat(xp, g):
    """The gradient of what does not change with its operand, or only in steps."""
    return xp.full(g.shape, 0, g)


def unrounded(xp, x):
    """Returns an array of a half type in float32, and any other as it is."""
    return xp.cast(x, dtypes.float32) if x.dtype.char in "eE" else x


def refusing(name: str, *parameters: str) -> Callable[[Op], Op]:
    """Declares that an op has no derivative: backward says so, as PyTorch's does."""

    def formula(g):
        raise RuntimeError(f"derivative for aten::{name} is not implemented")

    def declare(declared: Op) -> Op:
        declared._grad_name = "torch::autograd::NotImplemented"
        return declared.vjp(**dict.fromkeys(parameters, formula))

    return declare


def _refuse_bool_minus(input):
    if input.dtype.char == "?":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to "
            "invert a mask, use the `~` or `logical_not()` operator instead."
        )


exp = unary("exp", FLOAT, lambda g, out: g * out, "The exponential of each element.")
exp2 = unary("exp2", FLOAT, lambda g, out: g * out * math.log(2), "2 to the power of each element.")
expm1 = unary("expm1", FLOAT, lambda g, out: g * (out + 1), "exp(x) - 1, exact near 0.")
log = unary("log", FLOAT, lambda g, input: g / input, "The natural logarithm.")
log2 = unary("log2", FLOAT, lambda g, input: g / (input * math.log(2)), "The logarithm of base 2.")
log10 = unary("log10", FLOAT, lambda g, input: g / (input * math.log(10)), "Base 10 logarithm.")
log1p = unary("log1p", FLOAT, lambda g, input: g / (input + 1), "log(1 + x), exact near 0.")
log1p._grad_name = "Log1PBackward0"
sqrt = unary("sqrt", FLOAT, lambda g, out: g / (out * 2), "The square root; NaN below 0.")
rsqrt = unary("rsqrt", FLOAT, lambda g, out: g * (out * out * out) * -0.5, "1 / sqrt(x).")
sin = unary("sin", FLOAT, lambda xp, g, input: g * xp.cos(input), "The sine, of radians.")
cos = unary("cos", FLOAT, lambda xp, g, input: -g * xp.sin(input), "The cosine, of radians.")
tan = unary("tan", FLOAT, lambda g, out: g * (1 + out * out), "The tangent, of radians.")
asin = unary(
    "asin",
    FLOAT,
    lambda xp, g, input: g * xp.rsqrt(1 - input * input),
    "The inverse sine.",
    aliases="arcsin",
)
acos = unary(
    "acos",
    FLOAT,
    lambda xp, g, input: -g * xp.rsqrt(1 - input * input),
    "The inverse cosine.",
    aliases="arccos",
)
atan = unary(
    "atan", FLOAT, lambda g, input: g / (input * input + 1), "Inverse tangent.", aliases="arctan"
)
sinh = unary("sinh", FLOAT, lambda xp, g, input: g * xp.cosh(input), "The hyperbolic sine.")
cosh = unary("cosh", FLOAT, lambda xp, g, input: g * xp.sinh(input), "The hyperbolic cosine.")
tanh = unary("tanh", FLOAT, lambda g, out: g * (1 - out * out), "The hyperbolic tangent.")
asinh = unary(
    "asinh",
    FLOAT,
    lambda xp, g, input: g * xp.rsqrt(input * input + 1),
    "The inverse of sinh.",
    aliases="arcsinh",
)
acosh = unary(
    "acosh",
    FLOAT,
    lambda xp, g, input: g * xp.rsqrt(input * input - 1),
    "The inverse of cosh.",
    aliases="arccosh",
)
atanh = unary(
    "atanh", FLOAT, lambda g, input: g / (1 - input * input), "Inverse of tanh.", aliases="arctanh"
)
sigmoid = unary("sigmoid", FLOAT, lambda g, out: g * ((1 - out) * out), "1 / (1 + exp(-x)).")
erf = unary(
    "erf",
    FLOAT,
    lambda xp, g, input: g * (xp.exp(-(input * input)) * TWO_OVER_SQRT_PI),
    "The error function.",
)
erfc = unary(
    "erfc",
    FLOAT,
    lambda xp, g, input: g * (xp.exp(-(input * input)) * -TWO_OVER_SQRT_PI),
    "1 - erf(x), exact where that is tiny.",
)
erfinv = unary(
    "erfinv",
    FLOAT,
    lambda xp, g, out: g * (xp.exp(out * out) / TWO_OVER_SQRT_PI),
    "The inverse of erf, of numbers in (-1, 1).",
)
lgamma = unary(
    "lgamma",
    FLOAT,
    lambda xp, g, input: g * xp.digamma(input),
    "The logarithm of the absolute value of the gamma function.",
)
digamma = unary(
    "digamma", FLOAT, lambda xp, g, input: g * xp.polygamma(1, input), "The derivative of lgamma."
)
square = unary(
    "square",
    BOOL_TO_LONG,
    lambda g, input: g * (input * 2),
    "The square of each element.",
    lacks="HIL pow",
    grad_name="PowBackward0",
)
neg = unary(
    "neg",
    SAME,
    lambda g: -g,
    "Minus each element; raises RuntimeError for bool tensors.",
    lacks="HIL neg_cpu",
    check=("?", _refuse_bool_minus),
    dunder="neg",
    aliases="negative",
)
abs = unary(
    "abs",
    SAME,
    lambda xp, g, input: g * xp.sign(input),
    "The absolute value.",
    lacks="?HIL abs_cpu",
    dunder="abs",
    aliases="absolute",
)
sign = unary("sign", SAME, flat, "-1, 0 or 1 by the sign of each element.", lacks="HIL sign_cpu")
isnan = unary("isnan", BOOL, None, "Where elements are NaN.", inplace=False)
isinf = unary("isinf", BOOL, None, "Where elements are infinite.", inplace=False)
isfinite = unary(
    "isfinite", BOOL, None, "Where elements are neither infinite nor NaN.", inplace=False
)
signbit = unary("signbit", BOOL, None, "Where the sign bit is set, -0.0 included.", inplace=False)
logical_not = unary(
    "logical_not", BOOL, None, "Where elements are zero.", lacks="HIL logical_not_cpu"
)
bitwise_not = unary(
    "bitwise_not",
    SAME,
    None,
    "Each bit inverted; logical for bool.",
    lacks="HILeEfd bitwise_not_cpu",
)


def rounding(name: str, text: str, **options: Any) -> Op:
    """Declares a rounding to whole numbers, which integers are already."""

    def forward(xp, input):
        return getattr(xp, name)(input) if input.dtype.kind == "f" else xp.clone(input)

    forward.__name__, forward.__doc__ = name, text
    declared = op(forward, promote=SAME, inplace=True, lacks=f"? {name}_vml_cpu", **options)
    return declared.vjp(input=flat)


floor = rounding("floor", "The largest whole number not above each element.")
ceil = rounding("ceil", "The smallest whole number not below each element.")
trunc = rounding("trunc", "The whole part of each element.", aliases="fix")


def _round_label(input, decimals):
    return f"RoundBackward{int(decimals != 0)}"


@op(promote=SAME, inplace=True, label=_round_label)
def round(xp, input, *, decimals=0):
    """The nearest whole number, or number of so many decimals; halves go to the even one.

    >>> import lantern
    >>> lantern.round(lantern.tensor([0.5, 1.5, 2.56]), decimals=1)
    tensor([0.5000, 1.5000, 2.6000])
    """
    dtype = xp.dtype_of(input)
    if dtype.kind != "f":
        if decimals or dtype.kind == "b":
            kernel = "round_cpu" if decimals else "round_vml_cpu"
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}'")
        return xp.clone(input)
    if not decimals:
        return xp.round(input)
    scale = 10.0 ** builtin_abs(decimals)
    if decimals > 0:
        return xp.round(input * scale) / scale
    return xp.round(input / scale) * scale


round.vjp(input=flat)


def builtin_abs(number):
    """Returns the absolute value of a Python number, whose own name is taken here."""
    return -number if number < 0 else number


@op(promote=SAME, inplace=True, lacks="?BHILbhil frac_cpu")
def frac(xp, input):
    """The fraction of each element, with its sign."""
    return input - xp.trunc(input)


frac.vjp(input=lambda g: g)


@op(promote=SAME, inplace=True, lacks="HIL sign_cpu")
def sgn(xp, input):
    """-1, 0 or 1 by the sign of each element."""
    return xp.sign(input)


sgn.vjp(input=flat)


@op(promote=FLOAT, inplace=True)
def reciprocal(xp, input):
    """1 / x.

    >>> import lantern
    >>> lantern.reciprocal(lantern.tensor([2, 4]))
    tensor([0.5000, 0.2500])
    """
    return 1.0 / input


reciprocal.vjp(input=lambda g, out: -g * (out * out))


@op(promote=FLOAT, inplace=True, grad_name="Deg2RadBackward0")
def deg2rad(xp, input):
    """Angles in degrees as radians."""
    return input * (math.pi / 180)


@op(promote=FLOAT, inplace=True, grad_name="Rad2DegBackward0")
def rad2deg(xp, input):
    """Angles in radians as degrees."""
    return input * (180 / math.pi)


deg2rad.vjp(input=lambda g: g * (math.pi / 180))
rad2deg.vjp(input=lambda g: g * (180 / math.pi))


@op(promote=FLOAT, inplace=True, packed="as operands")
def sinc(xp, input):
    """sin(pi x) / (pi x), and 1 at 0."""
    angle = input * math.pi
    return xp.where(xp.eq(input, 0), xp.full((), 1, angle), xp.sin(angle) / angle)


def _sinc_input(xp, g, input):
    angle = input * math.pi
    slope = (angle * xp.cos(angle) - xp.sin(angle)) / (angle * input)
    return g * xp.where(xp.eq(input, 0), xp.full((), 0, slope), slope)


sinc.vjp(input=_sinc_input)


@op(promote=FLOAT, inplace=True, steps=True, packed="as operands")
def logit(xp, input, eps=None):
    """log(x / (1 - x)), the inverse of sigmoid; `eps` keeps x within [eps, 1 - eps]."""
    if eps is not None:
        low, high = (xp.full((), each, input) for each in (eps, 1 - eps))
        input = xp.minimum(xp.maximum(input, low), high)
    return xp.log(input / (1 - input))


def _logit_input(xp, g, input, eps):
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    inside = xp.logical_and(xp.ge(input, low), xp.le(input, high))
    outside = xp.full((), math.nan if eps is None else 0.0, g)
    return xp.where(inside, g / (input * (1 - input) + 0.0), outside)  # + 0.0: no -0.0


logit.vjp(input=_logit_input)


@op(promote=FLOAT, method=False, packed="as operands")
def polygamma(xp, n, input):
    """The n-th derivative of digamma; raises RuntimeError for a negative n."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return xp.polygamma(n, input)


polygamma.vjp(input=lambda xp, g, n, input: g * xp.polygamma(n + 1, input))


@composite
def positive(xp, input):
    """The tensor itself; raises RuntimeError for bool tensors."""
    if input.dtype is dtypes.bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


positive.dunder = ["pos"]


@composite(method=False, aliases="conj conj_physical resolve_conj resolve_neg")
def real(xp, input):
    """The tensor itself, whose elements are all real."""
    return input


@composite(method=False)
def imag(xp, input):
    """Raises RuntimeError: there are no complex tensors."""
    raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")


@op(promote=BOOL, differentiable=False)
def isposinf(xp, input):
    """Where elements are positive infinity."""
    return xp.logical_and(xp.isinf(input), xp.gt(input, 0))


@op(promote=BOOL, differentiable=False)
def isneginf(xp, input):
    """Where elements are negative infinity."""
    return xp.logical_and(xp.isinf(input), xp.lt(input, 0))


@op(promote=BOOL, differentiable=False)
def isreal(xp, input):
    """Where elements have no imaginary part: everywhere."""
    return xp.full(input.shape, True, dtypes.bool_)


def _as_given(value, default):
    return default if value is None else value


@op(promote=KEEP, inplace=True)
def nan_to_num(xp, input, nan=None, posinf=None, neginf=None):
    """NaN replaced by `nan` (0), infinities by `posinf` and `neginf` (the largest finite numbers).

    >>> import lantern
    >>> lantern.nan_to_num(lantern.tensor([float("nan"), 1.0]))
    tensor([0., 1.])
    """
    dtype = xp.dtype_of(input)
    if dtype.kind != "f":
        return xp.clone(input)
    limits = dtypes.finfo(dtype)
    values = _as_given(nan, 0.0), _as_given(posinf, limits.max), _as_given(neginf, limits.min)
    nan, posinf, neginf = (xp.full((), each, input) for each in values)
    result = xp.where(xp.isnan(input), nan, input)
    result = xp.where(xp.eq(input, math.inf), posinf, result)
    return xp.where(xp.eq(input, -math.inf), neginf, result)


nan_to_num.vjp(input=lambda xp, g, input: xp.where(xp.isfinite(input), g, xp.full((), 0, g)))


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


copy.vjp(input=flat, src=lambda xp, g, src_dtype: xp.cast(g, src_dtype))
copy._grad_name = "CopyBackwards"
