"""Records of `lantern/ops/pointwise.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, Record, Sample, binary, unary

FORMS = {"dtypes": ALL, "special": "pointwise", "inplace": True, "out": True}


def add_samples(make):
    yield from binary(numbers=(2, 1.5, True))(make)
    yield Sample(make(2, 3), make(2, 3), alpha=2)
    yield Sample(make(2, 3), make(3), alpha=0.5)
    yield Sample(make(2, 3), 3, alpha=True)


RECORDS = [
    Record("exp", unary(), **FORMS, reference=np.exp),
    Record("log", unary(low=0.1), **FORMS, reference=np.log),
    Record("tanh", unary(), **FORMS, reference=np.tanh),
    Record("sqrt", unary(low=0.1), **FORMS, reference=np.sqrt),
    Record("abs", unary(), **FORMS, reference=np.abs),
    Record("neg", unary(), **FORMS),
    Record("floor", unary(), **FORMS),
    Record("isnan", unary(), dtypes=ALL, special="pointwise", gradient=False),
    Record("add", add_samples, **FORMS),
    Record("sub", add_samples, **FORMS),
    Record("mul", binary(numbers=(2, 1.5, True)), **FORMS),
    Record("div", binary(numbers=(2, 1.5, True)), **FORMS),
    Record("pow", binary(low=0.2, numbers=(2, 0.5, 3)), **FORMS),
    Record("eq", binary(numbers=(2, 1.5)), **FORMS, gradient=False),
    Record("maximum", binary(), dtypes=ALL, special="pointwise", out=True),
]
