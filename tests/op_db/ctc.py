"""Records of `lantern/ops/ctc.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .record import Make, Record, Sample

KINDS = ("float32", "float64")


def labelled(make: Make) -> Iterator[Sample]:
    rows = np.array([[1, 2, 2], [3, 1, 1]])
    line = np.array([1, 2, 2, 3])
    steps, counts = np.array([6, 4]), np.array([3, 1])
    for reduction in ("none", "mean", "sum"):
        yield Sample(make(6, 2, 4), rows, steps, counts, reduction=reduction)
        yield Sample(make(6, 2, 4), line, steps, counts, 0, reduction, True)
    yield Sample(make(6, 4), np.array([1, 2]), np.array(6), np.array(2))
    yield Sample(make(6, 2, 4), rows, (6, 4), (0, 2), 3, "none")
    # The first sequence is too short for its labels, the second has no step at all.
    short = np.array([2, 0])
    yield Sample(make(6, 2, 4), rows, short, np.array([3, 0]), 0, "none", True)
    yield Sample(make(6, 2, 4), rows, steps, np.array([4, 1]))
    yield Sample(make(6, 2, 4), rows, np.array([7, 4]), counts)
    yield Sample(make(6, 2, 4), rows, np.array([-1, 4]), counts)
    yield Sample(make(6, 2, 4), line[:2], steps, counts)
    yield Sample(make(6, 2, 4), rows, steps, counts[:1])
    yield Sample(make(6, 2, 4), rows, steps, counts, 4)
    yield Sample(make(6, 2, 4), rows, make.of("float32", 2), counts)
    yield Sample(make(6, 2, 4), rows, steps, counts, reduction="other")
    yield Sample(make(6, 0, 4), rows[:0], steps[:0], counts[:0])


def normalised(lt: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    """The loss of log-probabilities: the gradient is that by what they were made of."""
    return lt.nn.functional.ctc_loss(lt.log_softmax(x, -1), *args, **kwargs)


RECORDS = [
    # PyTorch has no second order here.
    Record(
        "nn.functional.ctc_loss",
        labelled,
        call=normalised,
        dtypes=KINDS,
        method=False,
        nodes=False,
        gradient=(0,),
        second=False,
        layouts=False,  # PyTorch misreads lengths and labels that lie apart in memory
    )
]
