"""Matrix products: tiles of the result in registers, finished by the pointwise values that follow.

Two forms. In the broadcast form a row of the right operand is contiguous: its vectors are
multiplied by single elements of the left one. In the dot form both operands are contiguous along
the summed dimension, and the lanes of each accumulator are added up at the end. A result that lies
column by column is computed as the transposed product. After each panel of rows the kernel's
pointwise values run over it while it is in the cache.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

from . import scalar
from .accesses import Accesses, Dim, lanes_of, merged
from .builder import Function
from .forms import CHEAP
from .ir import Value
from .looks import aligned_strides
from .loops import Nest, Rows, Segment
from .memory import Memory
from .plan import Kernel, Plan
from .runtime import Target

PANEL = 1 << 14  # bytes of results after which the pointwise values run
UNROLLED_WORK = 640  # instructions of pointwise values that are written out for a tile
SHORT = 8  # steps along the summed dimension that are written one by one
REUSED = 1 << 17  # bytes of the right operand that stay in the cache while rows go by


class Factor(NamedTuple):
    """An operand or the result: where it starts and its strides in bytes."""

    pointer: str
    strides: tuple[int, ...]

    def swapped(self) -> Factor:
        """Returns the transposed matrix."""
        return Factor(self.pointer, (*self.strides[:-2], self.strides[-1], self.strides[-2]))


def write_matmul(
    b: Function,
    plan: Plan,
    memory: Memory,
    kernel: Kernel,
    target: Target,
    rows: Rows | None = None,
) -> None:
    """Writes a matrix product and what its kernel computes from it, or a part of both."""
    if prod(kernel.space) != 0:
        Product(b, plan, memory, kernel, target).write(rows)


class Product:
    """Writes one matrix product: as a whole, or for a block of rows of a region."""

    def __init__(self, b: Function, plan: Plan, memory: Memory, kernel: Kernel, target: Target):
        self.b, self.plan, self.memory, self.kernel, self.target = b, plan, memory, kernel, target
        assert kernel.product is not None
        self.kind = kernel.product.dtype
        self.element = scalar.ELEMENT[self.kind]
        self.item = self.kind.itemsize
        self.lanes = target.vector_bytes // self.item
        self.batch = kernel.space[:-2]

    def write(self, rows: Rows | None = None) -> None:
        """Writes the product and what follows from it; for `rows`, that block's part."""
        x, y = self.kernel.factors
        self.m, self.n = self.kernel.space[-2:]
        self.k = x.shape[-1]
        a = self._factor(x, (*self.batch, self.m, self.k))
        c = self._factor(y, (*self.batch, self.k, self.n))
        out = self._factor(self.kernel.product, self.kernel.space)
        self.accesses = Accesses(self.plan, self.memory, self.kernel)
        ends = [self.b.pointer(*each.place) for each in self.accesses.all]
        self.adds = rows is not None and rows.sums
        self.joins = self.adds and not rows.only  # type: ignore[union-attr]
        if rows is not None and rows.sums:
            a, c, self.k = self._moved(a, x, rows, -1), self._moved(c, y, rows, -2), rows.size
        elif rows is not None:
            dim = rows.dim - len(self.kernel.space)
            if dim == -1:
                c, self.n = self._moved(c, y, rows, -1), rows.size
            else:
                a = self._moved(a, x, rows, dim)
            if dim == -2:
                self.m = rows.size
            elif dim < -2:
                c = self._moved(c, y, rows, dim)
                self.batch = (rows.size, *self.batch[1:])
            out = self._moved(out, self.kernel.product, rows, dim)
            ends = [
                p
                if each.value in rows.local
                else self.b.advance(p, rows.start, each.strides[rows.dim])
                for p, each in zip(ends, self.accesses.all, strict=True)
            ]
        if self.adds:
            pointer = self.b.pointer(0, self.memory.sums[self.kernel.product])  # type: ignore
            out = Factor(pointer, out.strides)
        self.order = (-2, -1)
        if out.strides[-1] != self.item and out.strides[-2] == self.item:
            a, c, out = c.swapped(), a.swapped(), out.swapped()
            self.m, self.n, self.order = self.n, self.m, (-1, -2)
        self._batches(0, [a, c, out], ends)

    def _moved(self, factor: Factor, value: Any, rows: Rows, dim: int) -> Factor:
        """Returns a factor from the first row of a block on."""
        if self.plan.looks[value].leaf in rows.local:
            return factor
        pointer = self.b.advance(factor.pointer, rows.start, factor.strides[dim])
        return Factor(pointer, factor.strides)

    def finish(self) -> None:
        """Writes the pointwise values over the whole result."""
        self.order = (-2, -1)
        self.accesses = Accesses(self.plan, self.memory, self.kernel)
        ends = [self.b.pointer(*each.place) for each in self.accesses.all]
        self._finish(ends, *self.kernel.space)

    def _factor(self, value: Any, space: tuple[int, ...]) -> Factor:
        look = self.plan.looks[value]
        slot, offset = self.memory.places[look.leaf]
        strides = aligned_strides(look, value.shape, space)
        pointer = self.b.pointer(slot, offset + look.offset * self.item)
        # A dimension of one element may be taken for a contiguous one.
        return Factor(pointer, tuple(each * self.item for each in strides))

    def _batches(self, level: int, factors: list[Factor], ends: list[str]) -> None:
        if level == len(self.batch):
            self._matrix(factors, ends)
            return
        with self.b.loop(0, self.batch[level], 1, []) as loop:
            moved = [
                Factor(self.b.advance(f.pointer, loop.index, f.strides[level]), f.strides)
                for f in factors
            ]
            ends = self._move_ends(ends, loop.index, level)
            self._batches(level + 1, moved, ends)

    def _move_ends(self, ends: list[str], index: Any, level: int) -> list[str]:
        return [
            self.b.advance(pointer, index, each.strides[level])
            for pointer, each in zip(ends, self.accesses.all, strict=True)
        ]

    # --- one matrix
    def _matrix(self, factors: list[Factor], ends: list[str]) -> None:
        a, c, out = factors
        self.dot = self._is_dot(a, c)
        self.rows, self.columns = self._dot_tile_size() if self.dot else self._tile()
        self.inside = not self.dot and self._ends_inside()
        width = self.columns * (1 if self.dot else self.lanes)
        block = max(REUSED // (self.k * self.item), width) if self.k else self.n
        if self.kernel.values and not self.inside:
            block = min(block, max(PANEL // (self.rows * self.item), 4 * width))
        block = max(block // width, 1) * width
        if self.n <= 2 * block:
            block = self.n
        for start, stop, step in cut(self.n, block):
            with self.b.loop(start, stop, step, []) as loop:
                right = self._column(c, loop.index)
                made = self._column(out, loop.index)
                moved = self._move_ends(ends, loop.index, len(self.batch) + 2 + self.order[1])
                self._block(a, right, made, moved, step)

    def _column(self, factor: Factor, index: Any) -> Factor:
        moved = self.b.advance(factor.pointer, index, factor.strides[-1])
        return Factor(moved, factor.strides)

    def _row(self, factor: Factor, index: Any) -> Factor:
        moved = self.b.advance(factor.pointer, index, factor.strides[-2])
        return Factor(moved, factor.strides)

    def _block(self, a: Factor, c: Factor, out: Factor, ends: list[str], width: int) -> None:
        for start, stop, step in cut(self.m, self.rows):
            with self.b.loop(start, stop, step, []) as loop:
                self.b.lanes = self.lanes
                moved = self._move_ends(ends, loop.index, len(self.batch) + 2 + self.order[0])
                left, made = self._row(a, loop.index), self._row(out, loop.index)
                if self.dot:
                    self._dot_panel(left, c, made, step, width)
                else:
                    self._panel(left, c, made, moved, step, width)
                if not self.adds and not self.inside:
                    self._finish(moved, step, width)

    def _is_dot(self, a: Factor, c: Factor) -> bool:
        if c.strides[-1] == self.item and (self.n >= self.lanes // 2 or a.strides[-1] != self.item):
            return False
        return a.strides[-1] == self.item and c.strides[-2] == self.item

    def _dot_tile_size(self) -> tuple[int, int]:
        columns = min(4, self.n)
        return min(4 if self.target.registers == 32 else 2, self.m), columns

    def _tile(self) -> tuple[int, int]:
        """Returns rows and vectors of the tile that the registers hold and the sizes like best."""
        best, chosen = float("inf"), (1, 1)
        vectors = -(-self.n // self.lanes)
        for columns in range(1, 4):
            for rows in range(1, min(self.m, 28) + 1):
                if rows * columns + columns + 1 > self.target.registers:
                    break
                cost = 0.0
                for height in [rows] * (self.m // rows) + [self.m % rows] * (self.m % rows > 0):
                    for width in (columns, vectors % columns):
                        count = vectors // columns if width == columns else int(width > 0)
                        cost += count * (max(height * width, 8, height + width) + 1)
                if cost < best:
                    best, chosen = cost, (rows, columns)
        return chosen

    def _finish(self, ends: list[str], rows: int, columns: int) -> None:
        """Writes the kernel's pointwise values over a panel of finished rows."""
        if not self.kernel.values:
            return
        first, second = self.order
        short = [
            replace(each, strides=(each.strides[first], each.strides[second]))
            for each in self.accesses.all
        ]
        dims = merged((rows, columns), short, ())
        nest = Nest(self.b, self.accesses, lanes_of(self.kernel, self.target.vector_bytes))
        nest.run(dims, ends)

    def _ends_inside(self) -> bool:
        """Says whether the pointwise values are computed while a tile is in registers."""
        values = self.kernel.values
        work = sum(1 if each.name in CHEAP else 12 for each in values) * self.rows * self.columns
        lanes = lanes_of(self.kernel, self.target.vector_bytes)
        return bool(values) and not self.adds and lanes == self.lanes and work <= UNROLLED_WORK

    # --- the broadcast form
    def _panel(
        self, a: Factor, c: Factor, out: Factor, ends: list[str], rows: int, width: int
    ) -> None:
        step = self.columns * self.lanes
        along = len(self.batch) + 2 + self.order[1]
        whole = width - width % step
        if whole:
            with self.b.loop(0, whole, step, []) as loop:
                right, made = self._column(c, loop.index), self._column(out, loop.index)
                moved = self._move_ends(ends, loop.index, along)
                self._broadcast_tile(a, right, made, moved, rows, [None] * self.columns)
        rest = width - whole
        if rest:
            right, made = self._column(c, whole), self._column(out, whole)
            vectors = -(-rest // self.lanes)
            counts = [None] * (vectors - 1) + [rest % self.lanes or None]
            self._broadcast_tile(a, right, made, self._move_ends(ends, whole, along), rows, counts)

    def _broadcast_tile(
        self,
        a: Factor,
        c: Factor,
        out: Factor,
        ends: list[str],
        rows: int,
        counts: list[int | None],
    ) -> None:
        b = self.b
        zero = b.splat(self.element, 0.0)
        columns = len(counts)
        if self.k <= SHORT:
            sums = [zero] * (rows * columns)
            for k in range(self.k):
                sums = self._multiply(a, c, k, rows, counts, sums)
        else:
            with b.loop(0, self.k, 1, [(self.element, zero)] * (rows * columns)) as loop:
                loop.next = self._multiply(a, c, loop.index, rows, counts, loop.carried)
            sums = loop.results
        if not self.inside or self.kernel.product in self.plan.stored:
            results = iter(sums)
            for r in range(rows):
                row = b.advance(out.pointer, r, out.strides[-2])
                for v, n in enumerate(counts):
                    place = b.advance(row, v * self.lanes, out.strides[-1])
                    self._store(place, out.strides[-1], next(results), n)
        if self.inside:
            self._end_tile(ends, rows, counts, sums)

    def _end_tile(
        self, ends: list[str], rows: int, counts: list[int | None], sums: list[str]
    ) -> None:
        """Writes the pointwise values of a tile; what many of its vectors need is read once."""
        down, along = (len(self.batch) + 2 + each for each in self.order)
        steps = tuple(each.strides[along] for each in self.accesses.all)
        nest = Nest(self.b, self.accesses, self.lanes)
        nest.dims, nest.vector = [Dim(self.n, steps, False)], 0
        same_down = {
            v for v, i in self.accesses.of.items() if not self.accesses.all[i].strides[down]
        }
        same_along = {v for v, i in self.accesses.of.items() if not steps[i]}
        by_column: list[dict[Value, Any]] = [{} for _ in counts]
        everywhere: dict[Value, Any] = {}
        for r in range(rows):
            row = self._move_ends(ends, r, down)
            by_row: dict[Value, Any] = {}
            for v, n in enumerate(counts):
                place = self._move_ends(row, v * self.lanes, along)
                known = {**everywhere, **by_row, **by_column[v]}
                known[self.kernel.product] = sums[r * len(counts) + v]  # type: ignore[index]
                nest.block(place, known, Segment(0, 0, 1, n))
                by_column[v] |= {x: known[x] for x in same_down if x in known}
                by_row |= {x: known[x] for x in same_along if x in known}
                everywhere |= {x: known[x] for x in same_along & same_down if x in known}

    def _multiply(
        self, a: Factor, c: Factor, k: Any, rows: int, counts: list[int | None], sums: list[str]
    ) -> list[str]:
        """Writes one step along the summed dimension of a tile."""
        b = self.b
        left = b.advance(a.pointer, k, a.strides[-1])
        right = b.advance(c.pointer, k, c.strides[-2])
        vectors = [
            b.load(self.kind, b.advance(right, v * self.lanes, c.strides[-1]), c.strides[-1], n)
            for v, n in enumerate(counts)
        ]
        result = []
        for r in range(rows):
            one = b.load(self.kind, b.advance(left, r, a.strides[-2]), 0, None)
            for v, each in enumerate(vectors):
                total = sums[r * len(vectors) + v]
                result.append(b.intrinsic("fma", self.element, one, each, total))
        return result

    # --- the dot form
    def _dot_panel(self, a: Factor, c: Factor, out: Factor, rows: int, width: int) -> None:
        for start, stop, step in cut(width, self.columns):
            with self.b.loop(start, stop, step, []) as loop:
                right, made = self._column(c, loop.index), self._column(out, loop.index)
                self._dot_tile(a, right, made, rows, step)

    def _dot_tile(self, a: Factor, c: Factor, out: Factor, rows: int, columns: int) -> None:
        b = self.b
        whole = self.k - self.k % self.lanes
        first = [b.splat(self.element, 0.0)] * (rows * columns)
        with b.loop(0, whole, self.lanes, [(self.element, each) for each in first]) as loop:
            loop.next = self._dots(a, c, loop.index, rows, columns, loop.carried, None)
        sums = loop.results
        if self.k > whole:
            sums = self._dots(a, c, whole, rows, columns, sums, self.k - whole)
        if out.strides[-1] == self.item and columns > 1 and self.lanes % columns == 0:
            self._store_together(sums, out, rows, columns)
            return
        for r in range(rows):
            for j in range(columns):
                total = b.across(self._sum, self.element, sums[r * columns + j])
                place = b.advance(b.advance(out.pointer, r, out.strides[-2]), j, out.strides[-1])
                lanes, b.lanes = b.lanes, 1
                self._store(place, self.item, total, None)
                b.lanes = lanes

    def _store(self, place: str, stride: int, x: str, count: int | None) -> None:
        if self.joins:
            x = self._sum(self.b.load(self.kind, place, stride, count), x)
        self.b.store(self.kind, place, stride, x, count)

    def _sum(self, x: str, y: str) -> str:
        return self.b.op("fadd", self.element, x, y)

    def _store_together(self, sums: list[str], out: Factor, rows: int, columns: int) -> None:
        """Adds up the lanes of many accumulators at once: a tree of shuffles ends in one vector."""
        b = self.b
        for start in range(0, len(sums), self.lanes):
            group = sums[start : start + self.lanes]
            full = group + [b.splat(self.element, 0.0)] * (self.lanes - len(group))
            total = b.transposed_sum(self._sum, self.element, full)
            for i in range(len(group) // columns):
                row = b.advance(out.pointer, start // columns + i, out.strides[-2])
                part = b.part(self.element, total, i * columns, columns)
                lanes, b.lanes = b.lanes, columns
                self._store(row, self.item, part, None)
                b.lanes = lanes

    def _dots(
        self, a: Factor, c: Factor, k: Any, rows: int, columns: int, sums: list, count: int | None
    ) -> list[str]:
        b = self.b
        left = b.advance(a.pointer, k, self.item)
        right = b.advance(c.pointer, k, self.item)
        ones = [
            b.load(self.kind, b.advance(left, r, a.strides[-2]), self.item, count)
            for r in range(rows)
        ]
        twos = [
            b.load(self.kind, b.advance(right, j, c.strides[-1]), self.item, count)
            for j in range(columns)
        ]
        return [
            b.intrinsic("fma", self.element, ones[r], twos[j], sums[r * columns + j])
            for r in range(rows)
            for j in range(columns)
        ]


def cut(size: int, step: int) -> list[tuple[int, int, int]]:
    """Returns the loops (start, stop, step) that cover a size: whole steps, then the rest."""
    whole = size - size % step
    loops = [(0, whole, step), (whole, size, size - whole)]
    return [each for each in loops if each[0] < each[1]]
