"""What a program needs in order to run, besides machine code: plain data that is kept on disk.

It is looked up by the graph as it was recorded, before any pass, so that a start from the disk does
not repeat the passes. The name holds all that they depend on; an entry that was kept under another
name, or is damaged, counts for nothing (`store.py` sees to that).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from ..dtypes import BY_NAME, dtype
from .ir import Graph, Value
from .looks import Look
from .memory import Memory
from .plan import Kernel, Plan


class Shown(NamedTuple):
    """A tensor as it lies in a slot of the pointer table: `start` in bytes, the rest in elements.

    `size` is that of the tensor that the memory was laid out for, of which this may be a part.
    """

    slot: int
    start: int
    size: int
    dtype: dtype
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int


class Call(NamedTuple):
    """A primitive that the NumPy backend computes between pieces of native code."""

    name: str
    args: tuple
    target: Shown


class Blueprint(NamedTuple):
    """How the machine code called `code` is run; `steps` has None for its next piece."""

    code: str
    shared: bool  # whether threads share its work
    slots: int  # of the pointer table
    arena: int  # bytes of scratch memory
    checks: bool  # whether an index may turn out to be out of range
    steps: list[Call | None]
    constants: list[tuple]  # names and arguments of what lies ready, in the last slots
    outputs: list[Shown]

    @property
    def calls(self) -> list[Call]:
        """What the NumPy backend computes."""
        return [each for each in self.steps if each is not None]

    def packed(self, generators: list) -> bytes:
        """Returns all of it as bytes; random generators as their places in `generators`."""
        return json.dumps(_packed(tuple(self), generators)).encode()


def unpacked(data: bytes, generators: list) -> Blueprint:
    """Returns what was packed."""
    return Blueprint(*_unpacked(json.loads(data), generators))


def draw(
    plan: Plan, memory: Memory, steps: list[list[str] | Kernel], slots: int, code: str, shared: bool
) -> Blueprint:
    """Returns what is needed to run the code for a plan."""

    def shown(value: Value, look: Look) -> Shown:
        leaf = look.leaf
        where = memory.places[leaf]
        return Shown(*where, leaf.size, leaf.dtype, value.shape, look.strides, look.offset)

    def call(kernel: Kernel) -> Call:
        value, looks = kernel.call, plan.looks
        assert value is not None
        args = value.graph.map(value.args, lambda x: shown(x, looks[x]))
        return Call(value.name, args, shown(value, looks[value]))

    return Blueprint(
        code,
        shared,
        slots,
        memory.size,
        any(each.checks for each in plan.kernels),
        [None if isinstance(each, list) else call(each) for each in steps],
        [(each.name, each.args) for each in plan.constants],
        [shown(each, plan.outputs[each]) for each in plan.graph.outputs],
    )


def filled(args: Any, array: Callable[[Shown], Any]) -> Any:
    """Returns arguments of a call with arrays for what is shown in them."""
    kind = type(args)
    if kind is Shown:
        return array(args)
    return kind([filled(each, array) for each in args]) if kind in (tuple, list) else args


def generators_of(graph: Graph) -> list:
    """Returns the random generators that a graph draws from, in the order of first use."""
    found = {id(each.args[3]): each.args[3] for each in graph.values if each.name == "draw"}
    return list(found.values())


# --- as text: what JSON has no form for is a list that starts with a mark
def _packed(what: Any, generators: list) -> Any:
    kind = type(what)
    if kind in (bool, int, float, str, type(None)):
        return what
    if kind in (tuple, list):
        return ["(" if kind is tuple else "[", *(_packed(each, generators) for each in what)]
    if kind in (Shown, Call):
        return [kind.__name__, *(_packed(each, generators) for each in what)]
    if kind is slice:
        return [":", what.start, what.stop, what.step]
    if kind is dtype:
        return ["dtype", what.name]
    places = [i for i, each in enumerate(generators) if each is what]
    return ["generator", *places] if places else _refuse(what)


def _refuse(what: Any) -> Any:
    raise TypeError(f"a {type(what).__name__} is no part of a blueprint")


def _unpacked(what: Any, generators: list) -> Any:
    if type(what) is not list:
        return what
    mark, *rest = what
    if mark == "dtype":
        return BY_NAME[rest[0]]
    if mark == "generator":
        return generators[rest[0]]
    if mark == ":":
        return slice(*rest)
    parts = [_unpacked(each, generators) for each in rest]
    if mark == "(":
        return tuple(parts)
    return parts if mark == "[" else {"Shown": Shown, "Call": Call}[mark](*parts)
