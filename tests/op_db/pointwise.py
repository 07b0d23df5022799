"""Records of `lantern/ops/pointwise.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, Record, Sample, binary, unary


def add_samples(make):
    yield from binary(numbers=(2, 1.5, True))(make)
    yield Sample(make(2, 3), make(2, 3), alpha=2)
    yield Sample(make(2, 3), make(3), alpha=0.5)
    yield Sample(make(2, 3), 3, alpha=True)


RECORDS = [
    Record("exp", unary(), dtypes=ALL, special="pointwise", inplace=True, out=True, reference=np.exp),
    Record("add", add_samples, dtypes=ALL, special="pointwise", inplace=True, out=True),
]
