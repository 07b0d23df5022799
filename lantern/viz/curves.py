"""Training curves that grow while a network learns: in a notebook, a window, a file, a terminal."""

from __future__ import annotations

import sys
from typing import Any

from .figures import LiveFigure
from .fonts import prepare_labels

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a Braille character, by row
_COLORS = (34, 31, 32, 35, 36, 33)  # of a terminal


class Curves:
    """Curves of a training by name: `curves.add(epoch, loss=0.3, accuracy=0.9)`.

    `terminal=True` draws them as text on standard error instead of a picture.

    >>> curves = Curves(xlabel="epoch", terminal=True)
    >>> for epoch in range(1, 4):
    ...     curves.add(epoch, loss=1 / epoch)
    >>> curves["loss"]
    [1.0, 0.5, 0.3333333333333333]
    """

    def __init__(
        self,
        xlabel: str = "epoch",
        ylabel: str = "",
        yscale: str = "linear",
        figsize: tuple[float, float] = (5.0, 3.5),
        terminal: bool = False,
    ) -> None:
        self.xlabel, self.ylabel, self.yscale = xlabel, ylabel, yscale
        self.points: dict[str, tuple[list[float], list[float]]] = {}
        self._lines = 0
        self._live = None if terminal else LiveFigure(figsize=figsize, kind="curves")

    def __getitem__(self, name: str) -> list[float]:
        return self.points[name][1]

    def add(self, x: float, **values: Any) -> None:
        """Adds one point to each named curve (a tensor of one element will do), and shows them."""
        for name, value in values.items():
            places, heights = self.points.setdefault(name, ([], []))
            places.append(float(x))
            heights.append(float(value))
        if self._live is None:
            self._print()
        else:
            self._draw()

    def _draw(self) -> None:
        assert self._live is not None
        axes = self._live.axes[0]
        prepare_labels(self.xlabel, self.ylabel, *self.points)
        axes.cla()
        for name, (places, heights) in self.points.items():
            axes.plot(places, heights, label=name, marker="o" if len(places) == 1 else None)
        axes.set_xlabel(self.xlabel)
        axes.set_ylabel(self.ylabel)
        axes.set_yscale(self.yscale)
        axes.grid(True, alpha=0.3)
        axes.legend()
        self._live.update()

    def _print(self) -> None:
        if not sys.stderr.isatty():
            return  # a log would fill with copies; the points are there for the end
        if self._lines:
            sys.stderr.write(f"\x1b[{self._lines}A")
        lines = self.text(colored=True).splitlines()
        self._lines = len(lines)
        sys.stderr.write("".join(f"\x1b[2K{line}\n" for line in lines))

    def text(self, width: int = 60, height: int = 12, colored: bool = False) -> str:
        """Returns the curves drawn with Braille dots, `width` by `height` characters.

        >>> curves = Curves(terminal=True)
        >>> for x in range(3):
        ...     curves.add(x, loss=2.0 - x)
        >>> print(curves.text(width=6, height=2))
        2 ┤⠑⠢⢄
        0 ┤   ⠑⠢⢄
          epoch 0 … 2   ⠒ loss
        """
        low, high = self._range(1)
        left, right = self._range(0)
        cells = [[0] * width for _ in range(height)]
        owner = [[0] * width for _ in range(height)]
        for number, (places, heights) in enumerate(self.points.values()):
            for column, row in _path(places, heights, (left, right), (low, high), width, height):
                cells[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
                owner[row // 4][column // 2] = number
        tops = [f"{high:.4g}", *[""] * (height - 2), f"{low:.4g}"]
        margin = max(map(len, tops))
        rows = []
        for top, line, owners in zip(tops, cells, owner, strict=True):
            drawn = "".join(_cell(c, o, colored) for c, o in zip(line, owners, strict=True))
            rows.append(f"{top:>{margin}} {'┤' if top else '│'}{drawn}".rstrip())
        names = "  ".join(
            _cell(0x12, number, colored) + f" {name}" for number, name in enumerate(self.points)
        )
        axis = f"{self.xlabel} {left:.4g} … {right:.4g}"
        return "\n".join([*rows, f"{'':{margin}} {axis}   {names}"])

    def _range(self, which: int) -> tuple[float, float]:
        values = [v for points in self.points.values() for v in points[which] if v - v == 0]
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        return (low, high) if high > low else (low - 0.5, high + 0.5)


def _cell(dots: int, owner: int, colored: bool) -> str:
    text = chr(0x2800 + dots) if dots else " "
    return f"\x1b[{_COLORS[owner % len(_COLORS)]}m{text}\x1b[0m" if colored and dots else text


def _path(
    places: list[float],
    heights: list[float],
    across: tuple[float, float],
    up: tuple[float, float],
    width: int,
    height: int,
) -> set[tuple[int, int]]:
    """Returns the dots of a line through points, as columns and rows from the top left."""

    def dot(x: float, y: float) -> tuple[float, float]:
        column = (x - across[0]) / (across[1] - across[0]) * (2 * width - 1)
        return column, (up[1] - y) / (up[1] - up[0]) * (4 * height - 1)

    finite = [(x, y) for x, y in zip(places, heights, strict=True) if y - y == 0]
    dots = {tuple(map(round, dot(x, y))) for x, y in finite}
    for (x0, y0), (x1, y1) in zip(finite, finite[1:], strict=False):
        (c0, r0), (c1, r1) = dot(x0, y0), dot(x1, y1)
        steps = int(max(abs(c1 - c0), abs(r1 - r0))) + 1
        for i in range(steps + 1):
            dots.add((round(c0 + (c1 - c0) * i / steps), round(r0 + (r1 - r0) * i / steps)))
    return dots  # type: ignore[return-value]
