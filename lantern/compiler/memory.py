"""Where each value of a plan lives: in an arena that kernels share, or in memory from outside.

Addresses are (slot, byte offset): slot 0 of the pointer table is the arena, the others hold the
inputs. A value gets a place when it is first written and gives it back after its last use. An
output that replaces an input is written over it at once only where no kernel still reads the old
value; otherwise it is made in the arena and copied at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

from ..shape import contiguous_strides
from .forms import immediate
from .ir import INPUT, Value
from .looks import Look, aligned_strides
from .plan import Kernel, Plan

ALIGNMENT = 64


@dataclass
class Memory:
    """The place of every value in memory, and the copies to make when all else is done."""

    places: dict[Value, tuple[int, int]]
    size: int  # of the arena, in bytes
    copies: list[tuple[Value, Value]] = field(
        default_factory=list
    )  # (new value, input it replaces)
    sums: dict[Value, int] = field(default_factory=dict)  # offsets of what a part adds up
    apart: tuple[int, int] = (0, 0)  # offset and size of what each part of a region has for itself

    def __str__(self) -> str:
        lines = [f"arena of {self.size} bytes"]
        lines += [f"  %{v.number} at {place}" for v, place in self.places.items()]
        lines += [f"  at the end %{new.number} over %{old.number}" for new, old in self.copies]
        return "\n".join(lines)


def lay_out(plan: Plan, writes: list[tuple[Value, Value]]) -> Memory:
    """Returns the places for a plan whose `writes` are pairs (output, input that it replaces)."""
    slots = {value: i for i, value in enumerate([*plan.graph.inputs, *plan.constants], 1)}
    memory = Memory({value: (slot, 0) for value, slot in slots.items()}, 0)
    uses = _Uses(plan)
    for new, old in writes:
        leaf = plan.outputs[new].leaf
        if leaf in memory.places or not _may_replace(plan, uses, leaf, old):
            memory.copies.append((leaf, old))
        else:
            memory.places[leaf] = (slots[old], 0)
    _fill_arena(plan, uses.reads, memory)
    if plan.region is not None:
        _lay_apart(plan.region, memory)
    return memory


class _Uses:
    """Which kernels read and write each leaf, and the last kernel that may raise an error."""

    def __init__(self, plan: Plan):
        self.reads = read_leaves(plan)
        self.stores: dict[Value, list[Kernel]] = {}
        self.made: dict[Value, Kernel] = {}  # the first that writes it
        self.last_raising = -1
        for kernel in plan.kernels:
            for _, target in kernel.stores:
                self.stores.setdefault(target.leaf, []).append(kernel)
            for leaf in written_leaves(kernel):
                self.made.setdefault(leaf, kernel)
            if kernel.kind == "call" or kernel.checks:
                self.last_raising = kernel.index


def _lay_apart(region: Any, memory: Memory) -> None:
    """Places what the parts of a region keep for themselves: blocks of values, and sums."""
    start = offset = memory.size
    made = [leaf for each in region.kernels for leaf in (each.product, *_targets(each))]
    for leaf in [each for each in dict.fromkeys(made) if each in region.local]:
        rows = region.rows if leaf in region.whole else region.block
        memory.places[leaf] = (0, offset)
        offset += aligned(rows * prod(leaf.shape[1:]) * leaf.dtype.itemsize)
    for leaf in region.sums():
        memory.sums[leaf] = offset
        offset += nbytes(leaf)
    memory.apart = (start, offset - start)
    memory.size = start + region.parts * (offset - start)


def _targets(kernel: Kernel) -> list[Value]:
    return [target.leaf for _, target in kernel.stores]


def read_leaves(plan: Plan) -> dict[Value, list[tuple[Kernel, Look | None]]]:
    """Returns, for each leaf, the kernels that read it and how (None: as a whole)."""
    reads: dict[Value, list[tuple[Kernel, Look | None]]] = {}
    for kernel in plan.kernels:
        for value in operands(kernel):
            look = plan.looks[value]
            # What is found by index, and the index, lie in memory also where all numbers are one.
            if immediate(look.leaf) is None or kernel.kind != "loop" or kernel.picks:
                strides = aligned_strides(look, value.shape, kernel.space)
                whole = kernel.kind == "call" or value in kernel.factors or kernel.picks
                seen = None if whole else Look(look.leaf, look.offset, strides)
                reads.setdefault(look.leaf, []).append((kernel, seen))
    return reads


def operands(kernel: Kernel) -> list[Value]:
    """Returns the values that a kernel reads from memory."""
    own = {*kernel.values, *kernel.reductions, kernel.product}
    made = [*kernel.values, *kernel.reductions]
    found = [x for each in made for x in each.operands()]
    found += [source for source, _ in kernel.stores]
    found += [] if kernel.scatter is None else [kernel.scatter.index]
    found += [*kernel.factors, *(kernel.call.operands() if kernel.call is not None else ())]
    return [each for each in dict.fromkeys(found) if each not in own]


def _may_replace(plan: Plan, uses: _Uses, leaf: Value, old: Value) -> bool:
    """Says whether a kernel may write `leaf` over the input `old` while it runs."""
    if not uses.reads.get(old):
        return _may_be_made_in(plan, uses, leaf, old)
    writers = uses.stores.get(leaf, [])
    if len(writers) != 1 or leaf.name == INPUT or leaf.shape != old.shape:
        return False
    if leaf.dtype is not old.dtype or writers[0].kind == "call" or leaf is writers[0].product:
        return False
    kernel = writers[0]
    if uses.last_raising >= kernel.index:
        return False  # what may raise must come before all that is written
    aligned = Look(old, 0, _plain(old.shape))
    for reader, look in uses.reads[old]:
        if reader.index > kernel.index:
            return False
        if reader is kernel and (look != aligned or kernel.space != old.shape):
            return False
    return leaf in kernel.values and plan.looks[leaf] == Look(
        leaf, 0, contiguous_strides(leaf.shape)
    )


def _may_be_made_in(plan: Plan, uses: _Uses, leaf: Value, old: Value) -> bool:
    """Says whether `leaf` may be computed in the memory of an input that nobody reads."""
    first = uses.made.get(leaf)
    if first is None or leaf.shape != old.shape or leaf.dtype is not old.dtype:
        return False
    if uses.last_raising >= first.index:
        return False
    inside = plan.region is not None and leaf in plan.region.local
    return not inside and plan.looks[leaf] == Look(leaf, 0, contiguous_strides(leaf.shape))


def written_leaves(kernel: Kernel) -> list[Value]:
    """Returns the values that a kernel makes in memory."""
    written = [target.leaf for _, target in kernel.stores]
    return written + [each for each in (kernel.product, kernel.call) if each is not None]


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(
        0 if size == 1 else s for size, s in zip(shape, contiguous_strides(shape), strict=True)
    )


def _fill_arena(plan: Plan, reads: dict, memory: Memory) -> None:
    first: dict[Value, int] = {}
    last: dict[Value, int] = {}
    for kernel in plan.kernels:
        for leaf in written_leaves(kernel):
            first.setdefault(leaf, kernel.moment)
            last[leaf] = kernel.moment
    for leaf, found in reads.items():
        if leaf in last:
            last[leaf] = max(last[leaf], *(kernel.moment for kernel, _ in found))
    kept = {plan.outputs[each].leaf for each in plan.graph.outputs}
    free = _Free()
    ends: dict[int, list[Value]] = {}
    for leaf, start in sorted(first.items(), key=lambda item: item[1]):
        if leaf in memory.places or plan.region is not None and leaf in plan.region.local:
            continue
        for index in sorted(each for each in ends if each < start):
            for gone in ends.pop(index):
                free.give(memory.places[gone][1], nbytes(gone))
        memory.places[leaf] = (0, free.take(nbytes(leaf)))
        if leaf not in kept:
            ends.setdefault(last[leaf], []).append(leaf)
    memory.size = free.top


def nbytes(value: Value) -> int:
    """Returns the bytes of a value, rounded up so that the next one is aligned."""
    return aligned(prod(value.shape) * value.dtype.itemsize)


def aligned(size: int) -> int:
    """Returns a number of bytes rounded up."""
    return max(-(-size // ALIGNMENT), 1) * ALIGNMENT


class _Free:
    """The unused pieces of the arena; the smallest that fits is taken."""

    def __init__(self) -> None:
        self.top = 0
        self.pieces: list[tuple[int, int]] = []  # (offset, size), by offset

    def take(self, size: int) -> int:
        fitting = [each for each in self.pieces if each[1] >= size]
        if not fitting:
            self.top += size
            return self.top - size
        offset, room = min(fitting, key=lambda each: each[1])
        self.pieces.remove((offset, room))
        if room > size:
            self.give(offset + size, room - size)
        return offset

    def give(self, offset: int, size: int) -> None:
        merged: list[tuple[int, int]] = []
        for piece in sorted([*self.pieces, (offset, size)]):
            if merged and merged[-1][0] + merged[-1][1] == piece[0]:
                merged[-1] = (merged[-1][0], merged[-1][1] + piece[1])
            else:
                merged.append(piece)
        self.pieces = merged
