"""One recording of a function: the graph, where its inputs are, what becomes of its outputs.

A record leaves everything as the eager function would: what it writes is written in place, tensors
that were written take a new history, gradients are left where no optimizer has used them up, and
results that are arguments, captured tensors or views of either are these and no copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ..autograd.graph import AccumulateGrad, Node
from ..autograd.mode import flags, mode
from ..backends import NAMESPACES
from ..storage import Storage
from ..tensor import Tensor, current_node, mark, share, wrap
from .history import ArgumentNode, CompiledNode, ends_of
from .interpret import run
from .ir import INPUT, Value, verify
from .machine import machine_code
from .structure import leaves, replaced
from .surroundings import DEFAULTS, ITEM, LENGTH, STATE, STEPS, Spot, Watch
from .trace import (
    NumberInput,
    SlotGradInput,
    SlotInput,
    SpotInput,
    Trace,
    TraceError,
    recording,
)

ASSIGN = "Assign it outside, return the value, or keep it in a tensor that is written in place."
CHANGED = {  # what a recording has done to a spot that is no tensor, and what to do instead
    ITEM: ("is assigned", ASSIGN),
    LENGTH: ("changes", ASSIGN),
    STATE: ("draws", "Draw numbers outside and pass them as tensors, or draw with torch.rand."),
    STEPS: ("may be asked for its next item", "Take items outside and pass them as arguments."),
}

# How a result is made: from a fresh array, or from something that is there already.
FRESH, ARGUMENT, CAPTURED, SHOWN = "fresh", "argument", "captured", "shown"


class Place:
    """Stands in a result for a tensor: the number of its maker."""

    def __init__(self, number: int):
        self.number = number


class Record:
    """A recording, and how to run it on the present values of all inputs."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple,
        kwargs: dict,
        tensors: list[Tensor],
        watch: Watch,
        keep_grads: bool = False,
        native: bool = True,
    ):
        trace = self.trace = Trace(watch)
        self.watch, self.keep_grads = watch, keep_grads
        self.graph = trace.graph
        self.entry: Any = None  # the short way in, and how often it was not open
        self.missed = 0
        self.overwritten: list[tuple[Spot, Any]] = []
        self.stand_ins = [self._stand_in(trace, i, each) for i, each in enumerate(tensors)]
        by_tensor = dict(zip(tensors, self.stand_ins, strict=True))
        args, kwargs = replaced((args, kwargs), Tensor, by_tensor.__getitem__)
        done = False
        try:
            with recording(trace):
                result = function(*args, **kwargs)
                self._collect(result)
            done = True
        finally:
            self._restore(done)
        self.machine = machine_code(self) if native else None
        if self.machine is None:  # native code verifies what it is made of
            verify(self.graph)

    def _stand_in(self, trace: Trace, place: int, tensor: Tensor) -> Tensor:
        """Returns what the function is given in place of an argument: the same value, a leaf."""
        stand_in = wrap(tensor._array)
        value = trace.bind(stand_in._storage, SlotInput(place))
        stand_in._array = value  # not the array of this call, which would be taken for a constant
        node = current_node(tensor)
        if node is not None:
            leaf = isinstance(node, AccumulateGrad)
            stand_in._node = AccumulateGrad(stand_in) if leaf else ArgumentNode([])
            if leaf and tensor._grad is not None and not tensor._grad._layout:
                grad = stand_in._grad = wrap(tensor._grad._array)
                grad._array = trace.bind(grad._storage, SlotGradInput(place))
        trace.histories[stand_in] = (stand_in._node, stand_in._index, stand_in._seen)
        return stand_in

    # --- what the recording has left
    def _collect(self, result: Any) -> None:
        trace = self.trace
        self._changes()
        self._results(result)
        self.place_of = {id(each): i for i, each in enumerate(self.stand_ins)}
        places = {id(value): i for i, value in enumerate(self.graph.inputs)}
        written = [
            (places[id(trace.storages[storage])], trace.values[storage])
            for storage in trace.written
            if storage in trace.storages and trace.values[storage] is not trace.storages[storage]
        ]
        self.write_inputs = [place for place, _ in written]
        self.writes = [(trace.inputs[place], value) for place, value in written]
        self._grads()
        self._histories()
        self.split = len(self.graph.values)
        self._record_backward()
        self.graph.outputs = [
            *self.result_values,
            *(value for _, value in self.writes),
            *(value for _, value in self.grads),
            *self.back_values,
        ]
        self.conditions = trace.guards
        self.inputs = trace.inputs
        later = {id(x) for v in self.graph.values[self.split :] for x in v.operands()}
        later |= {id(each) for each in self.back_values}
        cells = zip(self.forward_inputs(), self.inputs, strict=True)
        self.sources = self._sources()
        self.saved = [
            cell
            for i, (v, cell) in enumerate(cells)
            if id(v) in later
            and i not in self.write_inputs  # of these a copy is kept
            and not isinstance(cell, NumberInput)
        ]

    def _changes(self) -> None:
        """Finds spots to which the function has assigned: tensors are assigned in every run."""
        self.assigned: list[tuple[Spot, Tensor]] = []
        for spot, old, new in self.watch.changes():
            if not isinstance(new, Tensor) or spot.kind in (LENGTH, DEFAULTS):
                what, cure = CHANGED.get(spot.kind, CHANGED[ITEM])
                raise TraceError(
                    f"{spot.name} {what} in a compiled function, which its record would not "
                    f"repeat. {cure}"
                )
            self.assigned.append((spot, new))
            self.overwritten.append((spot, old))
            self._carry(spot, old)
        self.watch.forget([spot for spot, _ in self.assigned])

    def _carry(self, spot: Spot, old: Any) -> None:
        """Makes the tensor that a spot held an input which is looked up there."""
        storage = old._storage if isinstance(old, Tensor) else None
        if storage is None or storage not in self.trace.storages:
            return
        spots = [*self.watch.near, *self.watch.far]
        held = {(id(each.holder), each.key) for each, value in spots if value is old}
        if len(held) != 1 or old._layout or old._node is not None:
            raise TraceError(
                f"{spot.name} is read and assigned in a compiled function, and is known by other "
                "names, is a view or requires a gradient. Write it in place, or pass it as an "
                "argument and return its new value."
            )
        place = self.graph.inputs.index(self.trace.storages[storage])
        self.trace.inputs[place] = SpotInput(spot)

    def _results(self, result: Any) -> None:
        """Finds for each tensor of the result how it is made; `results` are the fresh ones."""
        self.results: list[Tensor] = []
        self.makers: list[tuple] = []
        self.apart: list[tuple[int, Tensor]] = []  # results that have a history of their own
        numbers: dict[int, int] = {}
        found = leaves((result, [each for _, each in self.assigned]), Tensor)
        self._families = {}
        for each in {id(one): one for one in found}.values():
            self._families.setdefault(id(each._storage), []).append(each)
        for each in found:
            if id(each) not in numbers:
                numbers[id(each)] = len(self.makers)
                self.makers.append(self._maker(each))
                if self.makers[-1][0] is SHOWN and each._base is None and each._node is not None:
                    self.apart.append((len(self.makers) - 1, each))  # over memory of another
        self.pattern = replaced(result, Tensor, lambda each: Place(numbers[id(each)]))
        self.assigned_makers = [(spot, numbers[id(each)]) for spot, each in self.assigned]
        self.result_values = [self.trace.read(each) for each in self.results]
        del self._families

    def _maker(self, tensor: Tensor) -> tuple:
        for i, each in enumerate(self.stand_ins):
            if tensor is each:
                return (ARGUMENT, i)
        if not isinstance(tensor._array, Value):
            return (CAPTURED, tensor)
        storage, base = tensor._storage, tensor._base
        known = storage in self.trace.storages
        family = self._families.get(id(storage), [])
        if not known and len(family) < 2 and not (base is not None and _repeats(tensor)):
            return self._fresh(tensor)
        root = base
        if base is None:  # its own root, or detached from one
            root = next((each for each in family if each._node is not None), family[0])
            root = next((each._base for each in family if each._base is not None), root)
            root = tensor if root._base is not None or root._layout else root
        if known:
            source = self._owner(storage) if base is None else self._maker(base)
        elif root is tensor:
            return self._fresh(tensor)
        else:
            source = self._fresh(root)
        start = () if base is None else base._layout  # of a root of its own, too
        if source is None or tensor._layout[: len(start)] != start:
            return self._fresh(tensor)
        tracked = base is not None and (current_node(tensor) is not None or base._node is None)
        return (SHOWN, source, tensor._layout[len(start) :], tracked, tensor._made)

    def _owner(self, storage: Storage) -> tuple | None:
        for i, each in enumerate(self.stand_ins):
            if each._storage is storage:
                return (ARGUMENT, i)
        for each in self.trace.met.values():
            if each._storage is storage and not each._layout:
                return (CAPTURED, each)
        return None

    def _fresh(self, tensor: Tensor) -> tuple:
        for i, each in enumerate(self.results):
            if each is tensor:
                return (FRESH, i)
        self.results.append(tensor)
        return (FRESH, len(self.results) - 1)

    def _grads(self) -> None:
        """Decides what becomes of `.grad` of each leaf that has one: left, kept or taken away."""
        trace = self.trace
        self.grads: list[tuple[Any, Value]] = []  # (leaf or place of an argument, its gradient)
        self.dropped: list[Any] = []
        self.given: list[tuple[Any, Tensor]] = []
        self.guards: list[tuple[Tensor, Tensor | None]] = []
        self.present: list[Tensor] = []  # leaves that must have a gradient, whichever it is
        for leaf in dict.fromkeys([*trace.leaves, *trace.cleared]):
            place = self.place_of.get(id(leaf))
            if place is None and isinstance(leaf._array, Value):
                continue  # made inside
            owner = leaf if place is None else place
            if leaf in trace.leaves and leaf not in trace.cleared and place is None:
                self._guard(leaf, trace.leaves[leaf])
            grad = leaf._grad
            drop = leaf in trace.used_up and not self.keep_grads
            if grad is None or (drop and isinstance(grad._array, Value)):
                self.dropped.append(owner)
            elif isinstance(grad._array, Value) and grad._storage not in trace.storages:
                self.grads.append((owner, trace.read(grad)))
            elif not isinstance(grad._array, Value) and leaf in trace.cleared:
                self.given.append((owner, grad))

    def _guard(self, leaf: Tensor, had: Tensor | None) -> None:
        value = None if had is None else self.trace.storages.get(had._storage)
        cells = self.trace.inputs
        if value is not None and hasattr(cells[self.graph.inputs.index(value)], "leaf"):
            self.present.append(leaf)
        else:
            self.guards.append((leaf, had))

    def _histories(self) -> None:
        """Finds tensors that were there before and have got another history by being written."""
        self.rebased: list[tuple[Any, Tensor]] = []  # (tensor or place of an argument, recorded)
        for tensor, (node, _, _) in self.trace.histories.items():
            place = self.place_of.get(id(tensor))
            if tensor._node is node or tensor._base is not None:
                continue
            if place is None and isinstance(tensor._array, Value):
                continue  # made inside
            self.rebased.append((tensor if place is None else place, tensor))

    def _record_backward(self) -> None:
        """Records, for results that still want gradients, how these go back to the leaves."""
        self.back_values: list[Value | None] = []
        self.back_inputs: list[Value] = []
        self.back_edges: list[Any] = []
        self.back_errors: dict[int, str] = {}  # of results whose backward raises
        self.tracked = [i for i, each in enumerate(self.results) if current_node(each) is not None]
        self.rewritten = [i for i, (_, each) in enumerate(self.rebased) if each._node is not None]
        roots = [self.results[i] for i in self.tracked]
        roots += [self.rebased[i][1] for i in self.rewritten]
        roots += [each for _, each in self.apart]
        self.root_count = len(roots)
        if not roots:
            return
        from ..autograd import engine

        ends, released = ends_of([each._node for each in roots])
        if released:  # the function did its own backward
            return
        grads = []
        for each in roots:
            value = self.trace.read(each)
            seed = self.graph.input(value.shape, value.dtype)
            self.back_inputs.append(seed)
            grads.append(wrap(seed))
        hooks = [(node, node.hooks) for node in ends]
        for node in ends:  # they are called when the gradient arrives
            node.hooks = None
        places = [(node, 0) for node in ends]

        def sent(which: list[int]) -> list:
            starts = engine.starts_of([roots[i] for i in which], [grads[i] for i in which])
            return engine.run(starts, True, False, capture=places)

        try:
            try:
                found = sent(list(range(len(roots))))
            except RuntimeError:
                found = self._sent_apart(sent)
        finally:
            for node, held in hooks:
                node.hooks = held
        first = {id(self.trace.histories[each][0]): i for i, each in enumerate(self.stand_ins)}
        for node, grad in zip(ends, found, strict=True):
            if grad is not None:
                self.back_edges.append(first.get(id(node), node))
                self.back_values.append(self.trace.read(grad))

    def _sent_apart(self, sent: Callable[[list[int]], list]) -> list:
        """Sends back the gradients of those results whose backward does not raise."""
        for i in range(self.root_count):
            try:
                sent([i])
            except TraceError:
                raise
            except RuntimeError as error:  # raised when this backward is asked for
                self.back_errors[i] = str(error)
        good = [i for i in range(self.root_count) if i not in self.back_errors]
        return sent(good) if good else [None for _ in range(len(sent([])))]

    def _sources(self) -> list[set[Value]]:
        """Returns, for each gradient that goes out, the gradients that it is computed from."""
        known: dict[Value, set[Value]] = {each: {each} for each in self.back_inputs}
        for value in self.graph.values[self.split :]:
            if value.name != INPUT:
                known[value] = set().union(*(known.get(x, ()) for x in value.operands()))
        return [known.get(each, set()) for each in self.back_values]

    def _restore(self, done: bool) -> None:
        """Takes everything that was recorded away from tensors and spots that were there before."""
        for leaf, grad in self.trace.had.items():
            leaf._grad = grad
        for tensor, (node, index, seen) in self.trace.histories.items():
            tensor._node, tensor._index = node, index
            if seen is not None or tensor._base is not None:
                tensor._seen = seen
        for spot, old in self.overwritten:
            spot.write(old)
        if not done:
            for spot, old, new in self.watch.changes():
                if isinstance(new, Tensor) and isinstance(new._array, Value):
                    spot.write(old)

    # --- running
    def obstacle(self) -> str | None:
        """Returns what keeps the record from being run, in words; None where nothing does."""
        for leaf, had in self.guards:
            if leaf._grad is not had:
                return "a parameter's .grad is there where there was none, or the other way round"
        for leaf in self.present:
            if leaf._grad is None or leaf._grad._layout:
                return "a parameter has no .grad"
        for question, answer in self.conditions:
            if question() != answer:
                return "a setting of an optimizer has changed"
        return self.watch.obstacle()

    def call(self, tensors: list[Tensor]) -> Any:
        """Runs the record on the present values of all inputs."""
        arrays = [each(tensors) for each in self.inputs]
        self._refuse_shared(arrays)
        for owner, _ in self.rebased:
            if isinstance(owner, int) and tensors[owner]._base is not None:
                raise TraceError(
                    f"argument {owner} of a compiled function is a view whose history the function "
                    "changes by writing to it. Pass a clone() of it, or write to it outside."
                )
        cells = [each.cell(tensors) for each, _ in self.writes]
        versions = self._versions(tensors)
        if self.machine is not None:
            outs, grads, known = self.machine.run(arrays)
        else:
            outs, grads, known = self._interpret(arrays)
        for cell in cells:
            cell.version += 1
        results = [wrap(each) for each in outs]
        found = [(owner, wrap(array)) for (owner, _), array in zip(self.grads, grads, strict=True)]
        for owner, grad in [*self.given, *found, *((owner, None) for owner in self.dropped)]:
            (tensors[owner] if isinstance(owner, int) else owner)._grad = grad
        flags.grads += 1
        node = None
        if self.root_count or self.rebased:
            node = self._track(results, known, tensors, versions)
        return self._give(results, tensors, node)

    def _interpret(self, arrays: list[Any]) -> tuple[list, list, dict]:
        known = dict(zip(self.forward_inputs(), arrays, strict=True))
        drawn = {each.args[3] for each in self.graph.values if each.name == "draw"}
        states = [(each, each.get_state()) for each in drawn]
        try:
            run(self.graph.values[: self.split], known)
        except BaseException:  # nothing is written yet; nor shall anything be drawn
            for generator, state in states:
                generator.set_state(state)
            raise
        grads = [_copy(known[value]) for _, value in self.grads]
        outs = [_copy(known[value]) for value in self.result_values]
        if self.back_edges and self.writes:  # some may be views of what is written now
            whole = set(self.forward_inputs()) - {self.graph.inputs[i] for i in self.write_inputs}
            known = {v: each if v in whole else _copy(each) for v, each in known.items()}
        news = [_copy(known[value]) for _, value in self.writes]
        for place, new in zip(self.write_inputs, news, strict=True):
            NAMESPACES[type(arrays[place])].copy_into(arrays[place], new)
        return outs, grads, known

    def forward_inputs(self) -> list[Value]:
        """Returns the inputs that are there before a backward of the results begins."""
        later = set(self.back_inputs)
        return [each for each in self.graph.inputs if each not in later]

    def _refuse_shared(self, arrays: list[Any]) -> None:
        """Raises TraceError where memory that the record writes is known to it by two names."""
        if not self.write_inputs:
            return
        last = self.__dict__.get("_last")
        if last is not None and all(a is b for a, b in zip(arrays, last, strict=True)):
            return
        spans = [NAMESPACES[type(each)].byte_span(each) for each in arrays]
        for i in self.write_inputs:
            low, high = spans[i]
            for j, (low2, high2) in enumerate(spans):
                if j != i and low < high2 and low2 < high:
                    self._refuse_pair(i, j)
        self._last = arrays

    def _refuse_pair(self, i: int, j: int) -> NoReturn:
        cells = [self.inputs[each] for each in (i, j)]
        places = [each.place for each in cells if isinstance(each, SlotInput)]
        who = "two tensors of a compiled function share"
        if places:
            who = f"argument {max(places)} of a compiled function shares"
        raise TraceError(
            f"{who} memory with a tensor that the function writes to. Pass a clone() of it, or "
            "write to it outside."
        )

    def _versions(self, tensors: list[Tensor]) -> list[tuple[Storage, int]]:
        """Returns the memory that a later backward reads, with the count of writes to it."""
        found = [each.cell(tensors) for each in self.saved]
        return [(each, each.version) for each in found]

    def _track(
        self, results: list[Tensor], known: Any, tensors: list[Tensor], versions: list
    ) -> Node | None:
        edges: list[Any] = []
        for each in self.back_edges:
            if isinstance(each, Node):
                edges.append((each, 0))
            else:
                tensor = tensors[each]
                edges.append((current_node(tensor), tensor._index))
        kept = known if self.back_edges else None  # None: released, as in eager
        node = (
            CompiledNode(self, edges, kept, self.root_count, versions) if self.root_count else None
        )
        for owner, _ in self.rebased:
            tensor = tensors[owner] if isinstance(owner, int) else owner
            tensor._node, tensor._index = None, 0
        for index, place in enumerate(self.tracked):
            results[place]._node, results[place]._index = node, index
        for index, place in enumerate(self.rewritten, len(self.tracked)):
            owner = self.rebased[place][0]
            tensor = tensors[owner] if isinstance(owner, int) else owner
            tensor._node, tensor._index = node, index
        return node

    def _give(self, results: list[Tensor], tensors: list[Tensor], node: Node | None) -> Any:
        made = [make(each, results, tensors) for each in self.makers]
        first = self.root_count - len(self.apart)
        for index, (number, _) in enumerate(self.apart, first):
            made[number]._node, made[number]._index = node, index
        for spot, number in self.assigned_makers:
            spot.write(made[number])
        return replaced(self.pattern, Place, lambda each: made[each.number])


def make(maker: tuple, results: list[Tensor], tensors: list[Tensor]) -> Tensor:
    """Returns a tensor of the result."""
    kind, source = maker[:2]
    if kind is FRESH:
        return results[source]
    if kind is ARGUMENT:
        return tensors[source]
    if kind is CAPTURED:
        return source
    base = make(source, results, tensors)
    steps, tracked, made = maker[2:]
    if not tracked:
        base = share(Tensor, base)
    before, mode.enabled = mode.enabled, not made.startswith("no_grad")
    try:
        for op, args in steps:
            base = op.show(base, args)
    finally:
        mode.enabled = before
    if made:
        mark(base, made)
    return base


def _repeats(tensor: Tensor) -> bool:
    """Says whether several elements of a tensor share a place in memory."""
    return any(n > 1 and not s for n, s in zip(tensor.shape, tensor.stride(), strict=True))


def _copy(array: Any) -> Any:
    return NAMESPACES[type(array)].clone(array)
