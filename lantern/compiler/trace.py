"""Recording: what every op call does while a trace is active.

Nothing is passed in. Each storage first read becomes an input; each storage whose value changed
becomes an output that is written back to the same memory after the run.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from typing import Any, NoReturn

from ..autograd.mode import NO_TRACE, active, mode
from ..autograd.views import look, replace
from ..backends import NAMESPACES, default, gpu
from ..dtypes import dtype, float64
from ..storage import Storage
from ..tensor import Tensor
from . import symbolic
from .ir import Graph, Value
from .surroundings import Facts, Spot, Watch

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSIDE = (_PACKAGE, contextlib.__file__)  # which stands between a `with` and its context manager


class TraceError(RuntimeError):
    """A function cannot be recorded: it asks for a value that is known only when it runs."""


class StorageInput:
    """An input that is the memory of a storage."""

    def __init__(self, storage: Storage):
        self.storage = storage

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Returns the array that the storage has now."""
        return self.storage.array

    def cell(self, tensors: list[Tensor]) -> Storage:
        """Returns the storage that a write goes to."""
        return self.storage


class SlotInput:
    """An input that is an argument of the call: the tensor at a place among them."""

    def __init__(self, place: int):
        self.place = place

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Returns the array of the tensor in this place of the call."""
        return tensors[self.place]._array

    def cell(self, tensors: list[Tensor]) -> Storage:
        """Returns the storage that a write goes to."""
        return tensors[self.place]._storage


class GradInput:
    """An input that is the `.grad` which a leaf has when the record is run."""

    def __init__(self, leaf: Tensor):
        self.leaf = leaf

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Returns the array of the gradient."""
        return self.leaf._grad._array  # type: ignore[union-attr]

    def cell(self, tensors: list[Tensor]) -> Storage:
        """Returns the storage that a write goes to."""
        return self.leaf._grad._storage  # type: ignore[union-attr]


class SlotGradInput:
    """An input that is the `.grad` of an argument."""

    def __init__(self, place: int):
        self.place = place

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Returns the array of the gradient."""
        return tensors[self.place]._grad._array  # type: ignore[union-attr]

    def cell(self, tensors: list[Tensor]) -> Storage:
        """Returns the storage that a write goes to."""
        return tensors[self.place]._grad._storage  # type: ignore[union-attr]


class SpotInput:
    """An input that is the tensor which lies in a spot, where the function puts another."""

    def __init__(self, spot: Spot):
        self.spot = spot

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Returns the array of the tensor that lies there now."""
        return self.spot.read()._array

    def cell(self, tensors: list[Tensor]) -> Storage:
        """Returns the storage that a write goes to."""
        return self.spot.read()._storage


class Item:
    """A question: what lies in a dictionary under a name, and at a place within that if given."""

    def __init__(self, space: dict, name: str, place: int | None = None):
        self.space, self.name, self.place = space, name, place

    def found(self) -> Any:
        """Returns what is there now."""
        found = self.space[self.name]
        return found if self.place is None else found[self.place]

    def __call__(self) -> Any:
        """Returns the present answer."""
        return self.found()

    def same(self, other: Item) -> bool:
        """Says whether this is the same question."""
        mine, other_one = (self.name, self.place), (other.name, other.place)
        return self.space is other.space and mine == other_one and type(self) is type(other)


class IsZero(Item):
    """A question: whether the number in a dictionary under a name is zero."""

    def __call__(self) -> bool:
        """Returns the present answer."""
        return bool(self.found() == 0)


class NumberInput:
    """An input that is a Python number, read anew before each run."""

    def __init__(self, number: Item, kind: dtype):
        self.number, self.kind = number, kind

    def __call__(self, tensors: list[Tensor]) -> Any:
        """Returns the number as an array."""
        return default().asarray(self.number(), self.kind)


class NotReady(Exception):
    """State that is made on first use is not there yet: this call has to run eagerly."""


class Trace:
    """A recording in progress: the graph, and the present value of every storage it has met."""

    namespace = symbolic

    def __init__(self, watch: Watch | None = None) -> None:
        self.graph = Graph()
        self.thread = threading.get_ident()
        self.watch = Watch() if watch is None else watch
        self.values: dict[Storage, Value] = {}
        self.inputs: list[Any] = []  # how to get the array of each graph input
        self.storages: dict[Storage, Value] = {}  # the inputs among the storages, as first read
        self.written: dict[Storage, None] = {}
        self.guards: list[tuple[Item, Any]] = []
        self.cleared: dict[Tensor, None] = {}  # leaves whose `.grad` was taken away, in order
        self.leaves: dict[Tensor, Tensor | None] = {}  # leaves whose `.grad` counts; what they had
        self.had: dict[Tensor, Tensor | None] = {}  # what `.grad` was when the recording began
        self.used_up: set[Tensor] = set()  # leaves whose `.grad` an optimizer has used
        self.histories: dict[Tensor, tuple] = {}  # of tensors that were written, as they were
        self.met: dict[int, Tensor] = {}  # tensors that were there before
        self._looks: dict[tuple[Value, int], tuple[Value, tuple]] = {}

    def add(self, name: str, args: tuple) -> Value:
        """Records one primitive."""
        for arg in args:
            if type(arg) in NAMESPACES and not isinstance(arg, Value):
                raise TraceError(
                    "a compiled function uses the graph of a computation that was done outside of "
                    f"it ({user_line()}). Do the whole forward and backward inside the function."
                )
        return self.graph.add(name, args, user_line())

    def called(self, op: Any, values: list, out: Any) -> None:
        """Is told of each op whose primitives have just been recorded; nothing to note here."""

    def bind(self, storage: Storage, array: Any) -> Value:
        """Makes a storage an input whose array is found by a call before each run."""
        if type(storage.array) is gpu.kind:
            raise NotImplementedError(
                "lantern.compile of functions on a GPU is not in Lantern yet; call the function "
                "as it is, or keep its tensors on the CPU"
            )
        value = self.graph.input(
            storage.array.shape, NAMESPACES[type(storage.array)].dtype_of(storage.array)
        )
        value.lies(NAMESPACES[type(storage.array)].extent(storage.array)[1])
        self.inputs.append(array)
        self.values[storage] = self.storages[storage] = value
        return value

    def number(self, space: dict, name: str, place: int | None = None) -> Value:
        """Makes a Python number in a dictionary an input that is read anew before each run."""
        value = self.graph.input((), float64)
        self.inputs.append(NumberInput(Item(space, name, place), float64))
        return value

    def read(self, tensor: Tensor) -> Value:
        """Returns the present value of a tensor; a concrete one becomes an input."""
        storage = tensor._storage
        value = self.values.get(storage)
        if value is None:
            value = self._first(storage)
        if not isinstance(tensor._array, Value):
            self.meet(tensor)
        steps = tensor._layout
        if not steps:
            return value
        found = self._looks.get((value, id(steps)))
        if found is None:
            shown = look(symbolic, value, steps)
            if shown is not tensor._array:
                shown.lies(tensor.stride(), tensor.storage_offset())
            found = self._looks[value, id(steps)] = (shown, steps)
        return found[0]

    def meet(self, tensor: Tensor) -> None:
        """Notes a tensor that was there before: the record depends on where it lies."""
        if id(tensor) not in self.met and not isinstance(tensor._array, Value):
            self.met[id(tensor)] = tensor
            self.watch.facts.append(Facts(tensor))

    def _first(self, storage: Storage) -> Value:
        if isinstance(storage.array, Value):
            if storage.array.graph is not self.graph:
                raise TraceError(
                    "a tensor that was made while another function was being recorded is used here "
                    f"({user_line()}). Return such tensors from the compiled function instead."
                )
            self.values[storage] = storage.array
            return storage.array
        return self.bind(storage, StorageInput(storage))

    def write(self, tensor: Tensor, value: Value) -> None:
        """Gives the tensor's storage a new value."""
        storage = tensor._storage
        base = self.values.get(storage)
        if base is None:
            base = self._first(storage)
        if tensor._layout:
            value = replace(symbolic, base, value, tensor._layout)
        if value.memory != base.memory:  # what is written takes the place of what was there
            value = symbolic.clone(value)
            value.lies(*base.memory)
        self.values[storage] = value
        self.written[storage] = None

    def guard_item(self, space: dict, name: str) -> None:
        """Makes what lies in a dictionary under a name a condition for running the record."""
        self._guard(Item(space, name))

    def guard_zero(self, space: dict, name: str) -> None:
        """Makes it a condition that a number in a dictionary stays zero, or stays another."""
        self._guard(IsZero(space, name))

    def _guard(self, question: Item) -> None:
        self.guards.append((question, question()))

    def postpone(self) -> NoReturn:
        """Ends the recording; the call is run eagerly and the next one recorded."""
        raise NotReady

    def touch(self, tensor: Tensor) -> None:
        """Notes the history of a tensor that is about to be written, and of its base."""
        for each in (tensor, tensor._base):
            if each is not None:
                self.histories.setdefault(each, (each._node, each._index, each._seen))

    def uses(self, thing: Any) -> None:
        """Notes that a module or an optimizer is at work: the record depends on how it is."""
        if hasattr(thing, "param_groups"):
            self.watch.optimizer(thing)
            self.watch.state(thing)
        else:
            self.watch.module(thing)

    def look_at_grad(self, leaf: Tensor) -> None:
        """Notes that the `.grad` of a leaf counts; where there is one, it becomes an input."""
        if leaf in self.leaves or leaf in self.cleared:
            return
        held = self.leaves[leaf] = leaf._grad
        self.had.setdefault(leaf, held)
        if held is None or isinstance(held._array, Value) or held._layout:
            return
        if held._storage not in self.values and held._node is None:
            self.bind(held._storage, GradInput(leaf))

    def accumulates(self, leaf: Tensor) -> None:
        """Notes that backward gives `leaf` a gradient."""
        self.used_up.discard(leaf)
        self.look_at_grad(leaf)

    def clears(self, leaf: Tensor) -> None:
        """Notes that `leaf` is given another `.grad`."""
        self.had.setdefault(leaf, leaf._grad)
        if leaf not in self.leaves:
            self.cleared[leaf] = None

    def uses_up(self, leaves: list[Tensor]) -> None:
        """Notes that an optimizer uses the gradients of these leaves."""
        for each in leaves:
            self.look_at_grad(each)
        self.used_up.update(leaves)

    def refuse(self, what: str, cure: str = "") -> NoReturn:
        """Raises the error for a question that only a run can answer."""
        cure = cure or (
            "Move it out of the compiled function, or return the tensor and ask afterwards; for a "
            "choice by the data use torch.where(condition, a, b)."
        )
        raise TraceError(
            f"{what} is not known while a function is being compiled ({user_line()}). {cure}"
        )


def user_line() -> str:
    """Returns the file and line of the nearest caller outside of Lantern."""
    frame, _ = _outside()
    if frame is None:
        return "unknown line"
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"


def warn(message: str) -> None:
    """Warns of something at the line of the nearest caller outside of Lantern."""
    _, level = _outside()
    warnings.warn(message, stacklevel=level)


def _outside() -> tuple[Any, int]:
    """Returns the nearest frame outside of Lantern, and its number counted from the caller's, 1."""
    frame: Any = sys._getframe(1)
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame, level = frame.f_back, level + 1
    return frame, level


_alone = threading.Lock()  # held while a thread records


class recording:
    """Makes a trace the active one for a `with` block; other threads that record wait."""

    def __init__(self, trace: Trace):
        self.trace = trace

    def __enter__(self) -> Trace:
        if active.trace is not None:
            raise TraceError("a function that is being compiled cannot start another recording")
        _alone.acquire()
        self.trace.thread = threading.get_ident()
        active.recording = self.trace
        return self.trace

    def __exit__(self, *exception: object) -> None:
        active.recording = None if mode.autocast is None else NO_TRACE
        _alone.release()


if hasattr(os, "register_at_fork"):
    # A child has one thread, and nothing is being recorded in it unless its parent's was that.
    os.register_at_fork(after_in_child=lambda: _renew())


def _renew() -> None:
    global _alone
    if active.recording is not None and active.trace is None:
        active.recording = None
    _alone = threading.Lock()
    if active.recording is not None:
        _alone.acquire()
