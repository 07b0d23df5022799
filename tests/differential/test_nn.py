"""Modules, layers, initial values and helpers against the installed PyTorch."""

from __future__ import annotations

import json
import random
import sys
import warnings
from pathlib import Path

import pytest

import lantern

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent.parent))

import nn_layer_cases as cases  # noqa: E402
import nn_scenarios as scenarios  # noqa: E402
from nn_record import record  # noqa: E402

SEEDS = [random.SystemRandom().getrandbits(32) for _ in range(2)]
SCENARIOS = [
    pytest.param(function, id=name)
    for group in scenarios.GROUPS.values()
    for name, function in group.items()
]
INITIAL = """
    uniform_(e(5,4)) uniform_(e(5,4),-2,3) normal_(e(3,5)) normal_(e(7,9),1,2) ones_(e(2,3))
    trunc_normal_(e(40,3)) trunc_normal_(e(50),mean=1.0,std=0.5,a=0.9,b=1.2)
    trunc_normal_(e(33),0.0,2.0,5.0,6.0) trunc_normal_(e(20,dtype=torch.float64),std=0.02)
    xavier_uniform_(e(5,4)) xavier_normal_(e(5,4,3),gain=2.0) kaiming_uniform_(e(6,4),a=1)
    kaiming_uniform_(e(6,4,2),mode='fan_out',nonlinearity='relu') kaiming_normal_(e(6,4,3,3))
    orthogonal_(e(6,4)) orthogonal_(e(4,6),gain=2) orthogonal_(e(3,2,2)) sparse_(e(9,5),0.4)
    dirac_(e(4,3,3)) dirac_(e(6,2,3,4),3) eye_(e(3,5)) constant_(e(3),0.3)
""".split()
LAYERS = """
    nn.Linear(3,4) nn.Linear(17,9,bias=False) nn.Linear(3,4,dtype=torch.float64) nn.PReLU(3)
    nn.Bilinear(3,4,5) nn.Sequential(nn.Linear(3,4),nn.Sequential(nn.Linear(4,4))) nn.Linear(1,1)
""".split()


def same(ours, theirs, error=1e-5):
    ours = torch.from_numpy(ours.detach().numpy().copy())
    torch.testing.assert_close(ours, theirs.detach(), rtol=error, atol=error, equal_nan=True)


@pytest.mark.parametrize("function", SCENARIOS)
def test_scenario(function):
    ours, theirs = record(lantern, function), record(torch, function)
    assert json.loads(json.dumps(ours)) == json.loads(json.dumps(theirs))


def outcome(framework, expression, names):
    try:
        return cases.called(framework, expression, names)
    except Exception as error:
        if framework is lantern and "torch.nn.functional." in str(error):
            pytest.skip(str(error).split(" (in ")[0])
        return type(error).__name__, str(error).split(" (in ")[0]


CALLS = [*((each, "x") for each in [*cases.ACTIVATIONS, *cases.INPLACE, *cases.DROPOUTS])]


@pytest.mark.parametrize(("expression", "names"), [*CALLS, *cases.LOSS_CASES])
def test_layer(expression, names):
    ours, theirs = (outcome(each, expression, names) for each in (lantern, torch))
    if isinstance(theirs[0], str):
        assert ours == theirs
        return
    for a, b in zip(ours, theirs, strict=True):
        same(a, b)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("expression", INITIAL)
def test_initial_values(expression, seed):
    found = []
    for framework in (lantern, torch):
        framework.manual_seed(seed)
        names = {"e": framework.empty, "torch": framework, "init": framework.nn.init}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # means outside of the bounds
            drawn = eval(f"init.{expression}", names)
        found.append((drawn, framework.rand(3)))
    same(found[0][0], found[1][0])
    assert found[0][1].tolist() == found[1][1].tolist()  # the stream goes on at the same place


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("expression", LAYERS)
def test_initial_weights(expression, seed):
    ours, theirs = (
        (framework.manual_seed(seed), cases.made(framework, expression))[1]
        for framework in (lantern, torch)
    )
    for (name, a), (other, b) in zip(
        ours.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert name == other
        same(a, b, 0.0)
