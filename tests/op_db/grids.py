"""Records of `lantern/ops/grids.py`."""

from __future__ import annotations

from collections.abc import Iterator

from .loss import functional
from .record import Make, Sample

KINDS = ("float32", "float64")
PADDINGS = ("zeros", "border", "reflection")


def sampled(make: Make) -> Iterator[Sample]:
    for mode in ("bilinear", "nearest", "bicubic"):
        for i, padding in enumerate(PADDINGS):
            grid = make(1, 2, 1, 2, low=-1.4, high=1.4)
            yield Sample(make(1, 1, 2, 3), grid, mode, padding, align_corners=i == 1)
    for padding in PADDINGS:
        grid = make(1, 1, 1, 2, 3, low=-1.4, high=1.4)
        yield Sample(make(1, 1, 2, 3, 2), grid, padding_mode=padding, align_corners=False)
    yield Sample(make(0, 2, 3, 4), make(0, 2, 2, 2))
    yield Sample(make(), make())
    yield Sample(make(1, 2, 3, 4), make(2, 2, 2, 2))
    yield Sample(make(1, 2, 3, 4), make(1, 2, 2, 3))
    yield Sample(make(1, 2, 0, 4), make(1, 2, 2, 2))
    yield Sample(make(1, 2, 3, 4), make(1, 2, 2, 2), "other")
    yield Sample(make(1, 1, 2, 3, 2), make(1, 2, 1, 2, 3), "bicubic")


def affine(make: Make) -> Iterator[Sample]:
    for corners in (True, False):
        yield Sample(make(2, 2, 3), (2, 1, 3, 4), corners)
        yield Sample(make(1, 3, 4), (1, 1, 2, 3, 2), corners)
    yield Sample(make(2, 2, 3), (2, 1, 3))
    yield Sample(make(2, 3, 3), (2, 1, 3, 4))
    yield Sample(make(0, 2, 3), (0, 1, 3, 4))
    yield Sample(make(), (2, 1, 3, 4))


OPTIONS = {"dtypes": KINDS, "nodes": False}
RECORDS = [
    functional("grid_sample", sampled, **OPTIONS),
    functional("affine_grid", affine, **OPTIONS),
]
