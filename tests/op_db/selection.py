"""Records of `lantern/ops/selection.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, Make, Record, Sample, binary

FORMS = {"dtypes": ALL, "special": "pointwise", "out": True}


def where_samples(make: Make):
    yield Sample(make.mask(2, 3), make(2, 3), make(2, 3))
    yield Sample(make.mask(2, 1), make(3), make(2, 3))
    yield Sample(make.mask(2, 3), make(2, 3), 2)
    yield Sample(make.mask(2, 3), 1.5, make(2, 3))
    yield Sample(make.mask(2, 3), 1, 2)
    yield Sample(make.mask(2, 3), 1.5, 2)
    yield Sample(make.mask(2, 3), True, False)
    yield Sample(make.mask(), make(), make())
    yield Sample(make.mask(0), make(0), make(0))
    yield Sample(make(2, low=1), make(2), make(2))


def place_samples(make: Make):
    yield Sample(make.mask(2, 3))
    yield Sample(make(4))
    yield Sample(make.mask())
    yield Sample(make(0, 2))


def fill_samples(make: Make):
    yield Sample(make(2, 3), make.mask(2, 3), 2)
    yield Sample(make(2, 3), make.mask(3), 1.5)
    yield Sample(make(2, 3), make.mask(2, 1), make())
    yield Sample(make(3), make.mask(2, 1), True)
    yield Sample(make(), make.mask(), 1)
    yield Sample(make(0), make.mask(0), 1)
    yield Sample(make(2, 3), make.mask(2, 3), 300)
    yield Sample(make(2, 3), make(2, 3), 1)


def clamp_samples(make: Make):
    yield Sample(make(2, 3), 0, 1)
    yield Sample(make(2, 3), -0.5)
    yield Sample(make(2, 3), max=1)
    yield Sample(make(2, 3), min=2, max=1)
    yield Sample(make(2, 3), make(2, 3), make(3))
    yield Sample(make(2, 3), max=make(2, 1))
    yield Sample(make(2, 3), float("nan"), 1)
    yield Sample(make(2, 3))


RECORDS = [
    Record("where", where_samples, dtypes=ALL, method=False, out=True),
    Record(
        "where",
        place_samples,
        dtypes=ALL,
        method=False,
        gradient=False,
        trace=False,
        variant="condition",
    ),
    Record("masked_fill", fill_samples, dtypes=ALL, inplace=True),
    # Of 0.0 and -0.0 PyTorch's vector code and its scalar code give different ones.
    Record("maximum", binary(), **FORMS, zeros=False, reference=np.maximum),
    Record("minimum", binary(), **FORMS, zeros=False, reference=np.minimum),
    Record("fmax", binary(), **FORMS, zeros=False, reference=np.fmax),
    Record("fmin", binary(), **FORMS, zeros=False, reference=np.fmin),
    Record("clamp", clamp_samples, **FORMS, inplace=True, aliases="clip", zeros=False),
    Record("clamp_min", binary(numbers=(0, 0.5)), **FORMS, inplace=True, zeros=False),
    Record("clamp_max", binary(numbers=(0, 0.5)), **FORMS, inplace=True, zeros=False),
]
