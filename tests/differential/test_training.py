"""Whole training runs beside the installed PyTorch, from seeds that no golden has."""

from __future__ import annotations

import numpy as np
import pytest
import training_cases

import lantern

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize("case", training_cases.CASES, ids=lambda case: case.__name__)
def test_losses_are_torchs(case, seed):
    ours = training_cases.run(lantern, case, seed)
    theirs = training_cases.run(torch, case, seed)
    np.testing.assert_allclose(ours, theirs, rtol=2e-4, atol=1e-6)
