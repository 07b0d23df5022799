"""Records of `lantern/ops/masks.py`: where elements are not zero, and taking and putting there."""

from __future__ import annotations

from .record import ALL, Make, Record, Sample


def any_samples(make: Make):
    yield Sample(make(2, 3))
    yield Sample(make(5) * make(5, low=0, high=1))
    yield Sample(make(2, 3, 2) * 0)
    yield Sample(make())
    yield Sample(make(0, 3))


def nonzero_samples(make: Make):
    yield from any_samples(make)
    yield Sample(make(2, 3), as_tuple=True)
    yield Sample(make(), as_tuple=True)


def static_samples(make: Make):
    yield Sample(make(2, 3), size=3)
    yield Sample(make(2, 3), size=8, fill_value=-2)
    yield Sample(make(0), size=1)
    yield Sample(make(), size=1)


def select_samples(make: Make):
    yield Sample(make(2, 3), make.mask(2, 3))
    yield Sample(make(2, 3), make.mask(3))
    yield Sample(make(3), make.mask(2, 1))
    yield Sample(make(), make.mask())
    yield Sample(make(0), make.mask(1))
    yield Sample(make(2, 3), make.mask(2))
    yield Sample(make(2, 3), make.of("uint8", 2, 3))


def scatter_samples(make: Make):
    yield Sample(make(2, 3), make.mask(2, 3), make(6))
    yield Sample(make(2, 3), make.mask(3), make(2, 4))
    yield Sample(make(), make.mask(), make(1))
    yield Sample(make(0), make.mask(0), make(0))
    yield Sample(make(2, 3), make.mask(2, 3) | True, make(5))
    yield Sample(make(2, 3), make.of("uint8", 2, 3), make(6))
    yield Sample(make(2, 3), make.mask(2, 3), make.of("float64", 6))


def class_samples(make: Make):
    yield Sample(make.index(3, shape=(4,)))
    yield Sample(make.index(3, shape=(2, 2)), 5)
    yield Sample(make.index(3, shape=()), 3)
    yield Sample(make.index(3, shape=(0, 2)), 3)
    yield Sample(make.index(3, shape=(0,)))
    yield Sample(make.index(3, shape=(2,)) - 3, 3)
    yield Sample(make.index(3, shape=(2,)) + 3, 3)
    yield Sample(make.of("float32", 2), 3)


def sized_samples(make: Make):
    yield Sample(make.index(3, shape=(2, 2)), 5)
    yield Sample(make.index(3, shape=()), 3)
    yield Sample(make.index(3, shape=(0, 2)), 3)


WITHOUT = {"gradient": False, "trace": False}
RECORDS = [
    Record("nonzero", nonzero_samples, dtypes=ALL, **WITHOUT),
    Record("argwhere", any_samples, dtypes=ALL, **WITHOUT),
    Record("nonzero_static", static_samples, dtypes=ALL, **WITHOUT),
    Record("masked_select", select_samples, dtypes=ALL, trace=False, out=True, nodes=False),
    Record("masked_scatter", scatter_samples, dtypes=ALL, inplace=True),
    Record("nn.functional.one_hot", class_samples, dtypes=("int64",), method=False, **WITHOUT),
    Record(
        "nn.functional.one_hot",
        sized_samples,
        variant="sized",
        dtypes=("int64",),
        method=False,
        gradient=False,
    ),
]
