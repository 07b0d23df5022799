"""Turns kernels into loop nests over explicit vectors.

A kernel's dimensions are merged where all its accesses allow, one of them is cut into vectors, and
its body is written once per kind of block: several vectors at a time, one, and the masked rest.
`builder.Function` holds the loops; `printer.py` prints them.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from .. import dtypes
from . import scalar
from .accesses import Accesses, Dim, Pick, memory_order, merged, vector_dim
from .builder import Function
from .forms import immediate, operand_dtype
from .ir import Value
from .transpose import write_turned

UNROLLED = 4  # vectors per step where a loop is long enough


@dataclass(frozen=True)
class Segment:
    """A part of the vector dimension: `count` lanes are live in its single, last block."""

    start: int
    stop: int
    unroll: int
    count: int | None


class Rows(NamedTuple):
    """A block along a dimension: where it starts, its size, what lies in a block of its own.

    With `sums`, results over the rows are added to what is there; of the `only` block they are all.
    """

    start: Any
    size: int
    local: Collection[Value] = ()
    sums: bool = False
    dim: int = 0
    only: bool = False


class Nest:
    """The loops of one kernel, written into a function."""

    def __init__(self, b: Function, accesses: Accesses, lanes: int):
        self.b, self.lanes = b, lanes
        self.accesses = accesses
        self.kernel = accesses.kernel
        self.plan = accesses.plan
        self.joins = False  # whether reductions join what is in memory already

    def write(self, rows: Rows | None = None) -> None:
        """Writes the whole kernel, or what it does on a block of rows."""
        kernel, all_ = self.kernel, self.accesses.all
        if prod(kernel.space) == 0:
            return self.clear()
        pointers = [self.b.pointer(*each.place) for each in all_]
        space = kernel.space
        sums = rows is not None and rows.sums
        self.joins = sums and not rows.only
        if rows is not None:
            space = (*space[: rows.dim], rows.size, *space[rows.dim + 1 :])
            pointers = [
                p
                if each.value in rows.local
                else self.b.advance(p, rows.start, each.strides[rows.dim])
                for p, each in zip(pointers, all_, strict=True)
            ]
        if sums:
            for value, place in self.accesses.results.items():
                pointers[place] = self.b.pointer(0, self.accesses.memory.sums[value])
        order = None if kernel.scatter is not None else memory_order(space, all_)
        self.run(merged(space, all_, kernel.dims or (), order), pointers)

    def run(self, dims: list[Dim], pointers: list[str]) -> None:
        """Writes the loops over `dims` from where `pointers` stand."""
        crossed = self._crossed(dims)
        if crossed is not None:
            return self._turn(dims, pointers, *crossed)
        chosen = vector_dim(dims, self.accesses.all, self.lanes)
        if self.accesses.scatter is not None:
            chosen = self._whole_dim(dims)
        if chosen is not None:
            vector = dims[chosen]
            kept = [d for i, d in enumerate(dims) if i != chosen and not d.reduced]
            reduced = [d for i, d in enumerate(dims) if i != chosen and d.reduced]
            dims = [*kept, *reduced, vector] if vector.reduced else [*kept, vector, *reduced]
            self.vector = dims.index(vector)
        else:
            self.vector = -1
        self.dims = dims
        flags = [d.reduced for d in dims]
        self.first_reduced = flags.index(True) if True in flags else len(dims)
        self.b.lanes = self.lanes if chosen is not None else 1
        self._level(0, pointers, {}, None, Segment(0, 0, 1, None))

    def _crossed(self, dims: list[Dim]) -> tuple[int, int] | None:
        """Returns the dimensions that lie innermost in what a plain copy reads and writes."""
        kernel, all_ = self.kernel, self.accesses.all
        if kernel.kind != "loop" or kernel.values or kernel.reductions or len(all_) != 2:
            return None
        if kernel.scatter is not None or kernel.adds or len(kernel.stores) != 1:
            return None
        kind = all_[0].value.dtype
        if all_[1].value.dtype is not kind or kind not in (dtypes.float32, dtypes.float64):
            return None
        reads, writes = (
            next((d for d, each in enumerate(dims) if each.strides[i] == all_[i].item), None)
            for i in (0, 1)
        )
        if reads is None or writes is None or reads == writes:
            return None
        small = min(dims[reads].size, dims[writes].size)
        return (reads, writes) if small * 2 >= self.lanes else None

    def _turn(self, dims: list[Dim], pointers: list[str], reads: int, writes: int) -> None:
        """Writes a copy between two orders of memory."""
        self.b.lanes = self.lanes
        with ExitStack() as stack:
            for d, dim in enumerate(dims):
                if d not in (reads, writes):
                    loop = stack.enter_context(self.b.loop(0, dim.size, 1, []))
                    pointers = self._advance(pointers, loop.index, dim)
            source = pointers[0], dims[writes].strides[0]
            target = pointers[1], dims[reads].strides[1]
            kind = self.accesses.all[0].value.dtype
            sizes = dims[writes].size, dims[reads].size
            write_turned(self.b, kind, source, target, sizes)

    def _whole_dim(self, dims: list[Dim]) -> int | None:
        """Returns the last dimension if a scatter goes along it as a whole: the others in order."""
        scatter, last = self.accesses.scatter, len(dims) - 1
        if not dims or dims[last].strides[scatter.index]:
            return None
        return (
            last
            if dims[last].strides[scatter.base] == self.accesses.all[scatter.base].item
            else None
        )

    def clear(self) -> None:
        """Stores what reductions of nothing give."""
        kept = tuple(
            1 if d in (self.kernel.dims or ()) else s for d, s in enumerate(self.kernel.space)
        )
        if prod(kept) == 0:
            return
        for value, place in self.accesses.results.items():
            access = self.accesses.all[place]
            dims = [Dim(s, (access.strides[d],), False) for d, s in enumerate(kept) if s != 1]
            self.b.lanes = 1
            self._fill(dims, self.b.pointer(*access.place), value)

    def _fill(self, dims: list[Dim], pointer: str, value: Value) -> None:
        if not dims:
            start = scalar.identity(value.name, value.dtype)
            self.b.store(value.dtype, pointer, value.dtype.itemsize, start, None)
            return
        with self.b.loop(0, dims[0].size, 1, []) as loop:
            self._fill(dims[1:], self.b.advance(pointer, loop.index, dims[0].strides[0]), value)

    # --- levels
    def _level(
        self, level: int, pointers: list[str], loaded: dict[int, str], sums: Any, block: Segment
    ) -> Any:
        """Writes the loops from `level` inwards; returns the running reductions."""
        loaded = self._hoist(level, pointers, loaded)
        starts = level == self.first_reduced or level == len(self.dims) and sums is None
        if starts and sums is None and self.kernel.reductions:
            inner = self._inside(level, pointers, loaded, self._identities(block), block)
            self._finish(inner, pointers, block)
            return None
        return self._inside(level, pointers, loaded, sums, block)

    def _inside(
        self, level: int, pointers: list[str], loaded: dict[int, str], sums: Any, block: Segment
    ) -> Any:
        if level == len(self.dims):
            return self._body(pointers, loaded, sums, block)
        dim = self.dims[level]
        if level == self.vector:
            return self._vector_level(level, pointers, loaded, sums)
        with self.b.loop(0, dim.size, 1, self._carried(sums)) as loop:
            moved = self._advance(pointers, loop.index, dim)
            after = self._level(level + 1, moved, loaded, self._regroup(sums, loop.carried), block)
            loop.next = self._flat(after)
        return self._regroup(sums, loop.results)

    def _vector_level(
        self, level: int, pointers: list[str], loaded: dict[int, str], sums: Any
    ) -> Any:
        dim = self.dims[level]
        for segment in segments(dim.size, self.lanes):
            if segment.count is not None:  # the rest, a single block
                moved = self._advance(pointers, segment.start, dim)
                sums = self._level(level + 1, moved, loaded, self._widen(sums, 1), segment)
                continue
            step = self.lanes * segment.unroll
            wide = self._widen(sums, segment.unroll)
            with self.b.loop(segment.start, segment.stop, step, self._carried(wide)) as loop:
                moved = self._advance(pointers, loop.index, dim)
                inner = self._regroup(wide, loop.carried)
                after = self._level(level + 1, moved, loaded, inner, segment)
                loop.next = self._flat(after)
            sums = self._regroup(wide, loop.results)
        return self._widen(sums, 1)

    def _advance(self, pointers: list[str], index: Any, dim: Dim) -> list[str]:
        return [
            self.b.advance(pointer, index, stride) if stride else pointer
            for pointer, stride in zip(pointers, dim.strides, strict=True)
        ]

    def _hoist(self, level: int, pointers: list[str], loaded: dict[int, str]) -> dict[int, str]:
        """Reads what does not change in the loops further in."""
        loaded = dict(loaded)
        for i, access in enumerate(self.accesses.all):
            if access.write or i in loaded or i not in self.accesses.of.values():
                continue
            if level <= self.vector and all(d.strides[i] == 0 for d in self.dims[level:]):
                kind = self._dtype(i)
                loaded[i] = self.b.load(kind, pointers[i], 0, None)
        return loaded

    def _dtype(self, access: int) -> dtypes.dtype:
        return self.accesses.all[access].value.dtype

    # --- reductions
    def _identities(self, block: Segment) -> list[list[str]]:
        return [
            [self.b.splat(self._kind(each), scalar.identity(each.name, each.dtype))] * block.unroll
            for each in self.kernel.reductions
        ]

    def _kind(self, value: Value) -> str:
        return scalar.ELEMENT[value.dtype]

    def _carried(self, sums: Any) -> list[tuple[str, str]]:
        if sums is None:
            return []
        pairs = zip(self.kernel.reductions, sums, strict=True)
        return [(self._kind(value), each) for value, group in pairs for each in group]

    def _flat(self, sums: Any) -> list[str]:
        return [] if sums is None else [each for group in sums for each in group]

    def _regroup(self, sums: Any, names: list[str]) -> Any:
        if sums is None:
            return None
        rest = iter(names)
        return [[next(rest) for _ in group] for group in sums]

    def _widen(self, sums: Any, count: int) -> Any:
        """Brings the partial results of each reduction to `count` vectors."""
        if sums is None:
            return None
        result = []
        for value, group in zip(self.kernel.reductions, sums, strict=True):
            group = list(group)
            while len(group) > count:
                group = [self._join(value, *group[:2]), *group[2:]]
            identity = scalar.identity(value.name, value.dtype)
            while len(group) < count:
                group.append(self.b.splat(self._kind(value), identity))
            result.append(group)
        return result

    def _join(self, value: Value, x: str, y: str) -> str:
        return scalar.write(self.b, scalar.JOIN[value.name], value.dtype, [x, y])

    def _finish(self, sums: list[list[str]], pointers: list[str], block: Segment) -> None:
        """Stores the reductions: lane by lane, or all lanes joined to one number."""
        across = self.vector >= self.first_reduced
        for value, group in zip(self.kernel.reductions, sums, strict=True):
            place = self.accesses.results.get(value)
            if place is None:
                continue
            if across:
                total = group[0]
                for each in group[1:]:
                    total = self._join(value, total, each)
                total = self.b.across(
                    lambda x, y, v=value: self._join(v, x, y), self._kind(value), total
                )
                lanes, self.b.lanes = self.b.lanes, 1
                if self.joins:
                    total = self._join(
                        value, self.b.load(value.dtype, pointers[place], 0, None), total
                    )
                self.b.store(value.dtype, pointers[place], value.dtype.itemsize, total, None)
                self.b.lanes = lanes
                continue
            if self.joins:
                old = self._load_blocks(value.dtype, place, pointers, len(group), block)
                group = [self._join(value, x, y) for x, y in zip(old, group, strict=True)]
            self._store_blocks(value.dtype, place, pointers, group, block)

    def _load_blocks(
        self, kind: dtypes.dtype, place: int, pointers: list[str], count: int, block: Segment
    ) -> list[str]:
        stride = self.dims[self.vector].strides[place] if self.vector >= 0 else kind.itemsize
        return [
            self.b.load(
                kind, self.b.advance(pointers[place], u * self.lanes, stride), stride, block.count
            )
            for u in range(count)
        ]

    def _store_blocks(
        self, kind: dtypes.dtype, place: int, pointers: list[str], group: list[str], block: Segment
    ) -> None:
        stride = self.dims[self.vector].strides[place] if self.vector >= 0 else kind.itemsize
        for u, each in enumerate(group):
            pointer = (
                self.b.advance(pointers[place], u * self.lanes, stride) if u else pointers[place]
            )
            self.b.store(kind, pointer, stride, each, block.count)

    # --- the body
    def _body(self, pointers: list[str], loaded: dict[int, str], sums: Any, block: Segment) -> Any:
        result: list[list[str]] = [[] for _ in self.kernel.reductions]
        for u in range(block.unroll):
            moved = pointers
            if u:
                moved = self._advance(pointers, u * self.lanes, self.dims[self.vector])
            known: dict[Value, Any] = {}
            inputs = moved, loaded, block
            for value in self.kernel.values:
                known[value] = self._compute(value, known, *inputs)
            for i, value in enumerate(self.kernel.reductions):
                x = self._operand(value.args[0], None, known, *inputs)
                result[i].append(self._join_block(value, x, sums[i][u], block))
            self._give(known, *inputs)
        return result if self.kernel.reductions else None

    def block(self, pointers: list[str], known: dict[Value, Any], block: Segment) -> None:
        """Writes the values of one vector, of which some operands are known, and stores them."""
        for value in self.kernel.values:
            known[value] = self._compute(value, known, pointers, {}, block)
        self._give(known, pointers, {}, block)

    def _give(self, known: dict, pointers: list[str], loaded: dict, block: Segment) -> None:
        for source, place in self.accesses.stores:
            kind = self._dtype(place)
            x = self._operand(source, kind, known, pointers, loaded, block)
            if self.accesses.scatter is not None:
                self._scatter(x, kind, place, pointers, block)
                continue
            if self.kernel.adds:
                old = self._load_blocks(kind, place, pointers, 1, block)[0]
                x = scalar.write(self.b, "add", kind, [old, x])
            self._store_blocks(kind, place, pointers, [x], block)

    def _join_block(self, value: Value, x: str, total: str, block: Segment) -> str:
        source = value.args[0].dtype
        if value.name in ("any", "all"):
            x = scalar.truth(self.b, scalar.ELEMENT[source], x)
        if block.count is not None and self.dims[self.vector].reduced:
            identity = scalar.identity(value.name, value.dtype)
            x = self.b.select(self.b.mask(block.count), self._kind(value), x, identity)
        return self._join(value, total, x)

    def _offset(self, pick: Pick, pointers: list[str], block: Segment) -> Any:
        """Writes how many bytes further an index leads; it is checked on the way."""
        kind = self._dtype(pick.index)
        stride = self.dims[self.vector].strides[pick.index] if self.vector >= 0 else 0
        lanes = self.b.lanes
        if stride == 0:
            self.b.lanes = 1
        index = self.b.load(kind, pointers[pick.index], stride, block.count)
        index = scalar.cast(self.b, kind, dtypes.int64, index)
        offset = self.b.wrapped(index, pick.size) if pick.wraps else index
        if not pick.known:
            offset = self.b.checked(offset, pick.size, block.count)
        offset = self.b.op("mul", "i64", offset, pick.stride)
        self.b.lanes = lanes
        return offset, stride == 0

    def _gather(self, value: Value, pointers: list[str], block: Segment) -> Any:
        pick = self.accesses.picked[value]
        offset, same = self._offset(pick, pointers, block)
        pointer = pointers[pick.base]
        stride = self.dims[self.vector].strides[pick.base] if self.vector >= 0 else 0
        if same:
            return self.b.load(value.dtype, self.b.advance(pointer, offset, 1), stride, block.count)
        return self.b.load_at(value.dtype, pointer, stride, offset, block.count)

    def _scatter(
        self, x: Any, kind: dtypes.dtype, place: int, pointers: list[str], block: Segment
    ) -> None:
        pick = self.accesses.scatter
        offset, _ = self._offset(pick, pointers, block)
        stride = self.dims[self.vector].strides[place] if self.vector >= 0 else kind.itemsize
        pointer = self.b.advance(pointers[place], offset, 1)
        if pick.adds:
            old = self.b.load(kind, pointer, stride, block.count)
            x = scalar.write(self.b, "add", kind, [old, x])
        self.b.store(kind, pointer, stride, x, block.count)

    def _compute(
        self, value: Value, known: dict, pointers: list, loaded: dict, block: Segment
    ) -> Any:
        if value in self.accesses.picked:
            return self._gather(value, pointers, block)
        kind = operand_dtype(value)
        self.b.live = block.count
        if value.name == "cast":
            x = self._operand(value.args[0], None, known, pointers, loaded, block)
            return scalar.cast(self.b, value.args[0].dtype, value.args[1], x)
        args = []
        for i, arg in enumerate(value.args):
            if isinstance(arg, Value):
                x = self._operand(arg, None, known, pointers, loaded, block)
                if value.name == "where" and i == 0:
                    x = scalar.truth(self.b, scalar.ELEMENT[arg.dtype], x)
                args.append(x)
            else:
                args.append(typed(arg, kind))
        return scalar.write(self.b, value.name, kind, args)

    def _operand(
        self, value: Value, kind: Any, known: dict, pointers: list, loaded: dict, block: Segment
    ) -> Any:
        if value in known:
            return known[value]
        number = immediate(self.plan.looks[value].leaf)
        if number is not None:
            kind = self.plan.looks[value].leaf.dtype
            return self.b.splat(scalar.ELEMENT[kind], typed(number, kind))
        place = self.accesses.of[value]
        if place in loaded:
            return loaded[place]
        stride = self.dims[self.vector].strides[place] if self.vector >= 0 else 0
        known[value] = self.b.load(self._dtype(place), pointers[place], stride, block.count)
        return known[value]


def typed(number: Any, kind: dtypes.dtype) -> Any:
    """Returns a Python number as one of the kind."""
    return float(number) if kind.kind == "f" else number


def segments(size: int, lanes: int) -> list[Segment]:
    """Cuts the vector dimension into blocks of several vectors, of one, and the masked rest."""
    found = []
    start = 0
    wide = lanes * UNROLLED
    if size >= 2 * wide:
        stop = size - size % wide
        found.append(Segment(0, stop, UNROLLED, None))
        start = stop
    stop = size - (size - start) % lanes
    if stop > start:
        found.append(Segment(start, stop, 1, None))
    if size > stop:
        found.append(Segment(stop, size, 1, size - stop))
    return found
