"""Records of `lantern/ops/norms.py`."""

from __future__ import annotations

import numpy as np

from .decompositions import called
from .record import DType, ErrorSample, Make, Record, Sample

INFINITY = float("inf")
PLAIN = ("float32", "float64")


def vector_samples(make: Make):
    for ord in (2, 1, 0, 3, 0.5, INFINITY, -INFINITY, -1):
        yield Sample(make(2, 3), ord)
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), 2, 1)
    yield Sample(make(2, 3), 3, (0, 1), True)
    yield Sample(make(2, 3), dim=-1, keepdim=True)
    yield Sample(make(2, 3), 2, ())
    yield Sample(make(), 3)
    yield Sample(make(0, 3))
    yield Sample(make(0, 3), INFINITY)
    yield Sample(make(0, 3), INFINITY, 1)
    yield Sample(make(2, 0), INFINITY, 1)
    yield Sample(make(2, 0), -1, 1)
    yield Sample(make(2, 3), "fro")
    yield Sample(make(2, 3), 2, 2)
    yield Sample(make(2, 3), dtype=DType("float64"))
    yield Sample(make(2, 3), dtype=DType("float16"))
    yield Sample(make(2, 3), dtype=DType("int64"))


def matrix_samples(make: Make):
    for ord in ("fro", INFINITY, -INFINITY, 1, -1):
        yield Sample(make(2, 3), ord)
        yield Sample(make(2, 3, 2), ord)
    for ord in ("fro", "nuc", INFINITY, 1, 2):
        yield Sample(make(0, 3), ord)
    yield Sample(make(2, 3, 4), "fro", (0, 1))
    yield Sample(make(2, 3, 4), 1, (0, 2), True)
    yield Sample(make(2, 3, 4), -1, (2, 0))
    yield Sample(make(2, 3, 4), INFINITY, (-3, 1))
    yield Sample(make(2, 3), 3)
    yield Sample(make(2, 3), "x")
    yield Sample(make(3))
    yield Sample(make())
    yield Sample(make(2, 3), "fro", (0, 0))
    yield Sample(make(2, 3), "fro", (0,))
    yield Sample(make(2, 3), 1, (0, 5))
    yield Sample(make(2, 3), 1, dtype=DType("float64"))


def singular_value_samples(make: Make):
    for ord in ("nuc", 2, -2):
        yield Sample(make(2, 3), ord)
        yield Sample(make(2, 3, 2), ord)
    yield Sample(make(2, 3), "nuc", (1, 0))
    yield Sample(make(0, 3), 2)
    yield Sample(make())


def chosen_samples(make: Make):
    for shape in ((3,), (2, 3), (2, 3, 2), ()):
        for ord in (None, 2, 1, "fro", INFINITY):
            yield Sample(make(*shape), ord)
    yield Sample(make(0, 3))
    yield Sample(make(2, 3), None, 1)
    yield Sample(make(2, 3), None, (0, 1), True)
    yield Sample(make(2, 3), 2, 1)
    yield Sample(make(2, 3), 2, (0, 1))
    yield Sample(make(2, 3, 4), "fro", (0, 1))
    yield Sample(make(2, 3, 4), "fro", 1)
    yield Sample(make(2, 3, 4), 2, (0, 1, 2))
    yield Sample(make(2, 3), 0)
    yield Sample(make(2, 3), dtype=DType("float64"))


def vecdot_samples(make: Make):
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(2, 3), make(2, 3), dim=0)
    yield Sample(make(), make())
    yield Sample(make(2, 0), make(2, 0))
    yield Sample(make(2, 3), make(2, 4))


def diagonal_samples(make: Make):
    yield Sample(make(2, 3))
    yield Sample(make(2, 3, 4))
    yield Sample(make(2, 3, 4), offset=1, dim1=0, dim2=1)
    yield Sample(make(0, 3))
    yield Sample(make())


INTEGERS = np.ones((2, 2), int)
INTEGER = ": Expected a floating point or complex tensor as input. Got Long"

RECORDS = [
    Record(
        "linalg.vector_norm",
        vector_samples,
        dtypes=PLAIN,
        method=False,
        out=True,
        errors=[ErrorSample(RuntimeError, "linalg.vector_norm" + INTEGER, INTEGERS)],
    ),
    Record(
        "linalg.matrix_norm",
        matrix_samples,
        dtypes=PLAIN,
        method=False,
        out=True,
        tolerance={"float32": (1e-4, 1e-5)},
        errors=[ErrorSample(RuntimeError, "linalg.matrix_norm" + INTEGER, INTEGERS)],
    ),
    Record(
        "linalg.matrix_norm",
        singular_value_samples,
        call=called("linalg.matrix_norm"),
        dtypes=PLAIN,
        out=True,
        tolerance={"float32": (1e-4, 1e-5)},
        variant="of-singular-values",
    ),
    Record(
        "linalg.norm",
        chosen_samples,
        dtypes=PLAIN,
        method=False,
        out=True,
        tolerance={"float32": (1e-4, 1e-5)},
    ),
    Record(
        "linalg.vecdot",
        vecdot_samples,
        method=False,
        out=True,
        # PyTorch rounds products in half types before it adds them.
        tolerance={"float16": (5e-3, 2e-2), "bfloat16": (4e-2, 2e-1)},
        errors=[
            ErrorSample(RuntimeError, "linalg.vecdot" + INTEGER, INTEGERS, INTEGERS),
            ErrorSample(
                RuntimeError,
                "linalg.vecdot: Expected x and y to have the same dtype",
                np.ones(2),
                np.ones(2, np.float32),
            ),
        ],
    ),
    Record("linalg.diagonal", diagonal_samples, method=False),
]
