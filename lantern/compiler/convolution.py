"""Convolutions without columns: tiles of the result in registers, gathered straight from images.

Two schedules. Where a batch fills vectors, these run along the batch, and one vector is a pixel of
many images; otherwise they run along the last spatial dimension. Padding is never stored: the taps
that fall outside are left out, by the bounds of loops over the outer spatial dimensions, and by
code of its own for the tiles at the edges of the last one. A gradient by the input is the same sum
with the roles of the channels exchanged; with a stride, places of the result fall into phases,
each of which meets every so-many-th tap.
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import product
from math import prod
from typing import Any, NamedTuple

from . import scalar
from .accesses import Accesses, Dim, lanes_of
from .builder import Function
from .ir import Value
from .loops import Nest, Rows
from .matmul import cut
from .memory import Memory
from .phases import (
    Cell,
    Group,
    Phase,
    Tile,
    backward_phases,
    bounds,
    divided,
    forward_phases,
    groups_of,
    positive,
)
from .plan import Kernel, Plan
from .runtime import Target


class Seen(NamedTuple):
    """A tensor in memory: its address and its strides in bytes."""

    pointer: str
    strides: tuple[int, ...]

    def moved(self, b: Function, index: Any, dim: int, times: int = 1) -> Seen:
        """Writes the tensor from a place of a dimension on."""
        pointer = b.advance(self.pointer, index, self.strides[dim] * times)
        return Seen(pointer, self.strides)


class _Writer:
    """What both kinds of sums share: the sizes, and how tensors lie."""

    def __init__(self, b: Function, plan: Plan, memory: Memory, kernel: Kernel, target: Target):
        value = kernel.product
        assert value is not None
        self.b, self.plan, self.memory, self.kernel, self.target = b, plan, memory, kernel, target
        self.value, self.kind = value, value.dtype
        self.element = scalar.ELEMENT[self.kind]
        self.item = self.kind.itemsize
        self.lanes = target.vector_bytes // self.item
        stride, padding, dilation, groups = value.args[-4:]
        self.stride, self.dilation, self.groups = tuple(stride), tuple(dilation), groups
        self.low = tuple(low for low, _ in padding)

    def seen(self, value: Value) -> Seen:
        """Writes where a tensor lies."""
        look = self.plan.looks[value]
        slot, offset = self.memory.places[look.leaf]
        pointer = self.b.pointer(slot, offset + look.offset * self.item)
        return Seen(pointer, tuple(s * self.item for s in look.strides))

    def blocks(self, size: int) -> list[tuple[int, int, int, int | None]]:
        """Returns loops over the batch in vectors: start, stop, step and the lanes that count."""
        found = []
        for start, stop, step in cut(size, self.lanes):
            found.append((start, stop, step, None if step == self.lanes else step))
        return found

    def phases(self, sizes: tuple, kernel: tuple, counts: tuple, back: bool) -> list[list[Phase]]:
        """Returns the phases along each spatial dimension."""
        make = backward_phases if back else forward_phases
        facts = zip(sizes, kernel, counts, self.stride, self.low, self.dilation, strict=True)
        return [make(*each) for each in facts]

    def sum(self, x: Any, y: Any, total: Any) -> str:
        """Writes `x * y + total`."""
        return self.b.intrinsic("fma", self.element, x, y, total)

    def epilogue(self, accesses: Accesses, ends: list[str], dims: list[tuple[int, int]]) -> None:
        """Writes the kernel's pointwise values over (size, dimension) of a finished part."""
        if not self.kernel.values:
            return
        found = [
            Dim(size, tuple(each.strides[d] for each in accesses.all), False)
            for size, d in dims
            if size != 1
        ]
        lanes = lanes_of(self.kernel, self.target.vector_bytes)
        Nest(self.b, accesses, lanes).run(found, ends)
        self.b.lanes = self.lanes


class Correlation(_Writer):
    """Writes `conv` and `conv_input`: sums over channels and taps for each place of the result."""

    def write(self, part: Rows | None = None) -> None:
        """Writes the whole kernel, or a part: of images, channels or rows of the result."""
        b, value = self.b, self.value
        x, weight = self.kernel.factors
        self.back = value.name == "conv_input"
        self.along_batch = self.kernel.along_batch
        counts = x.shape[2:] if self.back else value.shape[2:]
        sizes = value.shape[2:] if self.back else x.shape[2:]
        self.lines = self.phases(sizes, weight.shape[2:], counts, self.back)
        self.rows, self.sums = value.shape[1] // self.groups, x.shape[1] // self.groups
        self.row_dim, self.sum_dim = (1, 0) if self.back else (0, 1)
        self.accesses = Accesses(self.plan, self.memory, self.kernel)
        ends = [b.pointer(*each.place) for each in self.accesses.all]
        given, factor, made = self.seen(x), self.seen(weight), self.seen(value)
        self.batch, self.first = value.shape[0], None
        if part is not None:
            made, ends = made.moved(b, part.start, part.dim), self._ends(ends, part.start, part.dim)
            if part.dim == 0:
                given, self.batch = given.moved(b, part.start, 0), part.size
            elif part.dim == 1:
                factor, self.rows = factor.moved(b, part.start, self.row_dim), part.size
            else:
                self.first, self.count = part.start, part.size
                given = given.moved(b, part.start, 2, self.lines[0][0].pace)
        self.height, self.width = self._tile()
        b.lanes = self.lanes
        with b.loop(0, self.groups, 1, []) as loop:
            given = given.moved(b, loop.index, 1, self.sums)
            made = made.moved(b, loop.index, 1, self.rows)
            factor = factor.moved(b, loop.index, 0, weight.shape[0] // self.groups)
            ends = self._ends(ends, loop.index, 1, self.rows)
            if self.along_batch:
                self._places(given, factor, made, ends)
            else:
                with b.loop(0, self.batch, 1, []) as images:
                    given = given.moved(b, images.index, 0)
                    made = made.moved(b, images.index, 0)
                    ends = self._ends(ends, images.index, 0)
                    self._places(given, factor, made, ends)

    def _ends(self, ends: list[str], index: Any, dim: int, times: int = 1) -> list[str]:
        return [
            self.b.advance(pointer, index, each.strides[dim] * times)
            for pointer, each in zip(ends, self.accesses.all, strict=True)
        ]

    def _tile(self) -> tuple[int, int]:
        """Returns channels and vectors of the tiles that the registers hold."""
        best, chosen = float("inf"), (1, 1)
        unit = 1 if self.along_batch else self.lanes
        counts = [-(-each.count // unit) for each in self.lines[-1]]
        for width in range(1, 9):
            for height in range(1, self.rows + 1):
                if height * width + width + 2 > self.target.registers:
                    break
                cost = 0.0
                for tall in [height] * (self.rows // height) + [self.rows % height]:
                    for vectors in counts:
                        parts = [width] * (vectors // width) + [vectors % width]
                        cost += sum(max(tall * w, 8, tall + w) + 1 for w in parts if w and tall)
                if cost < best:
                    best, chosen = cost, (height, width)
        return chosen

    def _places(self, given: Seen, factor: Seen, made: Seen, ends: list[str]) -> None:
        """Writes the loops over the outer spatial dimensions."""
        b, outer = self.b, len(self.lines) - 1
        for phases in product(*self.lines[:-1]):
            with ExitStack() as stack:
                here, result, at = given, made, ends
                taps = []
                for d, phase in enumerate(phases):
                    part = d == 0 and self.first is not None
                    count = self.count if part else phase.count
                    index = stack.enter_context(b.loop(0, count, 1, [])).index
                    q: Any = 0 if count == 1 and not part else index
                    q = self._absolute(index) if part else q
                    taps.append((phase, *bounds(b, phase, q)))
                    here = here.moved(b, index, 2 + d, phase.pace)
                    here = here.moved(b, phase.start, 2 + d)
                    result = result.moved(b, index, 2 + d, phase.step)
                    result = result.moved(b, phase.first, 2 + d)
                    at = self._ends(at, index, 2 + d, phase.step)
                    at = self._ends(at, phase.first, 2 + d)
                assert len(taps) == outer
                self._channels(here, factor, result, at, taps)

    def _absolute(self, row: str) -> str:
        """Writes the number of a row of a part in the whole."""
        lanes, self.b.lanes = self.b.lanes, 1
        row = self.b.op("add", "i64", row, self.first)
        self.b.lanes = lanes
        return row

    def _channels(self, given: Seen, factor: Seen, made: Seen, ends: list[str], taps: list) -> None:
        b = self.b
        for start, stop, step in cut(self.rows, self.height):
            with b.loop(start, stop, step, []) as loop:
                weight = factor.moved(b, loop.index, self.row_dim)
                result = made.moved(b, loop.index, 1)
                at = self._ends(ends, loop.index, 1)
                if not self.along_batch:
                    self._line(given, weight, result, at, taps, step, None)
                    continue
                for first, last, images, count in self.blocks(self.batch):
                    with b.loop(first, last, images, []) as block:
                        place = self._ends(at, block.index, 0)
                        self._line(
                            given.moved(b, block.index, 0),
                            weight,
                            result.moved(b, block.index, 0),
                            place,
                            taps,
                            step,
                            count or images,
                        )

    def _line(self, given, factor, made, ends, taps, height, images) -> None:  # type: ignore
        """Writes all places of the last dimension, for some channels and images."""
        b, last = self.b, self.value.ndim - 1
        b.lanes = self.lanes
        for phase in self.lines[-1]:
            unit = 1 if images else self.lanes
            for group in groups_of(phase, self.width, unit):
                with b.loop(group.start, group.stop, group.width, []) as loop:
                    self._sum(
                        given.moved(b, loop.index, last, phase.pace),
                        factor,
                        made.moved(b, loop.index, last, phase.step).moved(b, phase.first, last),
                        taps,
                        Tile(phase, group, height, images),
                    )
        size = self.value.shape[-1]
        dims = [(images or 1, 0), (height, 1), (size, last)]
        if images:
            dims = [dims[1], dims[2], dims[0]]
        self.epilogue(self.accesses, ends, dims)

    def _sum(self, given: Seen, factor: Seen, made: Seen, taps: list, tile: Tile) -> None:
        """Writes a tile: the sums over channels and taps, and where they go."""
        b = self.b
        zero = b.splat(self.element, 0.0)
        sums = [(self.element, zero)] * (tile.height * tile.group.vectors)
        with b.loop(0, self.sums, 1, sums) as loop:
            here, weight = given.moved(b, loop.index, 1), factor.moved(b, loop.index, self.sum_dim)
            loop.next = self._outer_taps(0, here, weight, taps, tile, loop.carried)
        results = iter(loop.results)
        last = self.value.ndim - 1
        for r in range(tile.height):
            row = made.moved(b, r, 1)
            for v in range(tile.group.vectors):
                if tile.images:
                    place = row.moved(b, v, last, tile.phase.step).pointer
                    count = None if tile.images == self.lanes else tile.images
                    b.store(self.kind, place, self.item, next(results), count)
                else:
                    place = row.moved(b, v * self.lanes, last, tile.phase.step).pointer
                    count = tile.group.live if v == tile.group.vectors - 1 else None
                    stride = row.strides[last] * tile.phase.step
                    b.store(self.kind, place, stride, next(results), count)

    def _outer_taps(
        self, d: int, given: Seen, factor: Seen, taps: list, tile: Tile, sums: list[str]
    ) -> list[str]:
        """Writes the loops over the taps of the outer dimensions."""
        if d == len(taps):
            return self._taps(given, factor, tile, sums)
        b = self.b
        line, first, stop = taps[d]
        factor = factor.moved(b, line.tap, 2 + d)
        with b.loop(first, stop, 1, [(self.element, each) for each in sums]) as loop:
            here = given.moved(b, loop.index, 2 + d, line.apart)
            weight = factor.moved(b, loop.index, 2 + d, line.skip)
            loop.next = self._outer_taps(d + 1, here, weight, taps, tile, loop.carried)
        return loop.results

    def _taps(self, given: Seen, factor: Seen, tile: Tile, sums: list[str]) -> list[str]:
        """Writes the taps of the last dimension for one channel and one tap of the others."""
        b, last = self.b, self.value.ndim - 1
        sums, known = list(sums), {}
        phase, group = tile.phase, tile.group
        for j in range(phase.taps):
            cells = [each for each in group.cells if each.tap == j]
            if not cells:
                continue
            for cell in cells:
                key = (cell.place, cell.span)
                if key not in known:
                    known[key] = self._load(given, cell, tile)
            tap = factor.moved(b, phase.tap + j * phase.skip, last)
            for r in range(tile.height):
                one = b.load(self.kind, tap.moved(b, r, self.row_dim).pointer, 0, None)
                for cell in cells:
                    i = r * group.vectors + cell.vector
                    sums[i] = self.sum(one, known[cell.place, cell.span], sums[i])
        return sums

    def _load(self, given: Seen, cell: Cell, tile: Tile) -> str:
        b, last = self.b, self.value.ndim - 1
        place = given.moved(b, cell.place, last).pointer
        if tile.images:
            count = None if tile.images == self.lanes else tile.images
            return b.load(self.kind, place, self.item, count)
        stride = self.item * tile.phase.pace
        if cell.span is None:
            return b.load(self.kind, place, stride, None)
        return b.load_span(self.kind, place, stride, cell.span)


class WeightGradient(_Writer):
    """Writes `conv_weight`: for each weight, the sum over all places of all images."""

    def write(self, part: Rows | None = None) -> None:
        """Writes the whole kernel, or a part: of channels or of rows of the weights."""
        b, value = self.b, self.value
        g, x = self.kernel.factors
        self.batch, self.images = g.shape[0], self.kernel.along_batch
        kernel = value.shape[2:]
        self.lines = [each[0] for each in self.phases(x.shape[2:], kernel, g.shape[2:], False)]
        outs, ins = value.shape[0] // self.groups, value.shape[1]
        given, seen, made = self.seen(g), self.seen(x), self.seen(value)
        accesses = Accesses(self.plan, self.memory, self.kernel)
        ends = [b.pointer(*each.place) for each in accesses.all]
        shape = value.shape
        self.first: Any = None
        if part is not None:  # of a convolution without groups
            shape = (*shape[: part.dim], part.size, *shape[part.dim + 1 :])
            made = made.moved(b, part.start, part.dim)
            if part.dim == 0:
                outs, given = part.size, given.moved(b, part.start, 1)
            else:
                self.first = part.start
                seen = seen.moved(b, part.start, 2, self.lines[0].apart)
            ends = [b.advance(pointer, part.start, each.strides[part.dim])
                    for pointer, each in zip(ends, accesses.all, strict=True)]  # fmt: skip
        self.rows = shape[2]
        self.heights, self.depth, self.taps = self._tile(outs, ins)
        b.lanes = self.lanes
        with b.loop(0, self.groups, 1, []) as loop:
            given = given.moved(b, loop.index, 1, outs)
            seen = seen.moved(b, loop.index, 1, ins)
            made = made.moved(b, loop.index, 0, outs)
            for start, stop, height in cut(outs, self.heights):
                with b.loop(start, stop, height, []) as rows:
                    upper, result = given.moved(b, rows.index, 1), made.moved(b, rows.index, 0)
                    for first, last, depth in cut(ins, self.depth):
                        with b.loop(first, last, depth, []) as channels:
                            lower = seen.moved(b, channels.index, 1)
                            place = result.moved(b, channels.index, 1)
                            self._outer(0, upper, lower, place, [], (height, depth))
        self.epilogue(accesses, ends, list(zip(shape, range(value.ndim), strict=True)))

    def _tile(self, outs: int, ins: int) -> tuple[int, int, int]:
        """Returns how many channels of both tensors, and taps, the registers hold."""
        best, chosen = float("inf"), (1, 1, 1)
        taps = self.lines[-1].taps
        for height, depth, width in product(range(1, min(outs, 16) + 1), range(1, min(ins, 16) + 1),
                                            range(1, taps + 1)):  # fmt: skip
            if height * depth * width + height + 2 > self.target.registers:
                continue
            cost = 0.0
            for tall in [height] * (outs // height) + [outs % height]:
                for deep in [depth] * (ins // depth) + [ins % depth]:
                    for wide in [width] * (taps // width) + [taps % width]:
                        if tall and deep and wide:
                            cost += max(tall * deep * wide, 8, tall + deep * wide) + 2
            if cost < best:
                best, chosen = cost, (height, depth, width)
        return chosen

    def _outer(
        self, d: int, g: Seen, x: Seen, made: Seen, taps: list, tile: tuple[int, int]
    ) -> None:
        """Writes the loops over the taps of the outer dimensions."""
        b = self.b
        if d < len(self.lines) - 1:
            line = self.lines[d]
            with b.loop(0, self.rows if d == 0 else line.taps, 1, []) as loop:
                tap = loop.index
                if d == 0 and self.first is not None:
                    lanes, b.lanes = b.lanes, 1
                    tap = b.op("add", "i64", tap, self.first)
                    b.lanes = lanes
                first, stop = self._rows(line, tap)
                moved = x.moved(b, loop.index, 2 + d, line.apart).moved(b, line.start, 2 + d)
                place = made.moved(b, loop.index, 2 + d)
                self._outer(d + 1, g, moved, place, [*taps, (line, first, stop)], tile)
            return
        line = self.lines[-1]
        for start in range(0, line.taps, self.taps):
            wide = range(start, min(start + self.taps, line.taps))
            zero = b.splat(self.element, 0.0)
            sums = [zero] * (tile[0] * tile[1] * len(wide))
            sums = self._images(g, x, taps, tile, wide, sums)
            self._store(made, sums, tile, wide)

    def _rows(self, line: Phase, tap: Any) -> tuple[Any, Any]:
        """Writes the first place and the end of the places that meet a tap inside."""
        if line.inside:
            return 0, line.count
        b = self.b
        lanes, b.lanes = b.lanes, 1
        at = b.op("add", "i64", b.op("mul", "i64", tap, line.apart), line.start)
        missing = positive(b, b.op("sub", "i64", line.pace - 1, at))
        room = positive(b, b.op("sub", "i64", line.limit - 1 + line.pace, at))
        low, high = divided(b, missing, line.pace), divided(b, room, line.pace)
        high = b.intrinsic("smin", "i64", high, line.count)
        b.lanes = lanes
        return low, high

    def _images(
        self, g: Seen, x: Seen, taps: list, tile: tuple, wide: range, sums: list[str]
    ) -> list[str]:
        if self.images:
            return self._places(0, g, x, taps, tile, wide, sums)
        with self.b.loop(0, self.batch, 1, [(self.element, each) for each in sums]) as loop:
            upper, lower = g.moved(self.b, loop.index, 0), x.moved(self.b, loop.index, 0)
            loop.next = self._places(0, upper, lower, taps, tile, wide, loop.carried)
        return loop.results

    def _places(
        self, d: int, g: Seen, x: Seen, taps: list, tile: tuple, wide: range, sums: list[str]
    ) -> list[str]:
        """Writes the loops over the places of the outer dimensions."""
        b = self.b
        if d == len(taps):
            return self._line(g, x, tile, wide, sums)
        line, first, stop = taps[d]
        with b.loop(first, stop, 1, [(self.element, each) for each in sums]) as loop:
            upper, lower = g.moved(b, loop.index, 2 + d), x.moved(b, loop.index, 2 + d, line.pace)
            loop.next = self._places(d + 1, upper, lower, taps, tile, wide, loop.carried)
        return loop.results

    def _line(self, g: Seen, x: Seen, tile: tuple, wide: range, sums: list[str]) -> list[str]:
        """Writes the places of the last dimension."""
        b, line = self.b, self.lines[-1]
        dim = len(self.lines) + 1
        phase = line._replace(start=line.start + wide.start * line.apart, taps=len(wide))
        for group in groups_of(phase, 1, 1 if self.images else self.lanes):
            if not group.cells:
                continue
            carried = [(self.element, each) for each in sums]
            with b.loop(group.start, group.stop, group.width, carried) as loop:
                upper = g.moved(b, loop.index, dim)
                lower = x.moved(b, loop.index, dim, phase.pace)
                loop.next = self._steps(upper, lower, group, tile, loop.carried)
            sums = loop.results
        return sums

    def _steps(self, g: Seen, x: Seen, group: Group, tile: tuple, sums: list[str]) -> list[str]:
        if not self.images:
            return self._step(g, x, group, tile, sums, None)
        for start, stop, step, count in self.blocks(self.batch):
            carried = [(self.element, each) for each in sums]
            with self.b.loop(start, stop, step, carried) as loop:
                upper, lower = g.moved(self.b, loop.index, 0), x.moved(self.b, loop.index, 0)
                loop.next = self._step(upper, lower, group, tile, loop.carried, count)
            sums = loop.results
        return sums

    def _step(
        self, g: Seen, x: Seen, group: Group, tile: tuple, sums: list[str], count: int | None
    ) -> list[str]:
        """Writes one vector of places: what it adds to all sums of the tile."""
        b, (height, depth) = self.b, tile
        dim, pace = len(self.lines) + 1, self.lines[-1].pace
        known = group.live if not self.images else count
        uppers = [b.load(self.kind, g.moved(b, r, 1).pointer, self.item, known)
                  for r in range(height)]  # fmt: skip
        sums = list(sums)
        taps = len(sums) // (height * depth)
        for c, cell in product(range(depth), group.cells):
            place = x.moved(b, c, 1).moved(b, cell.place, dim).pointer
            if self.images or cell.span is None:
                stride = self.item if self.images else self.item * pace
                lower = b.load(self.kind, place, stride, count)
            else:
                lower = b.load_span(self.kind, place, self.item * pace, cell.span)
            for r in range(height):
                i = (r * depth + c) * taps + cell.tap
                sums[i] = self.sum(uppers[r], lower, sums[i])
        return sums

    def _store(self, made: Seen, sums: list[str], tile: tuple, wide: range) -> None:
        b, results = self.b, iter(sums)
        for r, c, tap in product(range(tile[0]), range(tile[1]), wide):
            total = b.across(
                lambda x, y: b.op("fadd", self.element, x, y), self.element, next(results)
            )
            place = made.moved(b, r, 0).moved(b, c, 1).moved(b, tap, len(self.lines) + 1)
            lanes, b.lanes = b.lanes, 1
            b.store(self.kind, place.pointer, self.item, total, None)
            b.lanes = lanes


def write_convolution(
    b: Function,
    plan: Plan,
    memory: Memory,
    kernel: Kernel,
    target: Target,
    rows: Rows | None = None,
) -> None:
    """Writes a convolution or a gradient and what its kernel computes from it, or a part of it."""
    if prod(kernel.space) == 0:
        return
    value = kernel.product
    assert value is not None
    writer = WeightGradient if value.name == "conv_weight" else Correlation
    writer(b, plan, memory, kernel, target).write(rows)
