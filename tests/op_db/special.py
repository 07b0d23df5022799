"""Records of `lantern/ops/special.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, Make, Record, Sample, binary, unary

FORMS = {"dtypes": ALL, "special": "pointwise", "out": True, "method": False}
# PyTorch computes half types in steps that are rounded one by one.
HALVES = {"float16": (4e-3, 1e-3), "bfloat16": (3.2e-2, 1e-2)}


def xlog1py_samples(make: Make):
    yield from binary(low=0.2, numbers=(2, 1.5))(make)
    yield Sample(2, make(2, 3, low=0.2))


def incomplete_samples(make: Make):
    yield Sample(make(2, 3, low=0.2, high=9), make(2, 3, low=0.1, high=12))
    yield Sample(make(3, low=2, high=40), make(2, 3, low=0.1, high=60))
    yield Sample(make(0, 3, low=0.2), make(0, 3, low=0.2))
    yield Sample(make(low=0.2), make(low=0.2))


# PyTorch has no derivative by the first argument, and none of second order.
INCOMPLETE = {
    "dtypes": ("float32", "float64"), "special": "", "out": True, "method": False,
    "gradient": (1,), "second": False, "tolerance": {"float32": (1e-5, 1e-6)},
}  # fmt: skip
RECORDS = [
    Record("i0", unary(), **{**FORMS, "method": True}, inplace=True, reference=np.i0),
    Record("special.i0e", unary(), **FORMS, tolerance=HALVES, edges=False),
    Record("special.i1", unary(), **FORMS, tolerance=HALVES, edges=False),
    Record("special.i1e", unary(), **FORMS, tolerance=HALVES, edges=False),
    Record("special.erfcx", unary(), **FORMS),
    Record("special.ndtr", unary(), **FORMS, tolerance=HALVES, nodes=False),
    Record("special.ndtri", unary(0.05, 0.95), **FORMS),
    Record("special.log_ndtr", unary(), **FORMS, edges=False),
    Record("special.entr", unary(0.1), **FORMS),
    Record("special.xlog1py", xlog1py_samples, **FORMS),
    Record("special.expit", unary(), **FORMS),
    Record("special.gammaln", unary(0.2, 6), **FORMS),
    Record("special.psi", unary(0.2, 6), **FORMS, edges=False),
    Record("special.gammainc", incomplete_samples, **INCOMPLETE),
    Record("special.gammaincc", incomplete_samples, **INCOMPLETE),
    Record("igamma", incomplete_samples, **{**INCOMPLETE, "method": True}, inplace=True),
    Record("igammac", incomplete_samples, **{**INCOMPLETE, "method": True}, inplace=True),
]
