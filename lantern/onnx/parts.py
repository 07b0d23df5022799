"""Primitives that read or write parts of a tensor by index, as ONNX nodes."""

from __future__ import annotations

from typing import Any

import lantern

from ..backends.vocabulary import indexed_shape
from ..compiler.ir import Value
from .sizes import Size
from .table import variants_now, writes
from .writer import END, START, Writer


# --- parts by index
@writes("getitem")
def _getitem(w: Writer, x: Value, index: Any) -> str:
    arrays = any(isinstance(each, Value) for each in index)
    name, axis = w(x), 0
    taken: list[int] = []
    plan: list[tuple[str, Any]] = []
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


@writes("put")
def _put(w: Writer, x: Value, index: Any, value: Any) -> str:
    region = w.captured.merged([indexed_shape(v.args[0].shape, v.args[1]) for v in variants_now(w)])
    if any(isinstance(each, Value) for each in index):
        return _put_at(w, x, index, w.expand(w(value, x.dtype), region), None)
    return _put_in(w, x, index, w.expand(w(value, x.dtype), region))


@writes("put_add")
def _put_add(w: Writer, x: Value, index: Any, value: Any) -> str:
    region = w.captured.merged([indexed_shape(v.args[0].shape, v.args[1]) for v in variants_now(w)])
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
