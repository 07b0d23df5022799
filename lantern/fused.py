"""Optimizer updates as one native call, once an optimizer has spent some time on them.

NumPy computes a rule step by step, each step a pass over memory and, for a small parameter, a call
that costs more than its arithmetic. The compiler turns the rule for all parameters of a group into
one program that reads and writes each element once. That costs about a quarter of a second and
llvmlite, so a group is compiled only after its updates have taken about as long by NumPy; until
then, wherever llvmlite is missing, and whenever something differs from what was compiled, NumPy it
is. Setting LANTERN_FUSED=0 leaves it at that.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import lantern

from .tensor import Tensor

PATIENCE = 0.15  # seconds that a group may spend before it is compiled
MISSES = 4  # times that a group is compiled anew because of what differs

Job = tuple[Sequence[Tensor], Sequence[Tensor], tuple]


def possible() -> bool:
    """Says whether updates may be compiled: llvmlite is there and nobody is against it."""
    if os.environ.get("LANTERN_FUSED", "1") == "0":
        return False
    return importlib.util.find_spec("llvmlite") is not None


class Fused:
    """The updates of one list of parameters by one rule: by NumPy at first, then natively."""

    def __init__(self) -> None:
        self.spent = 0.0
        self.misses = 0
        self.program: Any = None

    def update(self, plainly: Callable[..., None], rule: Callable[..., Any], jobs: Any) -> None:
        """Carries out jobs; `plainly(rule, jobs)` does that by NumPy."""
        if self.program is not None:
            if self.program(jobs):
                return
            self.program = None
            self.misses += 1
            self.spent = 0.0
        if self.misses >= MISSES:
            plainly(rule, jobs)
            return
        start = perf_counter()
        plainly(rule, jobs)
        self.spent += perf_counter() - start
        if self.spent > PATIENCE:
            if possible() and _is_plain(jobs):
                self.program = lantern.compiler.update_program(rule, jobs)  # type: ignore[attr-defined]
            if self.program is None:
                self.misses = MISSES


def _is_plain(jobs: Sequence[Job]) -> bool:
    """Says whether jobs are of one floating point dtype on the CPU, and share their numbers."""
    kind, numbers = jobs[0][0][0].dtype, jobs[0][2]
    if kind.name not in ("float32", "float64"):
        return False
    for tensors, constants, own in jobs:
        for each in (*tensors, *constants):
            if each.dtype is not kind or not each.is_cpu or not each.is_contiguous():
                return False
        if own is not numbers and own != numbers:
            return False
    return all(type(each) in (bool, int, float) for each in numbers)
