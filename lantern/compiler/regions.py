"""Runs of kernels over the same many rows, carried out block by block so that blocks stay in cache.

A region takes the kernels whose first dimension is the batch, from the first layer's product to the
last gradient. Its loop goes over blocks of rows; sums over the batch are gathered block after
block, and what is computed from them (the optimizer's updates) follows when the loop is through.
Products with large weights stay outside: they are cut so that each thread keeps its rows of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

from . import scalar
from .accesses import Accesses, lanes_of
from .builder import Function
from .ir import Value
from .looks import Look, aligned_strides
from .loops import Nest, Rows
from .matmul import Product, cut
from .memory import Memory, nbytes, operands
from .parts import cost
from .plan import Kernel, Plan
from .pool import cores
from .runtime import Target

CACHE = 1 << 17  # bytes that the blocks of all values of a region may fill
WEIGHT = 1 << 15  # bytes of a matrix that each part may go through, or add up for itself
ROWS, SUM = "rows", "sum"
LINE, ASKED = 64, 4096  # bytes of a line of the cache, of a value whose lines are asked for
ALIGNED = 16  # rows that parts and blocks are multiples of
LEAST, MUCH = 2.0, 16.0  # µs that each thread must have to do for one part, for several


@dataclass
class Region:
    """Kernels that run together: over `rows`, in `parts` of `size` rows, each in blocks of `block`.

    Values in `local` need no memory beyond a block; those in `whole` cannot be laid out so.
    """

    rows: int
    parts: int
    size: int
    block: int
    kernels: list[Kernel]
    roles: dict[Kernel, str]
    local: set[Value] = field(default_factory=set)
    whole: set[Value] = field(default_factory=set)

    def sums_of(self, kernel: Kernel) -> list[Value]:
        """Returns what a kernel adds up over the rows."""
        if self.roles[kernel] != SUM:
            return []
        if kernel.product is not None:
            return [kernel.product]
        stored = [source for source, _ in kernel.stores]
        return [each for each in kernel.reductions if each in stored]

    def sums(self) -> list[Value]:
        """Returns all that is added up over the rows."""
        return [each for kernel in self.kernels for each in self.sums_of(kernel)]

    def __str__(self) -> str:
        numbers = ", ".join(str(each.index) for each in self.kernels)
        parts = f"{self.parts} parts of {self.size} rows, " if self.parts > 1 else ""
        return f"region of {self.rows} rows in {parts}blocks of {self.block}: kernels {numbers}"


def find_region(plan: Plan) -> None:
    """Moves the kernels of the largest region together and notes it in the plan."""
    sizes = [k.space[0] for k in plan.kernels if k.kind == "matmul" and len(k.space) == 2]
    for rows in sorted(set(sizes), reverse=True):
        if sizes.count(rows) >= 2 and rows >= 64:
            region = _Finder(plan, rows).run()
            if region is not None:
                plan.region = region
                return


class _Finder:
    def __init__(self, plan: Plan, rows: int):
        self.plan, self.rows = plan, rows
        self.roles: dict[Kernel, str] = {}
        self.written: dict[Value, str] = {}  # leaves of the region, by the role of their kernel

    def run(self) -> Region | None:
        before: list[Kernel] = []
        inside: list[Kernel] = []
        after: list[Kernel] = []
        late: set[Value] = set()
        for kernel in self.plan.kernels:
            leaves = {self.plan.looks[each].leaf for each in operands(kernel)}
            written = {target.leaf for _, target in kernel.stores} | {kernel.product, kernel.call}
            follows = bool(leaves & late) or bool(written & late)
            draws = kernel.call is not None and any(each.call is not None for each in after)
            role = None if follows or draws else self._role(kernel)
            if role is not None:
                inside.append(kernel)
                self.roles[kernel] = role
                self.written |= dict.fromkeys((each for each in written if each is not None), role)
            elif follows or draws or (leaves | written) & set(self.written):
                after.append(kernel)
                late |= {each for each in written if each is not None}
            else:
                before.append(kernel)
        if not self._pays(inside):
            return None
        parts, size, block = self._division(inside)
        if block >= self.rows:  # neither blocks nor parts
            return None
        region = Region(self.rows, parts, size, block, inside, self.roles)
        outside = {self.plan.looks[x].leaf for k in (*before, *after) for x in operands(k)}
        outside |= {look.leaf for look in self.plan.outputs.values()}
        region.local = {v for v, r in self.written.items() if r == ROWS and v not in outside}
        region.local &= {leaf for leaf in self.written if self._has_rows(leaf)}
        region.whole = {each for each in region.local if not self._shrink(each, block)}
        self.plan.kernels[:] = [*before, *inside, *after]
        for index, kernel in enumerate(self.plan.kernels):
            kernel.index = kernel.moment = index
        for kernel in inside:
            kernel.moment = len(before)
        return region

    def _shrink(self, leaf: Value, block: int) -> bool:
        """Lays a value that lies column by column out for a block; says whether that is possible.

        A value that lies row by row needs nothing for it.
        """
        plan = self.plan
        if plan.looks[leaf].strides[0] != 1 or prod(leaf.shape[1:]) == 1:
            return True
        mine = [each for each, look in plan.looks.items() if look.leaf is leaf]
        steps = [s for each in mine for s in plan.looks[each].strides]
        if any(s not in (0, 1) and s % self.rows for s in steps):
            return False
        if any(plan.looks[each].offset % self.rows for each in mine):
            return False

        def shrunk(look: Look) -> Look:
            strides = tuple(s // self.rows * block if s > 1 else s for s in look.strides)
            return Look(leaf, look.offset // self.rows * block, strides)

        for each in mine:
            plan.looks[each] = shrunk(plan.looks[each])
        for kernel in plan.kernels:
            kernel.stores[:] = [
                (source, shrunk(look) if look.leaf is leaf else look)
                for source, look in kernel.stores
            ]
        return True

    def _pays(self, kernels: list[Kernel]) -> bool:
        products = [each for each in kernels if each.kind == "matmul"]
        return len(products) >= 3

    def _division(self, kernels: list[Kernel]) -> tuple[int, int, int]:
        """Returns how many parts, and the rows of a part and of a block of it."""
        threads = cores()
        work = sum(cost(self.plan, each) for each in kernels) / threads
        most = 0 if work < LEAST else 1 if work < MUCH else 3
        size = even_parts(self.rows, threads, most) if threads > 1 and most else self.rows
        kept = {target.leaf for each in kernels for _, target in each.stores}
        products = [each.product for each in kernels if each.product is not None]
        kept |= self.plan.stored.intersection(products)
        columns = sum(prod(v.shape[1:]) * v.itemsize for v in kept if self._has_rows(v))
        blocks = -(-size // max(min(CACHE // max(columns, 1), 512), 128))
        block = -(-size // blocks // ALIGNED) * ALIGNED if blocks > 1 else size
        return -(-self.rows // size), size, block

    def _has_rows(self, leaf: Value) -> bool:
        return leaf.shape[:1] == (self.rows,)

    # --- what a kernel does with the rows
    def _role(self, kernel: Kernel) -> str | None:
        if kernel.kind in ("call", "conv") or kernel.picks:
            return None
        role = self._product_role(kernel) if kernel.kind == "matmul" else self._loop_role(kernel)
        if role is None or not all(self._fits(kernel, each, role) for each in operands(kernel)):
            return None
        for source, target in kernel.stores:
            if (
                source in kernel.reductions
                and role == SUM
                or kernel.kind == "matmul"
                and role == SUM
            ):
                continue
            if not self._has_rows(target.leaf):
                return None
            if target.strides[:1] != self.plan.looks[target.leaf].strides[:1]:
                return None
        return role

    def _product_role(self, kernel: Kernel) -> str | None:
        if len(kernel.space) != 2:
            return None
        (rows, columns), inner = kernel.space, kernel.factors[0].shape[-1]
        item = kernel.product.itemsize  # type: ignore[union-attr]
        if rows == self.rows != inner:
            return ROWS if inner * columns * item <= WEIGHT else None
        sums = inner == self.rows not in kernel.space and rows * columns * item <= WEIGHT
        return SUM if sums else None

    def _loop_role(self, kernel: Kernel) -> str | None:
        if kernel.space[:1] != (self.rows,):
            return None
        return SUM if 0 in (kernel.dims or ()) else ROWS

    def _fits(self, kernel: Kernel, value: Value, role: str) -> bool:
        """Says whether a block of the kernel reads only the same block of what the region made."""
        look = self.plan.looks[value]
        made = self.written.get(look.leaf)
        if made is None:
            return True
        if made == SUM or not self._has_rows(look.leaf):
            return False
        step = self.plan.looks[look.leaf].strides[0]
        if value in kernel.factors:
            if role == SUM:
                place = 1 if value is kernel.factors[0] else 0
                return value.shape[place] == self.rows and look.strides[place] == step
            return value is not kernel.factors[1] and look.strides[0] == step
        if kernel.kind == "matmul" and role == SUM:
            return False  # what follows a sum over the batch runs when the loop is through
        return aligned_strides(look, value.shape, kernel.space)[0] == step and self.rows > 1


def even_parts(rows: int, threads: int, most: int) -> int:
    """Returns the rows of a part so that every thread has as much to do, in up to `most` parts.

    Of about equally even ways it is the one with most parts: a thread that is kept from working
    leaves less undone.
    """
    spans = {}  # by the size of parts: the rows that some thread has to do
    for times in range(1, most + 1):
        size = -(-rows // (threads * times) // ALIGNED) * ALIGNED
        parts = -(-rows // size)
        spans[size] = -(-parts // threads) * size
    best = min(spans.values())
    return min(size for size, span in spans.items() if span <= 1.01 * best)


def write_region(plan: Plan, memory: Memory, region: Region, target: Target) -> list[Function]:
    """Returns the function for one part of the rows, and the one that follows when all are done."""
    part, end = Function("region"), Function("region.end")
    part.parts = region.parts
    start = part.op("mul", "i64", "%part", region.size) if region.parts > 1 else 0
    _write_part(part, plan, memory, region, target, start, region.size)
    for each in region.sums():
        for i in range(1, region.parts):
            own = end.advance(end.pointer(0, memory.sums[each]), i, memory.apart[1])
            _ask_for(end, own, nbytes(each), writes=False)
    last = (region.parts - 1) * region.size
    if region.rows - last != region.size:
        part.larger, part.rest = region.parts - 1, Function("region.rest")
        _write_part(part.rest, plan, memory, region, target, last, region.rows - last)
    for kernel in region.kernels:
        if region.roles[kernel] == SUM:
            for leaf in region.sums_of(kernel):
                _join_parts(end, memory, region.parts, leaf, target)
            if kernel.kind == "matmul":
                Product(end, plan, memory, kernel, target).finish()
    return [part, end]


def _write_part(
    b: Function,
    plan: Plan,
    memory: Memory,
    region: Region,
    target: Target,
    start: Any,
    size: int,
) -> None:
    """Writes the loop over the blocks of a part, and what starts its sums."""
    b.apart = memory.apart
    if region.parts > 1:
        for leaf in _read_as_whole(plan, memory, region):
            _ask_for(b, b.pointer(*memory.places[leaf]), nbytes(leaf), writes=False)
    whole = size - size % region.block
    only = size <= region.block
    for leaf in [] if only else region.sums():
        b.lanes = target.vector_bytes // leaf.dtype.itemsize
        first = scalar.identity(_join_name(leaf), leaf.dtype)
        zero = b.splat(scalar.ELEMENT[leaf.dtype], first)
        place = b.pointer(0, memory.sums[leaf])
        for index, count in _vectors(b, leaf):
            b.store(leaf.dtype, b.advance(place, index, leaf.itemsize), leaf.itemsize, zero, count)
    with b.loop(0, whole, region.block, []) as loop:
        b.lanes = 1
        row = b.op("add", "i64", loop.index, start)
        _write_block(b, plan, memory, region, target, row, region.block, only)
    if whole < size:
        b.lanes = 1
        row = b.op("add", "i64", start, whole)
        _write_block(b, plan, memory, region, target, row, size - whole, only)


def _read_as_whole(plan: Plan, memory: Memory, region: Region) -> list[Value]:
    """Returns what all parts read, weights for example: another thread may just have written it."""
    read: dict[Value, None] = {}
    for kernel in region.kernels:
        ends = kernel.kind == "matmul" and region.roles[kernel] == SUM
        values = kernel.factors if ends else operands(kernel)
        read |= dict.fromkeys(plan.looks[each].leaf for each in values)
    return [
        leaf
        for leaf in read
        if leaf in memory.places and leaf not in region.local and leaf.shape[:1] != (region.rows,)
    ]


def _ask_for(b: Function, place: str, size: int, writes: bool) -> None:
    """Asks for memory that another thread has had, all lines at once: each is far away."""
    if size <= ASKED:
        for start in range(0, size, LINE):
            b.prefetch(b.advance(place, start, 1), writes)


def _write_block(
    b: Function,
    plan: Plan,
    memory: Memory,
    region: Region,
    target: Target,
    row: Any,
    size: int,
    only: bool,
) -> None:
    """Writes all kernels for a block of rows, which may be the only one of its part."""
    asked = region.parts == 1
    for kernel in region.kernels:
        rows = Rows(row, size, region.local, region.roles[kernel] == SUM, only=only)
        if rows.sums and not asked:  # the caller has read what is there
            asked = True
            for leaf in region.sums():
                _ask_for(b, b.pointer(0, memory.sums[leaf]), nbytes(leaf), writes=True)
        if kernel.kind == "matmul":
            Product(b, plan, memory, kernel, target).write(rows)
        else:
            lanes = lanes_of(kernel, target.vector_bytes)
            Nest(b, Accesses(plan, memory, kernel), lanes).write(rows)


def _join_name(leaf: Value) -> str:
    return "sum" if leaf.name == "matmul" else leaf.name


def _vectors(b: Function, leaf: Value) -> Iterator[tuple[Any, int | None]]:
    """Opens loops over all elements of a leaf; yields the place and how many lanes count."""
    lanes = b.lanes
    for start, stop, step in cut(leaf.size, lanes):
        with b.loop(start, stop, step, []) as loop:
            yield loop.index, None if step == lanes else step


def _join_parts(b: Function, memory: Memory, parts: int, leaf: Value, target: Target) -> None:
    """Writes the join of the sums of all parts to where it belongs."""
    b.lanes = target.vector_bytes // leaf.dtype.itemsize
    made = b.pointer(*memory.places[leaf])
    own = b.pointer(0, memory.sums[leaf])
    for index, count in _vectors(b, leaf):
        source = b.advance(own, index, leaf.itemsize)
        total = b.load(leaf.dtype, source, leaf.itemsize, count)
        for i in range(1, parts):
            x = b.load(leaf.dtype, b.advance(source, i, memory.apart[1]), leaf.itemsize, count)
            total = scalar.write(b, scalar.JOIN[_join_name(leaf)], leaf.dtype, [total, x])
        place = b.advance(made, index, leaf.itemsize)
        b.store(leaf.dtype, place, leaf.itemsize, total, count)
