"""Records of `lantern/ops/padding.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .loss import functional
from .record import ALL, Make, Sample


def constant(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3), (1, 2))
    yield Sample(make(2, 3), [1, 0, 2, 1], "constant", 5)
    yield Sample(make(2, 3), (-1, 2), value=2.7)
    yield Sample(make(2, 3), (-1, -1, 1, -1))
    yield Sample(make(2, 3), (-2, -1))
    yield Sample(make(2, 3), (0, 0))
    yield Sample(make(2, 3), ())
    yield Sample(make(2, 1, 2), (0, 1, 1, 1, 2, 0))
    yield Sample(make(0, 3), (1, 1))
    yield Sample(make(), (1, 1))
    yield Sample(make(), ())
    yield Sample(make(2, 3), (1, 1, 1))
    yield Sample(make(2, 3), (1,) * 6)
    yield Sample(make(2, 3), (-4, 1))
    yield Sample(make(2, 3), (1, 1), mode="other")


def continued(mode: str) -> Callable[[Make], Iterator[Sample]]:
    def samples(make: Make) -> Iterator[Sample]:
        kwargs = {"mode": mode}
        yield Sample(make(2, 4), (1, 2), **kwargs)
        yield Sample(make(2, 3, 4), (2, 0), **kwargs)
        yield Sample(make(2, 3, 4), (1, 2, 2, 1), **kwargs)
        yield Sample(make(2, 2, 3, 4), (0, 1, 1, 1), **kwargs)
        yield Sample(make(2, 2, 3, 2), (1, 1, 1, 1, 1, 0), **kwargs)
        yield Sample(make(1, 2, 2, 3, 2), (1, 0, 0, 1, 1, 1), **kwargs)
        yield Sample(make(2, 4), (-1, 2), **kwargs)
        yield Sample(make(2, 3, 4), (1, -1, -1, 1), **kwargs)
        yield Sample(make(2, 4), (0, 0), **kwargs)
        yield Sample(make(0, 2, 4), (1, 1), **kwargs)
        yield Sample(make(2, 4), (5, 1), **kwargs)
        yield Sample(make(2, 4), (-2, -2), **kwargs)
        yield Sample(make(2, 2, 3, 4), (1, 1), **kwargs)
        yield Sample(make(4), (1, 1), **kwargs)
        yield Sample(make(), (1, 1), **kwargs)
        yield Sample(make(2, 4), (1, 1), mode, 3.0)

    return samples


FLOATING = ("float32", "float64", "bfloat16", "int64")
RECORDS = [
    functional("pad", constant, dtypes=ALL),
    *(
        functional("pad", continued(mode), variant=mode, dtypes=FLOATING)
        for mode in ("reflect", "replicate", "circular")
    ),
]
