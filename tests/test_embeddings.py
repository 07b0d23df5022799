"""Rows of a table: what is shortened, what is refused, also when compiled."""

from __future__ import annotations

import numpy as np
import pytest

import lantern
from lantern.nn import functional as F


def table():
    return lantern.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])


@pytest.mark.parametrize("compiled", [False, True])
def test_long_rows_that_are_read_are_shortened_in_the_table(compiled):
    def read(places, weight):
        return F.embedding(places, weight, max_norm=1.0)

    step = lantern.compile(read) if compiled else read
    for _ in range(3):
        weight = table()
        found = step(lantern.tensor([0, 1, 1]), weight)
    rows = [[0.6, 0.8], [0.3, 0.4]]
    np.testing.assert_allclose(found.numpy(), [rows[0], rows[1], rows[1]], rtol=1e-5)
    np.testing.assert_allclose(weight.numpy(), [*rows, [6.0, 8.0]], rtol=1e-5)


def test_a_leaf_is_shortened_without_recording_it():
    weight = table().requires_grad_()
    F.embedding(lantern.tensor([0]), weight, max_norm=1.0, norm_type=1.0).sum().backward()
    assert weight.is_leaf and weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]
    np.testing.assert_allclose(weight.detach()[0].numpy(), [3 / 7, 4 / 7], rtol=1e-5)


@pytest.mark.parametrize("wrong", [3, -1])
def test_a_number_that_is_no_row_is_refused_by_a_compiled_function_as_well(wrong):
    read = lantern.compile(lambda places, weight: F.embedding(places, weight))
    for _ in range(2):
        read(lantern.tensor([0, 2]), table())
    with pytest.raises(IndexError, match="index out of range in self"):
        read(lantern.tensor([0, wrong]), table())


def test_sparse_gradients_are_missing_by_name():
    with pytest.raises(NotImplementedError, match="sparse gradients are not in Lantern yet"):
        F.embedding(lantern.tensor([0]), table(), sparse=True)
