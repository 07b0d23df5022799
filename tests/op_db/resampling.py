"""Records of `lantern/ops/resampling.py`."""

from __future__ import annotations

from collections.abc import Iterator

from .loss import functional
from .record import Make, Sample

KINDS = ("float32", "float64")


def nearest(make: Make) -> Iterator[Sample]:
    for mode in ("nearest", "nearest-exact", "area"):
        yield Sample(make(1, 2, 5), size=7, mode=mode)
        yield Sample(make(1, 2, 3, 4), scale_factor=2, mode=mode)
        yield Sample(make(1, 1, 3, 4, 2), scale_factor=(0.7, 1.5, 2.0), mode=mode)
    yield Sample(make(1, 2, 5), scale_factor=0.6, recompute_scale_factor=True)
    yield Sample(make(0, 2, 5), 2)
    yield Sample(make(), 2)
    yield Sample(make(1, 2, 5))
    yield Sample(make(1, 2, 5), 2, 2.0)
    yield Sample(make(1, 2, 5), (2, 3))
    yield Sample(make(1, 2, 5), 0)
    yield Sample(make(1, 2, 5), 2, align_corners=True)
    yield Sample(make(1, 2, 5), 2, antialias=True)


def weighted(make: Make) -> Iterator[Sample]:
    for corners in (True, False):
        yield Sample(make(1, 2, 5), size=7, mode="linear", align_corners=corners)
        for mode in ("bilinear", "bicubic"):
            yield Sample(make(1, 1, 3, 4), size=(5, 2), mode=mode, align_corners=corners)
            wide = {"mode": mode, "align_corners": corners, "antialias": True}
            yield Sample(make(1, 1, 5, 4), size=(2, 5), **wide)
        small = {"mode": "trilinear", "align_corners": corners}
        yield Sample(make(1, 1, 3, 2, 2), scale_factor=1.5, **small)
    yield Sample(make(1, 1, 6, 5), size=(2, 3), mode="lanczos", antialias=True)
    yield Sample(make(1, 1, 6, 5), size=(2, 3), mode="lanczos")
    yield Sample(make(0, 2, 5), 2, mode="linear")
    yield Sample(make(1, 0, 5), 2, mode="linear")
    yield Sample(make(), 2, mode="linear")
    yield Sample(make(1, 2, 5), 2, mode="bilinear")


RECORDS = [
    functional("interpolate", nearest, dtypes=(*KINDS, "uint8"), variant="nearest"),
    functional("interpolate", weighted, dtypes=KINDS, variant="weighted"),
]
