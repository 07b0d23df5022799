"""Optimizer updates as one native call, once an optimizer has spent some time on them.

NumPy computes a rule step by step, each step a pass over memory and, for a small parameter, a call
that costs more than its arithmetic. The compiler turns the rule for all parameters of a group into
one program that reads and writes each element once. That costs about a quarter of a second and
llvmlite, so a group is compiled only after its updates have taken about as long by NumPy; until
then, wherever llvmlite is missing, and whenever something differs from what was compiled, NumPy it
is. Where the program was compiled before, it is only loaded, so that is done earlier: an empty file
beside the compiled code says so. Setting LANTERN_FUSED=0 leaves it at NumPy.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import zlib
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any

import lantern

from .tensor import Tensor

PATIENCE = 0.15  # seconds that a group may spend before it is compiled
SOON = 0.05  # the same where it was compiled before
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
        self.patience = min(SOON, PATIENCE)

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
        if self.spent > self.patience:
            self._compile(rule, jobs)

    def _compile(self, rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
        if not (possible() and _is_plain(jobs)):
            self.misses = MISSES
            return
        mark = _mark(rule, jobs)
        if self.spent <= PATIENCE and not (mark and os.path.exists(mark)):
            self.patience = PATIENCE
            return
        self.program = lantern.compiler.update_program(rule, jobs)  # type: ignore[attr-defined]
        if self.program is None:
            self.misses = MISSES
        elif mark and os.path.isdir(os.path.dirname(mark)):
            with contextlib.suppress(OSError), open(mark, "ab"):
                os.utime(mark)


def _mark(rule: Callable[..., Any], jobs: Sequence[Job]) -> str | None:
    """Returns the file that says that a program for such jobs was compiled; its age is its use."""
    from .cache import cache_directory

    directory = cache_directory()
    if directory is None:
        return None
    shapes = [[each.shape for each in (*tensors, *constants)] for tensors, constants, _ in jobs]
    facts = f"{rule.__module__}.{rule.__qualname__} {jobs[0][0][0].dtype} {shapes}"
    return os.path.join(directory, "native", f"update-{zlib.crc32(facts.encode()):08x}")


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
