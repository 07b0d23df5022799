"""float16 and bfloat16: what is rounded when, to the last bit as PyTorch does it."""

from __future__ import annotations

import json
from pathlib import Path

import half_cases as cases
import numpy as np
import pytest

import lantern
from lantern import dtypes

GOLDENS = json.loads((Path(__file__).parent / "goldens" / "halves.json").read_text())


@pytest.mark.parametrize("dtype", cases.NUMPY)
@pytest.mark.parametrize("expression", cases.PLAIN)
def test_numbers_and_steps_are_rounded_as_in_pytorch(expression: str, dtype: str) -> None:
    found = [cases.checksum(cases.evaluate(lantern, expression, dtype, seed)) for seed in range(3)]
    assert found == GOLDENS[f"{expression} of {dtype}"]


@pytest.mark.parametrize("name", cases.NUMPY)
def test_a_number_is_rounded_as_an_array_would_be(name: str) -> None:
    half = getattr(lantern, name)
    numbers = np.random.RandomState(0).standard_normal(500) * np.logspace(-9, 9, 500)
    with np.errstate(over="ignore"):
        arrays = numbers.astype(np.float32).astype(cases.NUMPY[name]).astype(np.float64)
    assert [dtypes.rounded(each, half) for each in numbers.tolist()] == arrays.tolist()


@pytest.mark.parametrize("name", cases.NUMPY)
def test_gradients_of_ops_that_round_each_step_come_back_in_the_half_type(name: str) -> None:
    x = lantern.tensor([0.3, -0.7], dtype=getattr(lantern, name), requires_grad=True)
    loss = lantern.nn.functional.mse_loss(x, lantern.zeros_like(x), reduction="sum")
    loss.backward()
    assert x.grad is not None and x.grad.dtype is x.dtype
    assert lantern.equal(x.grad, (2 * x).detach())


def test_the_interpolation_weight_may_be_a_tensor_without_dimensions_of_another_type() -> None:
    x = lantern.tensor([0.0, 1.0])
    weight = lantern.tensor(0.5, dtype=lantern.float64)
    assert lantern.lerp(x, x + 1, weight).tolist() == [0.5, 1.5]
