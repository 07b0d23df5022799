"""The meaning of a graph: each primitive computed by NumPy, one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..backends import default, silently
from .ir import INPUT, Graph, Value


def interpret(graph: Graph, arrays: Sequence[Any]) -> list[Any]:
    """Returns the outputs of the graph for arrays in the order of its inputs."""
    known = dict(zip(graph.inputs, arrays, strict=True))
    run(graph.values, known)
    return [known[each] for each in graph.outputs]


@silently
def run(values: Iterable[Value], known: dict[Value, Any]) -> None:
    """Computes `values` in order; `known` holds what they need and takes what they give."""
    xp = default()
    for value in values:
        if value.name == INPUT:
            continue
        args = value.graph.map(value.args, known.__getitem__)
        known[value] = xp.asarray(getattr(xp, value.name)(*args))
