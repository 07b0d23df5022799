"""Arithmetic of two and more operands: sums, products, quotients, remainders, powers."""

from __future__ import annotations

import math

from .. import dtypes
from ..op import FLOAT, SAME, composite, op
from ..return_types import frexp as FrexpResult
from ..tensor import Tensor
from .pointwise import cast, flat, refusing


def label(base, parameter, number=0, tensor=1):
    """Returns how nodes are named by whether an operand is a number or a tensor."""

    def name(*args):
        return f"{base}Backward{tensor if isinstance(args[parameter], Tensor) else number}"

    return name


@op(
    promote=SAME,
    numbers="input other",
    wide="other",
    dunder="mul rmul",
    inplace=True,
    aliases="multiply",
)
def mul(xp, input, other):
    """The product of two tensors, element by element.

    >>> import lantern
    >>> lantern.mul(lantern.tensor([2.0, 3.0]), 4)
    tensor([ 8., 12.])
    """
    return xp.mul(input, other)


mul.vjp(input=lambda g, other: g * other, other=lambda g, input: g * input)


def check_alpha(input, other, alpha=1):
    """Raises RuntimeError where `alpha` does not go with the dtypes of the operands."""
    tensors = [each for each in (input, other) if isinstance(each, Tensor)]
    if alpha != 1 and isinstance(alpha, float) and all(t.dtype.kind in "biu" for t in tensors):
        if not (isinstance(input, float) or isinstance(other, float)):
            raise RuntimeError(
                "For integral input tensors, argument alpha must not be a floating point number."
            )
    if alpha is True and not all(t.dtype.kind == "b" for t in tensors):
        raise RuntimeError("Boolean alpha only supported for Boolean results.")


@op(
    promote=SAME,
    numbers="input other",
    dunder="add radd",
    inplace=True,
    lacks="HIL add_stub",
    check=("HIL", check_alpha),
    rounds="alpha",
)
def add(xp, input, other, *, alpha=1):
    """`input + alpha * other`.

    >>> import lantern
    >>> lantern.add(lantern.tensor([1.0, 2.0]), lantern.tensor([10.0]), alpha=2)
    tensor([21., 22.])
    """
    if alpha != 1 or alpha is True:
        other = scaled(xp, input, other, alpha)
    return xp.add(input, other)


add.vjp(input=lambda g: g, other=lambda g, alpha: g if alpha == 1 else g * alpha)


def scaled(xp, input, other, alpha):
    """Returns `alpha * other` in the common dtype; raises RuntimeError where alpha has no place."""
    dtypes.refuse_huge(alpha)
    kind = (input if hasattr(input, "dtype") else other).dtype.kind
    if isinstance(alpha, bool) and kind != "b":
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if isinstance(alpha, float) and kind != "f":
        raise RuntimeError(
            "For integral input tensors, argument alpha must not be a floating point number."
        )
    if kind == "b":
        return xp.logical_and(other, xp.full((), bool(alpha), dtypes.bool_))
    return other * alpha


def refuse_bool(input, other, alpha=1):
    """Raises RuntimeError where something is subtracted from or by a bool tensor or number."""
    kinds = [
        each.dtype.kind if hasattr(each, "dtype") else "b" if isinstance(each, bool) else ""
        for each in (input, other)
    ]
    if kinds == ["b", "b"]:
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )
    if "b" in kinds:
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying "
            "to invert a mask, use the `~` or `logical_not()` operator instead."
        )
    check_alpha(input, other, alpha)


SUBTRACTION = {
    "promote": SAME,
    "lacks": "HIL add_stub",
    "check": ("?HIL", refuse_bool),
    "rounds": "alpha",
}


@op(numbers="input other", dunder="sub", inplace=True, aliases="subtract", **SUBTRACTION)
def sub(xp, input, other, *, alpha=1):
    """`input - alpha * other`; raises RuntimeError for bool tensors.

    >>> import lantern
    >>> lantern.sub(lantern.tensor([1.0, 2.0]), 1)
    tensor([0., 1.])
    """
    if alpha != 1 or alpha is True:
        other = scaled(xp, input, other, alpha)
    return xp.sub(input, other)


sub.vjp(input=lambda g: g, other=lambda g, alpha: -g if alpha == 1 else g * -alpha)


@op(numbers="input other", label=label("Rsub", 1, 1, 0), **SUBTRACTION)
def rsub(xp, input, other, *, alpha=1):
    """`other - alpha * input`."""
    if alpha != 1 or alpha is True:
        input = scaled(xp, other, input, alpha)
    return xp.sub(other, input)


rsub.vjp(input=lambda g, alpha: -g if alpha == 1 else g * -alpha, other=lambda g: g)
rsub.dunder = ["rsub"]


@op(promote=FLOAT, numbers="input other", wide="other", dunder="truediv rtruediv", inplace=True)
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
# A number divided by a tensor is PyTorch's product of the number and a reciprocal.
true_divide.label = lambda input, other: (
    "DivBackward0" if isinstance(input, Tensor) else "MulBackward0"
)


@op(
    promote=SAME,
    numbers="input other",
    method=False,
    public=False,
    lacks="?HIL div_trunc_cpu",
    wide="other",
    grad_name="DivBackward2",
)
def trunc_divide(xp, input, other):
    """The quotient without its fraction."""
    if xp.dtype_of(input).kind == "f":
        return xp.trunc(xp.div(input, other))
    quotient = xp.floor_divide(input, other)
    inexact = xp.ne(quotient * other, input)
    return xp.where(xp.logical_and(inexact, xp.lt(quotient, 0)), quotient + 1, quotient)


@op(
    promote=SAME,
    numbers="input other",
    method=False,
    public=False,
    lacks="?HIL div_floor_cpu",
    wide="other",
    grad_name="DivBackward2",
)
def floored_divide(xp, input, other):
    """The quotient rounded down, with a gradient of zero."""
    return xp.floor_divide(input, other)


trunc_divide.vjp(input=flat, other=flat)
floored_divide.vjp(input=flat, other=flat)


@op(
    promote=SAME,
    numbers="input other",
    dunder="floordiv rfloordiv",
    inplace=True,
    lacks="?HIL div_floor_cpu",
    wide="other",
)
def floor_divide(xp, input, other):
    """The quotient rounded down.

    >>> import lantern
    >>> lantern.floor_divide(lantern.tensor([7.0, -7.0]), 2)
    tensor([ 3., -4.])
    """
    return xp.floor_divide(input, other)


refusing("floor_divide", "input", "other")(floor_divide)


@composite(numbers="input other", inplace=True, aliases="divide")
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
        return floored_divide(input, other)
    raise RuntimeError(
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found "
        f"'{rounding_mode}'"
    )


@op(
    promote=SAME,
    numbers="input other",
    dunder="mod rmod",
    inplace=True,
    lacks="?HIL remainder_cpu",
    label=label("Remainder", 1),
)
def remainder(xp, input, other):
    """The remainder of the division rounded down; it has the sign of `other`.

    >>> import lantern
    >>> lantern.remainder(lantern.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    return xp.remainder(input, other)


@op(promote=SAME, numbers="other", inplace=True, lacks="?HIL fmod_cpu", label=label("Fmod", 1))
def fmod(xp, input, other):
    """The remainder of the division rounded toward zero; it has the sign of `input`."""
    return xp.fmod(input, other)


def _floored(xp, input, other):
    return (input - xp.remainder(input, other)) / other


remainder.vjp(input=lambda g: g, other=lambda xp, g, input, other: -g * _floored(xp, input, other))
fmod.vjp(input=lambda g: g, other=lambda xp, g, input, other: -g * xp.trunc(input / other))


def _refuse_negative_power(input, exponent):
    if isinstance(exponent, int) and exponent < 0 and input.dtype.kind in "biu":
        raise RuntimeError("Integers to negative integer powers are not allowed.")


def _pow_kernel(dtype, input, exponent):
    # The powers 0 and 1, and those of 1, PyTorch takes without its kernel.
    if isinstance(exponent, Tensor):
        return "pow" if isinstance(input, (Tensor, bool)) or input != 1 else ""
    return "" if exponent in (0, 1) else "pow"


def _is_product(exponent):
    """Says whether a power is taken by multiplication, as PyTorch does for these."""
    return isinstance(exponent, (int, float)) and exponent in (3, -2)


def _pow_label(input, exponent):
    if not isinstance(input, Tensor):
        return "PowBackward2"
    return f"PowBackward{int(isinstance(exponent, Tensor))}"


@op(
    promote=SAME,
    numbers="input exponent",
    tensors="exponent",
    dunder="pow rpow",
    inplace=True,
    lacks=("?HIL", _pow_kernel),
    check=("?bBhil", _refuse_negative_power),
    label=_pow_label,
    steps=lambda half, input, exponent: half is dtypes.bfloat16 and _is_product(exponent),
)
def pow(xp, input, exponent):
    """`input` to the power of `exponent`; either may be a number.

    >>> import lantern
    >>> lantern.pow(lantern.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    if xp.dtype_of(input).kind == "b":
        return xp.logical_or(input, xp.full((), not exponent, input))
    if _is_product(exponent):
        power = input * input if exponent == -2 else input * input * input
        return 1 / power if exponent == -2 else power
    return xp.pow(input, exponent)


def _pow_input(xp, g, input, exponent):
    if isinstance(exponent, (int, float)):
        if exponent == 0:
            return xp.full(g.shape, 0, g)
        return g * (input * 2 if exponent == 2 else xp.pow(input, exponent - 1) * exponent)
    power = xp.pow(input, exponent - 1) * exponent
    return g * xp.where(xp.eq(exponent, 0), xp.full((), 0, power), power)


def _pow_exponent(xp, g, out, input, exponent):
    if isinstance(input, (int, float)):
        if input == 0:
            return g * xp.where(xp.ge(exponent, 0), xp.full((), 0, out), out * -math.inf)
        return g * (out * math.log(input) if input > 0 else out * math.nan)
    zero = xp.logical_and(xp.eq(input, 0), xp.ge(exponent, 0))
    return g * xp.where(zero, xp.full((), 0, out), out * xp.log(input))


pow.vjp(input=_pow_input, exponent=_pow_exponent)


@composite(numbers="input exponent", tensors="exponent", inplace=True)
def float_power(xp, input, exponent):
    """`input` to the power of `exponent`, computed in float64.

    >>> import lantern
    >>> lantern.float_power(lantern.tensor([2, 3]), 2)
    tensor([4., 9.], dtype=torch.float64)
    """
    wide = [
        cast(each, dtypes.float64)
        if isinstance(each, Tensor) and each.dtype is not dtypes.float64
        else each
        for each in (input, exponent)
    ]
    return pow(*wide)


@op(promote=SAME, tensors="-value", inplace=True, lacks="?HIL addcmul_cpu_out")
def addcmul(xp, input, tensor1, tensor2, *, value=1):
    """`input + value * tensor1 * tensor2`."""
    product = tensor1 * tensor2
    value = value if xp.dtype_of(input).kind == "f" else int(value)
    return input + (product if value == 1 else product * value)


addcmul.vjp(
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * (tensor2 * value),
    tensor2=lambda g, tensor1, value: g * (tensor1 * value),
)


def _refuse_integers(input, tensor1, tensor2, value):
    if all(each.dtype.kind in "biu" for each in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release "
            "addcdiv will perform a true division of tensor1 and tensor2. The historic addcdiv "
            "behavior can be implemented as (input + value * torch.trunc(tensor1 / tensor2))."
            "to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for "
            "float inputs. The future addcdiv behavior is just the latter implementation: (input "
            "+ value * tensor1 / tensor2), for all dtypes."
        )


@op(promote=SAME, tensors="-value", inplace=True, check=("?bBhHiIlL", _refuse_integers))
def addcdiv(xp, input, tensor1, tensor2, *, value=1):
    """`input + value * tensor1 / tensor2`."""
    quotient = tensor1 / tensor2
    return input + (quotient if value == 1 else quotient * value)


addcdiv.vjp(
    input=lambda g: g,
    tensor1=lambda g, tensor2, value: g * value / tensor2,
    tensor2=lambda g, tensor1, tensor2, value: -g * (tensor1 * value / tensor2 / tensor2),
)


C_NAMES = {
    "float16": "c10::Half",
    "bfloat16": "c10::BFloat16",
    "float32": "float",
    "float64": "double",
    "uint8": "unsigned char",
    "int8": "signed char",
    "int16": "short int",
    "int32": "int",
    "int64": "long int",
    "uint16": "short unsigned int",
    "uint32": "unsigned int",
    "uint64": "long unsigned int",
}


def c_name(dtype):
    """Returns the name of a dtype that some messages of PyTorch take from C++."""
    return C_NAMES.get(dtype.name, dtype.name)


def _check_lerp(input, end, weight):
    for name, each in (("end", end), ("weight", weight)):
        if name == "weight" and isinstance(each, Tensor) and not each.ndim:
            continue  # cast, as a number is
        if isinstance(each, Tensor) and each.dtype is not input.dtype:
            raise RuntimeError(
                f"expected dtype {c_name(input.dtype)} for `{name}` but got dtype "
                f"{c_name(each.dtype)}"
            )
    if input.dtype.kind != "f":
        kernel = "lerp_kernel_tensor" if isinstance(weight, Tensor) else "lerp_kernel_scalar"
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")


@op(
    promote=SAME,
    numbers="weight",
    wide="weight",
    inplace=True,
    check=("?bBhHiIlL", _check_lerp),
    label=label("Lerp", 2),
)
def lerp(xp, input, end, weight):
    """`input + weight * (end - input)`.

    >>> import lantern
    >>> lantern.lerp(lantern.tensor([0.0, 10.0]), lantern.tensor([1.0, 20.0]), 0.5)
    tensor([ 0.5000, 15.0000])
    """
    way = end - input
    if isinstance(weight, (int, float)):
        low = -0.5 < weight < 0.5
        return input + way * weight if low else end - way * (1 - weight)
    return xp.where(xp.lt(xp.abs(weight), 0.5), input + way * weight, end - way * (1 - weight))


lerp.vjp(
    input=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, input, end: g * (end - input),
)


@op(promote=SAME, inplace=True, differentiable=False, lacks="?HILeEfd gcd_cpu")
def gcd(xp, input, other):
    """The greatest common divisor of integers."""
    return xp.gcd(input, other)


@op(promote=SAME, inplace=True, differentiable=False, lacks="?HILeEfd lcm_cpu")
def lcm(xp, input, other):
    """The least common multiple of integers."""
    return xp.lcm(input, other)


@op(promote=FLOAT, inplace=True, wide="other*")
def ldexp(xp, input, other):
    """`input * 2 ** other`."""
    half = xp.floor(other / 2)  # in two steps, of which none overflows before the result does
    scaled_up = input * xp.exp2(half) * xp.exp2(other - half)
    return xp.where(xp.logical_or(xp.eq(input, 0), xp.isinf(input)), input, scaled_up)


ldexp.vjp(
    input=lambda xp, g, other: g * xp.exp2(other),
    other=lambda g, out: g * out * math.log(2),
)


@op(promote=SAME, method=False, public=False, grad_name="FrexpBackward0", lacks="?bBhHiIlL frexp")
def mantissa(xp, input):
    """The number between 0.5 and 1 (or -1 and -0.5) that a power of two makes the element."""
    return xp.mantissa(input)


mantissa.vjp(input=lambda xp, g, input: g / xp.exp2(xp.cast(xp.exponent(input), xp.dtype_of(g))))


@op(promote=SAME, differentiable=False, method=False, public=False)
def exponent(xp, input):
    """The power of two that `mantissa` leaves out."""
    return xp.exponent(input)


@composite
def frexp(xp, input):
    """Elements as `mantissa * 2 ** exponent` with mantissas of at least 0.5 and below 1.

    >>> import lantern
    >>> lantern.frexp(lantern.tensor([3.0, -0.1])).exponent
    tensor([ 2, -3], dtype=torch.int32)
    """
    if input.dtype.kind != "f":
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    wide = cast(input, dtypes.float32) if input.dtype.itemsize < 4 else input
    return FrexpResult(mantissa(input), exponent(wide))
