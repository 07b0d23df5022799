"""Records of `lantern/ops/pooling.py`, `adaptive.py` and `sliding.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .loss import functional
from .record import Make, Record, Sample

KINDS = ("float32", "float64", "int64")
Samples = Callable[[Make], Iterator[Sample]]


def pooled(ndim: int, largest: bool) -> Samples:
    sizes = (5, 6, 4)[:ndim]
    draw = "distinct" if largest else "__call__"

    def samples(make: Make) -> Iterator[Sample]:
        new = getattr(make, draw)
        yield Sample(new(2, 2, *sizes), 2)
        yield Sample(new(2, *sizes), 3, 2, 1)
        yield Sample(new(1, 2, *sizes), 3, 2, 1, ceil_mode=True)
        yield Sample(new(0, 2, *sizes), 2)
        yield Sample(new(), 2)
        yield Sample(new(1, 2, *sizes), 9)
        yield Sample(new(1, 2, *sizes), 2, padding=2)
        yield Sample(new(1, 2, *sizes), 2, 0)
        if largest:
            yield Sample(new(1, 2, *sizes), 2, 1, 1, 2, False, True)
        else:
            yield Sample(new(1, 2, *sizes), 3, 2, 1, True, False)
        if not largest and ndim > 1:
            yield Sample(new(1, 2, *sizes), 2, divisor_override=3)
            yield Sample(new(1, 2, *sizes), 2, divisor_override=0)

    return samples


def adaptive(ndim: int, largest: bool) -> Samples:
    sizes = (5, 6, 3)[:ndim]

    def samples(make: Make) -> Iterator[Sample]:
        new = make.distinct if largest else make
        yield Sample(new(2, 2, *sizes), 2)
        yield Sample(new(2, *sizes), 1)
        yield Sample(new(1, 2, *sizes), 7)
        yield Sample(new(2, *sizes), -1)
        yield Sample(new(0, 2, *sizes), 2)
        yield Sample(new(), 2)
        if largest:
            yield Sample(new(2, *sizes), 3, True)

    return samples


def norms(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 2, 5, 4), 2.0, 2)
    yield Sample(make(), 2.0, 2)
    yield Sample(make(2, 5, 4, low=0.5), 2.0, 2)
    yield Sample(make(1, 2, 5, 4, low=0.5), 3.0, (2, 1), 1, True)


def columns(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 2, 4, 4), 2)
    yield Sample(make(2, 2, 4, 5), (2, 3), 1, 1, 2)
    yield Sample(make(2, 4, 4), 2, 2)
    yield Sample(make(1, 2, 4, 4), 5)
    yield Sample(make(1, 2, 4, 4), 0)


def images(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 8, 9), (4, 4), 2)
    yield Sample(make(), (4, 4), 2)
    yield Sample(make(2, 8, 9), (4, 4), 2)
    yield Sample(make(8, 4), 4, 2, stride=2)
    yield Sample(make(1, 7, 9), (4, 4), 2)
    yield Sample(make(1, 8, 8), (4, 4), 2)


def shuffled(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 4, 2, 2), 2)
    yield Sample(make(), 2)
    yield Sample(make(2, 8, 2, 3), 2)
    yield Sample(make(7, 2, 3), 2)
    yield Sample(make(2, 3), 2)


def unshuffled(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 2, 2, 2), 2)
    yield Sample(make(), 2)
    yield Sample(make(2, 2, 4, 6), 2)
    yield Sample(make(2, 3, 4), 2)
    yield Sample(make(2, 4, 4), 0)


def dealt(make: Make) -> Iterator[Sample]:
    yield Sample(make(0, 4, 2), 2)
    yield Sample(make(), 2)
    yield Sample(make(2, 6, 2, 3), 3)
    yield Sample(make(1, 4, 2), 1)
    yield Sample(make(1, 4, 2), 3)
    yield Sample(make(1, 4, 2), 0)


RECORDS = [
    Record("channel_shuffle", dealt, dtypes=KINDS, method=False),
    *(functional(f"max_pool{n}d", pooled(n, True), dtypes=KINDS) for n in (1, 2, 3)),
    *(functional(f"avg_pool{n}d", pooled(n, False), dtypes=KINDS) for n in (1, 2, 3)),
    *(functional(f"adaptive_max_pool{n}d", adaptive(n, True), dtypes=KINDS[:2]) for n in (1, 2, 3)),
    *(
        functional(f"adaptive_avg_pool{n}d", adaptive(n, False), dtypes=KINDS[:2])
        for n in (1, 2, 3)
    ),
    functional("lp_pool2d", norms, dtypes=KINDS[:2]),
    # Without dimensions PyTorch words the error by the dtype: one is compared.
    functional("unfold", columns, dtypes=KINDS[:1]),
    functional("fold", images, dtypes=KINDS),
    functional("pixel_shuffle", shuffled, dtypes=KINDS),
    functional("pixel_unshuffle", unshuffled, dtypes=KINDS),
]
