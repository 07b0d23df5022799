"""Records of `lantern/ops/margin_loss.py`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from .loss import REDUCTIONS, ROUNDED_TWICE, functional, regression
from .record import Make, Sample


def huber_samples(make: Make) -> Iterator[Sample]:
    yield from regression({"delta": 0.5}, {"delta": 2.5})(make)
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), make(2, 3), reduction, 1.5, make(2, 3, low=0.5, high=2))
    yield Sample(make(3), make(3), delta=0)
    yield Sample(make(3), make(3), weight=make(2))


def smooth_samples(make: Make) -> Iterator[Sample]:
    yield from regression({"beta": 0.5}, {"beta": 2.5}, {"beta": 0})(make)
    yield Sample(make(3), make(3), beta=-1)


def kl_samples(make: Make) -> Iterator[Sample]:
    for reduction in (*REDUCTIONS, "batchmean"):
        yield Sample(make(2, 3), make(2, 3, low=0.1, high=1), reduction=reduction)
        yield Sample(make(2, 3), make(2, 3), reduction=reduction, log_target=True)
    yield Sample(make(), make(low=0.1, high=1), reduction="batchmean")
    yield Sample(make(0, 3), make(0, 3), reduction="batchmean")
    yield Sample(make(2, 3), make(3, low=0.1, high=1), reduction="sum")
    yield Sample(make(3), make(2), reduction="sum")
    yield Sample(make(3), make(3), reduction="other")
    yield Sample(make.of("int64", 3), make.of("int64", 3), reduction="sum")


def quiet_kl_div(lt, *args, **kwargs):
    """`kl_div` without its warning about what 'mean' means."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return lt.nn.functional.kl_div(*args, **kwargs)


def poisson_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        pair = make(2, 3, low=0.2, high=2), make(2, 3, low=1.1, high=3)
        yield Sample(*pair, reduction=reduction)
        yield Sample(*pair, False, reduction=reduction)
        yield Sample(*pair, True, True, reduction=reduction)
        yield Sample(*pair, log_input=False, full=True, eps=0.1, reduction=reduction)
    yield Sample(make(), make())
    yield Sample(make(0), make(0))
    yield Sample(make(3), make(3), reduction="other")


def gaussian_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for shape in ((2, 3), (2,), (2, 1)):
            variance = make(*shape, low=0.2, high=2)
            yield Sample(make(2, 3), make(2, 3), variance, reduction=reduction)
            yield Sample(make(2, 3), make(2, 3), variance, True, 0.01, reduction)
    yield Sample(make(3), make(3), 2.0)
    if make.dtype != "float64":  # finite differences would make them negative
        yield Sample(make(3), make(3), make(3, low=1e-8, high=1e-7))
    yield Sample(make(0), make(0), make(0))
    yield Sample(make(), make(), make(low=0.5, high=1))
    yield Sample(make(3), make(3), -2.0)
    yield Sample(make(3), make(3), make(3, low=-2, high=-1))
    yield Sample(make(2, 3), make(2, 3), make(3, low=0.2, high=2))
    yield Sample(make(3), make(3), make(3, low=0.2, high=2), reduction="other")


def signs(make: Make, *shape: int) -> np.ndarray:
    return np.where(make.mask(*shape), 1, -1).astype(make(1).dtype)


def soft_margin_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), signs(make, 2, 3), reduction=reduction)
    yield Sample(make(), signs(make))
    yield Sample(make(0), signs(make, 0))
    yield Sample(make(3), signs(make, 2))
    yield Sample(make(3), signs(make, 3).astype(np.int64))


def hinge_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), signs(make, 2, 3), reduction=reduction)
        yield Sample(make(2, 3), signs(make, 3).astype(np.int64), 0.3, reduction=reduction)
    yield Sample(make(), signs(make))
    yield Sample(make(0), signs(make, 0))
    yield Sample(make(3), signs(make, 2))
    yield Sample(make(3), np.array([1, 2, -1]))


def ranking_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(2, 3), make(2, 3), signs(make, 2, 3), reduction=reduction)
        yield Sample(make(4), make(4), signs(make, 4), 0.7, reduction=reduction)
    yield Sample(make(), make(), signs(make))
    yield Sample(make(0), make(0), signs(make, 0))
    yield Sample(make(3), make(3, 1), signs(make, 3))
    yield Sample(make(3), make(2), signs(make, 3))


def cosine_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        yield Sample(make(4, 3), make(4, 3), signs(make, 4), reduction=reduction)
        target = signs(make, 4).astype(np.int64)
        yield Sample(make(4, 3), make(4, 3), target, 0.3, reduction=reduction)
    yield Sample(make(3), make(3), signs(make))
    yield Sample(make(0, 3), make(0, 3), signs(make, 0))
    yield Sample(make(3), make(3), signs(make, 1))
    yield Sample(make(2, 3), make(2, 3), signs(make))
    yield Sample(make(2, 3), make(2, 4), signs(make, 2))
    yield Sample(make(2, 3), make(2, 3), signs(make, 3))


def multi_margin_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        for p in (1, 2):
            target = make.index(3, shape=(4,))
            weight = make(3, low=0.2, high=2)
            yield Sample(make(4, 3), target, p, 1.5, reduction=reduction)
            yield Sample(make(4, 3), target, p, weight=weight, reduction=reduction)
        yield Sample(make(3), make.index(3, shape=()), reduction=reduction)
        yield Sample(make(3), make.index(3, shape=(1,)), reduction=reduction)
    yield Sample(make(), np.array(0))
    yield Sample(make(2, 0), make.index(1, shape=(2,)))
    yield Sample(make(2, 3), np.array([0, 3]))
    yield Sample(make(2, 3), np.array([0, -1]))
    yield Sample(make(2, 3), np.array([0, 1, 1]))
    yield Sample(make(2, 3), np.array([0, 1]), p=3)
    yield Sample(make(2, 3), np.array([0, 1]), weight=make(2))
    yield Sample(make(2, 3), np.array([0, 1]), weight=make(3, 1))
    yield Sample(make(2, 3), np.array([0, 1], np.int32))
    yield Sample(make(2, 2, 3), np.array([0, 1]))


def multilabel_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        target = np.array([[0, 2, -1, 1], [3, -1, 0, 0], [-1, 1, 1, 1], [0, 1, 2, 3]])
        yield Sample(make(4, 4), target, reduction=reduction)
        yield Sample(make(3), np.array([2, -1, 0]), reduction=reduction)
    yield Sample(make(2, 3), np.array([[0, 1, 0], [2, 2, -1]]))
    yield Sample(make(), np.array(0))
    yield Sample(make(2, 3), np.array([[0, 1, 3], [2, -1, 0]]))
    yield Sample(make(2, 3), np.array([[0, 1, -2], [2, -1, 0]]))
    yield Sample(make(2, 3), np.array([0, 1]))
    yield Sample(make(2, 3), np.array([[0, 1, -1], [2, -1, 0]], np.int32))
    yield Sample(make(2, 0), make.index(1, shape=(2, 0)))


def multilabel_soft_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        pair = make(2, 3), make(2, 3, low=0, high=1)
        yield Sample(*pair, reduction=reduction)
        yield Sample(*pair, make(3, low=0.2, high=2), reduction=reduction)
    yield Sample(make(3), make(3, low=0, high=1), reduction="none")
    yield Sample(make(0, 3), make(0, 3))
    yield Sample(make(), make())
    yield Sample(make(2, 3), make(2, 3), reduction="other")


def triplet_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        three = make(4, 3), make(4, 3), make(4, 3)
        yield Sample(*three, reduction=reduction)
        yield Sample(*three, margin=2.5, swap=True, reduction=reduction)
        yield Sample(*three, 0.5, 3, reduction=reduction)
    yield Sample(make(3), make(3), make(3))
    yield Sample(make(), make(), make(), eps=0.1)
    yield Sample(make(0, 3), make(0, 3), make(0, 3))
    yield Sample(make(2, 3), make(2, 3), make(2, 3), margin=0)
    yield Sample(make(2, 3), make(2, 3), make(3))
    yield Sample(make(2, 3), make(2, 3), make(2, 4))


def own_distance(lt, *args, **kwargs):
    """The loss with the sum of absolute differences as distance."""

    def distance(one, two):
        return (one - two).abs().sum(-1)

    function = lt.nn.functional.triplet_margin_with_distance_loss
    return function(*args, distance_function=distance, **kwargs)


def with_distance_samples(make: Make) -> Iterator[Sample]:
    for reduction in REDUCTIONS:
        three = make(4, 3), make(4, 3), make(4, 3)
        yield Sample(*three, reduction=reduction)
        yield Sample(*three, margin=2.5, swap=True, reduction=reduction)
    yield Sample(make(), make(), make())
    yield Sample(make(0, 3), make(0, 3), make(0, 3))
    yield Sample(make(2, 3), make(2, 3), make(2, 3), margin=0)
    yield Sample(make(2, 3), make(2, 3), make(3))


ROUNDED = {"tolerance": ROUNDED_TWICE}

# PyTorch has no code for halves here, and no derivative of the gradient.
KERNEL = {"dtypes": ("float32", "float64"), "second": False}

RECORDS = [
    functional("smooth_l1_loss", smooth_samples, **ROUNDED),
    functional("huber_loss", huber_samples, **ROUNDED),
    functional("kl_div", kl_samples, call=quiet_kl_div, **ROUNDED),
    functional("poisson_nll_loss", poisson_samples, **ROUNDED),
    # Its gradient is a small difference of large numbers, which bfloat16 does not hold.
    functional(
        "gaussian_nll_loss", gaussian_samples, dtypes=("float32", "float64", "float16"), **ROUNDED
    ),
    functional("soft_margin_loss", soft_margin_samples, gradient=(0,), **ROUNDED),
    functional("hinge_embedding_loss", hinge_samples, gradient=(0,), **ROUNDED),
    functional("margin_ranking_loss", ranking_samples, gradient=(0, 1), **ROUNDED),
    functional("cosine_embedding_loss", cosine_samples, gradient=(0, 1), **ROUNDED),
    functional("multi_margin_loss", multi_margin_samples, gradient=(0,), **KERNEL),
    functional("multilabel_margin_loss", multilabel_samples, **KERNEL),
    functional("multilabel_soft_margin_loss", multilabel_soft_samples, **ROUNDED),
    functional("triplet_margin_loss", triplet_samples, **ROUNDED),
    functional(
        "triplet_margin_with_distance_loss", with_distance_samples, call=own_distance, **ROUNDED
    ),
]
