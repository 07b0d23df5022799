"""Records of `lantern/ops/linear_loss.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .loss import functional
from .record import Make, Sample


def samples(make: Make) -> Iterator[Sample]:
    target = np.array([0, 3, 1])
    for reduction in ("none", "mean", "sum"):
        yield Sample(make(3, 2), make(4, 2), target, reduction=reduction)
    given = {"linear_bias": make(4), "weight": make(4, low=0.5, high=2), "label_smoothing": 0.1}
    yield Sample(make(3, 2), make(4, 2), target, ignore_index=1, **given)
    yield Sample(make(0, 2), make(4, 2), target[:0])
    yield Sample(make(2), make(4, 2), np.array(1))


OPTIONS = {"dtypes": ("float32", "float64"), "gradient": (0, 1, 3), "nodes": False}
RECORDS = [functional("linear_cross_entropy", samples, **OPTIONS)]
