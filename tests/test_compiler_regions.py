"""Narrow networks run block by block, in parts: right for any number of rows, shared evenly."""

from __future__ import annotations

import numpy as np
import pytest

import lantern
from lantern import nn
from lantern.compiler.regions import even_parts

pytest.importorskip("llvmlite")


def test_parts_are_even():
    assert even_parts(128, 2, 1) == 64
    assert even_parts(531, 2, 3) == 272  # thirds would give one thread 288 rows
    assert even_parts(7000, 2, 3) == 1168  # six parts of about the same size
    for rows in range(64, 3000, 37):
        for threads in (2, 3, 4, 8):
            size = even_parts(rows, threads, 3)
            parts = -(-rows // size)
            assert size % 16 == 0 and parts <= 3 * threads and (parts - 1) * size < rows


@pytest.mark.parametrize(
    "rows, activation",
    [(79, nn.Sigmoid), (128, nn.Tanh), (150, nn.ReLU), (531, nn.Sigmoid), (1041, nn.Tanh)],
)
def test_a_narrow_network_learns_as_in_eager(rows, activation):
    x, y = lantern.randn(rows, 5), lantern.randn(rows, 2)
    weights, losses = [], []
    for compiled in (False, True):
        lantern.manual_seed(3)
        net = nn.Sequential(
            nn.Linear(5, 18), activation(), nn.Linear(18, 7), activation(), nn.Linear(7, 2)
        )
        optimizer = lantern.optim.Adam(net.parameters(), lr=0.01)

        def step(net=net, optimizer=optimizer):
            loss = nn.functional.mse_loss(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        run = lantern.compile(step) if compiled else step
        losses.append([run().item() for _ in range(12)])
        weights.append([each.detach().numpy() for each in net.parameters()])
    np.testing.assert_allclose(*losses, rtol=2e-5)
    for eager, native in zip(*weights, strict=True):
        np.testing.assert_allclose(native, eager, rtol=2e-3, atol=2e-5)
