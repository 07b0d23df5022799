"""Element types and the rules that combine them, as PyTorch has them.

A `dtype` is a name with facts. How an array library spells it is known only to that library's
backend; `promote_types` is the lattice, `result_type` the rule that ranks tensors with dimensions
above 0-d tensors above Python numbers.
"""

from __future__ import annotations

import math
import struct
from typing import NamedTuple


class dtype:
    """An element type such as `lantern.float32`; there is one object per type.

    >>> import lantern
    >>> lantern.float32.itemsize, lantern.int64.is_floating_point
    (4, False)
    """

    __slots__ = ("name", "itemsize", "kind", "char", "legacy", "__weakref__")
    is_complex = False

    def __init__(self, name: str, itemsize: int, kind: str, char: str, legacy: str):
        self.name = name
        self.itemsize = itemsize
        self.char = char  # one letter per type, the one NumPy uses
        self.kind = kind  # 'b' bool, 'u' unsigned, 'i' signed, 'f' floating
        self.legacy = legacy  # as messages and torch.FloatTensor name it

    @property
    def most(self) -> float:
        """The largest finite number of the type."""
        if self.kind == "f":
            facts = _FLOATS[self.name]
            return (2.0 - 2.0**-facts.fraction) * 2.0**facts.exponent
        return (1 << (self.itemsize * 8 - (self.kind == "i"))) - 1

    @property
    def is_floating_point(self) -> bool:
        """Whether the numbers are floating point."""
        return self.kind == "f"

    @property
    def is_signed(self) -> bool:
        """Whether there are negative numbers."""
        return self.kind in "if"

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


bool_ = dtype("bool", 1, "b", "?", "Bool")
uint8 = dtype("uint8", 1, "u", "B", "Byte")
uint16 = dtype("uint16", 2, "u", "H", "UInt16")
uint32 = dtype("uint32", 4, "u", "I", "UInt32")
uint64 = dtype("uint64", 8, "u", "L", "UInt64")
int8 = dtype("int8", 1, "i", "b", "Char")
int16 = dtype("int16", 2, "i", "h", "Short")
int32 = dtype("int32", 4, "i", "i", "Int")
int64 = dtype("int64", 8, "i", "l", "Long")
float16 = dtype("float16", 2, "f", "e", "Half")
bfloat16 = dtype("bfloat16", 2, "f", "E", "BFloat16")
float32 = dtype("float32", 4, "f", "f", "Float")
float64 = dtype("float64", 8, "f", "d", "Double")


INTEGERS = (bool_, uint8, uint16, uint32, uint64, int8, int16, int32, int64)
ALL = (*INTEGERS, float16, bfloat16, float32, float64)
BY_NAME = {each.name: each for each in ALL}
ALIASES = {"short": int16, "int": int32, "long": int64}
ALIASES |= {"half": float16, "float": float32, "double": float64}


class _Default:
    """Holds the floating point type that is meant where none is named."""

    __slots__ = ("dtype",)

    def __init__(self) -> None:
        self.dtype = float32


default_floating = _Default()


def get_default_dtype() -> dtype:
    """Returns the type of floating point numbers that are given without one."""
    return default_floating.dtype


def set_default_dtype(d: dtype) -> None:
    """Sets the default floating point type; raises TypeError for any other type.

    >>> import lantern
    >>> lantern.set_default_dtype(lantern.float32)
    """
    if not isinstance(d, dtype) or d.kind != "f":
        raise TypeError(
            f"only floating-point types are supported as the default type, but got {d!r}"
        )
    default_floating.dtype = d


def _promote(a: dtype, b: dtype) -> dtype:
    if a is b:
        return a
    low, high = sorted((a, b), key=lambda each: "buif".index(each.kind))
    if low.kind == "b" and not (high.kind == "u" and high.itemsize > 1):
        return high
    if high.kind == "f":
        if low.kind != "f" or low.itemsize < high.itemsize:
            return high
        return float32 if low.itemsize == high.itemsize else low  # float16 with bfloat16
    for each in (low, high):
        if each.kind == "u" and each.itemsize > 1:
            raise RuntimeError(
                "Promotion for uint16, uint32, uint64 types is not supported, attempted to "
                f"promote {a.legacy} and {b.legacy}"
            )
    if low.kind == high.kind or high.itemsize > low.itemsize:
        return low if low.itemsize > high.itemsize else high
    return int16  # uint8 with int8


_PROMOTED: dict[tuple[dtype, dtype], dtype] = {}


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """Returns the smallest type that holds both.

    >>> import lantern
    >>> lantern.promote_types(lantern.int32, lantern.float16)
    torch.float16
    """
    found = _PROMOTED.get((type1, type2))
    if found is None:
        found = _PROMOTED[type1, type2] = _promote(type1, type2)
    return found


def of_number(number: object) -> dtype:
    """Returns the type that a Python number stands for."""
    if number is True or number is False:
        return bool_
    if hasattr(number, "__index__"):
        return int64
    return default_floating.dtype


def combine(tensors: list, scalars: list, numbers: list) -> dtype:
    """Returns the common type of dtypes by rank: tensors with dimensions, 0-d tensors, numbers.

    A lower rank counts only where its category (bool < integer < floating) is higher.
    """
    result = None
    for rank in (tensors, scalars, numbers):
        joint = None
        for each in rank:
            joint = each if joint is None else promote_types(joint, each)
        if joint is None:
            continue
        if result is None:
            result = joint
        elif _CATEGORY[joint.kind] > _CATEGORY[result.kind]:
            result = promote_types(result, joint)
    assert result is not None
    return result


_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}
_C_NAMES = {"float16": "c10::Half", "bfloat16": "c10::BFloat16", "bool": "bool", "int32": "int"}


def number_as(number: object, to: dtype, strict: bool = True) -> float:
    """Returns a Python number in the form that a type holds it.

    Raises RuntimeError where it does not fit, and OverflowError for an integer of more than 64
    bits; not `strict`, large floating point numbers become
    infinite. Fractions are cut off.
    """
    if isinstance(number, complex):
        number = _real_part(number, to)
    refuse_huge(number)
    if to.kind == "f":
        value = float(number)  # type: ignore[arg-type]
        if strict and not -to.most <= value <= to.most and abs(value) < _INFINITY:
            raise _does_not_fit(to)
        return value
    if to.kind == "b":
        return bool(number)
    if not hasattr(number, "__index__"):
        value = float(number)  # type: ignore[arg-type]
        if not abs(value) < _INFINITY:
            raise _does_not_fit(to)
        number = int(value)
    value = number.__index__()  # type: ignore[attr-defined]
    least = -to.most if to.kind == "u" else -to.most - 1
    if not least <= value <= to.most:
        raise _does_not_fit(to)
    return value & to.most if to.kind == "u" else value


def rounded(number: float, half: dtype) -> float:
    """Returns the number of a half type that is nearest, by way of float32 as PyTorch goes.

    >>> rounded(0.1, bfloat16)
    0.10009765625
    """
    number = float(number)
    if not -_INFINITY < number < _INFINITY:
        return number
    try:
        (bits,) = struct.unpack("<I", struct.pack("<f", number))
        if half is bfloat16:
            bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
            return struct.unpack("<f", struct.pack("<I", bits))[0]
        (single,) = struct.unpack("<f", struct.pack("<I", bits))
        return struct.unpack("<e", struct.pack("<e", single))[0]
    except OverflowError:
        return math.copysign(_INFINITY, number)


_INFINITY = float("inf")
LEAST, MOST = -(1 << 63), (1 << 64) - 1  # the integers that a Python number may be


def refuse_huge(number: object) -> None:
    """Raises OverflowError for an integer of more than 64 bits."""
    if isinstance(number, int) and not LEAST <= number <= MOST:
        raise OverflowError(
            "int too big to convert" if number > 0 else "can't convert negative int to unsigned"
        )


def _real_part(number: complex, to: dtype) -> float:
    if number.imag:
        raise _does_not_fit(to)
    return number.real


def _does_not_fit(to: dtype) -> RuntimeError:
    name = _C_NAMES.get(to.name, to.name if to.kind == "f" else f"{to.name}_t")
    name = {"float32": "float", "float64": "double"}.get(name, name)
    return RuntimeError(f"value cannot be converted to type {name} without overflow")


def can_cast(from_: dtype, to: dtype) -> bool:
    """Says whether a result of one type may be stored in a tensor of the other.

    >>> import lantern
    >>> lantern.can_cast(lantern.float32, lantern.int64)
    False
    """
    if _CATEGORY[from_.kind] > _CATEGORY[to.kind]:
        return False
    return True


class finfo:
    """Limits of a floating point type: `bits, eps, max, min, tiny, resolution`."""

    def __init__(self, type: dtype | None = None):
        dt = default_floating.dtype if type is None else type
        if dt.kind != "f":
            raise TypeError(
                f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle "
                f"'torch.{dt.name}'"
            )
        facts = _FLOATS[dt.name]
        self.dtype = dt.name
        self.bits = dt.itemsize * 8
        self.eps = 2.0**-facts.fraction
        self.max = (2.0 - self.eps) * 2.0**facts.exponent
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0 ** (1 - facts.exponent)
        self.resolution = facts.resolution

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class _Float(NamedTuple):
    fraction: int
    exponent: int
    resolution: float


_FLOATS = {
    "float16": _Float(10, 15, 1e-3),
    "bfloat16": _Float(7, 127, 1e-2),
    "float32": _Float(23, 127, 1e-6),
    "float64": _Float(52, 1023, 1e-15),
}


class iinfo:
    """Limits of an integer type: `bits, max, min`."""

    def __init__(self, type: dtype):
        if type.kind not in "ui":
            raise TypeError(
                "torch.iinfo() requires an integer input type. Use torch.finfo to handle "
                f"'torch.{type.name}'"
            )
        self.dtype = type.name
        self.bits = type.itemsize * 8
        signed = type.kind == "i"
        self.min = -(1 << (self.bits - 1)) if signed else 0
        self.max = (1 << (self.bits - signed)) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
