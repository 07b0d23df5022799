"""Plans as text that says all there is to them: what machine code is looked up by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..dtypes import dtype
from .ir import Graph, Value

PLAIN = frozenset({bool, int, float, str, type(None), slice, dtype})


class Written:
    """Writes down values, kernels and all they are made of; `parts` joined is the text.

    Objects are numbered as they are met, so that the same plan gives the same text in any process.
    """

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []

    def add(self, what: Any) -> None:
        """Writes down one thing."""
        kind, say = type(what), self.parts.append
        if kind in PLAIN:
            say(f"{what!r};")
        elif id(what) in self._numbers:
            say(f"#{self._numbers[id(what)]};")
        elif isinstance(what, (tuple, list)):
            say("(")
            self._each(what)
            say(")")
        elif isinstance(what, dict):
            say("{")
            for pair in what.items():
                self._each(pair)
            say("}")
        elif isinstance(what, (set, frozenset)):
            say(f"{len(what)} of a set;")  # kernels say what is in it
        else:
            self._first(what)

    def _each(self, things: Iterable) -> None:
        """Writes down what most things are made of: numbers, and values that are known."""
        say, numbers = self.parts.append, self._numbers
        for each in things:
            if type(each) in PLAIN:
                say(f"{each!r};")
            elif id(each) in numbers:
                say(f"#{numbers[id(each)]};")
            else:
                self.add(each)

    def _first(self, what: Any) -> None:
        self._numbers[id(what)] = len(self._numbers)
        self._kept.append(what)  # or its place in memory could be another's
        kind = type(what)
        self.parts.append(f"{kind.__name__}:")
        if kind is Value:
            self.parts.append(f"{what.name}{what.shape}{what.dtype.name}(")
            self._each(what.args)
            self.parts.append(")")
        elif kind is Graph:
            self.add([what.values, what.inputs, what.outputs])
        elif kind.__module__.startswith(__name__.rpartition(".")[0]) and hasattr(what, "__dict__"):
            self.add(vars(what))
