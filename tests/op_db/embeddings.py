"""Records of `lantern/ops/embeddings.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .loss import functional
from .record import Make, Sample


def samples(make: Make) -> Iterator[Sample]:
    for shape in ((4,), (2, 3), (), (0,), (2, 0)):
        yield Sample(make.index(3, shape=shape), make(3, 2))
    yield Sample(make.index(3, shape=(4,), dtype="int32"), make(3, 2))
    repeated = np.array([0, 2, 2, 1, 2])
    # These settings make of the gradient what no finite difference is.
    for padding in (None, 2, -2) if make.dtype != "float64" else ():
        yield Sample(repeated, make(3, 2), padding)
        yield Sample(repeated, make(3, 2), padding_idx=padding, scale_grad_by_freq=True)
    yield Sample(np.array([0, 3]), make(3, 2))
    yield Sample(np.array([0, -1]), make(3, 2))
    yield Sample(np.array([0, 1]), make(3))
    yield Sample(make.of("float32", 2), make(3, 2))
    yield Sample(np.array([0, 1], np.int16), make(3, 2))
    yield Sample(np.array([0, 1]), make(3, 2), 3)


RECORDS = [functional("embedding", samples, gradient=(1,))]
