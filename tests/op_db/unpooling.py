"""Records of `lantern/ops/unpooling.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .loss import functional
from .record import Make, Sample

KINDS = ("float32", "float64")


def unpooled(ndim: int) -> Callable[[Make], Iterator[Sample]]:
    sizes = (2, 3, 2)[:ndim]

    def places(make: Make, lead: tuple, count: int) -> np.ndarray:
        lines = [make.rng.permutation(count)[: np.prod(sizes)] for _ in range(int(np.prod(lead)))]
        return np.array(lines).reshape(*lead, *sizes)

    def samples(make: Make) -> Iterator[Sample]:
        count = int(np.prod([2 * n for n in sizes]))
        yield Sample(make(1, 2, *sizes), places(make, (1, 2), count), 2)
        yield Sample(make(2, *sizes), places(make, (2,), count), 2, 2)
        larger = tuple(2 * n + 1 for n in sizes)
        yield Sample(make(1, 2, *sizes), places(make, (1, 2), count), 2, output_size=larger)
        yield Sample(make(1, 2, *sizes), places(make, (1, 2), count), 2, output_size=(9,) * ndim)
        yield Sample(make(1, 2, *sizes), make.of("float32", 1, 2, *sizes), 2)
        yield Sample(make(1, 2, *sizes), make.index(1, shape=(1, 2, *sizes[:-1], 1)), 2)
        yield Sample(make(1, 1, *sizes), np.full((1, 1, *sizes), 999), 2)
        yield Sample(make(0, 2, *sizes), make.index(1, shape=(0, 2, *sizes)), 2)
        yield Sample(make(), make.index(1, shape=()), 2)

    return samples


def fractional(ndim: int) -> Callable[[Make], Iterator[Sample]]:
    sizes = (5, 5, 5)[:ndim]

    def samples(make: Make) -> Iterator[Sample]:
        drawn = make(1, 2, ndim, low=0, high=0.99)
        yield Sample(make.distinct(1, 2, *sizes), 2, 3, _random_samples=drawn)
        yield Sample(make.distinct(2, *sizes), 2, 2, None, True, _random_samples=drawn)
        ratio = (0.6, 0.5, 0.5)[:ndim]
        given = {"output_ratio": ratio, "_random_samples": drawn}
        yield Sample(make.distinct(1, 2, *sizes), 2, **given)
        yield Sample(make.distinct(1, 2, *sizes), 2, 7, _random_samples=drawn)
        yield Sample(make.distinct(1, 2, *sizes), 2)
        yield Sample(make.distinct(0, 2, *sizes), 2, 2, _random_samples=make(0, 2, ndim))
        yield Sample(make(), 2, 2, _random_samples=drawn)

    return samples


RECORDS = [
    *(functional(f"max_unpool{n}d", unpooled(n), dtypes=KINDS, nodes=False) for n in (1, 2, 3)),
    *(
        functional(
            f"fractional_max_pool{n}d", fractional(n), dtypes=KINDS, nodes=False, gradient=(0,)
        )
        for n in (2, 3)
    ),
]
