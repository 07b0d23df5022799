"""Records of `lantern/ops/pairs.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .record import ErrorSample, Make, Record, Sample

PLAIN = ("float32", "float64")


def cdist_samples(make: Make):
    for p in (2.0, 1.0, 0.0, 3.0, 1.5, 0.5, float("inf")):
        yield Sample(make(4, 3), make(5, 3), p)
    yield Sample(make(2, 4, 3), make(2, 2, 3))
    yield Sample(make(2, 4, 3), make(5, 3), p=1)
    yield Sample(make(2, 1, 2, 3), make(3, 2, 3))
    yield Sample(make(4, 3), make(5, 3), compute_mode="donot_use_mm_for_euclid_dist")
    yield Sample(make(4, 0), make(5, 0))
    yield Sample(make(4, 0), make(5, 0), float("inf"))
    yield Sample(make(0, 3), make(5, 3))
    yield Sample(make(4, 3), make(5, 2))
    yield Sample(make(3), make(5, 3))
    yield Sample(make(5, 3), make())
    yield Sample(make(2, 4, 3), make(3, 5, 3))
    yield Sample(make(4, 3), make(5, 3), -1.0)
    yield Sample(make(4, 3), make(5, 3), compute_mode="x")


def euclidean_samples(make: Make):
    yield Sample(make(30, 3), make(4, 3))
    yield Sample(make(2, 3, 4), make(27, 4))
    yield Sample(make(4, 3), make(5, 3), compute_mode="use_mm_for_euclid_dist")
    yield Sample(make(0, 3), make(30, 3))
    yield Sample(make(), make())


def renorm_samples(make: Make):
    for p in (2, 1, 0.5, 3, float("inf")):
        yield Sample(make(3, 4), p, 0, 1.0)
    yield Sample(make(3, 4), 2, 1, 5.5)
    yield Sample(make(2, 3, 2), 2, -2, 2)
    yield Sample(make(2, 3), 2, 0, 0.0)
    yield Sample(make(2, 3), 2, 0, maxnorm=100.0)
    yield Sample(make(0, 3), 2, 0, 1.0)
    yield Sample(make(3), 2, 0, 1.0)
    yield Sample(make(), 2, 0, 1.0)
    yield Sample(make(3, 4), -1, 0, 1.0)
    yield Sample(make(3, 4), 2, 2, 1.0)
    yield Sample(make(3, 4), 2, 0, -1.0)


ONES = np.ones((2, 2))


def paired(make: Make) -> Iterator[Sample]:
    for p in (2.0, 1.0, 3.5, np.inf):
        yield Sample(make(4, 3), p)
    yield Sample(make(3, 0))  # PyTorch crashes in the backward of less than two rows
    yield Sample(make())
    yield Sample(make(3, 2), -1.0)


RECORDS = [
    Record("pdist", paired, dtypes=PLAIN, method=False, second=False, nodes=False),
    Record(
        "cdist",
        cdist_samples,
        dtypes=PLAIN,
        method=False,
        second=False,  # PyTorch has none
        errors=[
            ErrorSample(
                RuntimeError,
                "cdist only supports floating-point dtypes, X1 got: Long",
                ONES.astype(int),
                ONES,
            ),
            ErrorSample(
                RuntimeError,
                "expected scalar type Float but found Double",
                ONES.astype(np.float32),
                ONES,
            ),
            ErrorSample(
                NotImplementedError,
                "\"cdist\" not implemented for 'Half'",
                ONES.astype(np.float16),
                ONES.astype(np.float16),
            ),
        ],
    ),
    Record(
        "cdist",
        euclidean_samples,
        dtypes=PLAIN,
        method=False,
        tolerance={"float32": (1e-3, 1e-3)},  # the difference of large squares
        variant="by-product",
    ),
    Record(
        "renorm",
        renorm_samples,
        inplace=True,
        out=True,
        tolerance={"float16": (5e-3, 5e-3), "bfloat16": (4e-2, 4e-2)},  # steps are rounded
        errors=[
            ErrorSample(
                RuntimeError,
                "linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
                "Long",
                ONES.astype(int),
                2,
                0,
                1.0,
            )
        ],
    ),
]
