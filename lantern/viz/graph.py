"""A picture of the graph that `backward` walks: one box per recorded op, one per parameter."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import lantern
from lantern.serialization.atomic import replacing

_FILLS = {"leaf": "#cfe3f5", "op": "#eef0f2", "output": "#cdebc9"}
_GAP, _LINE, _PADDING = 26, 15, 8  # between boxes, per line of text, inside a box; in pixels
_CHARACTER = 7.0  # width of a character of the font below
_FONT = "12px ui-monospace, Menlo, Consolas, monospace"


class Graph:
    """Boxes in rows and arrows between them; `svg` is the picture, `source` the text in DOT."""

    def __init__(self) -> None:
        self.labels: list[tuple[str, str]] = []  # text and kind of each box
        self.edges: list[tuple[int, int]] = []  # from what is computed first to what needs it

    def add(self, label: str, kind: str) -> int:
        """Adds a box and returns its number."""
        self.labels.append((label, kind))
        return len(self.labels) - 1

    @property
    def source(self) -> str:
        """The graph in Graphviz' language, for those who have it."""
        boxes = [
            f'  {i} [label="{label}" shape=box style=filled fillcolor="{_FILLS[kind]}"]'
            for i, (label, kind) in enumerate(self.labels)
        ]
        arrows = [f"  {a} -> {b}" for a, b in self.edges]
        return "\n".join(["digraph {", *boxes, *arrows, "}"])

    @property
    def svg(self) -> str:
        """The picture as SVG, which any browser shows."""
        return _drawn(self)

    def _repr_svg_(self) -> str:
        return self.svg  # a notebook asks for it

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes the picture to `path`, an SVG file, and returns the path."""
        target = Path(path)
        if target.suffix != ".svg":
            target = target.with_name(target.name + ".svg")
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(str(target)) as file:
            file.write(self.svg.encode())
        return target

    def render(self, filename: str = "graph", format: str = "svg", **options: Any) -> str:
        """Writes `filename.svg`, as Graphviz' Python package would; other formats are refused."""
        if format != "svg":
            raise NotImplementedError(f"graphs are written as SVG, not as {format!r}")
        return str(self.save(filename))


def make_dot(
    var: lantern.Tensor | tuple[lantern.Tensor, ...],
    params: Mapping[str, lantern.Tensor] | None = None,
) -> Graph:
    r"""Returns the picture of how `var` was computed; `params` gives names to leaves.

    Raises `ValueError` for a tensor that no gradient leads to.

    >>> import lantern
    >>> w = lantern.ones(2, requires_grad=True)
    >>> print(make_dot((w * 3).sum(), {"w": w}).source)
    digraph {
      0 [label="SumBackward0" shape=box style=filled fillcolor="#eef0f2"]
      1 [label="()" shape=box style=filled fillcolor="#cdebc9"]
      2 [label="MulBackward0" shape=box style=filled fillcolor="#eef0f2"]
      3 [label="w\n(2)" shape=box style=filled fillcolor="#cfe3f5"]
      0 -> 1
      2 -> 0
      3 -> 2
    }
    """
    names = {id(tensor): name for name, tensor in (params or {}).items()}
    graph = Graph()
    boxes: dict[Any, int] = {}
    waiting: list[Any] = []

    def box(node: Any) -> int:
        if node not in boxes:
            boxes[node] = graph.add(*_label(node, names))
            waiting.append(node)
        return boxes[node]

    for output in var if isinstance(var, (tuple, list)) else (var,):
        if output.grad_fn is None:
            raise ValueError("this tensor was not computed from anything that needs a gradient")
        last = box(output.grad_fn)
        graph.edges.append((last, graph.add(_shape(output), "output")))
    while waiting:
        node = waiting.pop()
        for before, _ in node.next_functions:
            if before is not None:
                graph.edges.append((box(before), boxes[node]))
    return graph


def _label(node: Any, names: Mapping[int, str]) -> tuple[str, str]:
    variable = getattr(node, "variable", None)
    if variable is None:
        return node.name(), "op"
    name = names.get(id(variable), "")
    return (f"{name}\\n" if name else "") + _shape(variable), "leaf"


def _shape(tensor: lantern.Tensor) -> str:
    return f"({', '.join(map(str, tensor.shape))})"


def _ranks(graph: Graph) -> list[int]:
    """Returns each box's row, counted from the outputs: below all that it needs."""
    needs: list[list[int]] = [[] for _ in graph.labels]
    users = [0] * len(graph.labels)
    for before, after in graph.edges:
        needs[after].append(before)
        users[before] += 1
    ranks = [0] * len(graph.labels)
    ready = [i for i, count in enumerate(users) if not count]
    while ready:
        box = ready.pop()
        for before in needs[box]:
            ranks[before] = max(ranks[before], ranks[box] + 1)
            users[before] -= 1
            if not users[before]:
                ready.append(before)
    return ranks


def _rows(graph: Graph, ranks: list[int]) -> list[list[int]]:
    """Returns the boxes of each row in an order that keeps neighbours near each other."""
    rows: list[list[int]] = [[] for _ in range(max(ranks) + 1)]
    for box, rank in enumerate(ranks):
        rows[rank].append(box)
    near: list[list[int]] = [[] for _ in graph.labels]
    for before, after in graph.edges:
        near[before].append(after)
        near[after].append(before)
    place = {box: i for row in rows for i, box in enumerate(row)}
    for _ in range(6):
        for row in rows:
            middle = {
                box: sum(place[each] for each in near[box]) / max(len(near[box]), 1) for box in row
            }
            row.sort(key=middle.__getitem__)
            place.update({box: i for i, box in enumerate(row)})
    return rows


def _drawn(graph: Graph) -> str:
    sizes = []
    for label, _ in graph.labels:
        lines = label.split("\\n")
        width = max(map(len, lines)) * _CHARACTER + 2 * _PADDING
        sizes.append((width, len(lines) * _LINE + 2 * _PADDING))
    rows = _rows(graph, _ranks(graph))[::-1]
    width = max(sum(sizes[box][0] + _GAP for box in row) for row in rows) + _GAP
    centers: dict[int, tuple[float, float]] = {}
    top = float(_GAP)
    for row in rows:
        left = (width - sum(sizes[box][0] + _GAP for box in row) + _GAP) / 2
        tall = max(sizes[box][1] for box in row)
        for box in row:
            centers[box] = left + sizes[box][0] / 2, top + tall / 2
            left += sizes[box][0] + _GAP
        top += tall + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{top:.0f}" '
        f'viewBox="0 0 {width:.0f} {top:.0f}" style="font: {_FONT}">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto">',
        '<path d="M0 0 L8 4 L0 8 z" fill="#66717c"/></marker></defs>',
        *(_arrow(centers[a], centers[b], sizes[a][1], sizes[b][1]) for a, b in graph.edges),
        *(_box(*graph.labels[i], centers[i], sizes[i]) for i in range(len(graph.labels))),
        "</svg>",
    ]
    return "\n".join(parts)


def _arrow(start: tuple[float, float], end: tuple[float, float], above: float, below: float) -> str:
    (x0, y0), (x1, y1) = start, end
    y0, y1 = y0 + above / 2, y1 - below / 2 - 1
    middle = (y0 + y1) / 2
    path = f"M{x0:.0f} {y0:.0f} C{x0:.0f} {middle:.0f} {x1:.0f} {middle:.0f} {x1:.0f} {y1:.0f}"
    return f'<path d="{path}" fill="none" stroke="#66717c" marker-end="url(#tip)"/>'


def _box(label: str, kind: str, center: tuple[float, float], size: tuple[float, float]) -> str:
    (x, y), (width, height) = center, size
    lines = label.split("\\n")
    first = y - (len(lines) - 1) * _LINE / 2 + 4
    texts = "".join(
        f'<text x="{x:.0f}" y="{first + i * _LINE:.0f}" text-anchor="middle">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    return (
        f'<rect x="{x - width / 2:.0f}" y="{y - height / 2:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" rx="4" fill="{_FILLS[kind]}" stroke="#9aa5b0"/>{texts}'
    )
