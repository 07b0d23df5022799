"""The short way into a record: one Python function, written for it, that checks and calls.

A record may run when everything it was made under still holds. The function asks that line by line,
most of them identity tests, sets the pointers of new arguments, runs the native code and wraps the
results. Whatever is not as expected makes it return `MISS`, and the general way is taken.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

from ..autograd.mode import active, flags, mode
from ..dtypes import get_default_dtype
from ..storage import Storage
from ..tensor import Tensor, current_node
from .trace import NumberInput, SlotInput, StorageInput

if TYPE_CHECKING:
    from .api import CompiledFunction, Record

MISS = object()


def make_entry(function: CompiledFunction, record: Record, args: tuple) -> Any:
    """Returns the function for a record that has just run on `args`; None where there is none."""
    machine = record.machine
    if machine is None or machine.back is not None or record.grads or record.back_edges:
        return None
    program = machine.program
    plain = all(isinstance(each, Tensor) and current_node(each) is None for each in args)
    if not plain or len(set(args)) != len(args) or program.stand_ins:
        return None
    writer = _Writer(function, record, args)
    return writer.function()


class _Writer:
    def __init__(self, function: CompiledFunction, record: Record, args: tuple):
        self.compiled, self.record, self.args = function, record, args
        self.program = record.machine.program  # type: ignore[union-attr]
        self.space: dict[str, Any] = {
            "active": active, "mode": mode, "flags": flags, "default": get_default_dtype,
            "MISS": MISS, "new": object.__new__, "Tensor": Tensor, "Storage": Storage,
            "program": self.program, "lock": self.program.lock,
        }  # fmt: skip
        self.lines: list[str] = []

    def name(self, prefix: str, value: Any) -> str:
        """Returns a name under which the function finds a value."""
        name = f"{prefix}{len(self.space)}"
        self.space[name] = value
        return name

    def unless(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return MISS")

    def function(self) -> Any:
        """Returns the finished function; it takes the tuple of arguments."""
        self._circumstances()
        self._arguments()
        self.lines.append("with lock:")
        start = len(self.lines)
        self._inputs()
        for step in self.program.steps:
            self.lines.append(f"{self.name('run', step)}()")
            if self.program.checks:
                self.lines.append("if program.native.error.value: return MISS")
        results = self._results()
        self.lines[start:] = ["    " + line for line in self.lines[start:]]
        for storage, _ in self.record.writes:
            place = self.record.places.get(storage)
            found = self.name("s", storage) if place is None else f"a{place}._storage"
            self.lines.append(f"{found}.version += 1")
        self._give(results)
        body = "\n    ".join(self.lines)
        exec(f"def entry(args):\n    {body}\n", self.space)
        return self.space["entry"]

    def _circumstances(self) -> None:
        self.unless("active.trace is None")
        self.unless(f"mode.enabled is {mode.enabled}")
        self.unless(f"flags.version == {flags.version}")
        self.unless(f"default() is {self.name('d', get_default_dtype())}")
        found = self.compiled._flags
        for space, name in found._names:
            value = self.name("v", space.get(name))
            self.unless(f"{self.name('g', space)}.get({name!r}) is {value}")
        for cell in found._cells:
            value = self.name("v", cell.cell_contents)
            self.unless(f"{self.name('c', cell)}.cell_contents is {value}")
        for leaf, had in self.record.guards:
            self.unless(f"{self.name('l', leaf)}._grad is {self.name('h', had)}")
        for question, answer in self.record.conditions:
            self.unless(f"{self.name('q', question)}() == {self.name('w', answer)}")

    def _arguments(self) -> None:
        count = len(self.args)
        self.unless(f"len(args) == {count}")
        for i, each in enumerate(self.args):
            self.lines.append(f"a{i} = args[{i}]")
            kind, element = self.name("k", type(each)), self.name("e", each._array.dtype)
            self.unless(f"type(a{i}) is {kind} and a{i}._node is None")
            self.unless(f"a{i}._base is None or a{i}._base._node is None")
            self.lines.append(f"x{i} = a{i}._array")
            self.unless(f"x{i}.shape == {tuple(each._array.shape)!r} and x{i}.dtype == {element}")
            row_major = bool(each._array.flags.c_contiguous)
            strides = "" if row_major else f" and x{i}.strides == {each._array.strides!r}"
            self.unless(f"x{i}.flags.c_contiguous is {row_major}{strides}")
            for j in range(i):
                self.unless(f"a{i} is not a{j}")
            if self.record.written:
                self.unless(f"a{i}._storage not in {self.name('o', self.record.written)}")
        for j in self.record.written_places:
            self.unless(f"a{j}._storage not in {self.name('p', self.record.captured)}")
            for i in range(count):
                if i != j:
                    self.unless(f"a{i}._storage is not a{j}._storage")

    def _inputs(self) -> None:
        bound = self.name("b", self.program.bound)
        checks = len(self.lines)
        for i, cell in enumerate(self.record.inputs):
            if isinstance(cell, StorageInput):
                array = self.name("y", self.program.bound[i])
                self.unless(f"{self.name('s', cell.storage)}.array is {array}")
            elif isinstance(cell, SlotInput):
                rebind = f"program.rebind({i}, x{cell.place})"
                self.lines.append(
                    f"if x{cell.place} is not {bound}[{i}] and not {rebind}: return MISS"
                )
            elif isinstance(cell, NumberInput):
                self._number(i, cell)
            else:
                raise TypeError(f"input {i} of a record is a {type(cell).__name__}")
        self.lines.insert(checks, f"if program.stamp != {self.program.stamp}: return MISS")

    def _number(self, i: int, cell: NumberInput) -> None:
        """A number is written straight to where the code reads it, when it has become another."""
        address = self.program.own_number(i)
        target = self.name("t", ctypes.c_double.from_address(address))
        last = self.name("m", [None])
        self.lines.append(f"n = {self.name('n', cell.number)}()")
        self.lines.append(f"if n is not {last}[0]: {target}.value = n; {last}[0] = n")

    def _results(self) -> list[str]:
        names = []
        for i, read in enumerate(self.program.outputs):
            self.lines.append(f"r{i} = {self.name('o', read)}()")
            names.append(f"r{i}")
        return names

    def _give(self, arrays: list[str]) -> None:
        from .api import CompiledNode, _fill, _Place

        for each in arrays:
            self.lines.append(f"t{each} = new(Tensor); t{each}._array = {each}")
            self.lines.append(f"t{each}._storage = Storage({each})")
        if self.record.tracked:
            # The function did its own backward: the results' history is there, and used up.
            kind, record = self.name("node", CompiledNode), self.name("record", self.record)
            self.lines.append(f"node = {kind}({record}, [], None, {len(self.record.tracked)})")
            for index, place in enumerate(self.record.tracked):
                self.lines.append(f"tr{place}._node = node; tr{place}._index = {index}")
        pattern = self.record.pattern
        if isinstance(pattern, _Place):
            self.lines.append(f"return tr{pattern.number}")
            return
        found = ", ".join(f"t{each}" for each in arrays)
        fill, shape = self.name("fill", _fill), self.name("pattern", pattern)
        self.lines.append(f"return {fill}({shape}, [{found}])")
