"""Records of `lantern/ops/convolution.py`."""

from __future__ import annotations

from collections.abc import Iterator

from .record import Make, Record, Sample

KINDS = ("float32", "float64", "int64")


def lines(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 3, 4), make(2, 3, 2))
    yield Sample(make(), make(2, 3, 2))
    yield Sample(make(2, 3, 7), make(4, 3, 3), make(4))
    yield Sample(make(2, 4, 7), make(4, 2, 2), make(4), 2, 1, 2, 2)
    yield Sample(make(3, 5), make(2, 3, 1))
    yield Sample(make(1, 2, 4), make(2, 2, 5))
    yield Sample(make(1, 3, 4), make(2, 2, 2))
    yield Sample(make(1, 2, 4), make(2, 2, 2), make(3))
    yield Sample(make(1, 2, 4, 4), make(2, 2, 2))


def planes(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 3, 4, 4), make(2, 3, 2, 2))
    yield Sample(make(), make(2, 3, 2, 2))
    yield Sample(make(2, 3, 4, 5), make(4, 3, 3, 2), make(4))
    yield Sample(make(2, 4, 4, 5), make(4, 1, 3, 2), None, (2, 1), (1, 2), (1, 2), 4)
    yield Sample(make(3, 3, 4), make(2, 3, 2, 3), padding="same")
    yield Sample(make(1, 2, 3, 3), make(2, 2, 2, 2), padding="valid")
    yield Sample(make(0, 2, 3, 3), make(2, 2, 2, 2))
    yield Sample(make(1, 2, 3, 3), make(2, 2, 2, 2), stride=0)
    yield Sample(make(1, 2, 3, 3), make(2, 2, 2, 2), padding=-1)
    yield Sample(make(1, 2, 3, 3), make(2, 2, 2, 2), groups=0)
    yield Sample(make(1, 2, 3, 3), make(3, 1, 2, 2), groups=2)
    yield Sample(make(1, 2, 3, 3), make(2, 2, 2, 2), padding="same", stride=2)
    yield Sample(make(1, 2, 3, 3), make(2, 2, 2, 2), padding="other")


def solids(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 2, 3, 3, 3), make(2, 2, 2, 2, 2))
    yield Sample(make(), make(2, 2, 2, 2, 2))
    yield Sample(make(1, 2, 3, 3, 4), make(2, 2, 2, 1, 2), make(2), 1, (1, 0, 1))
    yield Sample(make(2, 2, 3, 3), make(2, 1, 2, 2, 2), groups=2, padding="same")


def lines_back(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 3, 4), make(3, 2, 2))
    yield Sample(make(), make(3, 2, 2))
    yield Sample(make(2, 3, 4), make(3, 2, 3), make(2), 2, 1, 1)
    yield Sample(make(3, 4), make(3, 2, 2), groups=3)
    yield Sample(make(2, 3, 4), make(2, 2, 3))


def planes_back(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 3, 4, 4), make(3, 2, 2, 2))
    yield Sample(make(), make(3, 2, 2, 2))
    yield Sample(make(2, 4, 3, 2), make(4, 2, 2, 3), make(4), (2, 3), 1, (1, 2), 2)
    yield Sample(make(1, 2, 2, 3), make(2, 2, 2, 2), None, 1, 0, 1, 1, 2)
    yield Sample(make(1, 2, 2, 3), make(2, 2, 2, 2), output_padding=1)
    yield Sample(make(1, 2, 2, 3), make(2, 2, 2, 2), make(3))


def solids_back(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 2, 3, 3, 3), make(2, 2, 2, 2, 2))
    yield Sample(make(), make(2, 2, 2, 2, 2))
    yield Sample(make(1, 2, 2, 2, 3), make(2, 2, 2, 1, 2), make(2), 2, 0, 1)


GENERATORS = {
    "conv1d": lines,
    "conv2d": planes,
    "conv3d": solids,
    "conv_transpose1d": lines_back,
    "conv_transpose2d": planes_back,
    "conv_transpose3d": solids_back,
}
RECORDS = [
    Record(name, samples, method=False, dtypes=KINDS) for name, samples in GENERATORS.items()
]
