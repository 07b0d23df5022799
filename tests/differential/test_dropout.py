"""Noise beside PyTorch's: from one seed, the same elements go and the same slopes are drawn."""

from __future__ import annotations

import random
import warnings

import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")

SEED = random.SystemRandom().getrandbits(64)
OWN_BERNOULLI = (
    torch.rand(20, generator=torch.Generator().manual_seed(0), dtype=torch.float64) < 0.5
).equal(torch.empty(20).bernoulli_(0.5, generator=torch.Generator().manual_seed(0)).bool())
needs_own_bernoulli = pytest.mark.skipif(not OWN_BERNOULLI, reason="PyTorch draws from MKL here")

DROPPED = [
    "F.dropout(x, 0.3)", "F.dropout(x.t(), 0.3)", "F.dropout(x[:, ::2], 0.6)",
    "F.dropout(x, 0.3, True, True)", "F.dropout(x, 1.0)", "F.dropout(x.double(), 0.2)",
    "F.dropout(x.half(), 0.2)", "F.alpha_dropout(x, 0.3, True)",
    "F.alpha_dropout(x.t(), 1.0, True)",
    "F.dropout1d(x)", "F.dropout1d(y)", "F.dropout2d(y)", "F.dropout2d(z)", "F.dropout3d(z)",
    "F.feature_alpha_dropout(y, 0.4, True)", "lt.dropout(x, 0.3, True)",
    "lt.feature_dropout(z, 0.3, True)", "F.dropout(x[:0], 0.3)",
]  # fmt: skip
OTHERS = [
    "F.rrelu(x, training=True)", "F.rrelu(x.t(), 0.1, 0.9, True)",
    "F.rrelu(y.double(), training=True)",
    "F.rrelu(x, 0.2, 0.4, True, True)", "F.gumbel_softmax(x)",
    "F.gumbel_softmax(y, 0.3, True, dim=1)",
]  # fmt: skip


def drawn(lt, expression):
    """A result, its gradient and the state of the generator."""
    rng = np.random.RandomState(SEED % 2**32)
    leaves = [
        lt.from_numpy(rng.randn(*shape).astype(np.float32)).requires_grad_()
        for shape in ((4, 6), (3, 4, 5), (3, 4, 2, 2))
    ]
    names = dict(zip("xyz", (leaf * 1 for leaf in leaves), strict=True))
    lt.manual_seed(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = eval(expression, {"F": lt.nn.functional, "lt": lt, **names})
    weights = lt.from_numpy(rng.rand(*result.shape)).to(result.dtype)
    grads = lt.autograd.grad((result * weights).sum(), leaves, allow_unused=True)
    grad = next(each for each in grads if each is not None)
    return result.detach().double().numpy(), grad.numpy(), lt.get_rng_state().numpy()


def check(expression):
    ours, theirs = drawn(lantern, expression), drawn(torch, expression)
    error = 2e-3 if "half" in expression else 2e-6
    np.testing.assert_allclose(ours[0], theirs[0], rtol=error, atol=error)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=error, atol=error)
    assert ours[2].tolist() == theirs[2].tolist()


@needs_own_bernoulli
@pytest.mark.parametrize("expression", DROPPED)
def test_dropout_is_pytorchs(expression):
    check(expression)


@pytest.mark.parametrize("expression", OTHERS)
def test_other_noise_is_pytorchs(expression):
    if "gumbel" in expression and not OWN_BERNOULLI:
        pytest.skip("PyTorch draws from MKL here")
    check(expression)
