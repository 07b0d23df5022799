"""The table from the primitives of the vocabulary to ONNX nodes.

A handler takes the writer and the arguments of the primitive, among which numbers may be `Size`s,
and returns the name of its result. What has no entry has no form in ONNX.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import lantern

from ..backends.vocabulary import indexed_shape
from ..compiler.ir import Value
from ..dtypes import dtype
from .sizes import Size
from .writer import END, START, Writer

TABLE: dict[str, Callable[..., str]] = {}


def writes(names: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    """Enters a handler into the table."""

    def enter(handler: Callable[..., str]) -> Callable[..., str]:
        TABLE.update(dict.fromkeys(names.split(), handler))
        return handler

    return enter


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
    return w.node("Not", _truth(w, x, x.dtype))


@writes("bitwise_not")
def _bitwise_not(w: Writer, x: Value) -> str:
    return w.node("Not" if x.dtype.kind == "b" else "BitwiseNot", w(x))


@writes("cast")
def _cast(w: Writer, x: Value, kind: dtype) -> str:
    return w.node("Identity", w(x)) if kind is x.dtype else w.cast(w(x), kind)


# --- two operands
def _kind(*operands: Any) -> dtype:
    return next(each.dtype for each in operands if isinstance(each, Value))


def _pair(kind: str, for_bool: str = "") -> Callable[..., str]:
    def write(w: Writer, x: Any, y: Any) -> str:
        common = _kind(x, y)
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
    kind = _kind(x, y)
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
    kind = _kind(x, y)
    left, right = w(x, kind), w(y, kind)
    if kind.kind == "f":
        return w.node("Floor", w.node("Div", left, right))
    # `Mod` has the sign of the divisor, so that what is left divides without a rest.
    return w.node("Div", w.node("Sub", left, w.node("Mod", left, right)), right)


@writes("remainder")
def _remainder(w: Writer, x: Any, y: Any) -> str:
    kind = _kind(x, y)
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
    kind = _kind(x, y)
    return w.node("Mod", w(x, kind), w(y, kind), fmod=1)


def _ignoring_nan(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Any, y: Any) -> str:
        common = _kind(x, y)
        if common.kind != "f":
            return TABLE["maximum" if kind == "Max" else "minimum"](w, x, y)
        left, right = w(x, common), w(y, common)
        found = w.node("Where", w.node("IsNaN", right), left, w.node(kind, left, right))
        return w.node("Where", w.node("IsNaN", left), right, found)

    return write


TABLE["fmax"], TABLE["fmin"] = _ignoring_nan("Max"), _ignoring_nan("Min")


@writes("hypot")
def _hypot(w: Writer, x: Any, y: Any) -> str:
    kind = _kind(x, y)
    left, right = w(x, kind), w(y, kind)
    return w.node("Sqrt", w.node("Add", w.node("Mul", left, left), w.node("Mul", right, right)))


@writes("copysign")
def _copysign(w: Writer, x: Any, y: Any) -> str:
    kind = _kind(x, y)
    size, zero = w.node("Abs", w(x, kind)), w.constant(0, kind)
    sign = w(y, kind)
    below = w.node("Less", w.node("Where", w.node("Equal", sign, zero),
                                  w.node("Reciprocal", sign), sign), zero)  # fmt: skip
    return w.node("Where", below, w.node("Neg", size), size)


@writes("atan2")
def _atan2(w: Writer, x: Any, y: Any) -> str:
    """The angle of the point `(y, x)`: `atan(x / y)`, turned by half a circle where `y < 0`."""
    kind = _kind(x, y)
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


def _truth(w: Writer, x: Any, kind: dtype) -> str:
    name = w(x, kind)
    return name if kind.kind == "b" else w.cast(name, lantern.bool)


def _logical(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Any, y: Any) -> str:
        common = _kind(x, y)
        return w.node(kind, _truth(w, x, common), _truth(w, y, common))

    return write


for _name in ("And", "Or", "Xor"):
    TABLE[f"logical_{_name.lower()}"] = _logical(_name)


@writes("where")
def _where(w: Writer, condition: Value, x: Any, y: Any) -> str:
    kind = _kind(x, y)
    if kind.kind == "b":
        chosen = w.node("And", w(condition), w(x, kind))
        return w.node("Or", chosen, w.node("And", w.node("Not", w(condition)), w(y, kind)))
    return w.node("Where", w(condition), w(x, kind), w(y, kind))


# --- reductions
def _reduction(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        return _reduced(w, kind, w(x), dim, keepdim, x.ndim)

    return write


def _reduced(w: Writer, kind: str, name: str, dim: Any, keepdim: bool, ndim: int) -> str:
    dims = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    if not list(dims) or not ndim:
        return w.node("Identity", name)
    return w.node(kind, name, w.integers(list(dims)), keepdims=int(keepdim))


TABLE |= {"sum": _reduction("ReduceSum"), "prod": _reduction("ReduceProd")}


def _extreme(kind: str) -> Callable[..., str]:
    numbers, truths = _reduction(kind), _reduction_of_truths(kind)

    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        return (truths if x.dtype.kind == "b" else numbers)(w, x, dim, keepdim)

    return write


def _reduction_of_truths(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        numbers = w.cast(_truth(w, x, x.dtype), lantern.int32)
        found = _reduced(w, kind, numbers, dim, keepdim, x.ndim)
        return w.cast(found, lantern.bool)

    return write


TABLE |= {"amax": _extreme("ReduceMax"), "amin": _extreme("ReduceMin")}
TABLE["any"], TABLE["all"] = _reduction_of_truths("ReduceMax"), _reduction_of_truths("ReduceMin")


def _place(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        if dim is None or not x.ndim:
            flat = w.node(kind, w.reshape(w(x), [-1]), axis=0, keepdims=0)
            return w.reshape(flat, [1] * x.ndim) if keepdim else flat
        return w.node(kind, w(x), axis=dim, keepdims=int(keepdim))

    return write


TABLE["argmax"], TABLE["argmin"] = _place("ArgMax"), _place("ArgMin")


@writes("cumsum")
def _cumsum(w: Writer, x: Value, dim: int) -> str:
    return w.node("CumSum", w(x), w.constant(dim, lantern.int64)) if x.ndim else w(x)


# --- movement
@writes("reshape")
def _reshape(w: Writer, x: Value, shape: Any) -> str:
    return w.reshape(w(x), w.captured.merged([v.shape for v in _variants(w)]))


@writes("permute")
def _permute(w: Writer, x: Value, dims: Any) -> str:
    return w.node("Transpose", w(x), perm=list(dims)) if x.ndim else w.node("Identity", w(x))


@writes("expand")
def _expand(w: Writer, x: Value, shape: Any) -> str:
    return w.expand(w(x), shape)


@writes("flip")
def _flip(w: Writer, x: Value, dims: Any) -> str:
    name = w(x)
    for dim in dims:
        name = w.slice(name, dim, -1, START, -1)
    return name if dims else w.node("Identity", name)


@writes("cat")
def _cat(w: Writer, tensors: Any, dim: int) -> str:
    return w.node("Concat", *(w(each) for each in tensors), axis=dim)


@writes("diagonal")
def _diagonal(w: Writer, x: Value, offset: int, dim1: int, dim2: int) -> str:
    shape = w.shape(x)
    rows, columns = (w.static(shape[d], "matrix size") for d in (dim1, dim2))
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    turned = w.transpose(w(x), [*rest, dim1, dim2])
    flat = w.reshape(turned, [*(shape[d] for d in rest), rows * columns])
    first = offset if offset >= 0 else -offset * columns
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    places = [first + i * (columns + 1) for i in range(max(length, 0))]
    return w.node("Gather", flat, w.integers(places), axis=len(rest))


@writes("as_strided")
def _as_strided(w: Writer, x: Value, size: Any, stride: Any, offset: int) -> str:
    """Elements by their place in the memory, which is that of a row-major tensor here."""
    strides, start = x.memory
    expected = [math.prod(x.shape[i + 1 :]) for i in range(x.ndim)]
    if start or any(s != e and n > 1 for s, e, n in zip(strides, expected, x.shape, strict=True)):
        raise w.unsupported("the elements of its input do not lie in row-major order")
    sizes = [w.static(each, "size") for each in (*size, offset, *w.shape(x))][: len(size)]
    places = [
        offset + sum(i * s for i, s in zip(index, stride, strict=True))
        for index in itertools.product(*map(range, sizes))
    ]
    index = w.constant(places, lantern.int64, tuple(sizes))
    return w.node("Gather", w.reshape(w(x), [-1]), index, axis=0)


# --- parts by index
@writes("getitem")
def _getitem(w: Writer, x: Value, index: Any) -> str:
    arrays = any(isinstance(each, Value) for each in index)
    name, axis, taken, plan = w(x), 0, [], []  # type: ignore[var-annotated]
    for each in index:
        if each is None:
            plan.append(("new", None))
            continue
        if isinstance(each, slice):
            name = _sliced(w, name, axis, each)
            plan.append(("kept", axis))
        elif isinstance(each, Value):
            plan.append(("index", (axis, w.index(each), each.ndim)))
        elif arrays:  # an integer beside index arrays is one of them, as in NumPy
            plan.append(("index", (axis, w.number(each, lantern.int64), 0)))
        else:
            stop = END if each == -1 else _plus_one(each)
            name = w.slice(name, axis, each, stop)
            taken.append(axis)
        axis += 1
    plan += [("kept", i) for i in range(axis, x.ndim)]
    if arrays:
        return _picked(w, name, plan)
    name = w.squeeze(name, taken)
    new = [i for i, (kind, _) in enumerate(plan) if kind == "new"]
    name = w.unsqueeze(name, new)
    return w.node("Identity", name) if name == w(x) else name


def _plus_one(value: Any) -> Any:
    if not isinstance(value, Size):
        return value + 1
    return Size({**value.terms, (): value.terms.get((), 0) + 1})  # type: ignore[dict-item]


def _sliced(w: Writer, name: str, axis: int, part: slice) -> str:
    step = 1 if part.step is None else part.step
    if part.start is None and part.stop is None and step == 1:
        return name
    backward = not isinstance(step, Size) and step < 0
    start = (END if backward else 0) if part.start is None else part.start
    stop = (START if backward else END) if part.stop is None else part.stop
    return w.slice(name, axis, start, stop, step)


def _picked(w: Writer, name: str, plan: list[tuple[str, Any]]) -> str:
    """Takes elements by index arrays; dimensions of the index stand where NumPy puts them."""
    places = [i for i, (kind, _) in enumerate(plan) if kind == "index"]
    found = [plan[i][1] for i in places]
    adjacent = places[-1] - places[0] + 1 == len(places)
    before = [p for p in plan[: places[0]] if p[0] != "index"] if adjacent else []
    after = [p for p in (plan[places[0] :] if adjacent else plan) if p[0] != "index"]
    joint = max(ndim for _, _, ndim in found)
    if len(found) == 1:
        (axis, index, _), kept = found[0], []
        name = w.node("Gather", name, index, axis=axis)
    else:
        name = _picked_together(w, name, found, joint, [v for k, v in plan if k == "kept"])
        kept = [p for p in before if p[0] == "kept"]
        if kept:
            rest = sum(p[0] == "kept" for p in after)
            lead = range(joint, joint + len(kept))
            order = [*lead, *range(joint), *range(joint + len(kept), joint + len(kept) + rest)]
            name = w.transpose(name, order)
    final = [p[0] for p in before] + ["index"] * joint + [p[0] for p in after]
    return w.unsqueeze(name, [i for i, kind in enumerate(final) if kind == "new"])


def _picked_together(w: Writer, name: str, found: list, joint: int, kept: list[int]) -> str:
    """Takes elements by several arrays: their dimensions come first in the result."""
    turned = w.transpose(name, [*(axis for axis, _, _ in found), *kept])
    return w.node("GatherND", turned, _columns(w, found, joint))


def _columns(w: Writer, found: list, joint: int) -> str:
    """Returns index arrays, brought to their joint shape, as the columns of one array."""
    names = [w.cast(name, lantern.int64) for _, name, _ in found]
    if len(names) == 1:
        return w.unsqueeze(names[0], [joint])
    total = names[0]
    for other in names[1:]:  # a sum has the shape that the arrays have together
        total = w.node("Add", total, other)
    shape = w.node("Shape", total)
    columns = [w.unsqueeze(w.node("Expand", each, shape), [joint]) for each in names]
    return w.node("Concat", *columns, axis=joint)


def _variants(w: Writer) -> list[Value]:
    assert w.now is not None
    return w.captured.variants(w.now)


@writes("put")
def _put(w: Writer, x: Value, index: Any, value: Any) -> str:
    region = w.captured.merged([indexed_shape(v.args[0].shape, v.args[1]) for v in _variants(w)])
    if any(isinstance(each, Value) for each in index):
        return _put_at(w, x, index, w.expand(w(value, x.dtype), region), None)
    return _put_in(w, x, index, w.expand(w(value, x.dtype), region))


@writes("put_add")
def _put_add(w: Writer, x: Value, index: Any, value: Any) -> str:
    region = w.captured.merged([indexed_shape(v.args[0].shape, v.args[1]) for v in _variants(w)])
    new = w.expand(w(value, x.dtype), region)
    if any(isinstance(each, Value) for each in index):
        return _put_at(w, x, index, new, "add")
    return _put_in(w, x, index, w.node("Add", _getitem(w, x, index), new))


def _put_at(w: Writer, x: Value, index: Any, new: str, how: str | None) -> str:
    """Writes by index arrays: their dimensions are brought to the front, and back afterwards."""
    places = [i for i, each in enumerate(index) if not isinstance(each, slice)]
    whole = slice(None)
    if any(index[i] is None for i in places) or any(
        isinstance(each, slice) and each != whole for each in index
    ):
        raise w.unsupported("it writes by arrays and by parts of other dimensions at once")
    found = [
        (axis, w.index(each), each.ndim) if isinstance(each, Value)
        else (axis, w.number(each, lantern.int64), 0)
        for axis, each in ((i, index[i]) for i in places)
    ]  # fmt: skip
    others = [i for i in range(x.ndim) if i not in places]
    order = [*places, *others]
    joint = max(ndim for _, _, ndim in found)
    if places[-1] - places[0] + 1 == len(places) and places[0]:  # the new block has them inside
        before = places[0]
        rest = range(before + joint, joint + len(others))
        new = w.transpose(new, [*range(before, before + joint), *range(before), *rest])
    where = _columns(w, found, joint)
    written = w.node("ScatterND", w.transpose(w(x), order), where, new, reduction=how)
    return w.transpose(written, [order.index(i) for i in range(x.ndim)])


def _put_in(w: Writer, x: Value, index: Any, new: str) -> str:
    """Replaces a block: what lies before, the new block, what lies behind, axis by axis."""
    parts, dim = [], 0  # dim: of the new block
    for each in index:
        if each is None:
            new = w.squeeze(new, [dim])
            continue
        if isinstance(each, slice):
            parts.append(each)
        else:
            parts.append(slice(each, END if each == -1 else _plus_one(each)))
            new = w.unsqueeze(new, [dim])
        dim += 1
    return _with_block(w, w(x), parts, w.shape(x), new, 0)


def _with_block(w: Writer, name: str, parts: list, shape: tuple, new: str, axis: int) -> str:
    while axis < len(parts):
        part, size = parts[axis], shape[axis]
        start = 0 if part.start is None else part.start
        stop = END if part.stop is None else part.stop
        if part.step not in (None, 1):
            inner = _sliced(w, name, axis, part)
            block = _with_block(w, inner, parts, shape, new, axis + 1)
            return _with_every(w, name, axis, part, shape, block)
        if not isinstance(size, Size) and not isinstance(start, Size):
            start = range(size)[slice(start, None)].start if size else 0
            if not isinstance(stop, Size):
                stop = slice(None, stop).indices(size)[1]
        if not (start == 0 and (stop == END or stop == size)):
            break
        axis += 1
    else:
        return new
    inner = w.slice(name, axis, start, stop)
    pieces = [_with_block(w, inner, parts, shape, new, axis + 1)]
    if start != 0:
        pieces.insert(0, w.slice(name, axis, 0, start))
    if stop not in (END, size):
        pieces.append(w.slice(name, axis, stop, END))
    return w.node("Concat", *pieces, axis=axis) if len(pieces) > 1 else pieces[0]


def _with_every(
    w: Writer, name: str, axis: int, part: slice, shape: tuple, block: str
) -> str:  # fmt: skip
    """Writes to every so manieth place of one axis, which is brought to the front for it."""
    places = range(*part.indices(w.static(shape[axis], "length")))
    order = [axis, *(i for i in range(len(shape)) if i != axis)]
    where = w.constant(list(places), lantern.int64, (len(places), 1))
    turned = w.node("ScatterND", w.transpose(name, order), where, w.transpose(block, order))
    return w.transpose(turned, [order.index(i) for i in range(len(shape))])


@writes("gather")
def _gather(w: Writer, x: Value, dim: int, index: Value) -> str:
    if not x.ndim:
        return w.node("Expand", w(x), w.node("Shape", w(index)))
    return w.node("GatherElements", w(x), w.index(index), axis=dim)


@writes("pick")
def _pick(w: Writer, x: Value, dim: int, index: Value) -> str:
    return w.node("Gather", w(x), w.index(index), axis=dim)


def _scattered(w: Writer, x: Value, dim: int, index: Value, src: Value, how: str | None) -> str:
    if not x.ndim:
        flat, where, new = (w.reshape(each, [-1]) for each in (w(x), w.index(index), w(src)))
        return w.reshape(w.node("ScatterElements", flat, where, new, reduction=how), [])
    new = w(src)
    for axis, (have, want) in enumerate(zip(w.shape(src), w.shape(index), strict=True)):
        if have != want:
            new = w.slice(new, axis, 0, want)
    return w.node("ScatterElements", w(x), w.index(index), new, axis=dim, reduction=how)


@writes("scatter")
def _scatter(w: Writer, x: Value, dim: int, index: Value, src: Value) -> str:
    return _scattered(w, x, dim, index, src, None)


@writes("scatter_add")
def _scatter_add(w: Writer, x: Value, dim: int, index: Value, src: Value) -> str:
    return _scattered(w, x, dim, index, src, "add")


@writes("scatter_reduce")
def _scatter_reduce(w: Writer, x: Value, dim: int, index: Value, src: Value, reduce: str) -> str:
    known = {"sum": "add", "add": "add", "prod": "mul", "multiply": "mul", "amax": "max",
             "amin": "min"}  # fmt: skip
    if reduce not in known:
        raise w.unsupported(f"its reduction is {reduce!r}")
    return _scattered(w, x, dim, index, src, known[reduce])


# --- contractions
@writes("matmul")
def _matmul(w: Writer, x: Value, y: Value) -> str:
    return w.node("MatMul", w(x), w(y))


@writes("linear")
def _linear(w: Writer, x: Value, weight: Value, bias: Any) -> str:
    if x.ndim == 2:
        rest = [] if bias is None else [w(bias)]
        return w.node("Gemm", w(x), w(weight), *rest, transB=1)
    product = w.node("MatMul", w(x), w.node("Transpose", w(weight), perm=[1, 0]))
    return product if bias is None else w.node("Add", product, w(bias))


def _refuse_integers(w: Writer, x: Value) -> None:
    if x.dtype.kind != "f":
        raise w.unsupported("convolutions of integers have no form")


def convolution(
    w: Writer, x: Value, weight: Value, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> str:  # fmt: skip
    """A convolution, with its bias where there is one."""
    _refuse_integers(w, x)
    rest = [] if bias is None else [w(bias)]
    return w.node(
        "Conv", w(x), w(weight), *rest, group=groups, strides=list(stride),
        dilations=list(dilation), kernel_shape=list(weight.shape[2:]),
        pads=[low for low, _ in padding] + [high for _, high in padding],
    )  # fmt: skip


@writes("conv")
def _conv(w: Writer, x: Value, weight: Value, *settings: Any) -> str:
    return convolution(w, x, weight, None, *settings)


def transposed_convolution(
    w: Writer, g: Value, weight: Value, bias: Any, shape: Any, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> str:  # fmt: skip
    """A transposed convolution; what its size has beyond the least one is `output_padding`."""
    _refuse_integers(w, g)
    extra = []
    rows = zip(shape[2:], w.shape(g)[2:], weight.shape[2:], stride, padding, dilation, strict=True)
    for want, size, kernel, step, (low, high), spread in rows:
        if isinstance(want, Size) or isinstance(size, Size):
            for v in w.captured.variants(g)[:1]:
                size = v.shape[len(extra) + 2]
            want = _first_length(w, want)
        # What a padding below zero adds belongs to `output_padding`, too.
        extra.append(want - ((size - 1) * step - low - max(high, 0) + spread * (kernel - 1) + 1))
    rest = [] if bias is None else [w(bias)]
    return w.node(
        "ConvTranspose", w(g), w(weight), *rest, group=groups, strides=list(stride),
        dilations=list(dilation), kernel_shape=list(weight.shape[2:]), output_padding=extra,
        pads=[low for low, _ in padding] + [max(high, 0) for _, high in padding],
    )  # fmt: skip


def _first_length(w: Writer, size: Any) -> int:
    """Returns the length that a Size has in the first recording."""
    if not isinstance(size, Size):
        return size
    lengths = dict(zip(w.captured.open.names, w.captured.open.points[0], strict=True))
    return int(sum(c * math.prod(lengths[n] for n in names) for names, c in size.terms.items()))


@writes("conv_input")
def _conv_input(w: Writer, g: Value, weight: Value, shape: Any, *settings: Any) -> str:
    return transposed_convolution(w, g, weight, None, shape, *settings)


@writes("windows")
def _windows(w: Writer, x: Value, size: Any, stride: Any, dilation: Any) -> str:
    """The elements of each window: one gather for each dimension, by places that are known."""
    lead = x.ndim - len(size)
    name, shape = w(x), w.shape(x)
    for i, (kernel, step, spread) in enumerate(zip(size, stride, dilation, strict=True)):
        length = w.static(shape[lead + i], "length")
        count = max((length - spread * (kernel - 1) - 1) // step + 1, 0)
        places = [k * spread + c * step for k in range(kernel) for c in range(count)]
        index = w.constant(places, lantern.int64, (kernel, count))
        name = w.node("Gather", name, index, axis=lead + 2 * i)
    inside = [lead + 2 * i for i in range(len(size))]
    return w.transpose(name, [*range(lead), *inside, *(i + 1 for i in inside)])


@writes("windows_add")
def _windows_add(
    w: Writer, g: Value, input_shape: Any, size: Any, stride: Any, dilation: Any
) -> str:
    """The sum of windows where they lie."""
    space = len(size)
    sizes = [w.static(each, "length") for each in input_shape[-space:]]
    shape = w.shape(g)
    lead, counts = shape[: g.ndim - 2 * space], shape[g.ndim - space :]
    if len(lead) != 2:
        raise w.unsupported("it has other dimensions than (N, C, ...)")
    count = math.prod(w.static(each, "count") for each in counts)
    channels = w.static(lead[1], "channels") * math.prod(size)
    columns = w.reshape(w(g), [lead[0], channels, count])
    return w.node(
        "Col2Im", columns, w.integers(sizes), w.integers(list(size)),
        strides=list(stride), dilations=list(dilation), pads=[0] * 2 * space,
    )  # fmt: skip


# --- new tensors
@writes("full")
def _full(w: Writer, shape: Any, value: Any, like: Any) -> str:
    kind = like if isinstance(like, dtype) else like.dtype
    if not shape:
        return w.node("Identity", w(value, kind))
    return w.expand(w(value, kind), shape)


@writes("arange")
def _arange(w: Writer, start: Any, end: Any, step: Any, kind: dtype) -> str:
    if not any(isinstance(each, Size) for each in (start, end, step)):
        made: Any = lantern.arange(start, end, step, dtype=kind)
        return w.node("Identity", w.tensor(made))
    exact = kind if kind.name in ("float32", "float64") else lantern.int64
    name = w.node("Range", *(w.number(each, exact) for each in (start, end, step)))
    return name if exact is kind else w.cast(name, kind)


# --- order
def _top(w: Writer, x: Value, k: Any, dim: int, largest: bool) -> str:
    name = w(x)
    if x.dtype.kind == "b":
        name = w.cast(name, lantern.int32)
    attributes = {"axis": dim, "largest": int(largest), "sorted": 1}
    _, places = w.node("TopK", name, w.integers([k]), outputs=2, **attributes)
    return places


@writes("argsort")
def _argsort(w: Writer, x: Value, dim: int, descending: bool, stable: bool) -> str:
    if not x.ndim:
        return w.node("Identity", w.constant(0, lantern.int64))
    return _top(w, x, w.shape(x)[dim], dim, descending)


@writes("argtopk")
def _argtopk(w: Writer, x: Value, k: Any, dim: int, largest: bool, sorted: bool) -> str:
    if not x.ndim:
        return w.node("Identity", w.constant(0, lantern.int64))
    return _top(w, x, k, dim, largest)


@writes("argsearch")
def _argsearch(w: Writer, sequence: Value, x: Value, right: bool) -> str:
    """How many elements of a sorted row lie before each of those looked for."""
    row = w(sequence) if sequence.ndim == 1 else w.unsqueeze(w(sequence), [sequence.ndim - 1])
    before = w.node("LessOrEqual" if right else "Less", row, w.unsqueeze(w(x), [x.ndim]))
    counted = w.cast(before, lantern.int64)
    return w.node("ReduceSum", counted, w.integers([x.ndim]), keepdims=0)
