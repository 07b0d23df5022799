"""Records of `lantern/ops/loss.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .record import Make, Record, Sample

REDUCTIONS = ("none", "mean", "sum")
# PyTorch rounds halves more than once on the way.
ROUNDED_TWICE = {"float16": (4e-3, 2e-3), "bfloat16": (3e-2, 2e-2)}


def functional(name: str, samples: Callable[[Make], Iterator[Sample]], **options: Any) -> Record:
    """The record of a loss, which is in `nn.functional` only."""
    return Record(f"nn.functional.{name}", samples, method=False, **options)


def regression(*forms: dict, low: float = -3, high: float = 3) -> Callable[[Make], Any]:
    """Two tensors of one shape (or that broadcast), each reduction, with keyword arguments."""

    def samples(make: Make) -> Iterator[Sample]:
        for kwargs in ({}, *forms):
            for reduction in REDUCTIONS:
                pair = make(2, 3, low=low, high=high), make(2, 3, low=low, high=high)
                yield Sample(*pair, reduction=reduction, **kwargs)
            for shape in ((), (0, 2), (5,)):
                pair = make(*shape, low=low, high=high), make(*shape, low=low, high=high)
                yield Sample(*pair, **kwargs)

    return samples


def with_weight(samples: Callable[[Make], Iterator[Sample]]) -> Callable[[Make], Iterator[Sample]]:
    """The samples and some with a weight per element."""

    def more(make: Make) -> Iterator[Sample]:
        yield from samples(make)
        for reduction in REDUCTIONS:
            weight = make(2, 3, low=0.5, high=2)
            yield Sample(make(2, 3), make(2, 3), reduction=reduction, weight=weight)
        yield Sample(make(2, 3), make(2, 3), weight=make(3))
        yield Sample(make(2, 3), make(2, 3), reduction="other")

    return more


def mixed_dtypes(make: Make) -> Iterator[Sample]:
    yield Sample(make(3), make.of("float64", 3))
    yield Sample(make(3), make.of("int64", 3))
    yield Sample(make(0), make.of("float64", 0))
    yield Sample(make(), make.of("float64"))
    yield Sample(make.of("int64", 3), make.of("int32", 3))


def probabilities(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        pair = make(2, 3, low=0.05, high=0.95), make(2, 3, low=0, high=1)
        yield Sample(*pair, reduction=reduction)
        yield Sample(*pair, weight=make(2, 3, low=0.1, high=2), reduction=reduction)
    yield Sample(make(2, 3, low=0.1, high=0.9), make(2, 3, low=0, high=1), make(3))
    yield Sample(make(low=0.1, high=0.9), make(low=0, high=1))
    yield Sample(make(0), make(0))
    yield Sample(make(3, low=0.1, high=0.9), make(2))
    yield Sample(make(3, low=1.1, high=2), make(3))
    yield Sample(make(3, low=0.1, high=0.9), make(3), make(2))
    yield Sample(make(3, low=0.1, high=0.9), make.of("int64", 3))
    yield Sample(np.full_like(make(2), np.nan), make(2))


def certain(make: Make) -> Iterator[Sample]:
    if make.dtype == "float64":  # finite differences would leave [0, 1]
        yield from list(probabilities(make))[:6]
        return
    ends = np.array([0.0, 1.0, 0.0, 1.0]).astype(make(1).dtype)
    yield Sample(ends, ends[::-1].copy(), reduction="none")
    yield Sample(ends, ends, reduction="none")
    yield Sample(ends[:0], ends[:0])
    yield Sample(np.array(ends[0]), np.array(ends[1]))


def logits(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        pair = make(2, 3), make(2, 3, low=0, high=1)
        weights = make(3, low=0.1, high=2), make(2, 3, low=0.1, high=2)
        yield Sample(*pair, reduction=reduction)
        yield Sample(*pair, weight=weights[1], reduction=reduction)
        yield Sample(*pair, pos_weight=weights[0], reduction=reduction)
        yield Sample(*pair, weights[0], reduction=reduction, pos_weight=weights[1])
    yield Sample(make(4, low=-200, high=200), make(4, low=0, high=1))
    yield Sample(make(), make(low=0, high=1))
    yield Sample(make(0), make(0))
    yield Sample(make(3), make(2))
    yield Sample(make(2, 3), make(2, 3), pos_weight=make(2))
    yield Sample(make(3), make.of("int64", 3))


RECORDS = [
    functional("mse_loss", with_weight(regression()), tolerance=ROUNDED_TWICE),
    functional("l1_loss", with_weight(regression()), tolerance=ROUNDED_TWICE),
    functional("mse_loss", mixed_dtypes, variant="dtypes", dtypes=("float32", "int64")),
    functional("l1_loss", mixed_dtypes, variant="dtypes", dtypes=("float32", "int64")),
    functional("binary_cross_entropy", probabilities, gradient=(0, 1), tolerance=ROUNDED_TWICE),
    functional(
        "binary_cross_entropy",
        certain,
        variant="certain",
        dtypes=("float32",),
        gradient=(0, 1),
        second=False,
    ),
    functional(
        "binary_cross_entropy_with_logits", logits, gradient=(0, 1), tolerance=ROUNDED_TWICE
    ),
]
