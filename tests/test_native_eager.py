"""Eager's native kernels give what NumPy gives, and eager goes on where there are none."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import lantern
from lantern.backends import convolution, native, passes


def values(random, *shape):
    return random.standard_normal(shape).astype("f4")


CASES = [
    ((2, 3, 9, 20), (4, 3, 3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
    ((18, 4, 7, 7), (6, 2, 3, 3), (2, 2), ((1, 1), (0, 1)), (1, 1), 2),
    ((20, 3, 33), (5, 3, 4), (1,), ((2, 2),), (2,), 1),
    ((17, 2, 8, 5), (3, 2, 2, 1), (1, 3), ((0, 0), (2, 2)), (1, 1), 1),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_convolutions_are_those_of_numpy(case, monkeypatch, tmp_path):
    pytest.importorskip("llvmlite")
    monkeypatch.setenv("LANTERN_CACHE", str(tmp_path))
    shape, filters, *how = case
    random = np.random.RandomState(0)
    x, w = values(random, *shape), values(random, *filters)
    y = convolution.conv(x, w, *how)
    g = values(random, *y.shape)
    calls = [
        lambda: convolution.conv(x, w, *how),
        lambda: convolution.conv_input(g, w, x.shape, *how),
        lambda: convolution.conv_weight(g, x, w.shape, *how),
        lambda: convolution.conv(x[::-1], np.asfortranarray(w), *how),
    ]
    want = [call() for call in calls]
    used = []
    find = native.find
    monkeypatch.setattr(native, "LEAST", 1)
    monkeypatch.setattr(native, "find", lambda *args: used.append(find(*args)) or used[-1])
    for call, expected in zip(calls, want, strict=True):
        got = call()
        assert got.dtype == expected.dtype and got.flags.c_contiguous
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)
    assert len(used) == 4 and None not in used


def test_training_is_that_of_numpy(monkeypatch, tmp_path):
    pytest.importorskip("llvmlite")
    monkeypatch.setenv("LANTERN_CACHE", str(tmp_path))
    x = lantern.tensor(values(np.random.RandomState(0), 5, 1, 17, 17))

    def losses(least):
        monkeypatch.setattr(native, "LEAST", least)
        lantern.manual_seed(0)
        net = lantern.nn.Sequential(lantern.nn.Conv2d(1, 4, 3), lantern.nn.AvgPool2d(2))
        optimizer = lantern.optim.SGD(net.parameters(), lr=0.1)
        found = []
        for _ in range(4):
            loss = net(x).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found

    np.testing.assert_allclose(losses(1), losses(1 << 60), rtol=1e-5)


functional = lantern.nn.functional
FORMULAS = {
    "gelu": lambda x, w, b: functional.gelu(x),
    "gelu by tanh": lambda x, w, b: functional.gelu(x, approximate="tanh"),
    "softmax": lambda x, w, b: lantern.softmax(x, -1),
    "softmax, middle": lambda x, w, b: lantern.softmax(x, 1),
    "softmax, first": lambda x, w, b: lantern.softmax(x, 0),
    "log_softmax": lambda x, w, b: lantern.log_softmax(x, -1),
    "layer_norm": lambda x, w, b: functional.layer_norm(x, (11,), w, b),
    "layer_norm, bias": lambda x, w, b: functional.layer_norm(x, (11,), None, b),
    "layer_norm, two": lambda x, w, b: functional.layer_norm(x, (7, 11)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_formulas_in_one_pass_are_those_of_numpy(name, dtype, monkeypatch, tmp_path):
    pytest.importorskip("llvmlite")
    monkeypatch.setenv("LANTERN_CACHE", str(tmp_path))
    monkeypatch.setattr(passes, "BLOCK", 160)  # neither rows nor elements fill the last block
    random = np.random.RandomState(0)
    x, w, b = (values(random, *shape).astype(dtype) for shape in ((5, 7, 11), (11,), (11,)))
    x[0, 0, :4] = np.inf, -np.inf, np.nan, -0.0
    up = lantern.tensor(values(random, *x.shape).astype(dtype))
    used = []
    find = native.find_formula
    monkeypatch.setattr(native, "find_formula", lambda *args: used.append(find(*args)) or used[-1])

    def results(least):
        monkeypatch.setattr(passes, "LEAST", least)
        leaves = [lantern.tensor(each, requires_grad=True) for each in (x, w, b)]
        out = FORMULAS[name](*leaves)
        grads = lantern.autograd.grad(out, leaves, up, allow_unused=True)
        return [each.detach().numpy() for each in (out, *grads) if each is not None]

    want, got = results(1 << 60), results(1)
    assert (used and None not in used) or name == "softmax, first"  # has no rows
    for ours, expected in zip(got, want, strict=True):
        assert ours.dtype == expected.dtype and ours.shape == expected.shape
        tolerance = (
            {"rtol": 1e-4, "atol": 1e-5} if dtype == "f4" else {"rtol": 1e-12, "atol": 1e-12}
        )
        np.testing.assert_allclose(ours, expected, **tolerance)


def test_formulas_of_other_layouts_stay_with_numpy(monkeypatch):
    monkeypatch.setattr(passes, "LEAST", 1)
    monkeypatch.setattr(passes, "BLOCK", 8)
    x = lantern.tensor(values(np.random.RandomState(0), 6, 5)).t()
    out = functional.gelu(x)
    assert out.stride() == x.stride()
    np.testing.assert_allclose(out, functional.gelu(x.contiguous()), rtol=1e-5, atol=1e-6)


def test_a_setting_may_be_a_number_of_numpys(monkeypatch):
    monkeypatch.setattr(passes, "LEAST", 1)
    monkeypatch.setattr(passes, "BLOCK", 8)
    x = lantern.tensor(values(np.random.RandomState(0), 6, 5))
    want = functional.layer_norm(x, (5,), eps=0.5)
    np.testing.assert_allclose(functional.layer_norm(x, (5,), eps=np.float32(0.5)), want, rtol=1e-5)


PROGRAM = """
import sys
sys.modules["llvmlite"] = None  # cannot be imported
import lantern
from lantern.backends import native
native.LEAST = 1
x = lantern.ones(2, 3, 8, 8)
print(lantern.conv2d(x, lantern.ones(1, 3, 3, 3)).sum().item())
"""


def test_without_llvmlite_numpy_computes():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert float(done.stdout) == 2 * 36 * 27, done.stderr


def test_the_environment_keeps_to_numpy():
    program = PROGRAM.split("\n", 3)[3] + "print('llvmlite' in sys.modules)"
    environment = os.environ | {"LANTERN_EAGER_KERNELS": "0"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys\n" + program],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.stdout.split() == [str(float(2 * 36 * 27)), "False"], done.stderr
