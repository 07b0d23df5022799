"""Records of `lantern/ops/contraction.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, FLOATS, INTEGERS, ErrorSample, Make, Record, Sample

NUMERIC = (*FLOATS, *INTEGERS)
# PyTorch rounds half types between the steps of some kernels, Lantern once.
ROUNDED = {"float16": (5e-3, 2e-2), "bfloat16": (4e-2, 2e-1)}


def outer_samples(make: Make):
    yield Sample(make(3), make(2))
    yield Sample(make(0), make(2))
    yield Sample(make(2, 2), make(3))
    yield Sample(make(3), make())


def inner_samples(make: Make):
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(3), make(2, 3))
    yield Sample(make(2, 3), make(4, 3))
    yield Sample(make(2, 5, 3), make(4, 3))
    yield Sample(make(2, 3), make())
    yield Sample(make(), make(2, 3))
    yield Sample(make(2, 0), make(4, 0))
    yield Sample(make(2, 3), make(4, 2))


def tensordot_samples(make: Make):
    yield Sample(make(2, 3), make(3, 4), 1)
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3, 4), make(3, 4, 5), dims=2)
    yield Sample(make(2, 3), make(4, 2), 0)
    yield Sample(make(2, 3, 4), make(4, 3, 5), ([1, 2], [1, 0]))
    yield Sample(make(2, 3, 4), make(4, 3, 5), dims=[(-2,), (1,)])
    yield Sample(make(2, 3, 4), make(1, 5), ([1], [0]))
    yield Sample(make(2, 1, 4), make(3, 5), ([1], [0]))
    yield Sample(make(), make(2), 0)
    yield Sample(make(2, 0), make(0, 4), 1)
    yield Sample(make(0, 2), make(2, 3), 1)
    yield Sample(make(2, 3), make(3, 4), 2)
    yield Sample(make(2, 3), make(3, 4), -1)
    yield Sample(make(2, 3), make(3, 4), 3)
    yield Sample(make(2, 3, 4), make(4, 3, 5), ([1, 2], [0, 1]))
    yield Sample(make(2, 3, 4), make(4, 3, 5), ([1], [0, 1]))
    yield Sample(make(2, 3, 4), make(4, 3, 5), ([1, 1], [1, 1]))
    yield Sample(make(2, 3, 4), make(4, 3, 5), ([5], [0]))
    yield Sample(make(2, 3, 4), make(4, 3, 5), (1, 1))


def counted_tensordot_samples(make: Make):
    yield Sample(make(2, 3, 4), make(4, 3, 5), np.array([[1], [1]]))
    yield Sample(make(2, 3), make(3, 4), np.array(1))
    yield Sample(make(2, 0), make(0, 4), np.array([1]))


def kron_samples(make: Make):
    yield Sample(make(2, 3), make(2, 2))
    yield Sample(make(2), make(3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(3), make(2, 3))
    yield Sample(make(2, 2, 1), make(3))
    yield Sample(make(), make(3))
    yield Sample(make(), make())
    yield Sample(make(0), make(3))
    yield Sample(make(2, 0), make(3, 2))


def cross_samples(make: Make):
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(3, 2), make(3, 2))
    yield Sample(make(2, 3), make(1, 3))
    yield Sample(make(3, 2), make(3, 2), 0)
    yield Sample(make(2, 3, 3), make(2, 3, 3), dim=-1)
    yield Sample(make(0, 3), make(0, 3))
    yield Sample(make(), make())
    yield Sample(make(3), make(2, 3))
    yield Sample(make(2, 4), make(2, 4))
    yield Sample(make(3), make(2))
    yield Sample(make(2, 3), make(2, 3), 0)
    yield Sample(make(2, 3), make(2, 3), 2)


def last_cross_samples(make: Make):
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(1, 3))
    yield Sample(make(3, 2), make(3, 2), dim=0)
    yield Sample(make(0, 3), make(0, 3))
    yield Sample(make(3, 2), make(3, 2))
    yield Sample(make(), make())


def trace_samples(make: Make):
    for shape in ((2, 3), (3, 3), (3, 1), (0, 3), (0, 0), (3,), (), (2, 2, 2)):
        yield Sample(make(*shape))


def power_samples(make: Make):
    for n in (1, 2, 3, 4, 5, 7):
        yield Sample(make(3, 3, low=-1, high=1), n)
    yield Sample(make(2, 2, 2, low=-1, high=1), 3)
    yield Sample(make(2, 0, 0), 3)
    yield Sample(make(2, 3), 2)
    yield Sample(make(3), 2)
    yield Sample(make(), 0)
    yield Sample(make(2, 2), 1.5)


def zeroth_power_samples(make: Make):
    for shape in ((3, 3), (2, 2, 2), (0, 0), (2, 3), ()):
        yield Sample(make(*shape), 0)


def chain_samples(make: Make):
    yield Sample([make(2, 3), make(3, 4)])
    yield Sample([make(2, 3), make(3, 4), make(4, 1)])
    yield Sample([make(2, 3), make(3, 1), make(1, 5), make(5, 2)])
    yield Sample([make(2, 0), make(0, 4), make(4, 5)])
    yield Sample([make(2, 3), make(4, 5)])
    yield Sample([make(2, 3), make(3, 4), make(5, 6)])


def multi_dot_samples(make: Make):
    yield from chain_samples(make)
    yield Sample([make(3), make(3, 4), make(4)])
    yield Sample([make(3), make(3, 4), make(4, 5)])
    yield Sample([make(2, 3), make(3, 4), make(4)])
    yield Sample([make(3), make(3)])
    yield Sample([make(2, 3)])
    yield Sample([make(2, 3), make(3), make(3, 4)])
    yield Sample([make(2, 2, 2), make(2, 3)])
    yield Sample([make(2, 3), make(3, 2, 1)])
    yield Sample([make(), make(2)])


def chain_matmul_samples(make: Make):
    for sample in chain_samples(make):
        yield Sample(*sample.args[0])
    yield Sample(make(2, 3))
    yield Sample(make(3), make(3, 4))
    yield Sample(make(), make(2))


RECORDS = [
    Record("outer", outer_samples, dtypes=ALL, out=True, reference=np.outer, aliases="ger"),
    Record(
        "inner",
        inner_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.inner,
        errors=[
            ErrorSample(
                RuntimeError, "both inputs should have same dtype", np.ones(2), np.ones(2, int)
            ),
        ],
    ),
    Record(
        "tensordot",
        tensordot_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        method=False,
    ),
    Record(
        "tensordot",
        counted_tensordot_samples,
        method=False,
        tolerance=ROUNDED,
        trace=False,  # the dimensions are in a tensor
        variant="by-tensor",
    ),
    Record("kron", kron_samples, dtypes=ALL, out=True, reference=np.kron),
    Record("cross", cross_samples, dtypes=NUMERIC, tolerance=ROUNDED, out=True),
    Record(
        "linalg.cross",
        last_cross_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        method=False,
    ),
    Record("trace", trace_samples, dtypes=NUMERIC, tolerance=ROUNDED, out=False),
    Record(
        "matrix_power",
        power_samples,
        dtypes=NUMERIC,
        tolerance={**ROUNDED, "float32": (1e-4, 1e-4)},
        out=True,
    ),
    Record("matrix_power", zeroth_power_samples, dtypes=ALL, gradient=False, variant="zero"),
    Record(
        "linalg.multi_dot",
        multi_dot_samples,
        dtypes=NUMERIC,
        tolerance={**ROUNDED, "float32": (1e-4, 1e-4)},
        out=True,
        method=False,
    ),
    Record(
        "chain_matmul",
        chain_matmul_samples,
        dtypes=NUMERIC,
        tolerance={**ROUNDED, "float32": (1e-4, 1e-4)},
        out=True,
        method=False,
    ),
]
