"""Graphs as text that says all there is to them: what programs on disk are looked up by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..dtypes import dtype
from .ir import Graph, Value

PLAIN = frozenset({bool, int, float, str, type(None), dtype})


def written(graph: Graph) -> str | None:
    """Returns the text; None where an argument is something that no text can tell from others.

    The lines of the user's program are left out: nothing that is computed depends on them.
    """
    parts: list[str] = []
    say, generators = parts.append, {}
    for number, value in enumerate(graph.values):
        if value.number != number or value.graph is not graph:
            raise ValueError(f"{value!r} stands at place {number} of a graph that is not its own")
        args = value.args
        say(f"{value.name}{value.shape}{value.dtype.name}(")
        if value.name == "draw":  # from which generator: the first that was met, the second, ...
            generator = args[3]
            say(f"{generators.setdefault(generator, len(generators))};")
            args = (*args[:3], *args[4:])
        if not _all(args, say):
            return None
        say(")\n")
    for each in (graph.inputs, graph.outputs):
        say(f"{[value.number for value in each]}\n")
    return "".join(parts)


def _all(args: Iterable[Any], say: Callable[[str], None]) -> bool:
    """Writes arguments down; says whether that can be done."""
    for each in args:
        kind = type(each)
        if kind is Value:
            say(f"%{each.number};")
        elif kind in PLAIN:
            say(f"{each!r};")
        elif kind is tuple or kind is list:
            say("(" if kind is tuple else "[")
            if not _all(each, say):
                return False
            say(")")
        elif kind is slice:
            say("slice(")
            if not _all((each.start, each.stop, each.step), say):
                return False
            say(")")
        else:
            return False
    return True
