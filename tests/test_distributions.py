"""Distributions: PyTorch's answers, gradients of draws, compiled use, registration, expansion."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from pathlib import Path

import distribution_cases as cases
import numpy as np
import pytest

import lantern
from lantern import distributions as D

GOLDENS = json.loads((Path(__file__).parent / "goldens" / "distributions.json").read_text())
ALL = pytest.mark.parametrize("name", cases.CASES)
TOLERANCE = {"VonMises": 2e-6, "GeneralizedPareto": 1e-5}  # what PyTorch computes less exactly


def check(found, golden, label, tolerance=1e-7):
    if isinstance(golden, str) or isinstance(found, str):
        assert str(found) == golden, label
    else:
        np.testing.assert_allclose(found, golden, rtol=tolerance, atol=1e-9, err_msg=label)


@ALL
def test_a_distribution_says_what_pytorchs_says(name):
    golden = GOLDENS[name]
    found = cases.answers(lantern, name, golden["sample"])
    for each, value in golden.items():
        if each != "sample" or name not in cases.OWN_STREAM:
            check(found[each], value, f"{name} {each}", TOLERANCE.get(name, 1e-7))


def test_divergences_are_pytorchs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = cases.divergences(lantern)
    for pair, golden in GOLDENS["kl"].items():
        check(found[pair], golden, pair)


@ALL
def test_draws_lie_in_the_support_and_have_its_shape(name):
    d = cases.make(lantern, name)
    lantern.manual_seed(1)
    draw = d.sample((20,))
    assert draw.shape == (20, *d.batch_shape, *d.event_shape) and not draw.requires_grad
    if name != "LKJCholesky":  # rows of length 1 up to rounding
        assert bool(d.support.check(draw).all())


MOMENTS = [n for n in cases.CASES if "Cauchy" not in n and n not in (
    "FisherSnedecor", "InverseGamma", "LKJCholesky", "LogNormal", "LogisticNormal", "Pareto",
    "RelaxedBernoulli", "RelaxedOneHotCategorical", "StudentT", "TransformedDistribution",
    "VonMises", "Categorical", "Categorical logits",
)]  # fmt: skip


@pytest.mark.parametrize("name", MOMENTS)
def test_draws_have_the_mean_that_is_claimed(name):
    d = cases.make(lantern, name)
    lantern.manual_seed(2)
    draws = d.sample((2000,))
    error = (draws.mean(0) - d.mean).abs() / (d.variance.sqrt() + 1e-9)
    assert error.max().item() < 0.12, name


def test_gradients_of_gamma_draws_push_the_mean():
    # d E[x] / d concentration = 1 / rate; the mean of the slopes of draws estimates it.
    a = lantern.full((4000,), 2.5, dtype=lantern.float64, requires_grad=True)
    lantern.manual_seed(0)
    D.Gamma(a, 2.0).rsample().sum().backward()
    np.testing.assert_allclose(a.grad.mean().item(), 0.5, rtol=0.05)


def test_gradients_of_beta_draws_push_the_mean():
    a = lantern.full((4000,), 2.0, dtype=lantern.float64, requires_grad=True)
    b = lantern.full((4000,), 3.0, dtype=lantern.float64, requires_grad=True)
    lantern.manual_seed(0)
    D.Beta(a, b).rsample().sum().backward()
    np.testing.assert_allclose(a.grad.mean().item(), 3 / 25, rtol=0.05)
    np.testing.assert_allclose(b.grad.mean().item(), -2 / 25, rtol=0.05)


def test_a_variational_step_compiles():
    loc = lantern.zeros(3, requires_grad=True)
    log_scale = lantern.zeros(3, requires_grad=True)
    optimizer = lantern.optim.Adam([loc, log_scale], lr=0.1)
    target = lantern.tensor([1.0, 2.0, 3.0])

    def step():
        optimizer.zero_grad()
        q = D.Normal(loc, log_scale.exp())
        draw = q.rsample((8,))
        loss = -D.Normal(target, 0.5).log_prob(draw).mean(0).sum() - q.entropy().sum()
        loss = loss + D.kl_divergence(q, D.Normal(0.0, 10.0)).sum() * 0.01
        loss.backward()
        optimizer.step()
        return loss

    def run(step):
        with lantern.no_grad():
            loc.zero_()
            log_scale.zero_()
        optimizer.state.clear()
        lantern.manual_seed(3)
        return [step().item() for _ in range(30)]

    eager = run(step)
    fast = lantern.compile(step)
    run(fast)
    optimizer.state.clear()
    np.testing.assert_allclose(run(lantern.compile(step)), eager, rtol=1e-4, atol=1e-4)


COMPILED = [n for n in cases.CASES if n not in ("VonMises", "Wishart", "Geometric")]


@pytest.mark.parametrize("name", COMPILED)
def test_densities_compile(name):
    value = lantern.tensor(GOLDENS[name]["sample"], dtype=cases.kind_of(lantern, name))
    density = lantern.compile(lambda x: cases.make(lantern, name).log_prob(x))
    d = [density(value) for _ in range(3)][-1]
    np.testing.assert_allclose(
        d.detach().numpy(), GOLDENS[name]["log_prob"], rtol=1e-5, atol=1e-8, err_msg=name
    )


@ALL
def test_distributions_are_copied_and_expanded(name):
    d = cases.make(lantern, name)
    again = copy.deepcopy(d)
    assert again.batch_shape == d.batch_shape
    larger = d.expand((3, *d.batch_shape))
    assert larger.batch_shape == (3, *d.batch_shape) and larger.event_shape == d.event_shape
    lantern.manual_seed(0)
    assert larger.sample().shape == (3, *d.batch_shape, *d.event_shape)


def test_distributions_are_pickled():
    d = pickle.loads(pickle.dumps(D.LogNormal(lantern.zeros(2), 1.0)))
    assert d.mean.shape == (2,)


def test_the_documents_spelling():
    from lantern.distributions import multinomial

    lantern.manual_seed(0)
    fair = lantern.ones([6]) / 6
    counts = multinomial.Multinomial(10, fair).sample((500,))
    assert counts.shape == (500, 6) and bool((counts.sum(1) == 10).all())
    assert (counts.mean(0) / 10 - 1 / 6).abs().max().item() < 0.02


def test_checks_can_be_turned_off():
    with pytest.raises(ValueError, match="to satisfy the constraint GreaterThan"):
        D.Normal(0.0, -1.0)
    D.Normal(0.0, -1.0, validate_args=False)
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)


def test_a_family_of_the_user():
    class Triangle(D.Distribution):
        arg_constraints = {"top": D.constraints.positive}
        support = D.constraints.positive

        def __init__(self, top, validate_args=None):
            self.top = lantern.as_tensor(top)
            super().__init__(self.top.shape, validate_args=validate_args)

        def rsample(self, sample_shape=()):
            return self.top * lantern.rand(self._extended_shape(sample_shape)).sqrt()

        def log_prob(self, value):
            if self._validate_args:
                self._validate_sample(value)
            return (2 * value / self.top**2).log()

    @D.register_kl(Triangle, Triangle)
    def kl(p, q):
        return 2 * (q.top / p.top).log()

    one, two = Triangle(lantern.ones(2)), Triangle(lantern.full((2,), 2.0))
    assert one.sample((3,)).shape == (3, 2) and one.expand((4, 2)).top.shape == (4, 2)
    np.testing.assert_allclose(D.kl_divergence(one, two).numpy(), 2 * np.log(2), rtol=1e-6)
    with pytest.raises(ValueError, match="to be within the support"):
        one.log_prob(lantern.tensor([-1.0, 1.0]))
    assert repr(one) == "Triangle(top: torch.Size([2]))"


def test_a_transform_keeps_the_last_pair():
    f = D.ExpTransform(cache_size=1)
    x = lantern.tensor([0.1, 0.2])
    assert f.inv(f(x)) is x and f.with_cache(1) is f and f.with_cache(0)(x) is not f(x)
    affine = D.AffineTransform(1.0, 2.0).with_cache()
    assert affine.inv(affine(x)) is x


def test_transforms_to_constraints_lead_there():
    lantern.manual_seed(0)
    for constraint in (
        D.constraints.positive, D.constraints.unit_interval, D.constraints.simplex,
        D.constraints.interval(-1.0, 3.0), D.constraints.lower_cholesky,
        D.constraints.corr_cholesky, D.constraints.positive_definite, D.constraints.less_than(2.0),
    ):  # fmt: skip
        shape = (4, 3, 3) if constraint.event_dim == 2 else (4, 3)
        shape = (4, 3) if constraint is D.constraints.corr_cholesky else shape
        x = lantern.randn(shape, dtype=lantern.float64)
        assert bool(constraint.check(D.transform_to(constraint)(x)).all()), constraint
