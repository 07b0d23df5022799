"""One quick look at every part: `make smoke`, for before each commit."""

from __future__ import annotations

import io

import numpy as np
import pytest

import lantern
from lantern import nn


def test_an_op_has_its_value_its_dtype_and_its_print() -> None:
    halves = lantern.tensor([1, 2, 3]) / 2
    assert repr(halves) == "tensor([0.5000, 1.0000, 1.5000])"
    assert repr(lantern.tensor([1, 2]) + lantern.tensor([True, False])) == "tensor([2, 2])"


def test_memory_is_shared_with_views_and_with_numpy() -> None:
    base = lantern.zeros(2, 3)
    base[:, 1].add_(5)
    np.add(base.numpy(), 1, out=base.numpy())
    assert base.t().tolist() == [[1, 1], [6, 6], [1, 1]]


def test_gradients_of_first_and_second_order() -> None:
    x = lantern.tensor([1.0, -2.0], requires_grad=True)
    (first,) = lantern.autograd.grad((x**3).sum(), x, create_graph=True)
    (second,) = lantern.autograd.grad(first.sum(), x)
    assert first.tolist() == [3, 12] and second.tolist() == [6, -12]


def test_random_numbers_are_pytorchs() -> None:
    lantern.manual_seed(0)
    assert repr(lantern.rand(3)) == "tensor([0.4963, 0.7682, 0.0885])"


def line() -> tuple[nn.Linear, lantern.optim.SGD, lantern.Tensor, lantern.Tensor]:
    """A layer, its optimizer and exact data for it to learn: y = 2 x + 1."""
    lantern.manual_seed(0)
    layer = nn.Linear(1, 1)
    optimizer = lantern.optim.SGD(layer.parameters(), lr=0.1, momentum=0.5)
    x = lantern.arange(16).reshape(16, 1) / 8 - 1
    return layer, optimizer, x, 2 * x + 1


def test_training_finds_a_line_and_a_file_keeps_it() -> None:
    layer, optimizer, x, y = line()
    for _ in range(100):
        loss = nn.functional.mse_loss(layer(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    lantern.testing.assert_close(layer.weight, lantern.tensor([[2.0]]))
    lantern.testing.assert_close(layer.bias, lantern.tensor([1.0]))
    file = io.BytesIO()
    lantern.save(layer.state_dict(), file)
    file.seek(0)
    fresh = nn.Linear(1, 1)
    fresh.load_state_dict(lantern.load(file))
    assert lantern.equal(fresh(x), layer(x))


def five_losses(compiled: bool) -> list[float]:
    layer, optimizer, x, y = line()

    def step() -> lantern.Tensor:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(layer(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = lantern.compile(step) if compiled else step
    return [run().item() for _ in range(5)]


def test_a_compiled_training_step_does_what_the_eager_one_does() -> None:
    eager = five_losses(compiled=False)
    assert five_losses(compiled=True) == pytest.approx(eager, rel=1e-6)
    assert eager[-1] < eager[0] / 2


def test_the_loader_makes_batches_in_pytorchs_order() -> None:
    data = lantern.utils.data.TensorDataset(lantern.arange(6))
    lantern.manual_seed(0)
    batches = [x.tolist() for (x,) in lantern.utils.data.DataLoader(data, 4, shuffle=True)]
    assert batches == [[0, 4, 3, 5], [2, 1]]
