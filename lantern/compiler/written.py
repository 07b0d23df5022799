"""Plans as text that says all there is to them: what machine code is looked up by."""

from __future__ import annotations

from typing import Any

from ..dtypes import dtype
from .ir import Graph, Value


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
        if isinstance(what, (bool, int, float, str, type(None), slice, dtype)):
            self.parts.append(f"{what!r};")
        elif isinstance(what, (tuple, list)):
            self.parts.append("(")
            for each in what:
                self.add(each)
            self.parts.append(")")
        elif isinstance(what, dict):
            self.parts.append("{")
            for name, each in what.items():
                self.add(name)
                self.add(each)
            self.parts.append("}")
        elif isinstance(what, (set, frozenset)):
            self.parts.append(f"{len(what)} of a set;")  # kernels say what is in it
        elif id(what) in self._numbers:
            self.parts.append(f"#{self._numbers[id(what)]};")
        else:
            self._first(what)

    def _first(self, what: Any) -> None:
        self._numbers[id(what)] = len(self._numbers)
        self._kept.append(what)  # or its place in memory could be another's
        kind = type(what)
        self.parts.append(f"{kind.__name__}:")
        if kind is Value:
            facts = (what.name, what.shape, what.dtype, what.args if what.args else ())
            self.add(facts)
        elif kind is Graph:
            self.add([what.values, what.inputs, what.outputs])
        elif kind.__module__.startswith(__name__.rpartition(".")[0]) and hasattr(what, "__dict__"):
            self.add(vars(what))
