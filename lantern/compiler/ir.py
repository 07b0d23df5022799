"""The intermediate representation: primitives of the vocabulary in single assignment.

A graph is a list of values. A value is an input or the result of one primitive applied to earlier
values, Python numbers and tuples of them. Its text form can be read and compared; `verify` checks
that every value follows from its operands by the vocabulary's rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backends.vocabulary import VOCABULARY
from ..dtypes import dtype
from .strides import Place, place_of

INPUT = "input"


class Value:
    """A tensor that is not there yet: shape and dtype, and how it is computed."""

    __slots__ = ("graph", "number", "name", "args", "shape", "dtype", "place", "_memory")

    def __init__(
        self,
        graph: Graph,
        number: int,
        name: str,
        args: tuple,
        shape: tuple[int, ...],
        dtype: dtype,
        place: str = "",
    ):
        self.graph = graph
        self.number = number
        self.name = name  # of the primitive, or INPUT
        self.args = args
        self.shape = shape
        self.dtype = dtype
        self.place = place  # the user's file and line
        self._memory: Place | None = None

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        count = 1
        for each in self.shape:
            count *= each
        return count

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self.dtype.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """The byte strides that the eager result would have."""
        item = self.dtype.itemsize
        return tuple([each * item for each in self.memory[0]])

    @property
    def memory(self) -> Place:
        """The strides and the offset that the eager result would have, in elements."""
        if self._memory is None:
            self._memory = place_of(self)
        return self._memory

    def lies(self, strides: tuple[int, ...], offset: int = 0) -> None:
        """Fixes where the value lies."""
        self._memory = strides, offset

    def operands(self) -> list[Value]:
        """Returns the values that this one is computed from."""
        found = []
        for arg in self.args:
            kind = type(arg)
            if kind is Value:
                found.append(arg)
            elif kind is tuple or kind is list:
                found += [each for each in arg if type(each) is Value]
        return found

    def __repr__(self) -> str:
        return f"%{self.number}: {self.dtype.name}{list(self.shape)}"


class Graph:
    """A recorded program: `inputs`, `values` in order, and the `outputs` among them."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []

    def input(self, shape: tuple[int, ...], dtype: dtype) -> Value:
        """Adds an input."""
        value = Value(self, len(self.values), INPUT, (), tuple(shape), dtype)
        self.values.append(value)
        self.inputs.append(value)
        return value

    def add(self, name: str, args: tuple, place: str = "") -> Value:
        """Adds the result of a primitive, whose shape and dtype its rule gives."""
        shape, dtype = VOCABULARY[name].rule(*args)
        value = Value(self, len(self.values), name, args, tuple(shape), dtype, place)
        self.values.append(value)
        return value

    def copy(self, value: Value, args: tuple) -> Value:
        """Adds a value of another graph, given its arguments in this one."""
        made = Value(
            self, len(self.values), value.name, args, value.shape, value.dtype, value.place
        )
        self.values.append(made)
        return made

    def map(self, args: tuple, function: Callable[[Value], Any]) -> tuple:
        """Returns arguments with each value in them replaced."""
        return tuple([_map(arg, function) for arg in args])

    def __str__(self) -> str:
        lines = [_line(value) for value in self.values]
        lines.append(f"return {', '.join(f'%{each.number}' for each in self.outputs)}")
        return "\n".join(lines)


def _map(arg: Any, function: Callable[[Value], Any]) -> Any:
    kind = type(arg)
    if kind is Value:
        return function(arg)
    if kind is tuple or kind is list:
        return kind([_map(each, function) for each in arg])
    return arg


def _line(value: Value) -> str:
    if value.name == INPUT:
        return f"{value!r} = input"
    args = ", ".join(_argument(arg) for arg in value.args)
    return f"{value!r} = {value.name}({args})" + (f"  # {value.place}" if value.place else "")


def _argument(arg: Any) -> str:
    if isinstance(arg, Value):
        return f"%{arg.number}"
    if isinstance(arg, (tuple, list)):
        return f"({', '.join(map(_argument, arg))})"
    if isinstance(arg, dtype):
        return arg.name
    return repr(arg)


def verify(graph: Graph) -> None:
    """Raises ValueError where a value does not follow from what stands before it."""
    seen: set[Value] = set()
    for i, value in enumerate(graph.values):
        if value.number != i or value.graph is not graph:
            raise ValueError(f"{value!r} stands at place {i} of a graph that is not its own")
        for operand in value.operands():
            if operand not in seen:
                raise ValueError(f"{value!r} uses {operand!r} before it is computed")
        if value.name != INPUT:
            shape, dtype = VOCABULARY[value.name].rule(*value.args)
            if tuple(shape) != value.shape or dtype is not value.dtype:
                raise ValueError(f"{_line(value)}: the rule gives {dtype!r} {tuple(shape)}")
        seen.add(value)
    for output in graph.outputs:
        if output not in seen:
            raise ValueError(f"output {output!r} is not in the graph")
