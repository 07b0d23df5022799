"""Records of `lantern/ops/class_loss.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .loss import REDUCTIONS, ROUNDED_TWICE, functional
from .record import Make, Sample


def classes(make: Make, logs: bool = True) -> Iterator[Sample]:
    """Log-probabilities (or logits) and class numbers, with every setting."""
    for reduction in REDUCTIONS:
        for shape in ((4, 3), (2, 3, 4), (2, 3, 2, 2), (2, 3, 2, 1, 2)):
            target = make.index(3, shape=(shape[0], *shape[2:]))
            yield Sample(make(*shape), target, reduction=reduction)
        target = make.index(3, shape=(4,))
        weight = make(3, low=0.2, high=2)
        yield Sample(make(4, 3), target, weight=weight, reduction=reduction)
        yield Sample(make(4, 3), target, ignore_index=1, reduction=reduction)
        yield Sample(make(4, 3), target, weight, ignore_index=int(target[0]), reduction=reduction)
        yield Sample(make(3), make.index(3, shape=()), reduction=reduction)
        yield Sample(make(3), make.index(3, shape=()), weight=weight, reduction=reduction)
    outside = np.array([0, -100, 2, -100])
    yield Sample(make(4, 3), outside)
    if make.dtype != "float64":  # in which differences of NaN would be taken
        torn = np.where(outside[:, None] < 0, np.nan, make(4, 3)).astype(make(1).dtype)
        yield Sample(torn, outside)
        yield Sample(make(2, 3), np.array([-100, -100]))
    yield Sample(make(0, 3), make.index(3, shape=(0,)))
    yield Sample(make(2, 3), make.index(3, shape=(2,), dtype="uint8"))
    yield Sample(make(2, 3), np.array([0, 3]))
    yield Sample(make(2, 3), np.array([0, -1]))
    yield Sample(make(2, 3), np.array([0]))
    yield Sample(make(2, 3), np.array([0, 1], np.int32))
    yield Sample(make(2, 3), np.array([0, 1]), weight=make(2))
    yield Sample(make(2, 3, 4), make.index(3, shape=(2, 5)))
    yield Sample(make(2, 3, 4, 5), make.index(3, shape=(2, 4, 6)))
    yield Sample(make(), make.index(3, shape=()))
    yield Sample(make(2, 3), np.array([0, 1]), reduction="other")
    if logs:
        yield Sample(make(3), np.array([0, 1]))
        yield Sample(make(2, 3), make(2))


def entropies(make: Make) -> Iterator[Sample]:
    yield from classes(make, logs=False)
    for reduction in REDUCTIONS:
        for shape in ((4, 3), (2, 3, 2), (3,)):
            pair = make(*shape), make(*shape, low=0, high=1)
            weight = make(3, low=0.2, high=2)
            yield Sample(*pair, reduction=reduction)
            yield Sample(*pair, weight, reduction=reduction, label_smoothing=0.1)
            index = make.index(3, shape=shape[:1] + shape[2:] if len(shape) > 1 else ())
            yield Sample(make(*shape), index, reduction=reduction, label_smoothing=0.3)
            yield Sample(make(*shape), index, weight, reduction=reduction, label_smoothing=0.3)
        ignored = np.array([0, -100, 2, -100])
        weight = make(3, low=0.2, high=2)
        yield Sample(make(4, 3), ignored, weight, reduction=reduction, label_smoothing=0.3)
        yield Sample(make(4, 3), ignored, None, reduction=reduction, label_smoothing=1.0)
    yield Sample(make(2, 3, low=-200, high=200), np.array([0, 1]))
    yield Sample(make(2, 3), make(2, 3), ignore_index=1)
    yield Sample(make(2, 3), make(2, 3), make(2))
    yield Sample(make(2, 3), make.index(3, shape=(2, 3)))
    yield Sample(make(2, 3), np.array([0, 1]), label_smoothing=1.5)
    yield Sample(make(2, 3), make.of("float32", 2, 3))


RECORDS = [
    functional("nll_loss", classes, gradient=(0,), tolerance=ROUNDED_TWICE),
    functional("cross_entropy", entropies, gradient=(0,), tolerance=ROUNDED_TWICE),
]
