"""Eager's native kernels give what NumPy gives, and eager goes on where there are none."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import lantern
from lantern.backends import convolution, native


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
