"""What norms over channels leave in their running statistics."""

from __future__ import annotations

import numpy as np
import pytest

import lantern
from lantern.nn import functional as F

NAMES = ("batch_norm", "instance_norm")


def statistics(name, x):
    """The means and the unbiased variances of the channels, averaged over samples if need be."""
    dims = (0, 2) if name == "batch_norm" else (2,)
    means, variances = x.mean(dims), x.var(dims, ddof=1)
    return (means, variances) if name == "batch_norm" else (means.mean(0), variances.mean(0))


def train(name, x, mean, variance, momentum=0.3):
    return getattr(F, name)(x, mean, variance, None, None, True, momentum)


@pytest.mark.parametrize("name", NAMES)
def test_training_moves_the_running_statistics_towards_the_batch(name):
    x = np.random.RandomState(0).randn(4, 3, 5)
    mean, variance = lantern.zeros(3, dtype=lantern.float64), lantern.ones(3, dtype=lantern.float64)
    version = mean._version
    for _ in range(2):
        train(name, lantern.tensor(x), mean, variance)
    for found, start, batch in zip((mean, variance), (0, 1), statistics(name, x), strict=True):
        expected = 0.7 * (0.7 * start + 0.3 * batch) + 0.3 * batch
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12)
    assert mean._version > version


@pytest.mark.parametrize("name", NAMES)
def test_the_statistics_take_no_part_in_gradients(name):
    x = lantern.rand(4, 3, 5, requires_grad=True)
    mean, variance = lantern.zeros(3), lantern.ones(3)
    train(name, x, mean, variance).sum().backward()
    assert x.grad is not None and not mean.requires_grad and not variance.requires_grad


def test_evaluation_leaves_them_as_they_are():
    mean, variance = lantern.zeros(3), lantern.ones(3)
    F.batch_norm(lantern.rand(4, 3), mean, variance)
    assert mean.tolist() == [0, 0, 0] and variance.tolist() == [1, 1, 1]


def test_half_inputs_move_float32_statistics():
    x = lantern.rand(64, 3).to(lantern.bfloat16)
    mean, variance = lantern.zeros(3), lantern.ones(3)
    result = train("batch_norm", x, mean, variance, 1.0)
    assert result.dtype is lantern.bfloat16 and mean.dtype is lantern.float32
    np.testing.assert_allclose(mean.numpy(), x.float().mean(0).numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_compiled_norm_moves_them_as_eager_does(name):
    runs = []
    for function in (train, lantern.compile(train)):
        lantern.manual_seed(0)
        mean, variance = lantern.zeros(3), lantern.ones(3)
        results = [function(name, lantern.rand(4, 3, 5), mean, variance) for _ in range(4)]
        runs.append([*results, mean, variance])
    for found, expected in zip(*runs, strict=True):
        lantern.testing.assert_close(found, expected)
