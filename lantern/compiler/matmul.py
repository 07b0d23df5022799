"""Matrix products: tiles of the result in registers, finished by the pointwise values that follow.

Two forms. In the broadcast form a row of the right operand is contiguous: its vectors are
multiplied by single elements of the left one. In the dot form both operands are contiguous along
the summed dimension, and the lanes of each accumulator are added up at the end. After each panel of
rows the kernel's pointwise values run over it while it is in the cache.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

from ..shape import contiguous_strides
from . import scalar
from .builder import Function
from .fuse import Kernel, Plan, aligned_strides
from .loops import Accesses, Nest, lanes_of, merged
from .memory import Memory
from .runtime import Target


class Factor(NamedTuple):
    """An operand or the result: where it starts and its strides in bytes."""

    pointer: str
    strides: tuple[int, ...]


def write_matmul(b: Function, plan: Plan, memory: Memory, kernel: Kernel, target: Target) -> None:
    """Writes a matrix product and what its kernel computes from it."""
    _Matmul(b, plan, memory, kernel, target).write()


class _Matmul:
    def __init__(
        self, b: Function, plan: Plan, memory: Memory, kernel: Kernel, target: Target
    ):
        self.b, self.plan, self.memory, self.kernel, self.target = b, plan, memory, kernel, target
        self.product = kernel.product
        assert self.product is not None
        self.kind = self.product.dtype
        self.element = scalar.ELEMENT[self.kind]
        self.item = self.kind.itemsize
        self.lanes = target.vector_bytes // self.item
        x, y = self.product.args
        self.batch = kernel.space[:-2]
        self.m, self.n = kernel.space[-2:]
        self.k = x.shape[-1]

    def write(self) -> None:
        if prod(self.kernel.space) == 0:
            return
        x, y = self.product.args  # type: ignore[union-attr]
        a = self._factor(x, (*self.batch, self.m, self.k))
        c = self._factor(y, (*self.batch, self.k, self.n))
        out = self._result()
        self.accesses = Accesses(self.plan, self.memory, self.kernel)
        ends = [self.b.pointer(*each.place) for each in self.accesses.all]
        self._batches(0, [a, c, out], ends)

    def _factor(self, value: Any, space: tuple[int, ...]) -> Factor:
        look = self.plan.looks[value]
        slot, offset = self.memory.places[look.leaf]
        strides = aligned_strides(look, value.shape, space)
        pointer = self.b.pointer(slot, offset + look.offset * self.item)
        return Factor(pointer, tuple(each * self.item for each in strides))

    def _result(self) -> Factor:
        slot, offset = self.memory.places[self.product]  # type: ignore[index]
        strides = contiguous_strides(self.kernel.space)
        return Factor(self.b.pointer(slot, offset), tuple(s * self.item for s in strides))

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
        dot = self._is_dot(a, c)
        if dot:
            rows, columns = (4, 4) if self.target.registers == 32 else (3, 3)
            rows, columns = min(rows, self.m), min(columns, self.n)
        else:
            rows, columns = self._tile()
        whole = self.m - self.m % rows
        row = len(self.batch)
        for start, stop, step in ((0, whole, rows), (whole, self.m, self.m - whole)):
            if start == stop:
                continue
            with self.b.loop(start, stop, step, []) as loop:
                self.b.lanes = self.lanes
                left = Factor(self.b.advance(a.pointer, loop.index, a.strides[-2]), a.strides)
                made = Factor(self.b.advance(out.pointer, loop.index, out.strides[-2]), out.strides)
                panel = self._dot_panel if dot else self._panel
                panel(left, c, made, step, columns)
                self._finish(self._move_ends(ends, loop.index, row), step)

    def _is_dot(self, a: Factor, c: Factor) -> bool:
        if c.strides[-1] == self.item and self.n >= self.lanes // 2:
            return False
        return a.strides[-1] == self.item and c.strides[-2] == self.item

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

    def _finish(self, ends: list[str], rows: int) -> None:
        """Writes the kernel's pointwise values over a panel of finished rows."""
        if not self.kernel.values:
            return
        short = [replace(each, strides=each.strides[-2:]) for each in self.accesses.all]
        dims = merged((rows, self.n), short, ())
        nest = Nest(self.b, self.accesses, lanes_of(self.kernel, self.target.vector_bytes))
        nest.run(dims, ends)

    # --- the broadcast form
    def _panel(self, a: Factor, c: Factor, out: Factor, rows: int, columns: int) -> None:
        step = columns * self.lanes
        whole = self.n - self.n % step
        if whole:
            with self.b.loop(0, whole, step, []) as loop:
                self._at(a, c, out, loop.index, rows, columns, None)
        rest = self.n - whole
        if rest:
            vectors = -(-rest // self.lanes)
            count = rest % self.lanes or None
            self._at(a, c, out, whole, rows, vectors, count)

    def _at(
        self, a: Factor, c: Factor, out: Factor, column: Any, rows: int, columns: int, count: Any
    ) -> None:
        right = Factor(self.b.advance(c.pointer, column, c.strides[-1]), c.strides)
        made = Factor(self.b.advance(out.pointer, column, out.strides[-1]), out.strides)
        self._broadcast_tile(a, right, made, rows, columns, count)

    def _broadcast_tile(
        self, a: Factor, c: Factor, out: Factor, rows: int, columns: int, count: int | None
    ) -> None:
        b = self.b
        zero = b.splat(self.element, 0.0)
        counts = [None] * (columns - 1) + [count]
        with b.loop(0, self.k, 1, [(self.element, zero)] * (rows * columns)) as loop:
            left = b.advance(a.pointer, loop.index, a.strides[-1])
            right = b.advance(c.pointer, loop.index, c.strides[-2])
            vectors = [
                b.load(self.kind, b.advance(right, v * self.lanes, c.strides[-1]), c.strides[-1], n)
                for v, n in enumerate(counts)
            ]
            sums = iter(loop.carried)
            for r in range(rows):
                one = b.load(self.kind, b.advance(left, r, a.strides[-2]), 0, None)
                loop.next += [
                    b.intrinsic("fma", self.element, one, each, next(sums)) for each in vectors
                ]
        results = iter(loop.results)
        for r in range(rows):
            row = b.advance(out.pointer, r, out.strides[-2])
            for v, n in enumerate(counts):
                place = b.advance(row, v * self.lanes, self.item)
                b.store(self.kind, place, self.item, next(results), n)

    # --- the dot form
    def _dot_panel(self, a: Factor, c: Factor, out: Factor, rows: int, columns: int) -> None:
        whole = self.n - self.n % columns
        for start, stop, step in ((0, whole, columns), (whole, self.n, self.n - whole)):
            if start == stop:
                continue
            with self.b.loop(start, stop, step, []) as loop:
                right = Factor(self.b.advance(c.pointer, loop.index, c.strides[-1]), c.strides)
                made = Factor(self.b.advance(out.pointer, loop.index, self.item), out.strides)
                self._dot_tile(a, right, made, rows, step)

    def _dot_tile(self, a: Factor, c: Factor, out: Factor, rows: int, columns: int) -> None:
        b = self.b
        whole = self.k - self.k % self.lanes
        zero = b.splat(self.element, 0.0)
        with b.loop(0, whole, self.lanes, [(self.element, zero)] * (rows * columns)) as loop:
            loop.next = self._dots(a, c, loop.index, rows, columns, loop.carried, None)
        sums = loop.results
        if self.k > whole:
            sums = self._dots(a, c, whole, rows, columns, sums, self.k - whole)
        for r in range(rows):
            for j in range(columns):
                total = b.across(
                    lambda x, y: b.op("fadd", self.element, x, y),
                    self.element,
                    sums[r * columns + j],
                )
                place = b.advance(b.advance(out.pointer, r, out.strides[-2]), j, self.item)
                lanes, b.lanes = b.lanes, 1
                b.store(self.kind, place, self.item, total, None)
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


