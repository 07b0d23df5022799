"""The native programs of a record: one for its run, one for a later backward of its results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import is_
from typing import Any

from . import runtime
from .doorway import Passage
from .ir import INPUT, Graph, Value
from .native import Changed as Changed
from .native import Program
from .plan import Unsupported
from .trace import SlotInput, warn


def machine_code(record: Any) -> Machine | None:
    """Returns native code for a record; None, and a warning, where there is no native form.

    Raises ImportError without llvmlite.
    """
    if not runtime.available():
        raise ImportError(
            "lantern.compile makes native code with the package llvmlite, which is not installed: "
            "pip install llvmlite. Without it, compile(..., backend='interpreter') runs records in "
            "NumPy."
        )
    try:
        return Machine(record)
    except Unsupported as error:
        warn(f"a compiled function runs in NumPy: {error}")
        return None


class Machine:
    """Runs a record natively; gives the same results and writes as interpreting its graph."""

    def __init__(self, record: Any):
        graph: Graph = record.graph
        inputs = record.forward_inputs()
        later = graph.values[record.split :]
        wanted = [value for value in record.back_values if value is not None]
        # Where no gradient is wanted, a backward's records are not computed: they need nothing.
        early = {*graph.values[: record.split], *inputs} if wanted else set()
        self.saved = _used_before(later, wanted, early)
        self.inputs = inputs
        replaced = {inputs[place] for place in record.write_inputs}
        self.kept = [each for each in self.saved if each.name != INPUT or each in replaced]
        written = [value for _, value in record.writes]
        grads = [value for _, value in record.grads]
        outputs = [*record.result_values, *written, *grads, *self.kept]
        first = len(record.result_values)
        writes = [(first + i, place) for i, place in enumerate(record.write_inputs)]
        self.cuts = (first, first + len(grads))
        forward = subgraph(graph, graph.values[: record.split], inputs, outputs)
        strides = [value.memory[0] for value in record.result_values]
        arguments = [i for i, each in enumerate(record.inputs) if isinstance(each, SlotInput)]
        self.program = Program(forward, writes, strides=strides, arguments=arguments)
        self.back_inputs = [*self.saved, *record.back_inputs]
        self.back: Program | None = None
        places = {each: i for i, each in enumerate(inputs) if each not in replaced}
        kept = {each: i for i, each in enumerate(self.kept)}
        # Of each value that is saved: its place among the inputs, or among what is kept.
        self.places = [(places.get(each), kept.get(each)) for each in self.saved]
        if wanted:
            every = range(len(self.back_inputs))
            self.back = Program(subgraph(graph, later, self.back_inputs, wanted), arguments=every)
            self._passage = Passage(self.back)

    @property
    def programs(self) -> list[Program]:
        """The programs that there are."""
        return [self.program] if self.back is None else [self.program, self.back]

    def run(self, arrays: Sequence[Any]) -> tuple[list, list, list]:
        """Returns the results, the gradients to keep, and what a backward will need."""
        found = self.program(arrays)
        first, second = self.cuts
        return found[:first], found[first:second], self.known(arrays, found[second:])

    def known(self, arrays: Sequence[Any], kept: Sequence[Any]) -> list[Any]:
        """Returns what a backward will need, from the inputs and from what a run has kept."""
        return [kept[j] if i is None else arrays[i] for i, j in self.places]  # type: ignore[index]

    def backward(self, known: list[Any], grads: list[Any]) -> Sequence[Any]:
        """Returns the gradients of the leaves."""
        return self._passage([*known, *grads])


def _used_before(later: Iterable[Value], wanted: Iterable[Value], early: set[Value]) -> list[Value]:
    """Returns the values made before that are used later."""
    used = dict.fromkeys(x for each in later for x in each.operands())
    used |= dict.fromkeys(wanted)
    return [each for each in used if each in early]


def subgraph(
    graph: Graph, values: Sequence[Value], inputs: Sequence[Value], outputs: Sequence[Value]
) -> Graph:
    """Returns a graph that computes `outputs` by `values` from `inputs`: `graph` if that is all."""
    pairs = [(graph.values, values), (graph.inputs, inputs), (graph.outputs, outputs)]
    if all(len(a) == len(b) and all(map(is_, a, b)) for a, b in pairs):
        return graph
    result = Graph()
    new = {each: result.input(each.shape, each.dtype) for each in inputs}
    for value in values:
        if value.name != INPUT:
            new[value] = result.copy(value, result.map(value.args, new.__getitem__))
    result.outputs = [new[each] for each in outputs]
    return result
