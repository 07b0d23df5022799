"""Primitives that work element by element, as ONNX nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import lantern

from ..compiler.ir import Value
from ..dtypes import dtype
from .table import TABLE, kind_of, truth, writes
from .writer import Writer


# --- one operand
def _enter_plain() -> None:
    def one(kind: str) -> Callable[..., str]:
        return lambda w, x: w.node(kind, w(x))

    for pair in (
        "neg:Neg abs:Abs exp:Exp log:Log sqrt:Sqrt sin:Sin cos:Cos tan:Tan asin:Asin "
        "acos:Acos atan:Atan sinh:Sinh cosh:Cosh tanh:Tanh asinh:Asinh acosh:Acosh atanh:Atanh "
        "floor:Floor ceil:Ceil round:Round sigmoid:Sigmoid erf:Erf det:Det "
        "clone:Identity contiguous:Identity"
    ).split():
        name, kind = pair.split(":")
        TABLE[name] = one(kind)


_enter_plain()


@writes("square")
def _square(w: Writer, x: Value) -> str:
    return w.node("Mul", w(x), w(x))


@writes("rsqrt")
def _rsqrt(w: Writer, x: Value) -> str:
    return w.node("Reciprocal", w.node("Sqrt", w(x)))


@writes("exp2")
def _exp2(w: Writer, x: Value) -> str:
    return w.node("Pow", w.constant(2.0, x.dtype), w(x))


@writes("expm1")
def _expm1(w: Writer, x: Value) -> str:
    """Near zero `exp(x) - 1` has no digits left; there it is `2 exp(x/2) sinh(x/2)`."""
    half = w.node("Mul", w(x), w.constant(0.5, x.dtype))
    near = w.node("Mul", w.node("Exp", half), w.node("Sinh", half))
    near = w.node("Add", near, near)
    far = w.node("Sub", w.node("Exp", w(x)), w.constant(1, x.dtype))
    is_near = w.node("Less", w.node("Abs", w(x)), w.constant(0.5, x.dtype))
    return w.node("Where", is_near, near, far)


@writes("log1p")
def _log1p(w: Writer, x: Value) -> str:
    """Near zero `log(1 + x)` loses digits; there it is `2 atanh(x / (2 + x))`."""
    one, two = w.constant(1, x.dtype), w.constant(2, x.dtype)
    near = w.node("Atanh", w.node("Div", w(x), w.node("Add", w(x), two)))
    near = w.node("Add", near, near)
    far = w.node("Log", w.node("Add", w(x), one))
    is_near = w.node("Less", w.node("Abs", w(x)), w.constant(0.5, x.dtype))
    return w.node("Where", is_near, near, far)


def _logarithm(base: float) -> Callable[..., str]:
    return lambda w, x: w.node("Div", w.node("Log", w(x)), w.constant(math.log(base), x.dtype))


TABLE["log2"], TABLE["log10"] = _logarithm(2), _logarithm(10)


@writes("trunc")
def _trunc(w: Writer, x: Value) -> str:
    below = w.node("Less", w(x), w.constant(0, x.dtype))
    return w.node("Where", below, w.node("Ceil", w(x)), w.node("Floor", w(x)))


@writes("erfc")
def _erfc(w: Writer, x: Value) -> str:
    return w.node("Sub", w.constant(1, x.dtype), w.node("Erf", w(x)))


@writes("sign")
def _sign(w: Writer, x: Value) -> str:
    return w.node("Identity" if x.dtype.kind == "b" else "Sign", w(x))


def _as_float(w: Writer, x: Value) -> str:
    return w(x) if x.dtype.kind == "f" else w.cast(w(x), lantern.float32)


@writes("isnan")
def _isnan(w: Writer, x: Value) -> str:
    return w.node("IsNaN", _as_float(w, x))


@writes("isinf")
def _isinf(w: Writer, x: Value) -> str:
    return w.node("IsInf", _as_float(w, x))


@writes("isfinite")
def _isfinite(w: Writer, x: Value) -> str:
    name = _as_float(w, x)
    return w.node("Not", w.node("Or", w.node("IsNaN", name), w.node("IsInf", name)))


@writes("signbit")
def _signbit(w: Writer, x: Value) -> str:
    if x.dtype.kind != "f":
        return w.node("Less", *_ordered(w, x, 0))
    zero = w.constant(0, x.dtype)
    below = w.node("Less", w(x), zero)
    negative_zero = w.node(
        "And", w.node("Equal", w(x), zero), w.node("Less", w.node("Reciprocal", w(x)), zero)
    )
    return w.node("Or", below, negative_zero)


@writes("logical_not")
def _logical_not(w: Writer, x: Value) -> str:
    return w.node("Not", truth(w, x, x.dtype))


@writes("bitwise_not")
def _bitwise_not(w: Writer, x: Value) -> str:
    return w.node("Not" if x.dtype.kind == "b" else "BitwiseNot", w(x))


@writes("cast")
def _cast(w: Writer, x: Value, kind: dtype) -> str:
    return w.node("Identity", w(x)) if kind is x.dtype else w.cast(w(x), kind)


# --- two operands
def _pair(kind: str, for_bool: str = "") -> Callable[..., str]:
    def write(w: Writer, x: Any, y: Any) -> str:
        common = kind_of(x, y)
        chosen = for_bool if for_bool and common.kind == "b" else kind
        return w.node(chosen, w(x, common), w(y, common))

    return write


def _enter_pairs() -> None:
    for entry in (
        "add:Add:Or sub:Sub mul:Mul:And div:Div pow:Pow maximum:Max:Or minimum:Min:And eq:Equal "
        "bitwise_and:BitwiseAnd:And "
        "bitwise_or:BitwiseOr:Or bitwise_xor:BitwiseXor:Xor"
    ).split():
        name, kind, for_bool = (entry + ":").split(":")[:3]
        TABLE[name] = _pair(kind, for_bool)


_enter_pairs()


@writes("ne")
def _ne(w: Writer, x: Any, y: Any) -> str:
    return w.node("Not", TABLE["eq"](w, x, y))


def _ordered(w: Writer, x: Any, y: Any) -> tuple[str, str]:
    """Returns two operands that ONNX can order: it cannot order truths."""
    kind = kind_of(x, y)
    left, right = w(x, kind), w(y, kind)
    if kind.kind == "b":
        left, right = w.cast(left, lantern.int32), w.cast(right, lantern.int32)
    return left, right


def _comparison(kind: str) -> Callable[..., str]:
    return lambda w, x, y: w.node(kind, *_ordered(w, x, y))


TABLE |= {"lt": _comparison("Less"), "le": _comparison("LessOrEqual")}
TABLE |= {"gt": _comparison("Greater"), "ge": _comparison("GreaterOrEqual")}


@writes("floor_divide")
def _floor_divide(w: Writer, x: Any, y: Any) -> str:
    kind = kind_of(x, y)
    left, right = w(x, kind), w(y, kind)
    if kind.kind == "f":
        return w.node("Floor", w.node("Div", left, right))
    # `Mod` has the sign of the divisor, so that what is left divides without a rest.
    return w.node("Div", w.node("Sub", left, w.node("Mod", left, right)), right)


@writes("remainder")
def _remainder(w: Writer, x: Any, y: Any) -> str:
    kind = kind_of(x, y)
    left, right = w(x, kind), w(y, kind)
    if kind.kind != "f":
        return w.node("Mod", left, right)
    rest = w.node("Mod", left, right, fmod=1)  # has the sign of the dividend
    zero = w.constant(0, kind)
    other = w.node("Xor", w.node("Less", rest, zero), w.node("Less", right, zero))
    wrong = w.node("And", other, w.node("Not", w.node("Equal", rest, zero)))
    return w.node("Where", wrong, w.node("Add", rest, right), rest)


@writes("fmod")
def _fmod(w: Writer, x: Any, y: Any) -> str:
    kind = kind_of(x, y)
    return w.node("Mod", w(x, kind), w(y, kind), fmod=1)


def _ignoring_nan(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Any, y: Any) -> str:
        common = kind_of(x, y)
        if common.kind != "f":
            return TABLE["maximum" if kind == "Max" else "minimum"](w, x, y)
        left, right = w(x, common), w(y, common)
        found = w.node("Where", w.node("IsNaN", right), left, w.node(kind, left, right))
        return w.node("Where", w.node("IsNaN", left), right, found)

    return write


TABLE["fmax"], TABLE["fmin"] = _ignoring_nan("Max"), _ignoring_nan("Min")


@writes("hypot")
def _hypot(w: Writer, x: Any, y: Any) -> str:
    kind = kind_of(x, y)
    left, right = w(x, kind), w(y, kind)
    return w.node("Sqrt", w.node("Add", w.node("Mul", left, left), w.node("Mul", right, right)))


@writes("copysign")
def _copysign(w: Writer, x: Any, y: Any) -> str:
    kind = kind_of(x, y)
    size, zero = w.node("Abs", w(x, kind)), w.constant(0, kind)
    sign = w(y, kind)
    below = w.node("Less", w.node("Where", w.node("Equal", sign, zero),
                                  w.node("Reciprocal", sign), sign), zero)  # fmt: skip
    return w.node("Where", below, w.node("Neg", size), size)


@writes("atan2")
def _atan2(w: Writer, x: Any, y: Any) -> str:
    """The angle of the point `(y, x)`: `atan(x / y)`, turned by half a circle where `y < 0`."""
    kind = kind_of(x, y)
    up, right, zero = w(x, kind), w(y, kind), w.constant(0, kind)
    pi, half = w.constant(math.pi, kind), w.constant(math.pi / 2, kind)
    upward = w.node("GreaterOrEqual", up, zero)
    turn = w.node("Where", upward, pi, w.node("Neg", pi))
    angle = w.node("Atan", w.node("Div", up, right))
    left = w.node("Less", right, zero)
    angle = w.node("Where", left, w.node("Add", angle, turn), angle)
    straight = w.node("Where", upward, half, w.node("Neg", half))
    at_zero = w.node("Where", w.node("Equal", up, zero), zero, straight)
    return w.node("Where", w.node("Equal", right, zero), at_zero, angle)


def _logical(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Any, y: Any) -> str:
        common = kind_of(x, y)
        return w.node(kind, truth(w, x, common), truth(w, y, common))

    return write


for _name in ("And", "Or", "Xor"):
    TABLE[f"logical_{_name.lower()}"] = _logical(_name)


@writes("where")
def _where(w: Writer, condition: Value, x: Any, y: Any) -> str:
    kind = kind_of(x, y)
    if kind.kind == "b":
        chosen = w.node("And", w(condition), w(x, kind))
        return w.node("Or", chosen, w.node("And", w.node("Not", w(condition)), w(y, kind)))
    return w.node("Where", w(condition), w(x, kind), w(y, kind))
