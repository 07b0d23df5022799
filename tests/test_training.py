"""Whole training runs give PyTorch's losses, line by line, from the same seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import training_cases

import lantern

GOLDENS = json.loads(
    (Path(__file__).parent / "goldens" / "training.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", training_cases.CASES, ids=lambda case: case.__name__)
def test_losses_are_torchs_from_the_first_to_the_last(case):
    found = training_cases.run(lantern, case)
    np.testing.assert_allclose(found, GOLDENS[case.__name__], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize("case", training_cases.CASES, ids=lambda case: case.__name__)
def test_a_run_is_repeated_to_the_last_bit(case):
    assert training_cases.run(lantern, case, 7) == training_cases.run(lantern, case, 7)
