"""Kernels for eager: one primitive alone, as native code for the shapes that it meets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from ..backends import default
from ..dtypes import dtype, uint8
from .fuse import Unsupported
from .ir import Graph
from .memory import ALIGNMENT
from .native import Program
from .runtime import available

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
    graph.input(value.shape, value.dtype)
    graph.outputs = [value]
    try:
        program = Program(graph, [(0, len(facts))], alone=True)
    except Unsupported:
        return None
    if any(each.kind == "call" for each in program.plan.kernels):
        return None
    return _runner(program)


class _Scratch:
    """Memory that all kernels use in turn for what they keep while they run."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
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
    address, size = default().address_of, program.memory.size
    program.arena = None  # that of all is used instead

    def run(arrays: Sequence[Any]) -> None:
        with _scratch.lock:
            table[0] = _scratch.address(size)
            for i, array in enumerate(arrays, 1):
                table[i] = address(array)
            segment()

    run.program = program  # type: ignore[attr-defined]  # keeps the code alive
    return run
