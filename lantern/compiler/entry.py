"""The short way into a record: one Python function, written for it, that checks and calls.

A record may run when everything it was made under still holds. The function asks that line by line,
most of them identity tests, sets the pointers of new arguments, runs the native code and wraps the
results. Whatever is not as expected makes it return `MISS`, and the general way is taken.
"""

from __future__ import annotations

import ctypes
from typing import Any

from ..autograd.mode import active, flags, mode
from ..backends import default
from ..dtypes import default_floating, get_default_dtype
from ..storage import Storage
from ..tensor import Tensor, current_node
from . import doorway
from .record import ARGUMENT, FRESH, CompiledNode, Place, Record
from .structure import replaced
from .surroundings import ABSENT, Spot
from .trace import IsZero, Item, NumberInput, SlotInput, StorageInput

MISS = object()


def make_entry(record: Record, args: tuple) -> Any:
    """Returns the function for a record that has just run on `args`; None where there is none."""
    machine = record.machine
    if machine is None or machine.back is not None or record.grads or record.back_edges:
        return None
    if record.present or record.rebased or record.given or record.assigned:
        return None
    if any(each[0] is not FRESH and each[0] is not ARGUMENT for each in record.makers):
        return None
    program = machine.program
    plain = all(isinstance(each, Tensor) and current_node(each) is None for each in args)
    if not plain or len(set(args)) != len(args) or program.stand_ins or not program.has_door:
        return None
    if program.generators:  # what was drawn has to be taken back where an index is out of range
        return None
    return _Writer(record, args).function()


class _Writer:
    def __init__(self, record: Record, args: tuple):
        self.record, self.args = record, args
        self.program = record.machine.program  # type: ignore[union-attr]
        self.space: dict[str, Any] = {
            "mode": mode,  "MISS": MISS, "new": object.__new__,
            "Tensor": Tensor, "Storage": Storage, "door": self.program.native.door,
            "program": self.program, "bound": self.program.bound, "used": self.program.used,
        }  # fmt: skip
        self.lines: list[str] = []
        self.words: list[tuple[int, int]] = []  # addresses of what the door looks at

    def name(self, prefix: str, value: Any) -> str:
        """Returns a name under which the function finds a value."""
        name = f"{prefix}{len(self.space)}"
        self.space[name] = value
        return name

    def unless(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return MISS")

    def holds(self, owner: Any, field: str, value: Any) -> None:
        """Makes it a condition that a field of an object holds a value: the door sees to it."""
        words = doorway.word(owner, field, value)
        found, wanted = self.name("o", owner), self.name("v", value)  # both stay alive
        if words is None:
            self.unless(f"{found}.{field} is {wanted}")
        else:
            self.words.append(words)

    def function(self) -> Any:
        """Returns the finished function; it takes the tuple of arguments."""
        self._circumstances()
        self._arguments()
        self._inputs()
        start = len(self.lines)
        self._run()
        if not self.program.whole:
            self._between(start)
        counted = self._count()
        for leaf in self.record.dropped:
            found = f"a{leaf}" if isinstance(leaf, int) else self.name("l", leaf)
            self.lines.append(f"if {found}._grad is not None: {found}._grad = None")
        self._give([f"r{i}" for i in range(len(self.program.results))])
        body = "\n    ".join(self.lines)
        exec(f"def entry(args):\n    {body}\n", self.space)
        native = self.program.native
        self.words.append((ctypes.addressof(native.stamp), native.stamp.value))
        self.words.append((ctypes.addressof(native.occupied.mark), 0))
        native.guard(self.words)
        native.count(counted)
        return self.space["entry"]

    def _count(self) -> list[int]:
        """Returns the addresses of versions that the door raises; writes what raises the others."""
        place = doorway.field(Storage, "version") if self.program.whole else None
        counted = []
        for cell, _ in self.record.writes:
            at_slot = isinstance(cell, SlotInput)
            found = f"a{cell.place}._storage" if at_slot else self.name("s", cell.storage)
            if at_slot or place is None or type(cell.storage) is not Storage:
                self.lines.append(f"{found}.version += 1")
            else:
                counted.append(id(cell.storage) + place)
        return counted

    def _circumstances(self) -> None:
        self.holds(active, "recording", None)
        self.unless(f"mode.enabled is {mode.enabled}")
        self.holds(flags, "version", flags.version)
        self.holds(default_floating, "dtype", get_default_dtype())
        for spot, value in self.record.watch.near:
            self._near(spot, value)
        for leaf, had in self.record.guards:
            self.unless(f"{self.name('l', leaf)}._grad is {self.name('h', had)}")
        for item, answer in self.record.conditions:
            found_there = self._item(item)
            if isinstance(item, IsZero) and answer:
                self.unless(f"(n := {found_there}) is {self.name('w', item.found())} or n == 0")
            elif not isinstance(item, IsZero):  # one that is not zero is an input
                self.unless(f"{found_there} is {self.name('w', answer)}")

    def _near(self, spot: Spot, value: Any) -> None:
        """Makes it a condition that a spot holds what it held."""
        if spot.kind == "cell" and value is not ABSENT:
            self.holds(spot.holder, "cell_contents", value)
            return
        holder, wanted = self.name("h", spot.holder), self.name("v", value)
        if spot.kind == "length":
            self.unless(f"len({holder}) == {value}")
        elif spot.kind == "item" and isinstance(spot.holder, dict):
            absent = self.name("k", ABSENT)
            self.unless(f"{holder}.get({self.name('i', spot.key)}, {absent}) is {wanted}")
        elif spot.kind == "item":
            self.unless(f"{holder}[{spot.key}] is {wanted}")
        else:
            self.unless(f"{self.name('f', spot.read)}() is {wanted}")

    def _item(self, item: Item) -> str:
        place = "" if item.place is None else f"[{item.place}]"
        return f"{self.name('g', item.space)}[{item.name!r}]{place}"

    def _arguments(self) -> None:
        count = len(self.args)
        taken = {each.place for each in self.record.inputs if isinstance(each, SlotInput)}
        self.unless(f"len(args) == {count}")
        for i, each in enumerate(self.args):
            self.lines.append(f"a{i} = args[{i}]")
            self.unless(f"type(a{i}) is {self.name('k', type(each))} and a{i}._node is None")
            self.unless(f"a{i}._base is None or a{i}._base._node is None")
            self.lines.append(f"x{i} = a{i}._array")
            if i not in taken:
                self._look_at(i, each._array)
            for j in range(i):
                self.unless(f"a{i} is not a{j}")

    def _look_at(self, i: int, array: Any) -> None:
        """An argument that no code reads: only its looks count."""
        element = self.name("e", array.dtype)
        self.unless(f"x{i}.shape == {tuple(array.shape)!r} and x{i}.dtype == {element}")
        row_major = bool(array.flags.c_contiguous)
        strides = "" if row_major else f" and x{i}.strides == {array.strides!r}"
        self.unless(f"x{i}.flags.c_contiguous is {row_major}{strides}")

    def _inputs(self) -> None:
        bound = self.name("b", self.program.bound)
        for i, cell in enumerate(self.record.inputs):
            if isinstance(cell, StorageInput):
                self.holds(cell.storage, "array", self.program.bound[i])
            elif isinstance(cell, SlotInput):
                if i in self.program.written:
                    self.unless(f"x{cell.place} is {bound}[{i}]")
            elif isinstance(cell, NumberInput):
                self._number(i, cell)
            else:
                raise TypeError(f"input {i} of a record is a {type(cell).__name__}")

    def _number(self, i: int, cell: NumberInput) -> None:
        """A number is written straight to where the code reads it, when it has become another."""
        address = self.program.own_number(i)
        target = self.name("t", ctypes.c_double.from_address(address))
        last = self.name("m", [None])
        self.lines.append(f"n = {self._item(cell.number)}")
        self.lines.append(f"if n is not {last}[0]:")
        zero = IsZero(cell.number.space, cell.number.name)
        if any(each.same(zero) for each, _ in self.record.conditions):
            self.lines.append("    if n == 0: return MISS")
        self.lines.append(f"    {target}.value = n; {last}[0] = n")

    def _run(self) -> None:
        """Writes the call of the door, and of what it leaves to do."""
        program = self.program
        given = [f"x{self.record.inputs[i].place}" for i in program.arguments]
        if program.whole:
            for i, number in enumerate(program.results):
                value = program.graph.outputs[number]
                maker = default().blank_maker(value.shape, value.dtype)
                self.lines.append(f"r{i} = {self.name('blank', maker)}()")
                given.append(f"r{i}")
        self.lines.append(f"if door({', '.join(given)}) is None: return MISS")
        if program.whole:
            return
        for i in program.arguments:  # what NumPy computes reads these arrays
            array = f"x{self.record.inputs[i].place}"
            self.lines.append(f"bound[{i}] = used[{i}] = {array}")
        for step in program.steps:
            self.lines.append(f"{self.name('run', step)}()")
            if program.checks:
                self.lines.append(f"if {self.name('e', program.native.error)}.value: return MISS")
        for i, read in enumerate(program.outputs):
            self.lines.append(f"r{i} = {self.name('read', read)}()")

    def _between(self, start: int) -> None:
        """Encloses the lines from `start` on with the lock of the program."""
        lock = self.name("lock", self.program.lock)
        inside = ["    " + line for line in self.lines[start:]]
        self.lines[start:] = [f"if not {lock}.acquire(False): return MISS", "try:", *inside]
        self.lines += ["finally:", f"    {lock}.release()"]

    def _give(self, arrays: list[str]) -> None:
        for each in arrays:
            self.lines.append(f"t{each} = new(Tensor); t{each}._array = {each}")
            self.lines.append(
                f"t{each}._storage = s = new(Storage); s.array = {each}; s.version = 0"
            )
        if self.record.tracked:
            self._track()
        made = [
            f"tr{number}" if kind is FRESH else f"a{number}" for kind, number in self.record.makers
        ]
        pattern = self.record.pattern
        if isinstance(pattern, Place):
            self.lines.append(f"return {made[pattern.number]}")
            return
        self.lines.append(f"made = [{', '.join(made)}]")
        fill, shape, kind = [self.name("f", each) for each in (replaced, pattern, Place)]
        self.lines.append(f"return {fill}({shape}, {kind}, lambda each: made[each.number])")

    def _track(self) -> None:
        """The function did its own backward: the results' history is there, and used up.

        One node serves all calls, as long as nobody hangs anything on it.
        """

        def make() -> CompiledNode:
            return CompiledNode(self.record, [], None, len(self.record.tracked))

        last, maker = self.name("node", [make()]), self.name("make", make)
        self.lines.append(f"node = {last}[0]")
        self.lines.append(f"if node.hooks is not None: node = {last}[0] = {maker}()")
        for index, place in enumerate(self.record.tracked):
            self.lines.append(f"tr{place}._node = node; tr{place}._index = {index}")
