"""Records of `lantern/ops/transcendental.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, FLOATS, Make, Record, Sample, binary, unary

FORMS = {"dtypes": ALL, "special": "pointwise", "inplace": True, "out": True}


def xlogy_samples(make: Make):
    yield from binary(low=0.2, numbers=(2, 1.5))(make)
    yield Sample(2, make(2, 3, low=0.2))


def mvlgamma_samples(make: Make):
    yield Sample(make(2, 3, low=2, high=6), 2)
    yield Sample(make(low=2, high=6), 1)
    yield Sample(make(0), 3)
    yield Sample(make(2, low=2), 0)


RECORDS = [
    Record("atan2", binary(), **FORMS, aliases="arctan2", reference=np.arctan2),
    Record("hypot", binary(), **FORMS, reference=np.hypot),
    Record("copysign", binary(numbers=(2, -1.5, -0.0)), **FORMS, reference=np.copysign),
    Record("nextafter", binary(), **{**FORMS, "dtypes": (*FLOATS[:2], *ALL[4:])}),
    Record("logaddexp", binary(), **{**FORMS, "inplace": False}, reference=np.logaddexp),
    Record(
        "logaddexp2", binary(), **{**FORMS, "inplace": False}, reference=np.logaddexp2, zeros=False
    ),
    Record("xlogy", xlogy_samples, **FORMS),
    Record("mvlgamma", mvlgamma_samples, dtypes=FLOATS[:2], inplace=True),
    Record("angle", unary(), dtypes=ALL, special="pointwise"),
]
