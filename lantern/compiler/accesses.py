"""What a kernel reads and writes: strides along its loops, and which loop becomes vectors."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

from .forms import immediate
from .ir import Value
from .looks import Look, aligned_strides
from .memory import Memory
from .plan import Kernel, Picked, Plan


@dataclass
class Access:
    """A read or write of memory by a kernel; strides are in bytes along the dimensions."""

    value: Value
    place: tuple[int, int]
    strides: tuple[int, ...]
    write: bool

    @property
    def item(self) -> int:
        """The bytes of an element."""
        return self.value.dtype.itemsize


@dataclass(frozen=True)
class Pick:
    """Memory that is found by index: the accesses of both, the bytes per step and the size."""

    base: int
    index: int
    stride: int
    size: int
    adds: bool
    wraps: bool
    known: bool


class Dim(NamedTuple):
    """A loop: its size, the stride of each access, and whether the kernel reduces over it."""

    size: int
    strides: tuple[int, ...]
    reduced: bool


class Accesses:
    """All the reads and writes of a kernel, each once, with what is stored through the writes."""

    def __init__(self, plan: Plan, memory: Memory, kernel: Kernel):
        self.plan, self.memory, self.kernel = plan, memory, kernel
        self.all: list[Access] = []
        self.of: dict[Value, int] = {}  # operands read
        self._known: dict[Any, int] = {}
        own = {*kernel.values, *kernel.reductions}
        made = [each for each in (*kernel.values, *kernel.reductions) if each not in kernel.picked]
        used = [x for each in made for x in each.operands()]
        for value in dict.fromkeys([*used, *(source for source, _ in kernel.stores)]):
            look = plan.looks[value]
            if value not in own and immediate(look.leaf) is None:
                self.of[value] = self._add(look, value.shape, value.dtype.itemsize, False)
        self.picked = {value: self._pick(each) for value, each in kernel.picked.items()}
        self.scatter = None if kernel.scatter is None else self._pick(kernel.scatter)
        self.stores: list[tuple[Value, int]] = []
        self.results: dict[Value, int] = {}
        for source, target in kernel.stores:
            if source in kernel.reductions:
                self.results[source] = self._add_result(source, target)
            else:
                item = target.leaf.dtype.itemsize
                self.stores.append((source, self._add(target, kernel.space, item, True)))

    def _add(self, look: Look, shape: tuple[int, ...], item: int, write: bool) -> int:
        strides = aligned_strides(look, shape, self.kernel.space)
        return self._note(look, strides, item, write)

    def _pick(self, picked: Picked) -> Pick:
        look, seen = self.plan.looks[picked.base], self.plan.looks[picked.index]
        item = picked.base.dtype.itemsize
        base = self._note(look, picked.base_strides, item, False)
        index = self._note(seen, picked.index_strides, picked.index.dtype.itemsize, False)
        facts = (picked.size, picked.adds, picked.wraps, picked.known)
        return Pick(base, index, picked.stride * item, *facts)

    def _note(self, look: Look, strides: tuple[int, ...], item: int, write: bool) -> int:
        key = (look.leaf, look.offset, strides, write)
        if key not in self._known:
            slot, offset = self.memory.places[look.leaf]
            place = (slot, offset + look.offset * item)
            self._known[key] = len(self.all)
            self.all.append(Access(look.leaf, place, tuple(s * item for s in strides), write))
        return self._known[key]

    def _add_result(self, value: Value, target: Look) -> int:
        dims = self.kernel.dims or ()
        kept = iter(target.strides)
        strides = []
        keepdim = len(value.shape) == len(self.kernel.space)
        for d, _ in enumerate(self.kernel.space):
            if d in dims:
                strides.append(0)
                if keepdim:
                    next(kept)
            else:
                strides.append(next(kept))
        return self._note(target, tuple(strides), value.dtype.itemsize, True)


def memory_order(space: tuple[int, ...], accesses: list[Access]) -> list[int]:
    """Returns the dimensions of `space` from those far apart in memory to neighbours."""
    full = sorted(accesses, key=lambda each: (each.strides.count(0), not each.write))
    apart = [next((abs(a.strides[d]) for a in full if a.strides[d]), 0) for d in range(len(space))]
    return sorted(range(len(space)), key=lambda d: -apart[d])


def merged(
    space: tuple[int, ...],
    accesses: list[Access],
    reduced: tuple[int, ...],
    order: list[int] | None = None,
) -> list[Dim]:
    """Returns the loops over `space`, neighbours merged where every access allows it."""
    dims: list[Dim] = []
    for d in range(len(space)) if order is None else order:
        size = space[d]
        if size == 1:
            continue
        dim = Dim(size, tuple(each.strides[d] for each in accesses), d in reduced)
        if (
            dims
            and dims[-1].reduced == dim.reduced
            and all(
                outer == inner * size
                for outer, inner in zip(dims[-1].strides, dim.strides, strict=True)
            )
        ):
            dims[-1] = Dim(dims[-1].size * size, dim.strides, dim.reduced)
        else:
            dims.append(dim)
    return dims


def vector_dim(dims: list[Dim], accesses: list[Access], lanes: int) -> int | None:
    """Returns the dimension to cut into vectors: the one along which most memory is contiguous."""
    sizes = [prod(d.size for d in dims if d.strides[i]) for i in range(len(accesses))]

    def worth(d: int) -> tuple[float, int]:
        total = 0.0
        for access, stride, size in zip(accesses, dims[d].strides, sizes, strict=True):
            if stride == access.item:
                total += (3 if access.write else 2) * size
            elif stride == 0:
                total += 0.5 * size
        filled = dims[d].size / (-(-dims[d].size // lanes) * lanes)
        return (total * filled * min(dims[d].size, lanes), d)

    return max(range(len(dims)), key=worth, default=None)


def lanes_of(kernel: Kernel, vector_bytes: int) -> int:
    """Returns how many elements of the widest dtype of a kernel fill a vector."""
    values = [*kernel.values, *kernel.reductions, *(source for source, _ in kernel.stores)]
    values += [x for each in (*kernel.values, *kernel.reductions) for x in each.operands()]
    widest = max((each.dtype.itemsize for each in values), default=4)
    return max(vector_bytes // max(widest, 2), 1)
