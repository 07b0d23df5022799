"""What each pointwise primitive means for one element: in Python, and as machine instructions.

`TABLE` has one row per primitive: its Python spelling and, by kind of dtype (`f` floating, `i`
signed, `u` unsigned, `b` bool), either the name of an LLVM instruction or a function that writes
several through a builder. Instructions work on single numbers and on vectors alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import dtypes
from . import transcendental

ELEMENT = {
    dtypes.bool_: "i1",
    dtypes.uint8: "i8",
    dtypes.int8: "i8",
    dtypes.uint16: "i16",
    dtypes.int16: "i16",
    dtypes.uint32: "i32",
    dtypes.int32: "i32",
    dtypes.uint64: "i64",
    dtypes.int64: "i64",
    dtypes.float16: "half",
    dtypes.bfloat16: "i16",
    dtypes.float32: "float",
    dtypes.float64: "double",
}
COMPUTED = tuple(each for each in dtypes.ALL if each.char not in "eE")

Builder = Any
Write = Callable[..., str]


class Row(NamedTuple):
    """One primitive: its Python spelling and its instructions by kind of dtype."""

    python: str
    llvm: dict[str, str | Write]


def bits(element: str) -> int:
    """Returns the width of an LLVM element type."""
    return {"float": 32, "double": 64, "half": 16}.get(element) or int(element[1:])


# --- comparisons and choices
def _compare(name: str) -> dict[str, str | Write]:
    ordered = {"eq": "oeq", "ne": "une"}.get(name, f"o{name}")
    signed = name if name in ("eq", "ne") else f"s{name}"
    unsigned = name if name in ("eq", "ne") else f"u{name}"
    return {
        "f": f"fcmp {ordered}",
        "i": f"icmp {signed}",
        "u": f"icmp {unsigned}",
        "b": f"icmp {unsigned}",
    }


def truth(b: Builder, e: str, x: str) -> str:
    """Writes `x != 0`; NaN counts as true."""
    if e == "i1":
        return x
    return b.op("fcmp une" if e in ("float", "double") else "icmp ne", e, x, 0)


def _on_truth(instruction: str) -> dict[str, str | Write]:
    def write(b: Builder, e: str, x: str, y: str) -> str:
        return b.op(instruction, "i1", truth(b, e, x), truth(b, e, y))

    return dict.fromkeys("fiub", write)


def _larger(instruction: str) -> Write:
    def write(b: Builder, e: str, x: str, y: str) -> str:
        # Of equal operands (0.0 and -0.0) the second, and NaN from either side.
        best = b.select(b.op(instruction, e, x, y), e, x, y)
        if e not in ("float", "double"):
            return best
        return b.select(b.op("fcmp uno", e, x, x), e, x, best)

    return write


def _larger_number(instruction: str) -> Write:
    def write(b: Builder, e: str, x: str, y: str) -> str:
        best = b.select(b.op(instruction, e, x, y), e, x, y)
        best = b.select(b.op("fcmp uno", e, y, y), e, x, best)
        return b.select(b.op("fcmp uno", e, x, x), e, y, best)

    return write


# --- signs and rounding
def _integer_abs(b: Builder, e: str, x: str) -> str:
    return b.select(b.op("icmp slt", e, x, 0), e, b.op("sub", e, 0, x), x)


def _float_sign(b: Builder, e: str, x: str) -> str:
    up = b.convert("uitofp", "i1", e, b.op("fcmp ogt", e, x, 0.0))
    down = b.convert("uitofp", "i1", e, b.op("fcmp olt", e, x, 0.0))
    return b.op("fsub", e, up, down)


def _integer_sign(b: Builder, e: str, x: str) -> str:
    down = b.select(b.op("icmp slt", e, x, 0), e, -1, 0)
    return b.select(b.op("icmp sgt", e, x, 0), e, 1, down)


def _unsigned_sign(b: Builder, e: str, x: str) -> str:
    return b.convert("zext", "i1", e, b.op("icmp ne", e, x, 0))


def _intrinsic(name: str) -> Write:
    return lambda b, e, *args: b.intrinsic(name, e, *args)


def _library(name: str) -> Write:
    """A function of the C library, called lane by lane."""
    return lambda b, e, *args: b.library(name + ("f" if e == "float" else ""), e, *args)


def _signbit(b: Builder, e: str, x: str) -> str:
    word = f"i{bits(e)}"
    return b.op("icmp slt", word, b.convert("bitcast", e, word, x), 0)


def _is_infinite(b: Builder, e: str, x: str) -> str:
    return b.op("fcmp oeq", e, b.intrinsic("fabs", e, x), math.inf)


def _is_finite(b: Builder, e: str, x: str) -> str:
    return b.op("fcmp one", e, b.intrinsic("fabs", e, x), math.inf)


# --- division
def float_remainder(b: Builder, e: str, x: str, y: str) -> str:
    """Writes the remainder with the sign of the divisor; a zero has the sign of the dividend."""
    rest = b.op("frem", e, x, y)
    differs = b.op("xor", "i1", b.op("fcmp olt", e, y, 0.0), b.op("fcmp olt", e, rest, 0.0))
    differs = b.op("and", "i1", differs, b.op("fcmp une", e, rest, 0.0))
    return b.select(differs, e, b.op("fadd", e, rest, y), rest)


def _float_floor_divide(b: Builder, e: str, x: str, y: str) -> str:
    rest = b.op("frem", e, x, y)
    quotient = b.op("fdiv", e, b.op("fsub", e, x, rest), y)
    differs = b.op("xor", "i1", b.op("fcmp olt", e, y, 0.0), b.op("fcmp olt", e, rest, 0.0))
    differs = b.op("and", "i1", differs, b.op("fcmp une", e, rest, 0.0))
    quotient = b.select(differs, e, b.op("fsub", e, quotient, 1.0), quotient)
    whole = b.intrinsic("floor", e, quotient)
    short = b.op("fcmp ogt", e, b.op("fsub", e, quotient, whole), 0.5)
    whole = b.select(short, e, b.op("fadd", e, whole, 1.0), whole)
    plain = b.op("fdiv", e, x, y)
    zero = b.intrinsic("copysign", e, 0.0, plain)
    whole = b.select(b.op("fcmp oeq", e, quotient, 0.0), e, zero, whole)
    return b.select(b.op("fcmp oeq", e, y, 0.0), e, plain, whole)


def _integer_floor_divide(b: Builder, e: str, x: str, y: str) -> str:
    quotient = b.op("sdiv", e, x, y)
    rest = b.op("sub", e, x, b.op("mul", e, quotient, y))
    differs = b.op("icmp slt", e, b.op("xor", e, rest, y), 0)
    differs = b.op("and", "i1", differs, b.op("icmp ne", e, rest, 0))
    return b.select(differs, e, b.op("sub", e, quotient, 1), quotient)


def _integer_remainder(b: Builder, e: str, x: str, y: str) -> str:
    rest = b.op("srem", e, x, y)
    differs = b.op("icmp slt", e, b.op("xor", e, rest, y), 0)
    differs = b.op("and", "i1", differs, b.op("icmp ne", e, rest, 0))
    return b.select(differs, e, b.op("add", e, rest, y), rest)


def _shift(instruction: str, signed: bool) -> Write:
    def write(b: Builder, e: str, x: str, y: str) -> str:
        width = bits(e)
        inside = b.op("icmp ult", e, y, width)
        moved = b.op(instruction, e, x, b.select(inside, e, y, 0))
        beyond = b.op("ashr", e, x, width - 1) if signed else 0
        return b.select(inside, e, moved, beyond)

    return write


def _rsqrt(b: Builder, e: str, x: str) -> str:
    return b.op("fdiv", e, 1.0, b.intrinsic("sqrt", e, x))


def _power_of_minus_half(b: Builder, e: str, x: str) -> str:
    y = b.intrinsic("fabs", e, _rsqrt(b, e, x))  # infinite at -0.0, too
    return b.select(b.op("fcmp oeq", e, x, -math.inf), e, 0.0, y)


def _square(instruction: str) -> Write:
    return lambda b, e, x: b.op(instruction, e, x, x)


def _minus(b: Builder, e: str, x: str) -> str:
    return b.op("sub", e, 0, x)


def _inverted(b: Builder, e: str, x: str) -> str:
    return b.op("xor", e, x, True if e == "i1" else -1)


def _is_zero(b: Builder, e: str, x: str) -> str:
    return b.op("fcmp oeq" if e in ("float", "double") else "icmp eq", e, x, 0)


def _same(b: Builder, e: str, x: str) -> str:
    return x


def _library_rows() -> dict[str, Row]:
    names = "exp2 log2 log10 sin cos tan asin acos atan sinh cosh asinh acosh atanh".split()
    rows = {name: Row(f"math.{name}(x)", {"f": _library(name)}) for name in names}
    rows["atan2"] = Row("math.atan2(x, y)", {"f": _library("atan2")})
    rows["nextafter"] = Row("math.nextafter(x, y)", {"f": _library("nextafter")})
    rows["pow"] = Row("x ** y", {"f": _library("pow")})
    return rows


def _arithmetic(name: str, python: str, boolean: str | None) -> Row:
    llvm: dict[str, str | Write] = {"f": f"f{name}", "i": name, "u": name}
    return Row(python, llvm | ({"b": boolean} if boolean else {}))


def _bitwise(name: str, python: str) -> Row:
    return Row(python, dict.fromkeys("iub", name))


def _order(python: str, f: Write, signed: str, boolean: str) -> Row:
    u = signed.replace(" s", " u")
    return Row(python, {"f": f, "i": _larger(signed), "u": _larger(u), "b": boolean})


TABLE: dict[str, Row] = {
    "neg": Row("-x", {"f": "fneg", "i": _minus, "u": _minus}),
    "abs": Row("abs(x)", {"f": _intrinsic("fabs"), "i": _integer_abs, "u": _same, "b": _same}),
    "sign": Row(
        "(x > 0) - (x < 0)",
        {"f": _float_sign, "i": _integer_sign, "u": _unsigned_sign, "b": _same},
    ),
    "square": Row("x * x", {"f": _square("fmul"), "i": _square("mul"), "u": _square("mul")}),
    "exp": Row("math.exp(x)", {"f": transcendental.exp}),
    "expm1": Row("math.expm1(x)", {"f": transcendental.expm1}),
    "log": Row("math.log(x)", {"f": transcendental.log}),
    "log1p": Row("math.log1p(x)", {"f": transcendental.log1p}),
    "sqrt": Row("math.sqrt(x)", {"f": _intrinsic("sqrt")}),
    "rsqrt": Row("1 / math.sqrt(x)", {"f": _rsqrt}),
    "tanh": Row("math.tanh(x)", {"f": transcendental.tanh}),
    "erf": Row("math.erf(x)", {"f": transcendental.erf}),
    "sigmoid": Row("1 / (1 + math.exp(-x))", {"f": transcendental.sigmoid}),
    "floor": Row("math.floor(x)", {"f": _intrinsic("floor")}),
    "ceil": Row("math.ceil(x)", {"f": _intrinsic("ceil")}),
    "trunc": Row("math.trunc(x)", {"f": _intrinsic("trunc")}),
    "round": Row("round(x)", {"f": _intrinsic("rint")}),
    "bitwise_not": Row("~x", dict.fromkeys("iub", _inverted)),
    "isnan": Row("x != x", {"f": lambda b, e, x: b.op("fcmp uno", e, x, x)}),
    "isinf": Row("abs(x) == inf", {"f": _is_infinite}),
    "isfinite": Row("abs(x) < inf", {"f": _is_finite}),
    "signbit": Row("math.copysign(1, x) < 0", {"f": _signbit}),
    "logical_not": Row("not x", {**dict.fromkeys("fiu", _is_zero), "b": _inverted}),
    "add": _arithmetic("add", "x + y", "or"),
    "sub": _arithmetic("sub", "x - y", None),
    "mul": _arithmetic("mul", "x * y", "and"),
    "div": Row("x / y", {"f": "fdiv"}),
    "floor_divide": Row(
        "x // y", {"f": _float_floor_divide, "i": _integer_floor_divide, "u": "udiv"}
    ),
    "remainder": Row("x % y", {"f": float_remainder, "i": _integer_remainder, "u": "urem"}),
    "fmod": Row("math.fmod(x, y)", {"f": "frem", "i": "srem", "u": "urem"}),
    "maximum": _order("max(x, y)", _larger("fcmp ogt"), "icmp sgt", "or"),
    "minimum": _order("min(x, y)", _larger("fcmp olt"), "icmp slt", "and"),
    "fmax": _order("max(x, y)", _larger_number("fcmp ogt"), "icmp sgt", "or"),
    "fmin": _order("min(x, y)", _larger_number("fcmp olt"), "icmp slt", "and"),
    "copysign": Row("math.copysign(x, y)", {"f": _intrinsic("copysign")}),
    "bitwise_and": _bitwise("and", "x & y"),
    "bitwise_or": _bitwise("or", "x | y"),
    "bitwise_xor": _bitwise("xor", "x ^ y"),
    "bitwise_left_shift": Row("x << y", dict.fromkeys("iu", _shift("shl", False))),
    "bitwise_right_shift": Row("x >> y", {"i": _shift("ashr", True), "u": _shift("lshr", False)}),
    "logical_and": Row("bool(x) and bool(y)", _on_truth("and")),
    "logical_or": Row("bool(x) or bool(y)", _on_truth("or")),
    "logical_xor": Row("bool(x) != bool(y)", _on_truth("xor")),
    **{
        name: Row(f"x {sign} y", _compare(name))
        for name, sign in zip("eq ne lt le gt ge".split(), "== != < <= > >=".split(), strict=True)
    },
    **_library_rows(),
}

# Reductions: the instruction that joins two partial results, and what nothing at all gives.
JOIN = {"sum": "add", "prod": "mul", "amax": "maximum", "amin": "minimum"}
JOIN |= {"any": "logical_or", "all": "logical_and"}


def identity(name: str, dtype: dtypes.dtype) -> Any:
    """Returns what a reduction starts from."""
    if name in ("sum", "prod"):
        return (0 if name == "sum" else 1) if dtype.kind != "f" else float(name == "prod")
    if name in ("any", "all"):
        return name == "all"
    if dtype.kind == "f":
        return -math.inf if name == "amax" else math.inf
    if dtype.kind == "b":
        return name == "amin"
    facts = dtypes.iinfo(dtype)
    return facts.min if name == "amax" else facts.max


def fits(number: Any, dtype: dtypes.dtype) -> bool:
    """Says whether a Python number can stand beside elements of a dtype."""
    if dtype.kind == "f":
        return isinstance(number, (bool, int, float))
    if dtype.kind == "b":
        return isinstance(number, bool)
    if not isinstance(number, int):
        return False
    facts = dtypes.iinfo(dtype)
    return facts.min <= number <= facts.max


def lowered(name: str, dtype: dtypes.dtype, args: tuple) -> bool:
    """Says whether a pointwise primitive on operands of `dtype` has instructions of its own."""
    if name == "cast":
        return _castable(args[0].dtype, args[1])
    if dtype not in COMPUTED:
        return False
    if name == "where":
        return args[0].dtype in COMPUTED and all(_operand_fits(each, dtype) for each in args[1:])
    row = TABLE.get(name)
    if row is None or dtype.kind not in row.llvm:
        return False
    if not all(_operand_fits(each, dtype) for each in args):
        return False
    if name in ("floor_divide", "remainder", "fmod") and dtype.kind != "f":
        return not hasattr(args[1], "dtype") and args[1] not in (0, -1)  # 0 raises, -1 overflows
    return True


def _operand_fits(arg: Any, dtype: dtypes.dtype) -> bool:
    return hasattr(arg, "dtype") or fits(arg, dtype)


def _castable(source: dtypes.dtype, target: dtypes.dtype) -> bool:
    if source in COMPUTED and target in COMPUTED:
        return True
    pair = {source.char, target.char}
    return pair == {"e", "f"} or pair == {"E", "f"}


def write(b: Builder, name: str, dtype: dtypes.dtype, args: list) -> str:
    """Writes the instructions of one pointwise primitive and returns the name of the result."""
    element = ELEMENT[dtype]
    if name == "where":
        return b.select(args[0], element, args[1], args[2])
    if name == "pow" and args[1] == 2 and not isinstance(args[1], str):
        return b.op("fmul", element, args[0], args[0])
    if name == "pow" and args[1] == 0.5:
        return b.intrinsic("sqrt", element, args[0])
    if name == "pow" and args[1] == -0.5:
        return _power_of_minus_half(b, element, args[0])
    how = TABLE[name].llvm[dtype.kind]
    return b.op(how, element, *args) if isinstance(how, str) else how(b, element, *args)


def cast(b: Builder, source: dtypes.dtype, target: dtypes.dtype, x: str) -> str:
    """Writes the conversion of an element from one dtype to another."""
    s, t = ELEMENT[source], ELEMENT[target]
    if source is target:
        return x
    if target.kind == "b":
        return truth(b, s, x)
    if "E" in (source.char, target.char):
        return _from_bfloat(b, x) if source.char == "E" else _to_bfloat(b, x)
    if source.kind == "f" and target.kind == "f":
        return b.convert("fpext" if bits(t) > bits(s) else "fptrunc", s, t, x)
    if source.kind == "f":
        return _to_integer(b, s, target, x)
    if target.kind == "f":
        return b.convert("sitofp" if source.kind == "i" else "uitofp", s, t, x)
    if bits(s) == bits(t):
        return x
    if bits(s) > bits(t):
        return b.convert("trunc", s, t, x)
    return b.convert("sext" if source.kind == "i" else "zext", s, t, x)


def _to_integer(b: Builder, s: str, target: dtypes.dtype, x: str) -> str:
    # As C compilers do it: through int32 or int64, whose low bits are kept.
    t = ELEMENT[target]
    if target.char == "L":
        return b.convert("fptoui", s, t, x)
    wide = "i64" if bits(t) == 64 or target.char == "I" else "i32"
    number = b.convert("fptosi", s, wide, x)
    return number if wide == t else b.convert("trunc", wide, t, number)


def _from_bfloat(b: Builder, x: str) -> str:
    word = b.op("shl", "i32", b.convert("zext", "i16", "i32", x), 16)
    return b.convert("bitcast", "i32", "float", word)


def _to_bfloat(b: Builder, x: str) -> str:
    word = b.convert("bitcast", "float", "i32", x)
    odd = b.op("and", "i32", b.op("lshr", "i32", word, 16), 1)
    rounded = b.op("add", "i32", b.op("add", "i32", word, 0x7FFF), odd)
    quiet = b.op("or", "i32", b.op("and", "i32", word, -0x7FFFFFFF - 1), 0x7FC00000)
    word = b.select(b.op("fcmp uno", "float", x, x), "i32", quiet, rounded)
    return b.convert("trunc", "i32", "i16", b.op("lshr", "i32", word, 16))
