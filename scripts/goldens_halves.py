"""Writes tests/goldens/halves.json: a checksum of what PyTorch computes of half types.

python scripts/goldens_halves.py        (needs torch)
"""

from __future__ import annotations

import json
import sys

import torch
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import half_cases as cases


def main():
    """Evaluates the expressions whose results depend on no library of functions."""
    found = {
        f"{expression} of {dtype}": [
            cases.checksum(cases.evaluate(torch, expression, dtype, seed)) for seed in range(3)
        ]
        for expression in cases.PLAIN
        for dtype in cases.NUMPY
    }
    lines = [f"{json.dumps(name)}: {json.dumps(sums)}" for name, sums in found.items()]
    write(GOLDENS / "halves.json", "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
