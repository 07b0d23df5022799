"""Kernels for eager: a primitive or a formula alone, as native code for the shapes it meets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from threading import get_ident
from typing import Any, NamedTuple

from ..autograd.mode import active
from ..backends import default
from ..dtypes import dtype, uint8
from . import symbolic
from .ir import Graph, Value
from .memory import ALIGNMENT
from .native import Program
from .plan import Unsupported
from .runtime import available
from .trace import Trace, recording

Fact = tuple[tuple[int, ...], dtype]
KEPT = 256  # kernels in memory


@lru_cache(KEPT)
def kernel(name: str, facts: tuple[Fact, ...], settings: tuple) -> Callable[..., None] | None:
    """Returns a function of row-major arrays, the last of which takes what `name` computes.

    The others have the shapes and dtypes of `facts`; `settings` follow them in the primitive's
    arguments. None where there is no native form, or no llvmlite.
    """
    if not available():
        return None
    graph = Graph()
    value = graph.add(name, (*(graph.input(*each) for each in facts), *settings))
    return _compiled(graph, [value])


def _compiled(graph: Graph, values: list[Value]) -> Callable[..., None] | None:
    """Returns a function of arrays for the inputs of a graph, and for the values it makes."""
    first = len(graph.inputs)
    for each in values:
        graph.input(each.shape, each.dtype)
    graph.outputs = values
    try:
        program = Program(graph, [(i, first + i) for i in range(len(values))], alone=True)
    except Unsupported:
        return None
    if program.blueprint.calls:
        return None
    return _runner(program)


class FormulaKernel(NamedTuple):
    """A function of row-major arrays, the last of which take the results, and their shapes."""

    run: Callable[..., None]
    shapes: list[tuple[int, ...]]
    single: bool  # the formula gives one array, and no tuple of them


def formula_kernel(
    formula: Callable[..., Any], facts: tuple[Fact, ...], settings: tuple
) -> FormulaKernel | None:
    """Returns `formula(xp, *operands, *settings)` as native code.

    None where there is no native form, or another function is being recorded just now.
    """
    if active.recording is not None or not available():
        return None
    return _formula_kernel(formula, facts, settings)


@lru_cache(KEPT)
def _formula_kernel(
    formula: Callable[..., Any], facts: tuple[Fact, ...], settings: tuple
) -> FormulaKernel | None:
    trace = Trace()
    with recording(trace):
        inputs = [trace.graph.input(*each) for each in facts]
        found = formula(symbolic, *inputs, *settings)
    values = list(found) if type(found) is tuple else [found]
    run = _compiled(trace.graph, values)
    shapes = [tuple(each.shape) for each in values]
    return None if run is None else FormulaKernel(run, shapes, type(found) is not tuple)


class _Scratch:
    """Memory that all kernels use in turn for what they keep while they run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.owner = 0  # the thread that has the lock
        self._array: Any = None
        self._size = -1

    def address(self, size: int) -> int:
        """Returns where at least `size` bytes are, at a multiple of the alignment."""
        xp = default()
        if size > self._size:
            self._array, self._size = xp.full((size + ALIGNMENT,), 0, uint8), size
        return -(-xp.address_of(self._array) // ALIGNMENT) * ALIGNMENT


_scratch = _Scratch()


def _runner(program: Program) -> Callable[..., None]:
    table, (segment,) = program.native.table, program.native.segments
    address, size = default().address_of, program.blueprint.arena
    program.arena = None  # that of all is used instead

    def run(arrays: Sequence[Any]) -> None:
        thread = get_ident()
        if _scratch.owner == thread:  # a handler of a signal or a `__del__` in the midst of a run
            program.interpreted(arrays)
            return
        with _scratch.lock:
            try:
                _scratch.owner = thread
                table[0] = _scratch.address(size)
                for i, array in enumerate(arrays, 1):
                    table[i] = address(array)
                segment()
            finally:
                _scratch.owner = 0

    run.program = program  # type: ignore[attr-defined]  # keeps the code alive
    return run
