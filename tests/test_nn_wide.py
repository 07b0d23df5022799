"""Every layer looks, starts and computes as PyTorch's, and does so compiled."""

from __future__ import annotations

import gzip
import json
import sys
import warnings
from pathlib import Path

import nn_wide_cases as cases
import numpy as np
import pytest

import lantern
from lantern import nn

GOLDENS = Path(__file__).parent / "goldens"
EXPECTED = json.loads(gzip.decompress((GOLDENS / "nn_wide.json.gz").read_bytes()))
NAMES = json.loads((GOLDENS / "nn_names.json").read_text(encoding="utf-8"))

# Names of PyTorch that Lantern leaves out, each with its reason.
MISSING = {
    "torch.func.rearrange": "einops is a package of its own",
    "torch.func.functionalize": "there is no dispatcher to take writes out of",
    "torch.func.linearize": "not yet",
    "torch.func.replace_all_batch_norm_modules_": "not yet",
}


@pytest.fixture(autouse=True)
def _tolerant():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about sizes of dropouts and the like
        yield


def close(found, expected, what):
    for i, (have, want) in enumerate(zip(found, expected, strict=True)):
        assert len(have) == len(want), f"{what} {i}: {have}, not {want}"
        if want:
            assert have[0] == want[0], f"{what} {i}: shape {have[0]}, not {want[0]}"
            # Gradients of what is normalised are small differences of large numbers.
            np.testing.assert_allclose(
                have[1], want[1], rtol=2e-4, atol=1e-5, err_msg=f"{what} {i}"
            )


@pytest.mark.parametrize("expression", cases.CASES)
def test_a_layer_looks_starts_and_computes_as_in_pytorch(expression):
    found, expected = cases.outcome(lantern, expression), EXPECTED[expression]
    for what in ("repr", "after", "state"):
        assert found[what] == expected[what]
    close(found["weights"], expected["weights"], "initial weight")
    close(found["found"], expected["found"], "result or gradient")


def test_close_can_fail():
    close([[[2], [3.0, 1.0]], []], [[[2], [3.0, 1.0]], []], "")
    for wrong in ([[2], [3.0, 1.1]], [[3], [3.0, 1.0]], []):
        with pytest.raises(AssertionError):
            close([wrong], [[[2], [3.0, 1.0]]], "")


@pytest.mark.parametrize("expression", cases.CASES)
def test_a_compiled_layer_does_what_the_eager_one_does(expression):
    eager, other = (cases.Case(lantern, expression) for _ in range(2))
    for each in (eager, other):  # lazy layers take their shapes, running statistics move on
        lantern.manual_seed(1)
        each.run()
    compiled = lantern.compile(other.run_with_gradients, backend="interpreter")
    for _ in range(3):
        lantern.manual_seed(1)
        want = eager.run_with_gradients()
        lantern.manual_seed(1)
        have = compiled()
        for i, (one, two) in enumerate(zip(want, have, strict=True)):
            assert (one is None) == (two is None), f"{i}: {one} and {two}"
            if one is not None:
                np.testing.assert_allclose(
                    two.detach().numpy(), one.detach().numpy(), rtol=1e-4, atol=1e-5, err_msg=str(i)
                )


def test_every_layer_is_among_the_cases():
    text = " ".join(cases.CASES)
    plain = {"Module", "ModuleDict", "ModuleList", "ParameterDict", "ParameterList"}
    bases = {"RNNBase", "RNNCellBase", "NonDynamicallyQuantizableLinear"}
    bases |= {"SyncBatchNorm"}  # PyTorch's does not compute on CPUs: it is tested below
    bases |= {"DataParallel", "NLLLoss2d"}  # a wrapper, an old name: test_tutorial_names.py
    import nn_layer_cases

    text += " ".join([*nn_layer_cases.ACTIVATIONS, *nn_layer_cases.LOSSES])
    lacking = [
        name
        for name in nn.__all__
        if isinstance(getattr(nn, name), type)
        and issubclass(getattr(nn, name), nn.Module)
        and f"nn.{name}(" not in text
    ]
    assert set(lacking) <= plain | bases, lacking


def test_a_batch_norm_over_processes_is_that_of_one():
    network = nn.Sequential(nn.Conv1d(2, 3, 1), nn.BatchNorm1d(3)).train()
    x = lantern.randn(4, 2, 5)
    expected = network(x)
    found = nn.SyncBatchNorm.convert_sync_batchnorm(network)
    assert type(found[1]) is nn.SyncBatchNorm and list(found.state_dict()) == list(
        network.state_dict()
    )
    assert lantern.equal(found(x), expected)
    with pytest.raises(NotImplementedError, match="process_group"):
        nn.SyncBatchNorm(3, process_group=object())
    with pytest.raises(ValueError, match="at least 2D"):
        found[1](lantern.ones(3))


def test_every_layer_is_found_where_it_says_it_is():
    for name in nn.__all__:
        each = getattr(nn, name)
        if isinstance(each, type):
            assert getattr(sys.modules[each.__module__], each.__name__) is each, name


def test_a_misfit_inside_of_attention_names_the_layer():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 2)
    with pytest.raises(AssertionError, match=r"but got 7 \(in layers.0.self_attn \(Multihead"):
        encoder(lantern.ones(3, 2, 7))


@pytest.mark.parametrize("module", NAMES)
def test_public_names_of_pytorch_are_here(module):
    home = lantern
    for part in module.split(".")[1:]:
        home = getattr(home, part)
    lacking = []
    for name in NAMES[module]:
        try:
            getattr(home, name)
        except AttributeError:
            lacking.append(f"{module}.{name}")
    assert set(lacking) <= set(MISSING), lacking
