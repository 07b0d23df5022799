"""`compile`: turns a function of tensors, such as a whole training step, into one recorded program.

The first call for given shapes, dtypes and other arguments runs eagerly, so that state which is
made on first use exists; the second is recorded; later ones run the record.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from ..autograd.graph import AccumulateGrad, Node
from ..autograd.mode import active, mode
from ..backends import NAMESPACES
from ..dtypes import get_default_dtype
from ..storage import Storage
from ..tensor import Tensor, current_node, wrap
from .entry import MISS, make_entry
from .flags import ModuleFlags
from .interpret import run
from .ir import INPUT, Graph, Value, verify
from .machine import Changed, machine_code
from .trace import NotReady, SlotInput, Trace, TraceError, recording

MANY_RECORDINGS = 8


def compile(
    model: Any = None,
    *,
    strict: bool = True,
    keep_grads: bool = False,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict | None = None,
    disable: bool = False,
) -> Any:
    """Returns the function or module, recorded once and then run as one program.

    The function may read and write any tensors it can reach: parameters, buffers, optimizer state.
    Gradients are dropped after a step unless `keep_grads`. What cannot be recorded raises
    `TraceError` with the line of the user's program; with `strict=False` such a function runs
    eagerly after one warning.

    >>> import lantern
    >>> double = lantern.compile(lambda x: x * 2)
    >>> [double(lantern.tensor([1.0, 2.0])) for _ in range(3)][-1]
    tensor([2., 4.])
    """
    if model is None:
        return functools.partial(
            compile, strict=strict, keep_grads=keep_grads, backend=backend, disable=disable
        )
    if disable:
        return model
    if hasattr(model, "forward") and hasattr(model, "named_parameters"):
        model.compile(strict=strict, keep_grads=keep_grads)
        return model
    return CompiledFunction(model, strict, keep_grads, backend)


class CompiledFunction:
    """A function with the records made of it; `graphs` shows them."""

    def __init__(
        self,
        function: Callable[..., Any],
        strict: bool = True,
        keep_grads: bool = False,
        backend: Any = None,
    ):
        functools.update_wrapper(self, function)
        self.backend = backend
        self.function = function
        self.strict = strict
        self.keep_grads = keep_grads
        self._flags = ModuleFlags(function)
        self._seen: set = set()
        self._records: dict[Any, list[Record]] = {}
        self._entries: list[Any] = []  # the short ways into records
        self._eager = False
        self._recordings = 0

    @property
    def graphs(self) -> list[Graph]:
        """The graphs recorded so far."""
        return [each.graph for records in self._records.values() for each in records]

    def explain(self) -> None:
        """Prints, for each record, its kernels: what was fused into what, and the time of each."""
        for records in self._records.values():
            for i, each in enumerate(records):
                print(f"{self.__name__}, record {i}:")  # type: ignore[attr-defined]
                print(each.graph if each.machine is None else each.machine.program.explain())

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the function: eagerly at first, then from a record."""
        if not kwargs:
            for entry in self._entries:
                result = entry(args)
                if result is not MISS:
                    return result
        if self._eager or active.trace is not None:
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        key = (
            _flatten((args, kwargs), tensors),
            mode.enabled,
            self._flags.key(),
            get_default_dtype(),
        )
        for record in self._records.get(key, ()):
            if record.valid():
                try:
                    result = record.call(tensors)
                except Changed:  # an input has another shape now: record again
                    self._records[key].remove(record)
                    self._entries.clear()
                    break
                if not kwargs:
                    self._shorten(record, args)
                return result
        if key not in self._seen:
            self._seen.add(key)
            return self.function(*args, **kwargs)
        return self._record(key, args, kwargs, tensors)

    def _shorten(self, record: Record, args: tuple) -> None:
        """Gives a record its short way in, the newest first."""
        if record.machine is None or record.shortened > MANY_RECORDINGS or self._eager:
            return
        record.shortened += 1
        others = [each for each in self._entries if each is not record.entry]
        record.entry = make_entry(self, record, args)
        self._entries = others[:MANY_RECORDINGS]
        if record.entry is not None:
            self._entries.insert(0, record.entry)

    def _record(self, key: Any, args: tuple, kwargs: dict, tensors: list[Tensor]) -> Any:
        try:
            record = Record(
                self.function, args, kwargs, tensors, self.keep_grads, self.backend != "interpreter"
            )
        except NotReady:
            return self.function(*args, **kwargs)
        except TraceError as error:
            if self.strict:
                raise
            warnings.warn(f"{self.__name__} runs eagerly: {error}", stacklevel=3)  # type: ignore
            self._eager = True
            return self.function(*args, **kwargs)
        self._records.setdefault(key, []).append(record)
        self._recordings += 1
        if self._recordings == MANY_RECORDINGS + 1:
            warnings.warn(
                f"{self.__name__} has been recorded {self._recordings} times; "  # type: ignore
                f"the arguments last changed to {key[0]}. Shapes, dtypes and all arguments that "
                "are no tensors are part of what is recorded.",
                stacklevel=3,
            )
        return record.call(tensors)


def _flatten(value: Any, tensors: list[Tensor]) -> Any:
    """Returns a hashable description of arguments; the tensors among them go into `tensors`."""
    if isinstance(value, Tensor):
        for i, each in enumerate(tensors):
            if each is value:
                return ("again", i)
        tensors.append(value)
        node = current_node(value)
        array = value._array
        strides = None if array.flags.c_contiguous else array.strides
        return ("tensor", tuple(array.shape), value.dtype, node is not None, strides)
    if isinstance(value, (tuple, list)):
        return (type(value), *(_flatten(each, tensors) for each in value))
    if isinstance(value, dict):
        return (dict, *((name, _flatten(each, tensors)) for name, each in value.items()))
    if isinstance(value, float):
        return (float, value.hex())  # tells -0.0 from 0.0, and 2.0 from 2
    try:
        hash(value)
    except TypeError:
        return ("object", id(value))
    return (type(value), value)


def _rebuild(value: Any, replace: Callable[[Tensor], Any]) -> Any:
    if isinstance(value, Tensor):
        return replace(value)
    if type(value) in (tuple, list):
        return type(value)(_rebuild(each, replace) for each in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_rebuild(each, replace) for each in value))
    if isinstance(value, dict):
        return type(value)((name, _rebuild(each, replace)) for name, each in value.items())
    return value


class Record:
    """One recording of a function: the graph, where its inputs are, where its outputs go."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple,
        kwargs: dict,
        tensors: list[Tensor],
        keep_grads: bool,
        native: bool = True,
    ):
        trace = self.trace = Trace()
        self.graph = trace.graph
        self.entry: Any = None  # the short way in, and how often it had to be made
        self.shortened = 0
        self.slots: list[Any] = [None] * len(tensors)
        stand_ins = {each: self._stand_in(trace, i, each) for i, each in enumerate(tensors)}
        args, kwargs = _rebuild((args, kwargs), lambda tensor: stand_ins[tensor])
        entry = {}
        try:
            with recording(trace):
                entry = _Grads(trace)
                result = function(*args, **kwargs)
                self._collect(trace, result, keep_grads, stand_ins)
        finally:
            entry.restore(keep_grads) if entry else None
        verify(self.graph)
        self.machine = machine_code(self) if native else None

    def _stand_in(self, trace: Trace, place: int, tensor: Tensor) -> Tensor:
        """Returns what the function is given in place of an argument: the same value, a leaf."""
        stand_in = wrap(tensor._array)
        value = trace.bind(stand_in._storage, SlotInput(self.slots, place))
        stand_in._array = value  # not the array of this call, which would be taken for a constant
        if current_node(tensor) is not None:
            stand_in._node = AccumulateGrad(stand_in)
        return stand_in

    def _collect(self, trace: Trace, result: Any, keep_grads: bool, stand_ins: dict) -> None:
        graph = self.graph
        self.results: list[Tensor] = []
        self.pattern = _rebuild(result, self._result)
        self.result_values = [trace.read(each) for each in self.results]
        self.writes = [
            (storage, trace.values[storage])
            for storage in trace.written
            if storage in trace.storages and trace.values[storage] is not trace.storages[storage]
        ]
        self.places = {each._storage: i for i, each in enumerate(stand_ins.values())}
        owned = set(self.places)
        self.captured = frozenset(s for s in trace.storages if s not in owned)
        self.written = frozenset(storage for storage, _ in self.writes) - owned
        self.written_places = tuple(self.places[s] for s, _ in self.writes if s in owned)
        self.grads = []
        if keep_grads:
            for leaf in trace.leaves:
                if leaf._grad is not None and isinstance(leaf._grad._array, Value):
                    self.grads.append((leaf, trace.read(leaf._grad)))
        self.split = len(graph.values)
        self._record_backward(trace, stand_ins)
        graph.outputs = [
            *self.result_values,
            *(value for _, value in self.writes),
            *(value for _, value in self.grads),
            *self.back_values,
        ]
        self.guards = [
            (leaf, had) for leaf, had in trace.leaves.items() if leaf not in trace.cleared
        ]
        self.conditions = trace.guards
        self.inputs = trace.inputs

    def _result(self, tensor: Tensor) -> Any:
        self.results.append(tensor)
        return _Place(len(self.results) - 1)

    def _record_backward(self, trace: Trace, stand_ins: dict) -> None:
        """Records, for results that still want gradients, how these go back to the leaves."""
        self.back_values: list[Value | None] = []
        self.back_inputs: list[Value] = []
        self.back_edges: list[Any] = []
        self.tracked = [i for i, each in enumerate(self.results) if current_node(each) is not None]
        if not self.tracked:
            return
        from ..autograd import engine

        roots = [self.results[i] for i in self.tracked]
        leaves, released = _leaves([each._node for each in roots])
        if released:  # the function did its own backward
            return
        grads = []
        for each in roots:
            value = self.graph.input(each.shape, each.dtype)
            self.back_inputs.append(value)
            grads.append(wrap(value))
        found = engine.run(roots, grads, False, False, capture=[(node, 0) for node in leaves])
        place_of = {each._node: i for i, each in enumerate(stand_ins.values())}
        for node, grad in zip(leaves, found, strict=True):
            if grad is not None:
                self.back_edges.append(place_of.get(node, node))
                self.back_values.append(trace.read(grad))

    def valid(self) -> bool:
        """Says whether the leaves have the `.grad` that they had when this was recorded."""
        return all(leaf._grad is had for leaf, had in self.guards) and all(
            question() == answer for question, answer in self.conditions
        )

    def refuse_shared(self, tensors: list[Tensor]) -> None:
        """Raises TraceError where memory that the record writes is known to it by two names."""
        for i, each in enumerate(tensors):
            storage = each._storage
            shared = storage in self.written
            for j in self.written_places:
                shared |= storage in self.captured if i == j else storage is tensors[j]._storage
            if shared:
                raise TraceError(
                    f"argument {i} of a compiled function shares memory with a tensor that the "
                    "function writes to. Pass a clone() of it, or write to it outside."
                )

    def call(self, tensors: list[Tensor]) -> Any:
        """Runs the record on the present values of all inputs."""
        self.refuse_shared(tensors)
        self.slots[:] = tensors
        arrays = [array() for array in self.inputs]
        arrays = [each.array if isinstance(each, Storage) else each for each in arrays]
        if self.machine is not None:
            outs, grads, known = self.machine.run(arrays)
            results = [wrap(each) for each in outs]
        else:
            known = dict(zip(self.forward_inputs(), arrays, strict=True))
            run(self.graph.values[: self.split], known)
            grads = [known[value] for _, value in self.grads]
            results = [wrap(_fresh(value, known[value])) for value in self.result_values]
            for (_, value), target in zip(self.writes, self._targets(), strict=True):
                NAMESPACES[type(target)].copy_into(target, known[value])
        for storage, _ in self.writes:
            place = self.places.get(storage)
            (storage if place is None else self.slots[place]._storage).version += 1
        for (leaf, _), array in zip(self.grads, grads, strict=True):
            leaf._grad = wrap(array)
        if self.tracked:
            self._track(results, known)
        self.slots[:] = [None] * len(self.slots)
        return _fill(self.pattern, results)

    def forward_inputs(self) -> list[Value]:
        """Returns the inputs that are there before a backward of the results begins."""
        later = set(self.back_inputs)
        return [each for each in self.graph.inputs if each not in later]

    def _targets(self) -> list[Any]:
        """Returns the arrays that are written after a run."""
        places = [(storage, self.places.get(storage)) for storage, _ in self.writes]
        return [s.array if place is None else self.slots[place]._array for s, place in places]

    def _track(self, results: list[Tensor], known: dict[Value, Any]) -> None:
        edges = []
        for each in self.back_edges:
            if isinstance(each, Node):
                edges.append((each, 0))
            else:
                tensor = self.slots[each]
                edges.append((tensor._node, tensor._index))
        kept = known if self.back_edges else None  # None: released, as in eager
        node = CompiledNode(self, edges, kept, len(self.tracked))
        for index, place in enumerate(self.tracked):
            results[place]._node, results[place]._index = node, index


def _fresh(value: Value, array: Any) -> Any:
    """Returns a result in memory that no input has."""
    return array.copy() if value.name == INPUT else array


class _Place:
    """Stands in a result for the tensor of a number."""

    def __init__(self, number: int):
        self.number = number


def _fill(pattern: Any, results: list[Tensor]) -> Any:
    if isinstance(pattern, _Place):
        return results[pattern.number]
    if type(pattern) in (tuple, list):
        return type(pattern)(_fill(each, results) for each in pattern)
    if isinstance(pattern, tuple) and hasattr(pattern, "_fields"):
        return type(pattern)(*(_fill(each, results) for each in pattern))
    if isinstance(pattern, dict):
        return type(pattern)((name, _fill(each, results)) for name, each in pattern.items())
    return pattern


class _Grads:
    """Takes recorded gradients away from the leaves when a recording ends."""

    def __init__(self, trace: Trace):
        self.trace = trace

    def restore(self, keep: bool) -> None:
        for leaf in {*self.trace.leaves, *self.trace.cleared}:
            if leaf._grad is not None and isinstance(leaf._grad._array, Value):
                leaf._grad = None


class CompiledNode(Node):
    """History of the results of a compiled function: its recorded backward."""

    def __init__(self, record: Record, edges: list, known: Any, outputs: int):
        super().__init__(edges, outputs)
        self.record, self.known = record, known

    def release(self) -> None:
        """Lets go of what the forward pass computed."""
        self.known = None  # type: ignore[assignment]

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns the gradients of the inputs, computed by the recorded backward pass."""
        if create_graph:
            raise NotImplementedError(
                "create_graph=True through a compiled function is not in Lantern yet"
            )
        if self.known is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: a compiled function's values "
                "are freed by backward unless retain_graph=True."
            )
        known = dict(self.known)
        for value, grad in zip(
            self.record.back_inputs, g if self.outputs > 1 else [g], strict=True
        ):
            known[value] = _zeros(value) if grad is None else grad
        if self.record.machine is not None:
            return self.record.machine.backward(known)
        run(self.record.graph.values[self.record.split :], known)
        return [known[value] for value in self.record.back_values]


def _zeros(value: Value) -> Any:
    from ..backends import default

    return default().full(value.shape, 0, value.dtype)


def _leaves(roots: list) -> tuple[list[AccumulateGrad], bool]:
    """Returns the leaves below some nodes, and whether backward has been here already."""
    released = False
    found: list[AccumulateGrad] = []
    seen: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        released = released or getattr(node, "saved", ()) is None
        if isinstance(node, AccumulateGrad):
            found.append(node)
        stack.extend(edge[0] for edge in node.edges if edge is not None)
    return found, released
