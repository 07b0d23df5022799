"""Records of `lantern/ops/distance.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .loss import ROUNDED_TWICE, functional
from .record import FLOATS, Make, Record, Sample


def cosine_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3), dim=-1)
    if make.dtype != "float64":  # the gradient is that without eps, no finite difference
        yield Sample(make(2, 1, 3), make(4, 1), 0, 0.5)
    yield Sample(make(3), make(3), 0)
    yield Sample(make(low=1), make(low=1), 0)
    yield Sample(make(0, 3), make(0, 3))
    yield Sample(make(2, 3), make.of("float64", 2, 3))
    yield Sample(make(2, 3), make(2, 4))
    yield Sample(make(2, 3), make(2, 3), 2)
    yield Sample(make.of("int64", 3), make.of("int64", 3), 0)


def pairwise_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3), keepdim=True)
    for p in (1, 3.5, np.inf):
        yield Sample(make(2, 3), make(2, 3), p, 0.1)
    yield Sample(make(3), make(3))
    yield Sample(make(), make())
    yield Sample(make(0, 3), make(0, 3))
    yield Sample(make(2, 3), make(2, 4))


def normalize_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), 1, 0)
    yield Sample(make(2, 3), p=np.inf, dim=-1)
    yield Sample(make(2, 3, 2), 3.5, (0, 2))
    yield Sample(make(2, 3), eps=2.0)
    yield Sample(make(3), dim=0)
    yield Sample(make(), dim=0)
    yield Sample(make(0, 3))
    yield Sample(make(3))
    yield Sample(make.of("int64", 2, 3))


def bilinear_samples(make: Make) -> Iterator[Sample]:
    weight = make(5, 3, 4)
    yield Sample(make(2, 3), make(2, 4), weight)
    yield Sample(make(2, 3), make(2, 4), weight, make(5))
    yield Sample(make(2, 2, 3), make(2, 2, 4), weight, make(5))
    yield Sample(make(3), make(4), weight)
    yield Sample(make(0, 3), make(0, 4), weight)
    yield Sample(make(), make(), make(1, 1, 1))
    yield Sample(make(2, 3), make(3, 4), weight)
    yield Sample(make(2, 3), make(2, 3), weight)
    yield Sample(make(2, 4), make(2, 4), weight)
    yield Sample(make(2, 3), make(2, 4), weight, make(4))
    yield Sample(make(2, 2, 3), make(2, 4), weight)


# PyTorch rounds bfloat16 in between, which its gradients do not stand.
KINDS = {"dtypes": FLOATS[:3], "tolerance": ROUNDED_TWICE}

RECORDS = [
    Record("cosine_similarity", cosine_samples, method=False, **KINDS),
    Record("pairwise_distance", pairwise_samples, method=False, **KINDS),
    functional("normalize", normalize_samples, **KINDS),
    functional("bilinear", bilinear_samples, **KINDS),
]
