"""Records of `lantern/ops/counting.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, FLOATS, INTEGERS, ErrorSample, Make, Record, Sample


def whole(make: Make, *shape: int):
    return make.of("int64", *shape).astype(make(0).dtype)


def unique_samples(make: Make):
    for flags in ({}, {"return_inverse": True}, {"return_counts": True}):
        yield Sample(whole(make, 3, 4), **flags)
        yield Sample(np.repeat(whole(make, 3, 2), 2, axis=0), dim=0, **flags)
    yield Sample(whole(make, 6), True, True, True)
    yield Sample(np.repeat(whole(make, 2, 3), 2, axis=1), return_inverse=True, dim=1)
    yield Sample(make())
    yield Sample(make(0), return_inverse=True, return_counts=True)


def consecutive_samples(make: Make):
    yield Sample(whole(make, 9))
    yield Sample(np.sort(whole(make, 9), axis=0), True, True)
    yield Sample(np.sort(whole(make, 3, 4), axis=0), return_inverse=True)
    yield Sample(np.repeat(whole(make, 3, 2), 2, axis=0), return_counts=True, dim=0)
    yield Sample(make())
    yield Sample(make(0), True, True)


def bincount_samples(make: Make):
    yield Sample(make(9, low=0, high=5))
    yield Sample(make(9, low=0, high=5), minlength=8)
    yield Sample(make(4, low=0, high=5), make.of("float32", 4))
    yield Sample(make(4, low=0, high=5), make.of("int32", 4), 2)
    yield Sample(make(0))
    yield Sample(make(4, low=-5, high=-1))
    yield Sample(make(2, 2, low=0))
    yield Sample(make(4, low=0), make.of("float32", 3))
    yield Sample(make(low=0))


def histogram_samples(make: Make):
    yield Sample(make(20))
    yield Sample(make(20), 4)
    yield Sample(make(4, 5), bins=3, min=-1, max=2)
    yield Sample(make(4), bins=3, min=2, max=1)
    yield Sample(make(4), bins=0)
    yield Sample(make(0), 3)
    yield Sample(make(), 3)


def fixed_histogram_samples(make: Make):
    yield Sample(make(20), 4, -2, 2)
    yield Sample(make(4, 5), bins=3, min=-1, max=2)
    yield Sample(make(), 3, -1, 1)
    yield Sample(make(0), 3, -1, 1)


def quantile_samples(make: Make):
    for how in ("linear", "lower", "higher", "midpoint", "nearest"):
        yield Sample(make.distinct(3, 5), 0.3, 1, interpolation=how)
    yield Sample(make.distinct(3, 5), 0.3)
    yield Sample(make.distinct(3, 5), make(2, low=0.1, high=0.9), 0, True)
    yield Sample(make.distinct(2, 3, 2), make(3, low=0.1, high=0.9), dim=-2)
    yield Sample(make.distinct(3, 5), 0.3, keepdim=True)
    yield Sample(make(), 0.5)
    yield Sample(make(0), 0.5)
    yield Sample(make(3), 1.5)
    yield Sample(make(3), 0.5, interpolation="cubic")
    x = make.distinct(3, 5)
    if make.floating:
        x[0, 1] = x[1, 0] = x[1, 4] = np.nan
    yield Sample(x, make(2, low=0.1, high=0.9), 1)


def covariance_samples(make: Make):
    yield Sample(make(3, 5))
    yield Sample(make(5))
    yield Sample(make(3, 5), correction=0)
    yield Sample(make(3, 5), fweights=make.of("int64", 5, low=1))
    yield Sample(make(3, 5), aweights=make.of("float64", 5, low=0.5))
    both = {"fweights": make.of("int64", 5, low=1), "aweights": make.of("float64", 5, low=0.5)}
    yield Sample(make(3, 5), **both)
    yield Sample(make(2, 2, 2))
    yield Sample(make(3, 5), fweights=make(5))
    yield Sample(make(3, 5), aweights=make.of("float64", 4))
    yield Sample(make())
    yield Sample(make(2, 0))


def matrix_samples(make: Make):
    yield Sample(make(3, 5))
    yield Sample(make(5))
    yield Sample(make(2, 2, 2))
    yield Sample(make())
    yield Sample(make(2, 0))


UNORDERED = {"dtypes": ALL, "trace": False, "gradient": ()}


def bar_samples(make: Make):
    yield Sample(make(40), 5)
    yield Sample(make(4, 10), bins=3, density=True)
    yield Sample(make(10), 4, weight=make(10, low=0, high=2))
    yield Sample(np.full_like(make(3), 2), 2)
    yield Sample(make(0), 2)
    yield Sample(make(), 3)
    yield Sample(make(5), 0)
    yield Sample(np.full_like(make(3), np.nan) if make(0).dtype.kind == "f" else make(3), 2)


def edge_samples(make: Make):
    edges = np.array([-1, -0.25, 0, 0.5, 2], make(0).dtype)
    yield Sample(make(40), edges)
    yield Sample(np.concatenate([edges, edges, make(3)]), edges)
    yield Sample(make(20), edges, weight=make(20), density=True)
    yield Sample(make(40), 4, range=(-1.0, 1.0))
    yield Sample(make(40), 4, range=(1.0, -1.0))
    yield Sample(make(0), edges)
    yield Sample(make(), edges)


RECORDS = [
    Record("unique", unique_samples, **UNORDERED),
    Record("unique_consecutive", consecutive_samples, **UNORDERED),
    Record(
        "bincount", bincount_samples, dtypes=(*INTEGERS, "float32"), gradient=False, trace=False
    ),
    Record("histc", histogram_samples, dtypes=FLOATS[:2], gradient=False, trace=False, out=True),
    Record("histc", fixed_histogram_samples, dtypes=FLOATS[:2], gradient=False, variant="fixed"),
    Record(
        "histogram",
        bar_samples,
        dtypes=FLOATS[:2],
        gradient=False,
        trace=False,
        errors=[
            ErrorSample(
                NotImplementedError,
                "\"histogramdd\" not implemented for 'Long'",
                np.arange(3),
                2,
            )
        ],
    ),
    Record("histogram", edge_samples, dtypes=FLOATS[:2], gradient=False, variant="edges"),
    Record("cov", covariance_samples, dtypes=FLOATS[:2], gradient=(0,), nodes=False),
    Record("corrcoef", matrix_samples, dtypes=FLOATS[:2], nodes=False),
    Record("quantile", quantile_samples, dtypes=(*FLOATS, "int64"), nodes=False),
    Record("nanquantile", quantile_samples, dtypes=(*FLOATS, "int64"), nodes=False),
]
