"""Copies between two orders of memory: squares of elements turned in registers."""

from __future__ import annotations

from .. import dtypes
from .builder import Function
from .scalar import ELEMENT


def write_turned(
    b: Function,
    kind: dtypes.dtype,
    source: tuple[str, int],
    target: tuple[str, int],
    sizes: tuple[int, int],
) -> None:
    """Writes `target[j][i] = source[i][j]` for `i` and `j` below two sizes.

    Source and target are an address and the bytes between their rows; elements in a row are
    neighbours.
    """
    rows, columns = sizes
    for first, last, height in _steps(rows, b.lanes):
        with b.loop(first, last, b.lanes, []) as outer:
            row = b.advance(source[0], outer.index, source[1])
            column = b.advance(target[0], outer.index, kind.itemsize)
            for start, stop, width in _steps(columns, b.lanes):
                with b.loop(start, stop, b.lanes, []) as inner:
                    given = b.advance(row, inner.index, kind.itemsize)
                    made = b.advance(column, inner.index, target[1])
                    _square(b, kind, (given, source[1]), (made, target[1]), (height, width))


def _steps(size: int, lanes: int) -> list[tuple[int, int, int]]:
    """Returns loops over a size: start, stop, and how many lanes count."""
    whole = size - size % lanes
    found = [(0, whole, lanes)] if whole else []
    return [*found, (whole, size, size - whole)] if whole < size else found


def _square(
    b: Function,
    kind: dtypes.dtype,
    source: tuple[str, int],
    target: tuple[str, int],
    sizes: tuple[int, int],
) -> None:
    height, width = sizes
    item, element = kind.itemsize, ELEMENT[kind]
    zero = b.splat(element, 0.0)
    rows = []
    for i in range(b.lanes):
        place = b.advance(source[0], i, source[1])
        count = None if width == b.lanes else width
        rows.append(b.load(kind, place, item, count) if i < height else zero)
    for j, column in enumerate(b.transposed(element, rows)[:width]):
        place = b.advance(target[0], j, target[1])
        b.store(kind, place, item, column, None if height == b.lanes else height)
