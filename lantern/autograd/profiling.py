"""The clock of the profiler: while it runs, every op is called through a function that times it.

An op's own time is what is left when the ops that it calls are taken off. `backward` is one entry:
the formulas of its nodes are not told apart. Ops within compiled functions are not seen.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from ..op import REGISTRY, Op
from ..tensor import Tensor
from . import engine


class Event(NamedTuple):
    """One timed call: seconds since the clock began, how long it took, and how long itself."""

    name: str
    start: float
    total: float
    own: float
    shapes: tuple
    depth: int


class Clock:
    """Times ops between `start()` and `stop()`; `events` are what was called, in order of ends."""

    def __init__(self, shapes: bool = False):
        self.events: list[Event] = []
        self._shapes = shapes
        self._stack: list[list] = []  # name, seconds of the calls within, when it began
        self._undo: list[Callable[[], None]] = []
        self.began = time.perf_counter()

    def start(self) -> None:
        """Puts the timing functions in the places of ops and methods."""
        for op in set(REGISTRY.values()):
            self._watch(op)
        run = engine.run
        engine.run = self.timed("backward", run)
        self._undo.append(lambda: setattr(engine, "run", run))

    def stop(self) -> None:
        """Puts everything back."""
        while self._undo:
            self._undo.pop()()

    def _watch(self, op: Op) -> None:
        cls: Any = type(op)
        timed = self.timed(op.name, op.__call__)
        for name, _, _ in op.methods:
            method = vars(Tensor).get(name)
            if callable(method):
                setattr(Tensor, name, functools.wraps(method)(self.timed(op.name, method)))
                self._undo.append(functools.partial(setattr, Tensor, name, method))
        op.__class__ = type(cls.__name__, (cls,), {"__call__": staticmethod(timed)})
        self._undo.append(functools.partial(setattr, op, "__class__", cls))

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `function`, timed; a call of the same name within it is part of it."""
        stack = self._stack

        def call(*args: Any, **kwargs: Any) -> Any:
            if stack and stack[-1][0] == name:
                return function(*args, **kwargs)
            self.enter(name)
            try:
                return function(*args, **kwargs)
            finally:
                self.leave(args)

        return call

    def enter(self, name: str) -> None:
        """Begins an entry."""
        self._stack.append([name, 0.0, time.perf_counter()])

    def leave(self, args: tuple = ()) -> None:
        """Ends the entry that began last."""
        end = time.perf_counter()
        name, within, start = self._stack.pop()
        took = end - start
        if self._stack:
            self._stack[-1][1] += took
        tensors = [each for each in args if isinstance(each, Tensor)] if self._shapes else []
        shapes = tuple(tuple(each.shape) for each in tensors)
        depth = len(self._stack)
        self.events.append(Event(name, start - self.began, took, took - within, shapes, depth))
