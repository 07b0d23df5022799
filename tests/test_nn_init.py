"""Initial values are PyTorch's for the same seed; the functions refuse what those refuse."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

import lantern
from lantern import nn
from lantern.nn import init

GOLDENS = np.load(Path(__file__).parent / "goldens" / "initial.npz")
DRAWN = [name for name in GOLDENS.files if name.startswith(("nn.Linear", "nn.Seq", "nn.init"))]


@pytest.mark.parametrize("name", DRAWN)
def test_values_are_those_of_pytorch(name):
    lantern.manual_seed(0)
    expression, _, parameter = name.partition(").")
    expression += ")" if parameter else ""
    made = eval(expression, {"nn": nn, "torch": lantern})
    found = (made.get_parameter(parameter) if parameter else made).detach().numpy()
    golden = GOLDENS[name]
    assert found.dtype == golden.dtype and found.shape == golden.shape
    if "normal" in name or "orthogonal" in name or "sparse" in name:
        np.testing.assert_allclose(found, golden, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_array_equal(found, golden)


def test_nothing_is_recorded_and_the_tensor_itself_is_returned():
    weight = nn.Parameter(lantern.empty(3, 3))
    for fill in (
        init.uniform_, init.normal_, init.trunc_normal_, init.ones_, init.zeros_, init.eye_,
        init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_,
        init.orthogonal_,
    ):  # fmt: skip
        assert fill(weight) is weight
        assert weight.is_leaf and weight.requires_grad
    assert init.constant_(weight, 2.5) is weight and weight[0, 0].item() == 2.5
    assert init.sparse_(weight, 0.5) is weight


def test_a_generator_of_ones_own_leaves_the_default_stream_alone():
    state = lantern.get_rng_state()
    a, b = (
        init.kaiming_normal_(lantern.empty(4, 4), generator=lantern.Generator().manual_seed(5))
        for _ in range(2)
    )
    assert a.tolist() == b.tolist()
    assert lantern.get_rng_state().tolist() == state.tolist()


def test_gains():
    assert init.calculate_gain("conv_transpose2d") == 1 and init.calculate_gain("selu") == 0.75
    assert init.calculate_gain("relu") == math.sqrt(2)
    assert init.calculate_gain("leaky_relu", 1) == 1.0
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / (1 + 0.01**2))
    for args in (("swish",), ("leaky_relu", True), ("leaky_relu", "a")):
        with pytest.raises(ValueError):
            init.calculate_gain(*args)


def test_identity_and_dirac():
    assert init.eye_(lantern.empty(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    weight = init.dirac_(lantern.empty(4, 1, 3, 2), groups=2)
    assert weight.sum().item() == 2.0
    assert weight[0, 0, 1, 1].item() == weight[2, 0, 1, 1].item() == 1.0


def test_sparse_columns_have_that_many_zeros():
    lantern.manual_seed(1)
    weight = init.sparse_(lantern.empty(10, 6), 0.25)
    assert (weight == 0).sum(0).tolist() == [3] * 6


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: init.eye_(lantern.empty(3)), "Only tensors with 2 dimensions are supported"),
        (lambda: init.sparse_(lantern.empty(3), 0.1), "Only tensors with 2 dimensions"),
        (lambda: init.dirac_(lantern.empty(3, 3)), "Only tensors with 3, 4, or 5 dimensions"),
        (lambda: init.dirac_(lantern.empty(3, 3, 3), 2), "dim 0 must be divisible by groups"),
        (lambda: init.orthogonal_(lantern.empty(3)), "Only tensors with 2 or more dimensions"),
        (lambda: init.xavier_normal_(lantern.empty(3)), "Fan in and fan out can not be computed"),
        (lambda: init.kaiming_normal_(lantern.empty(3)), "Fan in and fan out can not be computed"),
        (lambda: init.kaiming_uniform_(lantern.empty(3, 3), mode="fan"), "Mode fan not supported"),
        (
            lambda: init.kaiming_uniform_(lantern.empty(3, 3), nonlinearity="swish"),
            "Unsupported nonlinearity swish",
        ),
    ],
)
def test_wrong_shapes_and_names_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_tensors_stay_empty():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for fill in (init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_, init.eye_):
            assert fill(lantern.empty(0, 3)).shape == (0, 3)
    with pytest.warns(UserWarning, match="zero-element"):
        init.kaiming_uniform_(lantern.empty(2, 0))


def test_a_mean_far_outside_warns_and_stays_within():
    with pytest.warns(UserWarning, match="mean is more than 2 std from"):
        values = init.trunc_normal_(lantern.empty(200), mean=6.0, a=-1.0, b=2.0)
    assert -1.0 <= values.min().item() and values.max().item() <= 2.0


@pytest.mark.parametrize("name", ["uniform", "normal", "xavier_uniform", "kaiming_normal", "eye"])
def test_names_without_an_underscore_warn(name):
    with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of"):
        getattr(init, name)(lantern.empty(2, 2))
