"""Finds kernels that differ only in where their tensors lie, so that code is made once for all.

A network repeats its layers, and an optimizer does the same for every parameter. A signature holds
all that the code of a kernel depends on; the addresses that code starts from are then a table.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from .builder import Function
from .forms import immediate
from .ir import Value
from .looks import Look
from .memory import Memory, nbytes
from .plan import Kernel, Plan


class Signature:
    """What the code of a kernel depends on (`key`), and the leaves that it touches, in order."""

    def __init__(self, plan: Plan, memory: Memory, kernel: Kernel, more: Any):
        self._plan, self._memory = plan, memory
        self._values: dict[Value, int] = {}
        self._places: dict[tuple[int, int], int] = {}
        self.leaves: dict[Value, int] = {}
        self.starts: dict[Value, int] = {}  # where each is looked at first; the rest is beside that
        computed = [each for each in (kernel.product,) if each is not None]
        computed += [*kernel.values, *kernel.reductions]
        self.key = (
            (kernel.kind, kernel.space, kernel.dims, kernel.adds, kernel.along_batch, more),
            kernel.product in plan.stored,
            tuple((each.name, self._sign(each), self._sign(each.args)) for each in computed),
            tuple((self._sign(source), self._look(target)) for source, target in kernel.stores),
            self._sign(kernel.factors),
            (len(kernel.values), len(kernel.reductions)),
            tuple((self._sign(v), self._sign(tuple(p))) for v, p in self._picked(kernel)),
        )

    def _picked(self, kernel: Kernel) -> list[tuple[Value, tuple]]:
        found = [*kernel.picked.items()]
        if kernel.scatter is not None:
            found.append((kernel.stores[0][0], kernel.scatter))
        return [(value, tuple(vars(each).values())) for value, each in found]

    def _sign(self, x: Any) -> Any:
        if isinstance(x, Value):
            number = self._values.get(x)
            if number is not None:
                return number
            self._values[x] = number = len(self._values)
            look = self._plan.looks.get(x)
            return (number, x.dtype.name, x.shape, None if look is None else self._look(look))
        if isinstance(x, (tuple, list)):
            return tuple([self._sign(each) for each in x])
        return x.name if isinstance(x, dtypes.dtype) else repr(x)

    def _look(self, look: Look) -> Any:
        leaf = look.leaf
        known = self.leaves.setdefault(leaf, len(self.leaves))
        place = self._memory.places.get(leaf)
        number = None if place is None else self._places.setdefault(place, len(self._places))
        facts = (known, leaf.dtype.name, leaf.shape, repr(immediate(leaf)), number)
        start = self.starts.setdefault(leaf, look.offset)
        return (facts, look.offset - start, look.strides)


def relocated(
    pointers: list[tuple[int, int]], memory: Memory, old: Signature, new: Signature
) -> list[tuple[int, int]] | None:
    """Returns the addresses for another kernel of the same signature; None where one is unclear."""
    pairs = [
        (
            memory.places[a],
            nbytes(a),
            memory.places[b],
            (new.starts[b] - old.starts[a]) * a.itemsize,
        )
        for a, b in zip(old.leaves, new.leaves, strict=True)
        if a in memory.places and b in memory.places
    ]
    found = []
    for slot, offset in pointers:
        places = {
            (new_slot, place + offset - start + moved)
            for (old_slot, start), size, (new_slot, place), moved in pairs
            if slot == old_slot and (slot or start <= offset < start + size)
        }
        if len(places) != 1:
            return None
        found += places
    return found


class Shared:
    """The kernels written so far, by signature."""

    def __init__(self, plan: Plan, memory: Memory):
        self.plan, self.memory = plan, memory
        self._known: dict[Any, tuple[Function, Signature]] = {}

    def find(self, kernel: Kernel, more: Any) -> tuple[Function | None, Signature]:
        """Returns a function that runs the code of an equal kernel, if there is one."""
        signature = Signature(self.plan, self.memory, kernel, more)
        known = self._known.get(signature.key)
        return (None if known is None else self._copy(kernel, *known, signature)), signature

    def add(self, function: Function, signature: Signature) -> None:
        """Notes a kernel that has been written."""
        self._known.setdefault(signature.key, (function, signature))

    def _copy(
        self, kernel: Kernel, base: Function, old: Signature, new: Signature
    ) -> Function | None:
        function = Function(f"kernel{kernel.index}")
        pairs = [(base, function)]
        if base.rest is not None:
            function.rest = Function(f"{function.name}.rest")
            pairs.append((base.rest, function.rest))
        for known, made in pairs:
            pointers = relocated(known.pointers, self.memory, old, new)
            if pointers is None:
                return None
            made.base, made.pointers = known, pointers
        function.parts, function.larger = base.parts, base.larger
        for known, _ in pairs:
            known.shared = True
        return function
