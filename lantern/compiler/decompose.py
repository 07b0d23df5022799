"""Rewrites compound primitives as plain ones: `linear` and products with vectors or stacks."""

from __future__ import annotations

from math import prod
from typing import Any

from ..backends.vocabulary import VOCABULARY
from .ir import INPUT, Graph, Value


def decompose(graph: Graph) -> Graph:
    """Returns the graph with every matrix product between matrices of equally many dimensions."""
    result = Graph()
    new: dict[Value, Value] = {}
    for value in graph.values:
        if value.name == INPUT:
            new[value] = result.input(value.shape, value.dtype)
            continue
        args = result.map(value.args, new.__getitem__)
        if value.name == "linear":
            new[value] = _linear(result, *args, value.place)
        elif value.name == "matmul":
            new[value] = _matmul(result, *args, value.place)
        else:
            new[value] = result.copy(value, args)
    result.outputs = [new[each] for each in graph.outputs]
    return result


def _reshape(graph: Graph, x: Value, shape: tuple[int, ...], place: str) -> Value:
    return x if x.shape == tuple(shape) else graph.add("reshape", (x, tuple(shape)), place)


def _linear(graph: Graph, x: Value, weight: Value, bias: Any, place: str) -> Value:
    inside, outside = weight.shape[-1], weight.shape[0]
    rows = _reshape(graph, x, (prod(x.shape[:-1]), inside), place)
    result = graph.add("matmul", (rows, graph.add("permute", (weight, (1, 0)), place)), place)
    if bias is not None:
        result = graph.add("add", (result, bias), place)
    return _reshape(graph, result, (*x.shape[:-1], outside), place)


def _matmul(graph: Graph, x: Value, y: Value, place: str) -> Value:
    shape, _ = VOCABULARY["matmul"].rule(x, y)
    left = x if x.ndim > 1 else _reshape(graph, x, (1, *x.shape), place)
    right = y if y.ndim > 1 else _reshape(graph, y, (*y.shape, 1), place)
    if left.ndim > 2 and right.ndim == 2:
        rows = prod(left.shape[:-1])
        left = _reshape(graph, left, (rows, left.shape[-1]), place)
    result = graph.add("matmul", (left, right), place)
    return _reshape(graph, result, shape, place)
