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


def bags(make: Make) -> Iterator[Sample]:
    """PyTorch goes wrong with `scale_grad_by_freq`: it is not among the samples."""
    rows, line = make.index(4, shape=(2, 3)), make.index(4, shape=(5,))
    starts = np.array([0, 2, 2])
    for mode in ("mean", "sum", "max"):
        yield Sample(rows, make.distinct(4, 2), mode=mode)
        yield Sample(line, make.distinct(4, 2), starts, mode=mode)
        yield Sample(line, make.distinct(4, 2), np.array([0, 5]), mode=mode, padding_idx=-1)
        given = {"mode": mode, "include_last_offset": True}
        yield Sample(line, make.distinct(4, 2), np.array([0, 1, 5]), **given)
    yield Sample(line, make.distinct(4, 2), starts, mode="sum", per_sample_weights=make(5))
    yield Sample(line[:0], make.distinct(4, 2), np.array([0, 0]))
    yield Sample(np.array(1), make())
    yield Sample(line, make(4, 2))
    yield Sample(rows, make(4, 2), starts)
    yield Sample(line, make(4, 2), np.array([1, 2]))
    yield Sample(line, make(4, 2), np.array([0, 9]))
    yield Sample(line, make(4, 2), starts, mode="other")
    yield Sample(line, make(4, 2), starts, mode="mean", per_sample_weights=make(5))
    yield Sample(line, make(4, 2), starts, mode="sum", per_sample_weights=make(4))
    yield Sample(line, make(4, 2), starts, padding_idx=4)


RECORDS = [
    functional("embedding", samples, gradient=(1,)),
    functional("embedding_bag", bags, dtypes=("float32", "float64"), nodes=False),
]
