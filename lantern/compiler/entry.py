"""The short way into a record: a table of what must hold, which native code goes through.

A record may run when everything it was made under still holds. Each condition becomes words that
`enter` compares (see `doorway.py`); the few that have no such form become Python, which `enter`
calls. Whatever is not as expected leads to the general way.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from threading import get_ident
from typing import Any

from ..autograd import engine
from ..autograd.graph import Node
from ..autograd.mode import active, flags, mode
from ..backends import default
from ..dtypes import default_floating, get_default_dtype
from ..storage import Storage
from ..tensor import Tensor, current_node, wrap
from . import control, doorway, layout
from .doorway import CONSTANT, FINISH, MISS, PACK, SINGLE, Entry
from .history import CompiledNode
from .record import ARGUMENT, FRESH, Place, Record
from .structure import replaced
from .surroundings import ABSENT, CELL, ITEM, LENGTH, PLAIN, Facts, Spot
from .trace import IsZero, NumberInput, SlotInput, StorageInput

TABLES = (dict, OrderedDict, defaultdict)  # items of these can be looked up past the class


def make_entry(record: Record, args: tuple) -> RecordEntry | None:
    """Returns the way into a record that has just run on `args`; None where there is none."""
    machine = record.machine
    if active.recording is not None:  # in `autocast`, say: the way would be open outside of it, too
        return None
    if machine is None or record.grads or not all(isinstance(n, Node) for n in record.back_edges):
        return None
    if record.present or record.rebased or record.given or record.assigned:
        return None
    if any(each[0] is not FRESH and each[0] is not ARGUMENT for each in record.makers):
        return None
    program = machine.program
    plain = all(isinstance(each, Tensor) and current_node(each) is None for each in args)
    if not plain or len(set(args)) != len(args) or program.stand_ins or not layout.known():
        return None
    if program.generators:  # what was drawn has to be taken back where an index is out of range
        return None
    numbers = [each.number.found() for each in record.inputs if isinstance(each, NumberInput)]
    if not all(isinstance(each, (int, float)) for each in numbers):
        return None
    inputs = [record.inputs[i] for i, _ in machine.places if i is not None]
    if machine.back is not None and any(isinstance(each, NumberInput) for each in inputs):
        return None
    return RecordEntry(record, args)


class RecordEntry(Entry):
    """The way into a record, for arguments like those that it has just run on."""

    def __init__(self, record: Record, args: tuple):
        super().__init__()
        self.record, self.args = record, args
        self.machine: Any = record.machine
        self.program = self.machine.program
        self.native = self.program.native
        self.count = self.machine.cuts[0]  # results; what is kept for a backward comes after them
        self._words = self.native.untouched()
        self._near, self._far = Conditions(self), Conditions(self)
        self._circumstances()
        self._surroundings()
        self._conditions()
        self._inputs()
        self._arguments()
        self._gradients()
        if doorway.gives_rows(self.program):
            self._run()
        else:
            self._go_on()
        self.list("words", [each for pair in self._words for each in pair] + [0])
        self._near.set("")
        self._far.set("far_")
        del self.args  # they need not live as long

    # --- what must hold
    def _holds(self, owner: Any, field: str, value: Any) -> None:
        """Makes it a condition that a field of an object holds a value."""
        words = layout.word(owner, field, value)
        self.keep((owner, value))
        if words is None:
            self._near.extra.unless(f"{{}}.{field} is {{}}", owner, value)
        else:
            self._words.append(words)

    def _circumstances(self) -> None:
        self._holds(active, "recording", None)
        self._holds(default_floating, "dtype", get_default_dtype())
        self.set("thread", layout.thread())
        self.object("modes", mode.__dict__)
        self.object("enabled", mode.enabled)
        self.object("inference", mode.inference)

    def _surroundings(self) -> None:
        """Makes it a condition that all spots hold what they held, as when they were looked at."""
        watch = self.record.watch
        for spot, value in watch.near:
            if spot.kind is CELL and value is not ABSENT:
                self._holds(spot.holder, "cell_contents", value)
            else:
                self._near.spot(spot, value)
        self.set("counter", id(flags) + layout.field(type(flags), "version"))  # type: ignore
        self.set("counted", id(watch.version))
        layout.hold(id(watch.version))
        self.own(self.at("counted"))
        for spot, value in watch.far:
            self._far.spot(spot, value)
        for each in watch.facts:
            self._far.fact(each)
        # What has compiled functions run eagerly moves the version on, too.
        self._far.item(vars(control.state), "stance", "default")
        self._far.item(vars(control.config), "disable", False)
        self._far.item(vars(engine), "checks_nan", False)

    def _conditions(self) -> None:
        for item, answer in self.record.conditions:
            if type(item.space) is not dict or item.place is not None:
                self._near.extra.unless("{}() is {}", item, answer)
            elif not isinstance(item, IsZero):
                self._near.item(item.space, item.name, answer)
            elif answer:  # one that is not zero is an input
                scratch = ctypes.c_double()
                self.keep(scratch)
                address = ctypes.addressof(scratch)
                self._near.item(item.space, item.name, item.found(), address, 2)

    def _inputs(self) -> None:
        for i, cell in enumerate(self.record.inputs):
            if isinstance(cell, StorageInput):
                self._holds(cell.storage, "array", self.program.bound[i])
            elif isinstance(cell, NumberInput):
                self._number(i, cell)
            elif not isinstance(cell, SlotInput):
                raise TypeError(f"input {i} of a record is a {type(cell).__name__}")

    def _number(self, i: int, cell: NumberInput) -> None:
        """A number is written straight to where the code reads it, when it has become another."""
        item, address = cell.number, self.program.own_number(i)
        target = ctypes.c_double.from_address(address)
        target.value = item.found()
        zero = IsZero(item.space, item.name)
        rule = int(any(each.same(zero) for each, _ in self.record.conditions))
        whole = item.space[item.name]
        if type(item.space) is dict and (item.place is None or type(whole) is tuple):
            place = 0 if item.place is None else item.place + 1
            self._near.item(item.space, item.name, whole, address, rule, place)
            return
        lines = self._near.extra
        lines.add("n = {}()", item.found)
        if rule:
            lines.add("if n == 0: return False")
        lines.add("{}.value = n", target)

    def _arguments(self) -> None:
        inputs, records = self.record.inputs, []
        taken = {cell.place: i for i, cell in enumerate(inputs) if isinstance(cell, SlotInput)}
        written = {id(cell) for cell, _ in self.record.writes}
        dropped = {each for each in self.record.dropped if isinstance(each, int)}
        for place, tensor in enumerate(self.args):
            i = taken.get(place)
            records += self.array(
                tensor._array,
                0 if i is None else self.native.slot(1 + i),
                type(tensor),
                i in self.program.written,
                i is not None and id(inputs[i]) in written,
                place in dropped,
            )
        self.set("count", len(self.args))
        self.list("arguments", [*records, 0])
        self.ranges(self.program.ranges)

    def _gradients(self) -> None:
        """Looks at gradients only when some tensor has been given one."""
        check = Lines()
        for leaf, had in self.record.guards:
            lines = check if had is None else self._near.extra
            lines.unless("{}._grad is {}", leaf, had)
        leaves = [each for each in self.record.dropped if not isinstance(each, int)]
        if not leaves and not check:
            return
        self.set("grads", id(flags) + layout.field(type(flags), "grads"))  # type: ignore[operator]
        self.own(self.at("seen"))
        if check:
            self.object("check", check.function())
        if leaves:
            self.object("drop", self._dropper(leaves))

    @staticmethod
    def _dropper(leaves: list[Tensor]) -> Callable[[], None]:
        def drop() -> None:
            for each in leaves:
                if each._grad is not None:
                    each._grad = None

        return drop

    # --- what is done
    def _run(self) -> None:
        """Native code runs the program and makes the results."""
        fields, version = [], layout.field(Storage, "version")
        for cell, _ in self.record.writes:
            if not isinstance(cell, SlotInput):
                fields.append(self.keep(cell.storage) + version)  # type: ignore[operator]
        self.list("fields", [*fields, 0])
        self.segment(self.native)
        self._results()
        self._returns()

    def _results(self) -> None:
        history: dict[int, tuple[int, int]] = {}
        if self.record.tracked and self.machine.back is None:
            # The function did its own backward: the results' history is there, and used up. One
            # node serves all calls, as long as nobody hangs anything on it.
            node = self._node(None, ())
            self._holds(node, "hooks", None)
            for index, place in enumerate(self.record.tracked):
                history[place] = self.keep(node), self.keep(index)
        records = []
        for i, number in enumerate(self.program.results):
            shown = self.program.blueprint.outputs[number]
            bare = i >= self.count
            records.append(self.result(self.native, shown, bare, history.get(i, (0, 0))))
        self.results(records)

    def _node(self, known: Any, versions: Any) -> CompiledNode:
        edges = [(each, 0) for each in self.record.back_edges]
        return CompiledNode(self.record, edges, known, len(self.record.tracked), versions)

    def _returns(self) -> None:
        pattern, makers, count = self.record.pattern, self.record.makers, self.count
        fresh = makers == [(FRESH, i) for i in range(count)]
        numbers = [each.number for each in _places(pattern)]
        if self.machine.back is not None:
            self.set("returns", FINISH)
            self.object("returned", self._tracker())
        elif type(pattern) in PLAIN and not count:
            self.set("returns", CONSTANT)
            self.object("returned", pattern)
        elif count and fresh and numbers == list(range(count)):
            self.set("returns", SINGLE if isinstance(pattern, Place) else PACK)
        else:
            self.set("returns", FINISH)
            self.object("returned", self._filler())

    def _filler(self) -> Callable[..., Any]:
        """Returns a function from results and arguments to what the function returned."""
        pattern, count = self.record.pattern, self.count
        places = [n if kind is FRESH else count + n for kind, n in self.record.makers]
        if isinstance(pattern, Place):
            (only,) = places
            return lambda *made: made[only]
        chosen = [places[each.number] for each in _places(pattern)]
        if chosen:
            return lambda *made: tuple([made[i] for i in chosen])
        return lambda *made: replaced(pattern, Place, lambda each: made[places[each.number]])

    def _tracker(self) -> Callable[..., Any]:
        """Returns a function from results, what is kept for a backward, and arguments.

        It gives what the function returned, with a history of its own.
        """
        record, fill, tracked = self.record, self._filler(), list(enumerate(self.record.tracked))
        first, total = self.count, len(self.program.results)
        edges, outputs = [(each, 0) for each in record.back_edges], len(tracked)
        sources: list[tuple[int, Any]] = []  # number of what is kept or argument, or -1 and array
        for i, kept in self.machine.places:
            if i is None:
                sources.append((first + kept, None))
            elif isinstance(record.inputs[i], SlotInput):
                sources.append((total + record.inputs[i].place, Tensor))
            else:
                sources.append((-1, self.program.bound[i]))
        slots = [total + each.place for each in record.saved if isinstance(each, SlotInput)]
        cells = [each.storage for each in record.saved if isinstance(each, StorageInput)]

        def track(*made: Any) -> Any:
            known = [
                fixed if n < 0 else made[n] if fixed is None else made[n]._array
                for n, fixed in sources
            ]
            versions = [(each, each.version) for each in cells]
            for n in slots:
                storage = made[n]._storage
                versions.append((storage, storage.version))
            node = CompiledNode(record, edges, known, outputs, versions)
            for index, place in tracked:
                made[place]._node, made[place]._index = node, index
            return fill(*made[:first], *made[total:])

        return track

    def _go_on(self) -> None:
        """Python runs a program in several pieces, and NumPy some of them."""
        program, native, record = self.program, self.native, self.record
        taken = [(i, record.inputs[i].place) for i in program.arguments]
        leaves = [each for each in record.dropped if not isinstance(each, int)]
        drop, count = self._dropper(leaves), self.count
        complete = self._filler() if self.machine.back is None else self._tracker()

        stamp, address_of = native.stamp.value, default().address_of

        def run(args: tuple) -> list[Any] | None:
            if native.stamp.value != stamp:  # before the lock was there, another thread had it
                return None
            for i, place in taken:  # what NumPy computes reads these arrays
                array = program.bound[i] = program.used[i] = args[place]._array
                native.table[1 + i] = address_of(array)
            for step in program.steps:
                step()
                if program.checks and native.error.value:
                    native.error.value = 0
                    return None
            found = [read() for read in program.outputs]
            for cell, _ in record.writes:
                cell.cell(args).version += 1
            return found

        def go_on(*args: Tensor) -> Any:
            thread = get_ident()
            if program.owner == thread:
                return MISS
            with program.lock:
                try:  # no call between lock and owner, as a signal would be handled there
                    program.owner = thread
                    found = run(args)
                finally:
                    program.owner = 0
            if found is None:
                return MISS
            drop()
            made = [wrap(each) for each in found[:count]]
            if self.machine.back is None and record.tracked:
                node = self._node(None, ())
                for index, place in enumerate(record.tracked):
                    made[place]._node, made[place]._index = node, index
            return complete(*made, *found[count:], *args)

        self.object("go_on", go_on)
        self.set("inside", ctypes.addressof(native.inside))


def _places(pattern: Any) -> list[Place]:
    """Returns the places in a result that is a tensor or a plain tuple of them; else none."""
    if isinstance(pattern, Place):
        return [pattern]
    plain = type(pattern) is tuple and all(isinstance(each, Place) for each in pattern)
    return list(pattern) if plain else []


class Conditions:
    """What must hold, in the forms that `enter` knows, and in Python where there is none."""

    def __init__(self, entry: Entry):
        self.entry = entry
        self.items: list[int] = []
        self.places: list[int] = []
        self.sizes: list[int] = []
        self.attributes: list[int] = []
        self.extra = Lines()

    def spot(self, spot: Spot, value: Any) -> None:
        """Makes it a condition that a spot holds what it held."""
        holder, kind, keep = spot.holder, type(spot.holder), self.entry.keep
        if spot.kind is LENGTH and kind in (list, tuple, *TABLES):
            self.sizes += [keep(holder), value]
        elif spot.kind is ITEM and kind in TABLES and type(spot.key) in (str, int):
            self.item(holder, spot.key, value)
        elif spot.kind is ITEM and kind is list and type(spot.key) is int and spot.key >= 0:
            self.places += [keep(holder), spot.key, keep(value)]
        else:
            self.extra.unless("{}() is {}", spot.read, value)

    def item(
        self, space: dict, key: Any, value: Any, cell: int = 0, rule: int = 0, place: int = 0
    ) -> None:
        """Makes it a condition that an item of a dictionary is an object.

        Another number goes to `cell`, if there is one and if the rule allows: any (0), not zero
        (1), zero (2). `place` counts from 1 in a tuple that the item is.
        """
        keep = self.entry.keep
        must = 0 if value is ABSENT else keep(value)
        self.items += [keep(space), keep(key), must, cell, rule, place]

    def fact(self, fact: Facts) -> None:
        """Makes it a condition that a tensor is as it was."""
        tensor = fact.tensor()
        if tensor is None:
            return
        node = tensor._node
        looks = [("_storage", fact.storage), ("_layout", fact.layout), ("_node", node)]
        found = [(tensor, name, value) for name, value in looks]
        if fact.hooks is not None:
            self.extra.unless("{}()", fact.hold)
        elif node is not None:
            found.append((node, "hooks", None))
        for each in found:
            self.attributes += map(self.entry.keep, each)

    def set(self, prefix: str) -> None:
        """Sets the lists of the entry whose names begin with a prefix."""
        items = self.entry.list(f"{prefix}items", [*self.items, 0])
        start = ctypes.addressof(items)
        for at in range(0, len(self.items), doorway.ITEM_WORDS):
            if self.items[at + 3]:  # may be exchanged for another
                layout.hold(self.items[at + 2])
                self.entry.own(start + (at + 2) * layout.WORD)
        self.entry.list(f"{prefix}places", [*self.places, 0])
        self.entry.list(f"{prefix}sizes", [*self.sizes, 0])
        if prefix:
            self.entry.list(f"{prefix}attributes", [*self.attributes, 0])
        if self.extra:
            self.entry.object(f"{prefix}extra", self.extra.function())


class Lines:
    """A Python function in the making that says whether all holds; objects have numbers in it."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._space: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, line: str, *objects: Any) -> None:
        """Adds a line in which each `{}` stands for an object."""
        names = [f"o{len(self._space) + i}" for i in range(len(objects))]
        self._space.update(zip(names, objects, strict=True))
        self._lines.append(line.format(*names))

    def unless(self, condition: str, *objects: Any) -> None:
        """Adds a condition: the function returns False where it does not hold."""
        self.add(f"if not ({condition}): return False", *objects)

    def function(self) -> Callable[[], bool]:
        """Returns the function."""
        body = "\n    ".join([*self._lines, "return True"])
        exec(f"def lines():\n    {body}\n", self._space)
        return self._space["lines"]
