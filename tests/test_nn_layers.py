"""Layers look as PyTorch's do, refuse what those refuse, and give the same numbers."""

from __future__ import annotations

import inspect
import json
import math
import re
import warnings
from pathlib import Path

import nn_layer_cases as cases
import pytest

import lantern
from lantern import nn

GOLDENS = json.loads((Path(__file__).parent / "goldens" / "nn.json").read_text(encoding="utf-8"))


def close(found, expected, error=1e-5):
    if isinstance(expected, list):
        return len(found) == len(expected) and all(
            close(a, b, error) for a, b in zip(found, expected, strict=True)
        )
    return math.isclose(found, expected, rel_tol=error, abs_tol=error)


def test_close_can_fail():
    assert close([1.0, [2.0]], [1.0, [2.0]])
    assert not close([1.0, [2.0]], [1.0, [2.1]]) and not close([1.0], [1.0, 2.0])


@pytest.mark.parametrize("expression", GOLDENS["shown"])
def test_a_layer_looks_as_in_pytorch(expression):
    assert cases.shown(lantern, expression) == GOLDENS["shown"][expression]


@pytest.mark.parametrize("expression", cases.REFUSED)
def test_wrong_settings_are_refused(expression):
    kind, message = GOLDENS["refused"][expression]
    with pytest.raises(Exception) as caught:
        cases.made(lantern, expression)
    assert type(caught.value).__name__ == kind
    if "__init__" not in message:  # Python names the class that has the `__init__`
        assert str(caught.value) == message


def skip_without_op(expression):
    """Skips a layer that calls a function of `nn.functional` which does not exist yet."""
    source = inspect.getsource(type(cases.made(lantern, expression)).forward)
    for name in re.findall(r"\bF\.(\w+)\(", source):
        if name not in nn.functional.__all__:
            pytest.skip(f"nn.functional.{name} is not in Lantern yet")


CALLS = [
    *((expression, "x") for expression in [*cases.ACTIVATIONS, *cases.INPLACE]),
    *cases.LOSS_CASES,
]


@pytest.mark.parametrize(("expression", "names"), CALLS, ids=[each for each, _ in CALLS])
def test_a_layer_computes_as_in_pytorch(expression, names):
    skip_without_op(expression)
    golden = GOLDENS["called"][expression]
    try:
        found = [each.tolist() for each in cases.called(lantern, expression, names)]
    except Exception as error:
        assert [type(error).__name__, str(error).split(" (in ")[0]] == golden
        return
    assert close(found, golden), (found, golden)


@pytest.mark.parametrize("name", ["MSELoss", "L1Loss", "BCELoss", "NLLLoss", "CrossEntropyLoss"])
def test_older_arguments_of_losses_still_work(name):
    loss = getattr(nn, name)
    for given, reduction in (
        ({"size_average": False}, "sum"),
        ({"size_average": True}, "mean"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": True}, "sum"),
        ({"size_average": True, "reduce": False}, "none"),
    ):
        with pytest.warns(UserWarning, match=f"use reduction='{reduction}' instead"):
            assert loss(**given).reduction == reduction
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert loss().reduction == "mean"


def test_a_function_of_a_loss_takes_the_older_arguments_too():
    x, y = lantern.tensor([1.0, 5.0]), lantern.tensor([2.0, 2.0])
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.functional.mse_loss(x, y, False).item() == 10.0


def test_softmax_without_a_dimension_warns():
    with pytest.warns(UserWarning, match="Implicit dimension choice for softmax") as caught:
        assert nn.Softmax()(lantern.zeros(2, 4))[0, 0].item() == 0.25
    assert caught[0].filename == __file__


def test_in_place_layers_write_over_their_input():
    x = lantern.tensor([-1.0, 2.0])
    assert nn.ReLU(inplace=True)(x) is x
    assert x.tolist() == [0.0, 2.0]


def test_a_linear_layer_whose_weight_was_moved_uses_the_new_one():
    layer = nn.Linear(2, 1, bias=False)
    weight = layer.weight
    del layer.weight
    layer.weight = weight.detach() * 0 + 3.0
    assert layer(lantern.ones(1, 2)).tolist() == [[6.0]]
    layer = nn.Linear(2, 1)
    layer.bias = None
    layer.weight = nn.Parameter(lantern.ones(1, 2))
    assert layer(lantern.ones(1, 2)).tolist() == [[2.0]]


def test_a_layer_of_nothing_is_allowed():
    with pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        layer = nn.Linear(0, 3, bias=False)
    assert layer(lantern.ones(2, 0)).tolist() == [[0.0] * 3] * 2


def test_every_name_of_the_package_exists():
    for module in (nn, nn.functional, nn.init, nn.utils):
        for name in module.__all__:
            assert hasattr(module, name), name
