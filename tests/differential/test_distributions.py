"""Distributions beside PyTorch's: what they say of themselves, draws, gradients, divergences."""

from __future__ import annotations

import random
import warnings

import distribution_cases as cases
import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")

SEED = random.SystemRandom().getrandbits(32)
TOLERANCE = {"VonMises": 2e-6, "GeneralizedPareto": 1e-5}  # what PyTorch computes less exactly
ALL = pytest.mark.parametrize("name", cases.CASES)
pytestmark = pytest.mark.filterwarnings("ignore:Singular sample detected")


def same(found, expected, label, tolerance=1e-7):
    if isinstance(expected, str) or isinstance(found, str):
        assert str(found) == str(expected), label
    else:
        assert found.shape == expected.shape, label
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-9, err_msg=label)


@ALL
def test_a_distribution_says_what_pytorchs_says(name):
    expected = cases.answers(torch, name)
    found = cases.answers(lantern, name, expected["sample"])
    for each, value in expected.items():
        if each == "sample" and name in cases.OWN_STREAM:
            continue
        same(found[each], value, f"{name} {each}", TOLERANCE.get(name, 1e-7))
    assert repr(cases.make(lantern, name)) == repr(cases.make(torch, name))


@ALL
def test_draws_and_their_gradients_are_pytorchs(name):
    if name in cases.OWN_STREAM:
        pytest.skip("has a stream of its own")

    def drawn(lt):
        parameters = []

        def t(values):
            parameters.append(lt.tensor(values, dtype=cases.kind_of(lt, name), requires_grad=True))
            return parameters[-1]

        d = eval(cases.CASES[name], {"D": lt.distributions, "t": t})
        lt.manual_seed(SEED)
        draw = d.rsample((4,)) if d.has_rsample else d.sample((4,))
        after = lt.rand(2).numpy()
        if draw.requires_grad:
            weights = lt.arange(draw.numel(), dtype=draw.dtype).reshape(draw.shape) + 1
            (draw * weights).sum().backward()
        slopes = [p.grad.numpy() for p in parameters if p.grad is not None]
        return draw.detach().double().numpy(), slopes, after

    found, expected = drawn(lantern), drawn(torch)
    np.testing.assert_array_equal(found[2], expected[2])
    same(found[0], expected[0], name, TOLERANCE.get(name, 1e-7))
    assert len(found[1]) == len(expected[1])
    for mine, theirs in zip(found[1], expected[1], strict=True):
        # PyTorch approximates how gamma and Dirichlet draws move with their shapes.
        np.testing.assert_allclose(mine, theirs, rtol=5e-3, atol=5e-3)


@ALL
def test_log_densities_have_pytorchs_gradients(name):
    def slopes(lt, values):
        parameters = []

        def t(values):
            parameters.append(lt.tensor(values, dtype=cases.kind_of(lt, name), requires_grad=True))
            return parameters[-1]

        d = eval(cases.CASES[name], {"D": lt.distributions, "t": t})
        d.log_prob(lt.tensor(values, dtype=cases.kind_of(lt, name))).sum().backward()
        return [None if p.grad is None else p.grad.numpy() for p in parameters]

    torch.manual_seed(SEED)
    values = cases.make(torch, name).sample((2,)).numpy()
    for mine, theirs in zip(slopes(lantern, values), slopes(torch, values), strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            np.testing.assert_allclose(
                mine, theirs, rtol=max(1e-6, TOLERANCE.get(name, 0)), atol=1e-7, err_msg=name
            )


def test_divergences_are_pytorchs():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected, found = cases.divergences(torch), cases.divergences(lantern)
    wrong = []
    for pair, value in expected.items():
        try:
            same(found[pair], value, pair)
        except AssertionError as error:
            wrong.append(str(error)[:300])
    assert not wrong, "\n\n".join(wrong)


WRONG = [
    "D.Normal(0.0, t([-1.0, 1.0]))", "D.Normal(0.0, t([1.0])).log_prob(t([float('nan')]))",
    "D.Normal(t([0.0, 1.0]), 1.0).log_prob(t([1.0, 2.0, 3.0]))", "D.Normal('a', 1.0)",
    "D.Normal(0.0, 1.0).log_prob(2.0)", "D.Bernoulli()", "D.Bernoulli(t(0.2), t(0.3))",
    "D.Bernoulli(t([1.5]))", "D.Bernoulli(t([0.5])).log_prob(t([0.5]))", "D.Uniform(1.0, 0.0)",
    "D.Categorical(t(0.5))", "D.Categorical(t([-1.0, 3.0]))", "D.Geometric(t([0.0, 0.5]))",
    "D.Categorical(t([0.5, 0.5])).log_prob(t([2.0]))", "D.Dirichlet(t(1.0))",
    "D.Multinomial(t([2.0]), t([0.5, 0.5]))", "D.MultivariateNormal(t(1.0), t([[1.0]]))",
    "D.Multinomial(2, t([0.5, 0.5])).log_prob(t([3.0, 1.0]))", "D.LKJCholesky(1)",
    "D.MultivariateNormal(t([1.0]))", "D.MultivariateNormal(t([1.0]), t([1.0]))",
    "D.MultivariateNormal(t([1.0, 2.0]), t([[1.0, 2.0], [2.0, 1.0]]))",
    "D.LowRankMultivariateNormal(t([1.0]), t([[1.0], [2.0]]), t([1.0]))",
    "D.Independent(D.Normal(0.0, 1.0), 1)", "D.Wishart(t(0.5), t([[1.0, 0.0], [0.0, 1.0]]))",
    "D.TransformedDistribution(D.Normal(0.0, 1.0), 3)", "D.Exponential(t([0.0]))",
    "D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(t([0.0]), 1.0))",
    "D.MixtureSameFamily(D.Categorical(t([0.5, 0.5])), D.Normal(t([0.0]), 1.0))",
    "D.kl_divergence(D.Laplace(0.0, 1.0), D.Cauchy(0.0, 1.0))",
    "D.AffineTransform(0, 1, cache_size=2)", "D.Binomial(t([2.0, 3.0]), t([0.5, 0.5])).entropy()",
    "D.Beta(t([1.0]), t([2.0])).log_prob(t([1.5]))", "D.Poisson(t([1.0])).log_prob(t([0.5]))",
    "D.transform_to(3)", "D.Normal(0.0, 1.0).enumerate_support()",
    "D.register_kl(D.Normal, int)(None)",
]  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_wrong_arguments_are_refused_in_pytorchs_words(text):
    def message(lt):
        names = {"D": lt.distributions, "t": lt.tensor}
        try:
            eval(text, names)
        except Exception as error:
            return type(error), str(error)

    expected = message(torch)
    if "register_kl" in text:  # which PyTorch takes
        expected = TypeError, "Expected type_q to be a Distribution subclass but got <class 'int'>"
    assert message(lantern) == expected


TRANSFORMS = {
    "D.AbsTransform()": [[-1.0, 2.0]],
    "D.AffineTransform(1.0, t([2.0, -3.0]))": [[-1.0, 2.0]],
    "D.AffineTransform(t([1.0]), -2.0, event_dim=1)": [[-1.0, 2.0], [0.5, 1.0]],
    "D.ExpTransform()": [[-1.0, 2.0]],
    "D.ExpTransform().inv": [[1.0, 2.0]],
    "D.PowerTransform(t(2.5))": [[1.0, 2.0]],
    "D.SigmoidTransform()": [[-1.0, 2.0, 40.0]],
    "D.SoftplusTransform()": [[-1.0, 2.0]],
    "D.TanhTransform()": [[-1.0, 2.0]],
    "D.SoftmaxTransform()": [[-1.0, 2.0, 0.5]],
    "D.StickBreakingTransform()": [[-1.0, 2.0, 0.5], [0.0, 0.0, 1.0]],
    "D.CorrCholeskyTransform()": [[-1.0, 2.0, 0.5], [0.0, 0.0, 1.0]],
    "D.LowerCholeskyTransform()": [[[-1.0, 2.0], [0.5, 1.0]]],
    "D.PositiveDefiniteTransform()": [[[-1.0, 2.0], [0.5, 1.0]]],
    "D.ReshapeTransform((2, 2), (4,))": [[[-1.0, 2.0], [0.5, 1.0]]],
    "D.IndependentTransform(D.ExpTransform(), 1)": [[-1.0, 2.0]],
    "D.ComposeTransform([D.AffineTransform(1.0, 2.0), D.ExpTransform()])": [[-1.0, 2.0]],
    "D.ComposeTransform([D.ExpTransform(), D.StickBreakingTransform()])": [[-1.0, 0.2]],
    "D.CatTransform([D.ExpTransform(), D.AffineTransform(0.0, 3.0)], -1, [1, 2])": [
        [0.1, 2.0, 3.0]
    ],
    "D.StackTransform([D.ExpTransform(), D.AffineTransform(0.0, 3.0)], -1)": [[0.1, 2.0]],
    "D.CumulativeDistributionTransform(D.Normal(0.5, 2.0))": [[0.1, 2.0]],
}


@pytest.mark.parametrize("text", TRANSFORMS)
def test_transforms_are_pytorchs(text):
    def found(lt):
        def t(values):
            return lt.tensor(values, dtype=lt.float64)

        f = eval(text, {"D": lt.distributions, "t": t})
        x = t(TRANSFORMS[text])
        y = f(x)
        answers = {"y": y, "back": f.inv(y), "repr": repr(f), "inverse": repr(f.inv)}
        for each in ("sign", "bijective", "domain", "codomain", "event_dim"):
            try:
                answers[each] = getattr(f, each)
            except (NotImplementedError, ValueError) as error:
                answers[each] = type(error).__name__
        answers["shapes"] = [f.forward_shape(x.shape), f.inverse_shape(y.shape)]
        try:
            answers["jacobian"] = f.log_abs_det_jacobian(x, y)
            answers["inverse jacobian"] = f.inv.log_abs_det_jacobian(y, x)
        except NotImplementedError:
            answers["jacobian"] = "none"
        if "CorrCholesky" not in text:  # PyTorch takes two of these for different ones
            answers["equal"] = [f == f, f == eval(text, {"D": lt.distributions, "t": t})]
        return answers

    mine, theirs = found(lantern), found(torch)
    for each, value in theirs.items():
        if hasattr(value, "numpy"):
            same(mine[each].numpy(), value.numpy(), f"{text} {each}")
        else:
            assert str(mine[each]) == str(value), each


CONSTRAINTS = {
    "boolean": [0.0, 1.0, 0.5], "positive": [0.0, 1.0, -2.0], "nonnegative": [0.0, 1.0, -2.0],
    "simplex": [[0.5, 0.5], [0.7, 0.5]], "one_hot": [[0.0, 1.0], [1.0, 1.0]],
    "real": [1.0, float("nan")], "real_vector": [[1.0, 2.0], [float("nan"), 1.0]],
    "unit_interval": [0.0, 1.0, 1.5], "nonnegative_integer": [0.0, 1.5, -1.0, 3.0],
    "positive_integer": [0.0, 1.0, 2.5], "interval(1.0, 2.0)": [0.5, 1.5, 2.0],
    "half_open_interval(1.0, 2.0)": [0.5, 1.5, 2.0], "less_than(2.0)": [1.0, 2.0, 3.0],
    "greater_than(2.0)": [1.0, 2.0, 3.0], "greater_than_eq(2.0)": [1.0, 2.0, 3.0],
    "integer_interval(1, 3)": [1.0, 2.5, 3.0, 4.0], "multinomial(3)": [[1.0, 1.0], [3.0, 1.0]],
    "lower_triangular": [[[1.0, 0.0], [1.0, -1.0]], [[1.0, 2.0], [1.0, 1.0]]],
    "lower_cholesky": [[[1.0, 0.0], [1.0, -1.0]], [[1.0, 0.0], [1.0, 1.0]]],
    "corr_cholesky": [[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [1.0, 1.0]]],
    "square": [[[1.0, 0.0], [0.6, 0.8]]], "symmetric": [[[1.0, 0.5], [0.5, 1.0]]],
    "positive_definite": [[[1.0, 0.5], [0.5, 1.0]]],
    "positive_semidefinite": [[[1.0, 0.5], [0.5, 1.0]], [[1.0, 2.0], [2.0, 1.0]]],
    "independent(c.positive, 1)": [[1.0, 2.0], [0.0, 1.0]],
    "cat([c.positive, c.real], -1)": [[1.0, -2.0], [-1.0, 1.0]],
    "stack([c.positive, c.real], -1)": [[1.0, -2.0], [-1.0, 1.0]],
}  # fmt: skip


@pytest.mark.parametrize("text", CONSTRAINTS)
def test_constraints_are_pytorchs(text):
    def found(lt):
        c = lt.distributions.constraints
        constraint = eval(f"c.{text}", {"c": c})
        ok = constraint.check(lt.tensor(CONSTRAINTS[text], dtype=lt.float64)).tolist()
        answers = [ok, constraint.is_discrete, constraint.event_dim]
        if not text.startswith(("cat", "stack")):
            answers.append(repr(constraint))
        for registry in (lt.distributions.transform_to, lt.distributions.biject_to):
            try:
                answers.append(repr(registry(constraint)))
            except NotImplementedError as error:
                answers.append(str(error))
        return answers

    assert found(lantern) == found(torch)
