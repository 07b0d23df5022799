"""Random tensors: PyTorch's numbers through the public functions, eager and compiled."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import lantern

GOLDENS = np.load(Path(__file__).parent / "goldens" / "rng.npz")
PROGRAMS = json.loads(str(GOLDENS["programs"]))
SEEDS = GOLDENS["seeds"].tolist()
ROUNDED = {"normal_", "exponential_", "cauchy_", "log_normal_"}
ERROR = {"float16": 1e-3, "bfloat16": 8e-3, "float32": 1e-6, "float64": 1e-14}


def run(step, generator):
    """The result of one step of a golden program."""
    dtype = getattr(lantern, step["dtype"])
    method = step["method"]
    if method == "randperm":
        return lantern.randperm(step["count"], dtype=dtype, generator=generator)
    if method == "bernoulli":
        return lantern.bernoulli(lantern.tensor(step["p"], dtype=dtype), generator=generator)
    if method == "poisson":
        return lantern.poisson(lantern.tensor(step["rates"], dtype=dtype), generator=generator)
    if method == "multinomial":
        weights = lantern.tensor(step["weights"], dtype=dtype)
        return lantern.multinomial(weights, *step["arguments"], generator=generator)
    return getattr(lantern.empty(step["shape"], dtype=dtype), method)(
        *step["arguments"], generator=generator
    )


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_public_functions_give_the_golden_draws(program):
    generator = lantern.Generator().manual_seed(SEEDS[0])
    for number, step in enumerate(PROGRAMS[program]):
        found = run(step, generator).numpy()
        golden = GOLDENS[f"{SEEDS[0]}/{program}/{number}"]
        if found.dtype == ml_dtypes.bfloat16:
            golden = golden.view(ml_dtypes.bfloat16)
        assert found.dtype == golden.dtype and found.shape == golden.shape, step
        if step["method"] not in ROUNDED:
            assert found.tobytes() == golden.tobytes(), step
        else:
            error = ERROR[step["dtype"]]
            found, golden = found.astype(np.float64), golden.astype(np.float64)
            np.testing.assert_allclose(found, golden, rtol=error, atol=error, err_msg=str(step))


def drawn(expression):
    """The tensor that an expression draws after `manual_seed(0)`, and the state it leaves."""
    lantern.manual_seed(0)
    result = eval(expression, {"torch": lantern})
    return result, lantern.get_rng_state()


SAME = {
    "torch.rand(3, 4)": "torch.empty(3, 4).uniform_()",
    "torch.rand((3, 4), dtype=torch.float64)": "torch.empty(3, 4, dtype=torch.float64).uniform_()",
    "torch.randn(size=[20])": "torch.empty(20).normal_()",
    "torch.randn(20, out=torch.empty(0))": "torch.empty(20).normal_(0, 1)",
    "torch.rand(3, out=torch.empty(3, dtype=torch.float64))": "torch.rand(3, dtype=torch.float64)",
    "torch.randint(9, (5,))": "torch.empty(5, dtype=torch.int64).random_(9)",
    "torch.randint(2, 9, size=(5,))": "torch.empty(5, dtype=torch.int64).random_(2, 9)",
    "torch.randint(high=9, low=2, size=(5,))": "torch.randint(2, 9, (5,))",
    "torch.randint(7, size=(2,), dtype=torch.float32)": "torch.empty(2).random_(to=7)",
    "torch.rand_like(torch.zeros(4, 5).t())": "torch.empty(4, 5).uniform_().t()",
    "torch.randn_like(torch.zeros(4, 5))": "torch.empty(4, 5).normal_()",
    "torch.randint_like(torch.zeros(6), 3)": "torch.empty(6).random_(3)",
    "torch.randint_like(torch.zeros(6), 3, high=8)": "torch.empty(6).random_(3, 8)",
    "torch.normal(0.5, 2.0, (3, 6))": "torch.empty(3, 6).normal_(0.5, 2.0)",
    "torch.normal(torch.ones(2, 9), torch.full((9,), 2.0))": "torch.randn(2, 9) * 2 + 1",
    "torch.normal(torch.ones(3), 2.0)": "torch.empty(3).normal_(0, 2) + 1",
    "torch.normal(1.0, torch.full((3,), 2.0))": "torch.randn(3) * 2 + 1",
    "torch.bernoulli(torch.zeros(5), 0.3)": "torch.empty(5).bernoulli_(0.3)",
    "torch.zeros(5).bernoulli(p=0.3)": "torch.empty(5).bernoulli_(0.3)",
    "torch.full((5,), 0.3).bernoulli()": "torch.empty(5).bernoulli_(torch.full((5,), 0.3))",
    "torch.ones(4).multinomial(2)": "torch.multinomial(torch.ones(4), 2)",
    "torch.empty(8).uniform_(2, to=3)": "torch.empty(8).uniform_(**{'from': 2, 'to': 3})",
    "torch.zeros(8, 2)[:, 0].uniform_()": "torch.rand(8)",
    "torch.zeros(4, 5).t().random_(100)": "torch.zeros(4, 5).random_(100).t()",
}


@pytest.mark.parametrize("expression", SAME)
def test_two_ways_to_one_draw_agree(expression):
    (found, state), (other, other_state) = drawn(expression), drawn(SAME[expression])
    lantern.testing.assert_close(found, other, rtol=0, atol=0)
    lantern.testing.assert_close(state, other_state, rtol=0, atol=0)


def test_a_seed_repeats_and_another_does_not():
    first, second = drawn("torch.rand(8)")[0], drawn("torch.rand(8)")[0]
    assert first.tolist() == second.tolist()
    assert lantern.rand(8).tolist() != first.tolist()


@pytest.mark.parametrize("size", [3, 40])
def test_normals_where_memory_has_gaps_are_drawn_one_by_one(size):
    gaps = drawn(f"torch.zeros({size}, 2)[:, 0].normal_()")[0]
    dense = drawn(f"torch.zeros({size}).normal_()")[0]
    assert (gaps.tolist() == dense.tolist()) == (size < 16)


def test_new_leaves_and_slopes_of_zero():
    assert lantern.rand(2, requires_grad=True).is_leaf
    x = lantern.full((3,), 0.5, requires_grad=True)
    for result in (
        lantern.bernoulli(x), lantern.normal(x, x), lantern.poisson(x), (x * 2).uniform_(),
    ):  # fmt: skip
        (grad,) = lantern.autograd.grad(result.sum(), x)
        assert grad.tolist() == [0, 0, 0]
    assert not lantern.multinomial(x, 1).requires_grad


def test_a_leaf_that_wants_gradients_is_filled_only_without_recording():
    leaf = lantern.zeros(3, requires_grad=True)
    before = lantern.get_rng_state().tolist()
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        leaf.normal_()
    assert lantern.get_rng_state().tolist() == before
    with lantern.no_grad():
        leaf.fill_(2.0).uniform_()
    assert leaf.is_leaf and all(0 <= each < 1 for each in leaf.tolist())


def step(x):
    """Draws of every kind, in place and not, also through a view."""
    noise = x * lantern.rand(4, 3) + lantern.randn(20)[:3]
    noise[1:].t().uniform_(-1, 1)
    x.copy_(noise).t().random_(5)
    chance = lantern.sigmoid(noise)
    return (
        noise, x.clone(), lantern.randint(9, (5,)), lantern.randperm(6), lantern.rand_like(x.t()),
        lantern.normal(noise, chance), lantern.bernoulli(chance), lantern.poisson(chance * 9),
        lantern.multinomial(chance, 2), x.bernoulli_(chance), x.clone().exponential_(),
    )  # fmt: skip


def test_a_compiled_function_draws_anew_at_each_call_as_eager_does():
    runs = []
    for function in (step, lantern.compile(step)):
        lantern.manual_seed(3)
        x = lantern.ones(4, 3)
        results = [each.clone() for _ in range(4) for each in function(x)]
        runs.append([*results, x, lantern.get_rng_state()])
    for found, expected in zip(runs[1], runs[0], strict=True):
        lantern.testing.assert_close(found, expected)
    assert runs[1][0].tolist() != runs[1][len(results) // 2].tolist()


def test_a_compiled_function_draws_from_the_generator_it_was_given():
    generator = lantern.Generator().manual_seed(5)
    draw = lantern.compile(lambda: lantern.rand(3, generator=generator))
    compiled = [draw().tolist() for _ in range(4)]
    generator.manual_seed(5)
    assert compiled == [lantern.rand(3, generator=generator).tolist() for _ in range(4)]


REFUSED = [
    ("torch.rand()", TypeError, "rand() received an invalid combination of arguments - got ()"),
    ("torch.rand(2.0)", TypeError, "rand(): argument 'size' (position 1) must be tuple of ints"),
    ("torch.rand(-1)", RuntimeError, "Trying to create tensor with negative dimension -1: [-1]"),
    ("torch.rand(2, foo=1)", TypeError, "rand() received an invalid combination of arguments"),
    ("torch.rand(2, generator=3)", TypeError, ""),
    ("torch.rand(2, dtype=torch.int64)", NotImplementedError, '"check_uniform_bounds" not'),
    ("torch.rand(2, dtype=torch.float32, out=torch.empty(2, dtype=torch.float64))", RuntimeError,
     "dtype Float does not match dtype of out parameter (Double)"),
    ("torch.rand(2, device='cuda')", RuntimeError, ""),
    ("torch.randint(0, (2,))", RuntimeError, "random_ expects 'from' to be less than 'to'"),
    ("torch.randint(5)", TypeError, "randint() received an invalid combination of arguments"),
    ("torch.randint(5, 2)", TypeError, "randint(): argument 'size' (position 2) must be tuple"),
    ("torch.randint(2.5, (2,))", TypeError, "randint(): argument 'high' (position 1) must be int"),
    ("torch.randint(300, (2,), dtype=torch.uint8)", RuntimeError, "to - 1 is out of bounds for"),
    ("torch.randint(5, (2,), requires_grad=True)", RuntimeError, "Only Tensors of floating point"),
    ("torch.randperm(-1)", RuntimeError, "Trying to create tensor with negative dimension -1"),
    ("torch.randperm(4.0)", TypeError, "randperm(): argument 'n' (position 1) must be int"),
    ("torch.rand_like([1])", TypeError, "rand_like(): argument 'input' (position 1) must be Tens"),
    ("torch.randint_like(torch.ones(2))", TypeError, "randint_like() received an invalid comb"),
    ("torch.normal(0.0, 1.0)", TypeError, "normal() received an invalid combination of arguments"),
    ("torch.normal(0.0, -1.0, (2,))", RuntimeError, "normal expects std >= 0.0, but found std -1"),
    ("torch.normal(torch.zeros(2), torch.ones(3))", RuntimeError, "The size of tensor a (2) must"),
    ("torch.bernoulli(torch.tensor([0.5, 2.0]))", RuntimeError, "Expected p_in >= 0 && p_in <= 1"),
    ("torch.bernoulli(torch.tensor([1, 0]))", NotImplementedError, '"bernoulli_tensor_cpu_p_" no'),
    ("torch.bernoulli(torch.ones(2), 2.0)", RuntimeError, "bernoulli_ expects p to be in [0, 1]"),
    ("torch.multinomial(torch.ones(3), 4)", RuntimeError, "cannot sample n_sample > prob_dist."),
    ("torch.multinomial(torch.ones(3), 2.0)", TypeError, "multinomial(): argument 'num_samples' "),
    ("torch.multinomial(torch.tensor(1.0), 2)", RuntimeError, "prob_dist must be 1 or 2 dim"),
    ("torch.multinomial(torch.zeros(3), 1)", RuntimeError, "invalid multinomial distribution"),
    ("torch.multinomial(torch.ones(3), 2, out=torch.empty(0))", RuntimeError, "multinomial expec"),
    ("torch.poisson(torch.tensor([-1.0]))", RuntimeError, "invalid Poisson rate, expected rate to"),
    ("torch.empty(2).uniform_('a')", TypeError, "uniform_(): argument 'from' (position 1) must be"),
    ("torch.empty(2).uniform_(2, 1)", RuntimeError, "uniform_ expects to return a [from, to)"),
    ("torch.empty(2).uniform_(0, 1, 2)", TypeError, "uniform_() takes from 0 to 2 positional arg"),
    ("torch.empty(2).normal_(0, -1)", RuntimeError, "normal expects std >= 0.0, but found std -1"),
    ("torch.empty(2).random_(2.5)", TypeError, "random_() received an invalid combination of arg"),
    ("torch.empty(2).random_(5, 2)", RuntimeError, "random_ expects 'from' to be less than 'to'"),
    ("torch.empty(2, dtype=torch.int64).random_(0, 2**64)", ValueError, "Overflow when unpacking"),
    ("torch.empty(2).bernoulli_(torch.ones(3))", RuntimeError, "The expanded size of the tensor"),
    ("torch.empty(2).exponential_(0)", RuntimeError, "exponential_ expects lambda > 0.0, but fou"),
    ("torch.empty(2).geometric_()", TypeError, "geometric_() missing 1 required positional argum"),
    ("torch.empty(2).cauchy_(0, 0)", RuntimeError, "cauchy_ expects sigma > 0.0, but found sigma"),
    ("torch.empty(2).log_normal_(0, -1)", RuntimeError, "log_normal_ expects std > 0.0, but foun"),
    ("torch.ones(1).expand(3).uniform_()", RuntimeError, "unsupported operation: more than one el"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "kind", "start"), REFUSED)
def test_wrong_arguments_are_refused_and_draw_nothing(expression, kind, start):
    lantern.manual_seed(0)
    before = lantern.get_rng_state().tolist()
    with pytest.raises(kind) as caught:
        eval(expression, {"torch": lantern})
    assert str(caught.value).startswith(start)
    assert lantern.get_rng_state().tolist() == before


def _function(name):
    """The distribution functions of draws, by summing their densities up finely."""
    if name == "gamma":
        return lambda x, a: x ** (a - 1) * np.exp(-x)
    return lambda x, a: x ** (a - 1) * (1 - x) ** 1.5


@pytest.mark.parametrize(("name", "a", "x"), [
    ("gamma", 2.0, 1.3), ("gamma", 2.0, 6.0), ("gamma", 7.5, 3.0), ("beta", 2.0, 0.3),
    ("beta", 3.0, 0.9),
])  # fmt: skip
def test_draws_move_as_their_distribution_function_says(name, a, x):
    density, end = _function(name), 60.0 if name == "gamma" else 1.0
    points = np.linspace(0, 1, 400001)

    def part(a):
        mean = lambda to: np.mean(density(points * to, a)) * to  # noqa: E731
        return mean(x) / mean(end)

    total = np.mean(density(points * end, a)) * end
    expected = -(part(a + 1e-4) - part(a - 1e-4)) / 2e-4 / (density(x, a) / total)
    value, shape = lantern.tensor([x]).double(), lantern.tensor([a]).double()
    if name == "gamma":
        found = lantern._standard_gamma_grad(shape, value)
    else:
        found = lantern._dirichlet_grad(value, shape, shape + 2.5) * (1 - value)
    np.testing.assert_allclose(found.item(), expected, rtol=2e-4)


def test_the_slope_of_gamma_draws_goes_on_to_large_shapes():
    shape = lantern.tensor([9_999.0, 10_001.0], dtype=lantern.float64)
    below, above = lantern._standard_gamma_grad(shape, shape + 150).tolist()
    np.testing.assert_allclose(below, above, rtol=1e-5)
