"""Noise in networks: dropout and its kin, leaky slopes drawn at random, Gumbel samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import lantern
from lantern.nn import functional as F

GOLDENS = np.load(Path(__file__).parent / "goldens" / "initial.npz")
KINDS = ["dropout", "alpha_dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]
SHAPES = {"dropout1d": (6, 5, 4), "dropout2d": (6, 5, 2, 2), "dropout3d": (6, 5, 2, 2, 2)}


def sample(kind):
    return lantern.ones(SHAPES.get(kind, (6, 5, 4)))


def test_the_noise_is_pytorchs():
    lantern.manual_seed(0)
    name = "nn.functional.dropout(torch.ones(4, 10), 0.3)"
    np.testing.assert_array_equal(F.dropout(lantern.ones(4, 10), 0.3).numpy(), GOLDENS[name])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_drawn_without_training_or_with_p_0(kind):
    function, x = getattr(F, kind), sample(kind)
    state = lantern.get_rng_state().tolist()
    assert function(x, 0.5, False) is x or kind in SHAPES
    assert function(x, 0.0, True).tolist() == x.tolist()
    assert function(x, 1.0, True).tolist() == (x * 0).tolist()
    assert lantern.get_rng_state().tolist() == state


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_goes_where_the_values_went(kind):
    lantern.manual_seed(1)
    x = sample(kind).requires_grad_()
    result = getattr(F, kind)(x, 0.5, True)
    (grad,) = lantern.autograd.grad(result.sum(), x)
    kept = grad.numpy() != 0
    assert 0 < kept.sum() < kept.size
    values = result.detach().numpy()
    assert len(np.unique(values[kept])) == len(np.unique(values[~kept])) == 1


@pytest.mark.parametrize("kind", ["dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"])
def test_whole_channels_are_dropped_together(kind):
    lantern.manual_seed(2)
    values = getattr(F, kind)(sample(kind), 0.5, True).numpy()
    flat = values.reshape(*values.shape[:2], -1)
    assert (flat == flat[:, :, :1]).all() and len(np.unique(flat)) == 2


def test_alpha_dropout_keeps_mean_and_variance():
    lantern.manual_seed(3)
    values = F.alpha_dropout(lantern.randn(200, 200), 0.3, True).numpy()
    assert abs(values.mean()) < 0.02 and abs(values.var() - 1) < 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_in_place_writes_into_the_tensor(kind):
    lantern.manual_seed(4)
    expected = getattr(F, kind)(sample(kind), 0.5, True)
    lantern.manual_seed(4)
    x = sample(kind)
    result = getattr(F, kind)(x, 0.5, True, True)
    assert result is x and x.tolist() == expected.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_function_drops_anew_at_each_call(kind):
    function = getattr(F, kind)
    runs = []
    for step in (function, lantern.compile(function)):
        lantern.manual_seed(5)
        x = sample(kind)
        results = [step(x, 0.5, True) for _ in range(4)]
        runs.append((results, lantern.get_rng_state().tolist()))
    (eager, state), (compiled, other) = runs
    for found, expected in zip(compiled, eager, strict=True):
        lantern.testing.assert_close(found, expected)
    assert state == other and compiled[2].tolist() != compiled[3].tolist()


def test_wrong_arguments_are_refused():
    x = lantern.ones(3)
    for p in (-0.1, 1.5):
        with pytest.raises(ValueError, match="dropout probability has to be between 0 and 1"):
            F.dropout(x, p)
        with pytest.raises(RuntimeError, match="dropout probability has to be between 0 and 1"):
            lantern.dropout(x, p, True)
    with pytest.raises(RuntimeError, match="result type Float can't be cast"):
        F.dropout(lantern.tensor([1, 2]), 0.5)
    with pytest.raises(RuntimeError, match="Feature dropout requires at least 2 dimensions"):
        lantern.feature_dropout(x, 0.5, True)
    with pytest.raises(RuntimeError, match="dropout1d: Expected 2D or 3D input, but received a 1D"):
        F.dropout1d(x, 0.5)
    with pytest.warns(UserWarning, match="dropout2d: Received a 2-D input to dropout2d"):
        F.dropout2d(lantern.ones(2, 3))
    with pytest.warns(UserWarning, match="dropout2d: Received a 3D input to dropout2d"):
        F.dropout2d(lantern.ones(2, 3, 4))


def test_random_leaky_slopes_lie_between_their_bounds():
    lantern.manual_seed(6)
    x = ((lantern.arange(40.0) - 19.5) / 20).requires_grad_()
    result = F.rrelu(x, 0.25, 0.5, training=True)
    slopes = (result / x).detach().numpy()
    assert (slopes[20:] == 1).all() and (0.25 <= slopes[:20]).all() and (slopes[:20] < 0.5).all()
    (grad,) = lantern.autograd.grad(result.sum(), x)
    np.testing.assert_allclose(grad.numpy(), slopes, rtol=1e-6)
    mean = F.rrelu(x, 0.25, 0.5) / x
    np.testing.assert_allclose(mean[:20].detach().numpy(), 0.375, rtol=1e-6)
    with pytest.raises(RuntimeError, match="Lower bound should be less than or equal"):
        F.rrelu(x, 0.5, 0.25)


def test_gumbel_samples_follow_the_logits_and_hard_ones_have_the_soft_gradient():
    lantern.manual_seed(7)
    logits = lantern.log(lantern.tensor([0.1, 0.2, 0.7])).expand(20000, 3)
    drawn = F.gumbel_softmax(logits, hard=True)
    assert set(drawn.flatten().tolist()) == {0.0, 1.0}
    np.testing.assert_allclose(drawn.mean(0).numpy(), [0.1, 0.2, 0.7], atol=0.02)
    x = lantern.zeros(4, 3, requires_grad=True)
    grads = []
    for hard in (False, True):
        lantern.manual_seed(8)
        weights = lantern.arange(12.0).reshape(4, 3)
        grads.append(lantern.autograd.grad((F.gumbel_softmax(x, 0.5, hard) * weights).sum(), x)[0])
    lantern.testing.assert_close(grads[1], grads[0])
    with pytest.warns(UserWarning, match="`eps` parameter is deprecated and has no effect"):
        F.gumbel_softmax(x, eps=1e-3)
