"""The way from a call in Python into native code, without a Python instruction between.

`enter` is one function for all programs. Python calls it with a chain of entries; an entry is a
table of words that says what must hold (fields of objects, items of dictionaries, the mode of the
thread), how the arguments must look, what to run, and how to make the results. The first entry of
which everything holds is taken; where there is none, `enter` calls the general way. Between the
last look and the end of the run no other thread can do anything, so no lock is needed. Only places
in objects that were found by trying are looked into (`layout.py`); all else goes through Python's
own interface, and is there in every version of it.

What may run Python comes first: looks that are written in it, and making memory for results. Then
all that other threads could have changed meanwhile is looked at once more.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from math import prod
from typing import Any

from ..autograd.mode import mode
from ..backends import default
from ..shape import is_contiguous
from ..storage import Storage
from ..tensor import Tensor
from . import enter, layout, runtime

MISS = object()  # what a chain without a general way gives where no entry holds
# What a call gives: the result, an object, a tuple of the results, what a function makes of them
# and of the arguments.
SINGLE, CONSTANT, PACK, FINISH = range(4)

# The words of an entry, in order. Those of each of two groups of spots are looked at together.
FIELDS = (
    "words", "counter", "counted",
    "far_items", "far_places", "far_sizes", "far_attributes", "far_extra",
    "items", "places", "sizes", "attributes", "extra",
    "thread", "modes", "enabled", "inference", "count", "arguments", "ranges", "grads", "seen",
    "check", "drop", "go_on", "inside", "segment", "error", "fields", "result_count", "results",
    "returns", "returned",
)  # fmt: skip
NUMBER = {name: i for i, name in enumerate(FIELDS)}
ITEM_WORDS, RESULT_WORDS = 6, 11  # of an item that must hold, of a result
NEW, BARE = (1 << 64) - 1, (1 << 64) - 2  # memory of its own for each result, without a tensor
ANY = 1 << 63  # stands for whatever stride
PATIENCE = 64  # short ways that are made one after the other; then one in so many misses
SMALL = 1 << 16  # bytes of a result whose memory is kept for another one


class Entry:
    """One way into native code: the table that `enter` reads, and what must live with it."""

    def __init__(self) -> None:
        self.table = layout.words([0] * len(FIELDS))
        self.address = ctypes.addressof(self.table)
        self._kept: list[Any] = []
        self._owned: list[int] = []  # addresses of words that hold a reference
        for name in ("words", "items", "places", "sizes", "attributes", "fields"):
            self.list(name, [0])  # an empty list
        self.set("grads", self.at("seen"))  # the same: there is nothing to look at

    def __del__(self) -> None:
        for each in self._owned:
            word = ctypes.c_size_t.from_address(each)
            held, word.value = word.value, 0  # the entry may be called until the very end
            layout.drop(held)

    def at(self, name: str) -> int:
        """Returns the address of a word of the table."""
        return self.address + NUMBER[name] * layout.WORD

    def set(self, name: str, value: int) -> None:
        """Sets a word of the table."""
        self.table[NUMBER[name]] = value

    def list(self, name: str, values: list[int]) -> Any:
        """Has a word of the table lead to others."""
        found = layout.words(values)
        self._kept.append(found)
        self.set(name, ctypes.addressof(found))
        return found

    def object(self, name: str, value: Any) -> None:
        """Has a word of the table be an object."""
        self.set(name, self.keep(value))

    def keep(self, value: Any) -> int:
        """Keeps an object alive; returns its address."""
        self._kept.append(value)
        return id(value)

    def array(
        self,
        array: Any,
        slot: int,
        kind: type | None = None,
        same: bool = False,
        written: bool = False,
        no_grad: bool = False,
    ) -> list[int]:
        """Returns the words of an argument like an array, or a tensor of a `kind` with such a one.

        Its address goes to `slot`, if there is one: then it has to be row-major. It may have to be
        the `same` array, be `written`, and have to have no gradient.
        """
        strides, size = list(array.strides), array.itemsize
        for d in reversed(range(array.ndim)):
            if slot:
                strides[d] = size
            if array.shape[d] == 1 or 0 in array.shape:
                strides[d] = ANY
            size *= array.shape[d]
        of = 0 if kind is None else self.keep(kind)
        dtype, fixed = self.keep(array.dtype), self.keep(array) if same else 0
        words = [of, slot, dtype, array.ndim, max(size, 1), fixed, int(written), int(no_grad)]
        words.append(len(words) + 1 + 2 * array.ndim)
        for extent, stride in zip(array.shape, strides, strict=True):
            words += [extent, stride]
        return words

    def ranges(self, spans: list[tuple[int, int, int]]) -> None:
        """Sets the memory, from and to, that no argument of other memory may lie in."""
        if spans:
            self.list("ranges", [each for span in spans for each in span[:2]] + [0, 0])

    def segment(self, native: Any) -> None:
        """Sets the code that is run."""
        self.set("segment", native.segment(0))
        self.set("error", ctypes.addressof(native.error))
        self.keep(native)

    def results(self, records: list[list[int]]) -> None:
        """Sets the results, each as `result` gives it."""
        words = self.list("results", [each for record in records for each in record] + [0])
        for n in range(len(records)):
            for place in (7, 9):  # memory that is kept
                number = n * RESULT_WORDS + place
                self.own(ctypes.addressof(words) + number * layout.WORD)
        self.set("result_count", len(records))

    def result(self, native: Any, shown: Any, bare: bool = False, history: Any = (0, 0)) -> list:
        """Returns the words of a result: an array if `bare`, else a tensor with a history."""
        item = shown.dtype.itemsize
        start, size = shown.start + shown.offset * item, prod(shown.shape) * item
        blank = default().blank_maker(shown.shape, shown.dtype)
        maker = self.keep(blank if bare else lambda: Storage(blank()))
        older = NEW if size > SMALL or not reuses() else 0
        source = native.slot(shown.slot)
        return [source, start, size, *history, maker, BARE if bare else older, 0, 0, 0, 0]

    def own(self, address: int) -> None:
        """Notes that a word holds a reference, which native code may exchange for another."""
        self._owned.append(address)


class Door:
    """The loaded function, and how to make a Python function of it and a chain of entries."""

    def __init__(self) -> None:
        runtime.tell(enter.calls())
        engine = self._engine = runtime.load(enter.text(_facts()), runtime.host())
        self._kept = {
            "none": None, "true": True, "false": False, "miss": MISS, "zero": 0, "mode": mode,
            "exception": Exception, "tensor": Tensor, "float": float, "tuple": tuple,
            "ndarray": default().ndarray,
            **{f"name_{each.strip('_')}": each for each in enter.NAMES},
        }  # fmt: skip
        for name, value in self._kept.items():
            address = engine.get_global_value_address(name)
            ctypes.c_size_t.from_address(address).value = id(value)
        self._address = engine.get_function_address("enter")

    def function(self, general: Any, entries: tuple[Entry, ...]) -> Any:
        """Returns a Python function that goes through one of the entries or calls `general`."""
        first = 0 if general is None else id(general)
        chain = layout.words([first, *(each.address for each in entries), 0])
        kept = (self, general, entries, chain)
        flags = layout.ARRAY_OF_ARGUMENTS | layout.NAMED_ARGUMENTS
        return layout.function(self._address, flags, ctypes.addressof(chain), kept)


def _facts() -> dict[str, int]:
    """Returns what the text of `enter` depends on: numbers of words, and places in objects."""
    fields = default().array_fields()
    pooled = reuses()
    places = {
        "item_words": ITEM_WORDS, "result_words": RESULT_WORDS,
        "data": fields.data, "ndim": fields.ndim, "dtype": fields.dtype,
        "shape": fields.shape, "strides": fields.strides,
        "array": layout.field(Storage, "array"), "version": layout.field(Storage, "version"),
        "references": layout.references() if pooled else 0,
        "weak": layout.weak_list(Storage) if pooled else 0,
    }  # fmt: skip
    assert places.keys().isdisjoint(NUMBER)
    return {**NUMBER, **places}  # type: ignore[dict-item]


def reuses() -> bool:
    """Says whether native code can tell that nobody else knows some memory."""
    return layout.references() is not None and layout.weak_list(Storage) is not None


_lock = threading.Lock()
_door: Door | None = None


def door() -> Door | None:
    """Returns the door, loaded on first use; None where objects are not laid out as expected."""
    global _door
    with _lock:
        if _door is None and layout.known():
            _door = Door()
        return _door


class Passage:
    """A program over arrays: those called `arguments` come with each call, the others stay."""

    def __init__(self, program: Any):
        self.program = program
        self._enter: Any = None
        self._missed = 0

    def __call__(self, given: Sequence[Any], others: Sequence[Any] = ()) -> Sequence[Any]:
        """Returns the results of the program for arguments, and for what comes before them."""
        enter = self._enter  # another thread may take it away
        if enter is not None:
            found = enter(*given)
            if found is not MISS:
                return found
        program = self.program
        first = len(others) + len(given)
        found = program([*others, *given, *program.bound[first:]])
        self._missed += 1
        if self._missed < PATIENCE or self._missed % PATIENCE == 0:
            self._open(given)
        return found

    def _open(self, given: Sequence[Any]) -> None:
        program, opened = self.program, door()
        self._enter = None
        if opened is None or not gives_rows(program) or program.stand_ins:
            return
        entry, native = Entry(), program.native
        entry.list("words", [each for pair in native.untouched() for each in pair] + [0])
        looks = zip(program.arguments, given, strict=True)
        records = [each for i, x in looks for each in entry.array(x, native.slot(1 + i))]
        entry.list("arguments", [*records, 0])
        entry.set("count", len(given))
        entry.ranges(program.ranges)
        entry.segment(native)
        shown = [program.blueprint.outputs[i] for i in program.results]
        entry.results([entry.result(native, each, bare=True) for each in shown])
        entry.set("returns", PACK)
        self._enter = opened.function(None, (entry,))


def gives_rows(program: Any) -> bool:
    """Says whether one piece of code computes all results of a program, each row-major."""
    shown = [program.blueprint.outputs[i] for i in program.results]
    return program.whole and all(is_contiguous(each.shape, each.strides) for each in shown)
