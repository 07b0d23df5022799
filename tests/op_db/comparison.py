"""Records of `lantern/ops/comparison.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, INTEGERS, Make, Record, Sample, binary

FORMS = {
    "dtypes": ALL,
    "special": "pointwise",
    "inplace": True,
    "out": True,
    "gradient": False,
}
BITS = {**FORMS, "dtypes": (*INTEGERS, "bool", "float32")}


def close_samples(make: Make):
    x = make(2, 3)
    yield Sample(x, x)
    yield Sample(x, (x * 1.01).astype(x.dtype) if make.floating else x)
    yield Sample(x, (x * 1.01).astype(x.dtype) if make.floating else x, 0.1)
    yield Sample(x, make(2, 3), rtol=0.0, atol=1.0)
    yield Sample(x, make(3), 0, 0)
    yield Sample(x, x, equal_nan=True)
    yield Sample(x, make(2, 3), rtol=-1.0)
    yield Sample(x, make.of("float64" if make.dtype != "float64" else "float32", 2, 3))
    yield Sample(make(), make())
    yield Sample(make(0), make(0))


def equal_samples(make: Make):
    x = make(2, 3)
    yield Sample(x, x)
    yield Sample(x, make(2, 3))
    yield Sample(x, make(3))
    yield Sample(make(), make())
    yield Sample(make(0), make(0))
    yield Sample(x, make.of("float64" if make.dtype != "float64" else "float32", 2, 3))


def isin_samples(make: Make):
    yield Sample(make(2, 3), make(5))
    yield Sample(make(2, 3), make(2, 2), invert=True)
    yield Sample(make(3), 1)
    yield Sample(1, make(3))
    yield Sample(make(), make(0))


RECORDS = [
    Record("eq", binary(numbers=(2, 1.5)), **FORMS, reference=np.equal),
    Record("ne", binary(numbers=(2, 1.5)), **FORMS, aliases="not_equal"),
    Record("lt", binary(numbers=(2, 1.5)), **FORMS, aliases="less"),
    Record("le", binary(numbers=(2, 1.5)), **FORMS, aliases="less_equal"),
    Record("gt", binary(numbers=(2, 1.5)), **FORMS, aliases="greater"),
    Record("ge", binary(numbers=(2, 1.5)), **FORMS, aliases="greater_equal"),
    Record("logical_and", binary(), **FORMS, reference=np.logical_and),
    Record("logical_or", binary(), **FORMS, reference=np.logical_or),
    Record("logical_xor", binary(), **FORMS, reference=np.logical_xor),
    Record("bitwise_and", binary(numbers=(2, True)), **BITS),
    Record("bitwise_or", binary(numbers=(2, True)), **BITS),
    Record("bitwise_xor", binary(numbers=(2, True)), **BITS),
    Record("bitwise_left_shift", binary(low=0, numbers=(2,)), **BITS),
    Record("bitwise_right_shift", binary(low=0, numbers=(2,)), **BITS),
    Record("heaviside", binary(), **{**FORMS, "gradient": ()}),
    Record("isclose", close_samples, dtypes=ALL, special="pointwise", gradient=False),
    Record("allclose", close_samples, dtypes=ALL, gradient=False, trace=False),
    Record("equal", equal_samples, dtypes=ALL, gradient=False, trace=False),
    Record("isin", isin_samples, dtypes=ALL[:-1], gradient=False, method=False),
]
