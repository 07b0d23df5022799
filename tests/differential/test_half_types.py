"""float16 and bfloat16 beside PyTorch, on fresh numbers, to the last bit."""

from __future__ import annotations

import half_cases as cases
import numpy as np
import pytest

torch = pytest.importorskip("torch")

import lantern  # noqa: E402

SEED = int(np.random.SeedSequence().entropy % 1_000_000)


@pytest.mark.parametrize("dtype", cases.NUMPY)
@pytest.mark.parametrize("expression", cases.EXPRESSIONS)
def test_every_bit_is_pytorchs(expression: str, dtype: str) -> None:
    for seed in range(SEED, SEED + 3):
        expected = cases.evaluate(torch, expression, dtype, seed)
        assert cases.evaluate(lantern, expression, dtype, seed) == expected, f"seed {seed}"
