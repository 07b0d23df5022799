"""Records of `lantern/ops/reduce.py`."""

from __future__ import annotations

import math

from .record import ALL, FLOATS, DType, Make, Record, Sample, reduction

SUMS = {"dtypes": ALL, "special": "reduce", "out": True}


def single(*extra: dict, low: float = -3, high: float = 3):
    return reduction(*extra, low=low, high=high, several=False)


def required(*extra: dict):
    """Reductions whose `dim` must be given."""

    def samples(make: Make):
        yield from (s for s in reduction(*extra)(make) if len(s.args) > 1 or "dim" in s.kwargs)

    return samples


def moment_samples(make: Make):
    yield from reduction({}, {"correction": 0})(make)
    yield Sample(make(3, 4), False)
    yield Sample(make(3, 4), 0, False, True)
    yield Sample(make(3, 4), 1, unbiased=True)
    yield Sample(make(3, 4), correction=2.5)
    yield Sample(make(1))


def norm_samples(make: Make):
    yield Sample(make(2, 3))
    for p in (1, 2, 3, 0, 0.5, math.inf, -math.inf, "fro"):
        yield Sample(make(2, 3), p)
    for p in (1, 2, 3, 0, 0.5, math.inf, -math.inf):
        yield Sample(make(2, 3), p, 1)
        yield Sample(make(2, 3, 2), p=p, dim=(0, 2), keepdim=True)
    yield Sample(make())
    yield Sample(make(0))
    yield Sample(make(0), math.inf)
    yield Sample(make(2, 0), 2, 1)
    yield Sample(make(2, 0), math.inf, 1)
    yield Sample(make(2, 0), -math.inf, 0)
    yield Sample(make(2, 3), dtype=DType("float64"))


def dist_samples(make: Make):
    for p in (2, 1, 3, 0, math.inf):
        yield Sample(make(2, 3), make(3), p)
    yield Sample(make(), make())
    yield Sample(make(0), make(0))


def count_samples(make: Make):
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), 0)
    yield Sample(make(2, 3, 2), dim=(0, -1))
    yield Sample(make())
    yield Sample(make(0))


def extreme_samples(make: Make):
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), dim=0)
    yield Sample(make(3, 4), dim=-1, keepdim=True)
    yield Sample(make())
    yield Sample(make(0))
    yield Sample(make(0, 3), dim=1)


def typed(samples):
    """Samples with a `dtype`; one of integers for floats would have no derivative."""

    def all_samples(make: Make):
        yield from samples({}, {"dtype": DType("float64")})(make)
        if not make.floating:
            yield from samples({"dtype": DType("int32")})(make)

    return all_samples


TYPED = typed(reduction)
# PyTorch adds half types in float32 but rounds on the way; a unit of the last place more or less.
HALVES = {"float16": (2e-3, 2e-3), "bfloat16": (3.2e-2, 3e-2)}

RECORDS = [
    Record("sum", TYPED, **SUMS),
    Record("nansum", TYPED, **SUMS, tolerance=HALVES),
    Record("mean", reduction({}, {"dtype": DType("float64")}), **SUMS, tolerance=HALVES),
    Record("nanmean", reduction(), **SUMS, tolerance=HALVES),
    Record(
        "prod",
        single({}, {"dtype": DType("float64")}),
        **{**SUMS, "out": False},
        edges=False,
        tolerance=HALVES,
    ),
    Record("amax", reduction(), **SUMS),
    Record("amin", reduction(), **SUMS),
    Record("aminmax", extreme_samples, **SUMS),
    Record("any", reduction(), **SUMS, gradient=False),
    Record("all", reduction(), **SUMS, gradient=False),
    Record("count_nonzero", count_samples, dtypes=ALL, special="reduce", gradient=False),
    Record("var", moment_samples, dtypes=ALL, special="reduce", tolerance=HALVES, edges=False),
    Record("std", moment_samples, dtypes=ALL, special="reduce", tolerance=HALVES, edges=False),
    Record("var_mean", moment_samples, dtypes=ALL, method=False, tolerance=HALVES),
    Record("std_mean", moment_samples, dtypes=ALL, method=False, tolerance=HALVES),
    Record("logsumexp", required(), **SUMS, tolerance=HALVES),
    Record("norm", norm_samples, dtypes=(*FLOATS, "int64"), special="reduce", tolerance=HALVES),
    Record("dist", dist_samples, dtypes=FLOATS[:2]),
]
