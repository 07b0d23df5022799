"""Which places of an image the taps of a convolution meet, as loops and tiles see them.

With a stride, places of a result fall into phases; a phase is cut into tiles, of which those at the
edges leave taps out. Nothing here writes arithmetic: `convolution.py` does.
"""

from __future__ import annotations

from itertools import product
from math import gcd
from typing import Any, NamedTuple

from .builder import Function


class Phase(NamedTuple):
    """Places `first + q * step` of a result along one dimension, for `q` below `count`.

    Each sums the taps `tap + j * skip`, `j` below `taps`, times the place
    `q * pace + start + j * apart` of the other tensor, if it is one of its `limit` places.
    """

    first: int
    step: int
    count: int
    tap: int
    skip: int
    taps: int
    pace: int
    start: int
    apart: int
    limit: int

    @property
    def inside(self) -> bool:
        """Says whether no tap of any place falls outside."""
        if not self.taps or not self.count:
            return True
        ends = [self.start + q * self.pace + j * self.apart
                for q in (0, self.count - 1) for j in (0, self.taps - 1)]  # fmt: skip
        return min(ends) >= 0 and max(ends) < self.limit


def forward_phases(size: int, kernel: int, count: int, stride: int, low: int, apart: int) -> list:
    """Returns the single phase of a convolution along a dimension of `size` places."""
    return [Phase(0, 1, count, 0, 1, kernel, stride, -low, apart, size)]


def backward_phases(size: int, kernel: int, count: int, stride: int, low: int, apart: int) -> list:
    """Returns the phases of the gradient of a convolution by an input of `size` places."""
    shared = gcd(stride, apart)
    skip = stride // shared
    phases = []
    for r in range(min(stride, size)):
        found = [k for k in range(min(skip, kernel)) if (r + low - k * apart) % stride == 0]
        tap = found[0] if found else 0
        taps = len(range(tap, kernel, skip)) if found else 0
        start = (r + low - tap * apart) // stride
        places = len(range(r, size, stride))
        phases.append(
            Phase(r, stride, places, tap, skip, taps, 1, start, -(apart // shared), count)
        )
    return phases


class Cell(NamedTuple):
    """A vector of a tile and one of its taps: where it reads, and which lanes lie inside."""

    vector: int
    tap: int
    place: int  # relative to `q * pace`
    span: tuple[int, int] | None


class Group(NamedTuple):
    """Tiles along the last dimension with the same code: from `start` to `stop` by `width`."""

    start: int
    stop: int
    width: int
    vectors: int
    live: int | None  # lanes that count in the last vector
    cells: tuple[Cell, ...]


class Tile(NamedTuple):
    """A tile of the result: `height` channels, the vectors of a group, for some images or one."""

    phase: Phase
    group: Group
    height: int
    images: int | None


def groups_of(phase: Phase, vectors: int, lanes: int) -> list[Group]:
    """Cuts the places of a phase into tiles of `vectors` vectors of `lanes` places each."""
    found: list[Group] = []
    for q in range(0, phase.count, vectors * lanes):
        rest = phase.count - q
        here = min(vectors, -(-rest // lanes))
        live = rest - (here - 1) * lanes
        cells = []
        for j, v in product(range(phase.taps), range(here)):
            place = v * lanes * phase.pace + phase.start + j * phase.apart
            known = min(lanes, rest - v * lanes)
            at = [q * phase.pace + place + i * phase.pace for i in range(known)]
            real = [i for i, each in enumerate(at) if 0 <= each < phase.limit]
            if real:
                span = (real[0], real[-1] + 1)
                cells.append(Cell(v, j, place, None if span == (0, lanes) else span))
        group = Group(
            q, q + 1, vectors * lanes, here, None if live >= lanes else live, tuple(cells)
        )
        if found and found[-1][2:] == group[2:]:
            found[-1] = found[-1]._replace(stop=q + 1)
        else:
            found.append(group)
    return found


def bounds(b: Function, phase: Phase, q: Any) -> tuple[Any, Any]:
    """Writes the first tap and the end of the taps that fall inside for a place `q`."""
    if phase.inside or isinstance(q, int):
        if phase.inside:
            return 0, phase.taps
        at = [q * phase.pace + phase.start + j * phase.apart for j in range(phase.taps)]
        real = [j for j, each in enumerate(at) if 0 <= each < phase.limit]
        return (real[0], real[-1] + 1) if real else (0, 0)
    lanes, b.lanes = b.lanes, 1
    at = b.op("add", "i64", b.op("mul", "i64", q, phase.pace), phase.start)
    apart, last = abs(phase.apart), phase.limit - 1
    if phase.apart > 0:
        missing, room = b.op("sub", "i64", 0, at), b.op("sub", "i64", last + apart, at)
    else:
        missing, room = b.op("sub", "i64", at, last), b.op("add", "i64", at, apart)
    low = divided(b, b.op("add", "i64", positive(b, missing), apart - 1), apart)
    high = divided(b, positive(b, room), apart)
    high = b.intrinsic("smin", "i64", high, phase.taps)
    b.lanes = lanes
    return low, high


def positive(b: Function, x: str) -> str:
    """Writes a whole number, or zero where it is below."""
    return b.intrinsic("smax", "i64", x, 0)


def divided(b: Function, x: str, by: int) -> str:
    """Writes a whole number that is not negative, divided and rounded down."""
    return x if by == 1 else b.op("udiv", "i64", x, by)
