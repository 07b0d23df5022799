"""How the operands of an op are brought to a common dtype, by the kind that the op declares.

Tensors with dimensions outrank those without, which outrank Python numbers.

Half types are in none of the tables: what is rounded when follows the kernels of PyTorch, and an op
says here how its kernel differs. As a rule it is computed in float32 and its result rounded. One
that declares `steps` is computed in the half type, which rounds every step. Operands of other
types, Python numbers too, are rounded to the half type first, unless they are declared `wide`;
settings are not, unless the op `rounds` them.

What these declarations cannot say lies in the forward of an op that has `steps`, which is given
arrays of the half type. `unrounded` (`ops.pointwise`) widens what the kernel keeps in float32. A
number is made an array first, by `xp.full`: NumPy's bfloat16 arrays become float32 beside a Python
number. The running sums of `ops.class_loss` and the statistics of `ops.normalization` have an order
of rounding of their own, which is explained there.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from . import dtypes
from .backends import NAMESPACES
from .binding import refuse, refuse_devices, refuse_numbers
from .tensor import Tensor

if TYPE_CHECKING:
    from .op import Op

SAME, FLOAT, BOOL, INT_TO_LONG, KEEP = "same", "float", "bool", "int_to_long", "keep"
BOOL_TO_LONG = "bool_to_long"
# The codes of the dtypes that each kind takes as they are.
PLAIN = {SAME: "?bBhHiIlLfd", FLOAT: "fd", BOOL: "?bBhHiIlLfd", INT_TO_LONG: "lfd"}
PLAIN[BOOL_TO_LONG] = "bBhHiIlLfd"
PLAIN[KEEP] = "?bBhHiIlLfdeE"
SAFE = 1 << 62  # numbers up to this one are in range of every floating point type but the halves


class Converted:
    """Says that operands were cast before the forward, and to which half type results go back."""

    __slots__ = ("half",)

    def __init__(self, half: dtypes.dtype | None):
        self.half = half


def _to_float(dtype: dtypes.dtype) -> dtypes.dtype:
    return dtype if dtype.kind == "f" else dtypes.get_default_dtype()


def _to_long(dtype: dtypes.dtype) -> dtypes.dtype:
    return dtype if dtype.kind == "f" else dtypes.int64


_TARGET = {SAME: lambda d: d, BOOL: lambda d: d, FLOAT: _to_float, INT_TO_LONG: _to_long}
_TARGET[BOOL_TO_LONG] = lambda d: dtypes.int64 if d.kind == "b" else d


def is_number(value: Any) -> bool:
    """Says whether a value counts as a Python number, as NumPy's scalars do."""
    return isinstance(value, (int, float)) or (
        not isinstance(value, (str, list, tuple, Tensor))
        and hasattr(value, "__float__")
        and not getattr(value, "shape", ())
    )


def fit_number(number: Any, dtype: dtypes.dtype) -> Any:
    """Returns a Python number as the dtype holds it: integers wrap around, as torch's do.

    Raises OverflowError for an integer of more than 64 bits, where the dtype is no float.
    """
    dtypes.refuse_huge(number)
    if dtype.kind == "f":
        return float(number)
    if dtype.kind == "b":
        return bool(number)
    number = int(number)
    bits = dtype.itemsize * 8
    number &= (1 << bits) - 1
    return number - (1 << bits) if dtype.kind == "i" and number >> (bits - 1) else number


def promote(op: Op, args: tuple, values: list) -> Converted | None:
    """Brings the operands in `values` to a common dtype by the op's kind."""
    if op.check is not None:
        op.check(*args)
    first = op.first
    ranks: tuple[list, list, list] = ([], [], [])
    places = []
    namespace = None
    for bit, position, _ in op.tensors:
        arg = args[position]
        if isinstance(arg, Tensor):
            if not bit:
                continue
            value = values[position]
            xp = NAMESPACES[type(value)]
            ranks[0 if value.ndim else 1].append(xp.dtype_of(value))
            if namespace is None:
                namespace, first = xp, position
            elif xp is not namespace:
                refuse_devices(op, args)
            places.append(position)
        elif arg is None:
            continue
        elif op.parameters[position] in op.numbers and is_number(arg):
            ranks[2].append(dtypes.of_number(arg))
            places.append(position)
        else:
            refuse(op, position, arg)
    if namespace is None:
        refuse_numbers(op, args, places)
    if op.promote is KEEP and not op.lacks:
        return None
    common = dtypes.combine(*ranks)
    if common.char in op.lacks:
        _refuse_dtype(op, common, args)
    if op.promote is KEEP:
        return None
    target = _TARGET[op.promote](common)
    half = target if target.char in "eE" else None
    if half is None:
        compute = target
    else:
        compute = half if _steps(op, half, args) else dtypes.float32
    if op.fits:
        wide = op.fits == "wide" and half is not None
        _refuse_unfitting(args, places, dtypes.float32 if wide else target)
    if half is not None:
        _round(op, namespace, args, values, places, half)
    changed = _cast(namespace, args, values, places, compute)
    if first != op.first:
        values[op.first] = namespace.asarray(values[op.first], compute)
    return Converted(half) if changed or half is not None else None


def _steps(op: Op, half: dtypes.dtype, args: tuple) -> bool:
    return op.steps(half, *args) if callable(op.steps) else op.steps


def _round(op: Op, xp: Any, args: tuple, values: list, places: list, half: dtypes.dtype) -> None:
    """Brings operands that are of another type to what the half type can hold."""
    for position in places:
        arg, name = args[position], op.parameters[position]
        if not isinstance(arg, Tensor):
            if name not in op.wide:
                values[position] = dtypes.rounded(fit_number(arg, half), half)
        elif arg.dtype is not half and f"{name}*" not in op.wide:
            if name not in op.wide or prod(arg.shape) != 1:
                values[position] = xp.cast(values[position], half)
    for name in op.rounds:
        position = op.parameters.index(name)
        if isinstance(args[position], (int, float)) and not isinstance(args[position], bool):
            values[position] = dtypes.rounded(args[position], half)


def _cast(xp: Any, args: tuple, values: list, places: list, compute: dtypes.dtype) -> bool:
    """Casts the operands at `places`; says whether one of the tensors had another dtype."""
    changed = False
    for position in places:
        value = values[position]
        if not isinstance(args[position], Tensor):
            values[position] = fit_number(value, compute)
        elif xp.dtype_of(value) is not compute:
            values[position] = xp.cast(value, compute)
            changed = True
    return changed


def _refuse_unfitting(args: tuple, places: list, target: dtypes.dtype) -> None:
    for position in places:
        if not isinstance(args[position], Tensor):
            dtypes.number_as(args[position], target)


def _refuse_dtype(op: Op, common: dtypes.dtype, args: tuple) -> None:
    kernel = op.kernel if isinstance(op.kernel, str) else op.kernel(common, *args)
    if kernel:
        error = NotImplementedError(f"\"{kernel}\" not implemented for '{common.legacy}'")
        error.dtype = common  # type: ignore[attr-defined]  # of the result there would be
        raise error
