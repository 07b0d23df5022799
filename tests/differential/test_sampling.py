"""Random tensors beside PyTorch's: from one seed, the same expressions draw the same numbers."""

from __future__ import annotations

import random

import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")

SEED = random.SystemRandom().getrandbits(64)

FILLED = [
    "torch.zeros(33)", "torch.zeros(3)", "torch.zeros(4, 5).t()", "torch.zeros(3, 4, 5)[:, ::2]",
    "torch.zeros(2, 3, 4, 5).permute(0, 3, 1, 2)", "torch.zeros(6, 1, 3).permute(2, 1, 0)",
    "torch.zeros(0, 3)", "torch.zeros(())", "torch.zeros(1, 20).expand(4, 20)[1:2]",
    "torch.zeros(5, 6, dtype=torch.float64).t()", "torch.zeros(4, 8, dtype=torch.bfloat16)[:, 1:]",
]  # fmt: skip
FILLS = [
    "uniform_(-2, 3)", "normal_(1, 2)", "random_(100)", "random_(-3, 4)", "random_()", "cauchy_()",
    "log_normal_(0, 0.5)", "geometric_(0.3)",
]  # fmt: skip
MADE = [
    "torch.rand(3, 5)", "torch.rand((7,), dtype=torch.float64)", "torch.rand(3, dtype=torch.half)",
    "torch.randn(40)", "torch.randn(3, 5, dtype=torch.float64)",
    "torch.randn(20, dtype=torch.half)",
    "torch.randint(10, (4, 4))", "torch.randint(-5, 5, (9,), dtype=torch.int8)",
    "torch.randint(0, 2**40, (5,))", "torch.randint(high=5, size=[3], dtype=torch.float32)",
    "torch.randperm(50)", "torch.randperm(9, dtype=torch.int32)", "torch.randperm(0)",
    "torch.rand_like(torch.zeros(4, 5).t())", "torch.randn_like(torch.zeros(4, 5).t())",
    "torch.randn_like(torch.zeros(10, 8)[::2, ::2])",
    "torch.rand_like(torch.zeros(1, 4).expand(5, 4))",
    "torch.randn_like(torch.zeros(2, 3, 4, 5).permute(0, 3, 1, 2))",
    "torch.rand_like(torch.zeros(3, dtype=torch.int64), dtype=torch.float64)",
    "torch.randint_like(torch.zeros(4, 5).t(), 100)", "torch.randint_like(torch.zeros(4), 3, 100)",
    "torch.normal(torch.ones(4, 5).t(), 2.0)", "torch.normal(1.0, torch.ones(4, 5).t())",
    "torch.normal(torch.ones(4, 1), torch.ones(5).double())", "torch.normal(2, 3, (4, 4))",
    "torch.normal(torch.ones(3).half(), torch.ones(3))",
    "torch.normal(torch.ones(20), torch.tensor(2.0))",
    "torch.rand(4, 5, out=torch.zeros(5, 4).t())", "torch.randn(20, out=torch.zeros(20, 2)[:, 0])",
    "torch.bernoulli(torch.full((5, 4), 0.3).t())",
    "torch.bernoulli(torch.full((9,), 0.3).double())",
    "torch.zeros(4, 5).t().bernoulli_(torch.arange(4) / 4)",
    "torch.poisson(torch.tensor([[0.5, 20.0], [3.0, 100.0]]).t())",
    "torch.multinomial(torch.tensor([1.0, 2.0, 3.0]), 20, replacement=True)",
    "torch.multinomial(torch.tensor([[1.0, 2.0], [3.0, 0.0]]).double(), 20, True)",
]  # fmt: skip


def drawn(lt, expression):
    """What an expression draws, its strides, and the state it leaves."""
    lt.manual_seed(SEED)
    result = eval(expression, {"torch": lt})
    return result.double().numpy(), result.dtype, result.stride(), lt.get_rng_state().numpy()


@pytest.mark.parametrize(
    "expression", [*MADE, *(f"{target}.{fill}" for target in FILLED for fill in FILLS)]
)
def test_draws_and_the_state_after_are_pytorchs(expression):
    values, dtype, strides, state = drawn(lantern, expression)
    expected, kind, expected_strides, expected_state = drawn(torch, expression)
    assert str(dtype) == str(kind) and values.shape == expected.shape
    error = 0.02 if kind is torch.bfloat16 else 2e-3 if kind is torch.half else 2e-6
    scale = np.abs(expected).max(initial=1) if "cauchy" not in expression else 1
    np.testing.assert_allclose(values, expected, rtol=error, atol=error * min(scale, 10))
    assert strides == expected_strides or not values.size
    spare = slice(5024, 5032)
    assert np.array_equal(np.delete(state, spare), np.delete(expected_state, spare))


PARAMETERS = {
    "gamma": "torch._standard_gamma(torch.tensor([[0.01, 0.7, 1.0], [3.5, 60.0, 900.0]], dtype=D))",
    "gamma, turned": "torch._standard_gamma(torch.arange(1, 7, dtype=D).reshape(2, 3).t())",
    "dirichlet": "torch._sample_dirichlet(torch.tensor([[0.01, 0.7], [3.5, 60.0]], dtype=D))",
    "binomial": "torch.binomial(torch.arange(90, dtype=D), torch.linspace(0, 1, 90, dtype=D))",
    "binomial, one chance": "torch.binomial(torch.full((3, 4), 40, dtype=D), "
    "torch.tensor(0.3, dtype=D))",
    "binomial, edge": "torch.binomial(torch.tensor([-1.0, 3, 3, 0], dtype=D), "
    "torch.tensor([0.5, 0, 1, 0.5], dtype=D))",
}


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_draws_by_rejection_are_pytorchs(name, dtype):
    def drawn(lt):
        lt.manual_seed(SEED)
        result = eval(PARAMETERS[name], {"torch": lt, "D": getattr(lt, dtype)})
        return result.numpy(), lt.rand(3).numpy()

    (found, after), (expected, after_too) = drawn(lantern), drawn(torch)
    assert np.array_equal(after, after_too) and found.dtype == expected.dtype
    if dtype == "float64" or "binomial" in name:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-37)


def test_draws_of_gamma_and_dirichlet_have_pytorchs_gradients():
    def slopes(lt):
        lt.manual_seed(SEED)
        a = lt.tensor([[0.3, 2.0, 7.0], [1.5, 0.8, 40.0]], dtype=lt.float64, requires_grad=True)
        x = lt._standard_gamma(a)
        x.sum().backward()
        y = lt._sample_dirichlet(a.detach())
        total = a.detach().sum(-1, True).expand(2, 3)
        return a.grad.numpy(), lt._dirichlet_grad(y, a.detach(), total).numpy()

    for found, expected in zip(slopes(lantern), slopes(torch), strict=True):
        np.testing.assert_allclose(found, expected, rtol=4e-3)  # PyTorch's are approximations
