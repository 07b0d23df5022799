"""Runs of kernels over the same many rows, carried out block by block so that blocks stay in cache.

A region takes the kernels whose first dimension is the batch, from the first layer's product to the
last gradient. Its loop goes over blocks of rows; sums over the batch are gathered block after
block, and what is computed from them (the optimizer's updates) follows when the loop is through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

from ..shape import contiguous_strides
from .builder import Function
from .fuse import Kernel, Plan
from .ir import Value
from .looks import aligned_strides
from .loops import Accesses, Nest, Rows, lanes_of
from .matmul import Product
from .memory import Memory, operands
from .runtime import Target

CACHE = 1 << 16  # bytes that the blocks of all values of a region may fill
ROWS, SUM = "rows", "sum"


@dataclass
class Region:
    """Kernels that run together: over `rows`, in blocks of `block`; `local` values need no more."""

    rows: int
    block: int
    kernels: list[Kernel]
    roles: dict[Kernel, str]
    local: set[Value] = field(default_factory=set)
    along: set[Kernel] = field(default_factory=set)  # products of operands contiguous in the batch

    def gathered(self) -> list[Value]:
        """Returns the products over the batch whose sums are kept lane by lane until the end."""
        return [
            each.product
            for each in self.kernels
            if each.product is not None and self.roles[each] == SUM and each in self.along
        ]

    def __str__(self) -> str:
        numbers = ", ".join(str(each.index) for each in self.kernels)
        return f"region of {self.rows} rows in blocks of {self.block}: kernels {numbers}"


def find_region(plan: Plan) -> None:
    """Moves the kernels of the largest region together and notes it in the plan."""
    sizes = [k.space[0] for k in plan.kernels if k.kind == "matmul" and len(k.space) == 2]
    for rows in sorted(set(sizes), reverse=True):
        if sizes.count(rows) >= 2 and rows >= 256:
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
        region = Region(self.rows, self._block(), inside, self.roles)
        if region.block >= self.rows:
            return None
        outside = {self.plan.looks[x].leaf for k in (*before, *after) for x in operands(k)}
        outside |= {look.leaf for look in self.plan.outputs.values()}
        region.local = {v for v, r in self.written.items() if r == ROWS and v not in outside}
        region.local &= {leaf for leaf in self.written if self._has_rows(leaf)}
        region.along = {each for each in inside if each.product is not None and self._along(each)}
        self.plan.kernels[:] = [*before, *inside, *after]
        for index, kernel in enumerate(self.plan.kernels):
            kernel.index = kernel.moment = index
        for kernel in inside:
            kernel.moment = len(before)
        return region

    def _along(self, kernel: Kernel) -> bool:
        first, second = (self.plan.looks[each].strides for each in kernel.factors)
        result = self.plan.looks[kernel.product].strides  # type: ignore[index]
        plain = result == contiguous_strides(kernel.space)
        return (
            plain and first[1] == 1 and second[0] == 1 and (second[1] != 1 or kernel.space[1] == 1)
        )

    def _pays(self, kernels: list[Kernel]) -> bool:
        products = [each for each in kernels if each.kind == "matmul"]
        return len(products) >= 3

    def _block(self) -> int:
        columns = sum(prod(v.shape[1:]) * v.itemsize for v in self.written if self._has_rows(v))
        size = max(min(CACHE // max(columns, 1), 512), 128)
        # A size that divides the rows needs no code for a shorter last block.
        whole = [s for s in range(size // 2, min(2 * size, self.rows) + 1) if self.rows % s == 0]
        if whole:
            return min(whole, key=lambda s: -(-s // 16) * 16 / s * (1 + 24 / s))
        count = max(round(self.rows / size), 1)
        return -(-self.rows // count // 16) * 16 if count > 1 else self.rows

    def _has_rows(self, leaf: Value) -> bool:
        return leaf.shape[:1] == (self.rows,)

    # --- what a kernel does with the rows
    def _role(self, kernel: Kernel) -> str | None:
        if kernel.kind in ("call", "conv") or kernel.checks:
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
        inner = kernel.factors[0].shape[-1]
        if kernel.space[0] == self.rows != inner:
            return ROWS
        return SUM if inner == self.rows not in kernel.space else None

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


def write_region(b: Function, plan: Plan, memory: Memory, region: Region, target: Target) -> None:
    """Writes the loop over blocks, what starts the sums before it, and what follows after it."""
    writers = [_Writer(b, plan, memory, region, kernel, target) for kernel in region.kernels]
    for each in writers:
        each.start()
    whole = region.rows - region.rows % region.block
    with b.loop(0, whole, region.block, []) as loop:
        for each in writers:
            each.block(loop.index, region.block)
    if whole < region.rows:
        for each in writers:
            each.block(whole, region.rows - whole)
    for each in writers:
        each.finish()


class _Writer:
    """Writes the parts of one kernel of a region."""

    def __init__(
        self,
        b: Function,
        plan: Plan,
        memory: Memory,
        region: Region,
        kernel: Kernel,
        target: Target,
    ):
        self.b, self.kernel = b, kernel
        self.sums = region.roles[kernel] == SUM
        self.local = region.local
        self.product = self.nest = None
        if kernel.kind == "matmul":
            self.product = Product(b, plan, memory, kernel, target)
        else:
            lanes = lanes_of(kernel, target.vector_bytes)
            self.nest = Nest(b, Accesses(plan, memory, kernel), lanes)

    def start(self) -> None:
        if self.sums and self.product is not None:
            self.product.clear()
        elif self.sums and self.nest is not None:
            self.nest.clear()

    def block(self, index: object, size: int) -> None:
        rows = Rows(index, size, self.local, self.sums)
        if self.product is not None:
            self.product.write(rows)
        else:
            self.nest.write(rows)  # type: ignore[union-attr]

    def finish(self) -> None:
        if self.sums and self.product is not None:
            self.product.finish()
