"""Writes tests/goldens/training.json: the losses of PyTorch's own training runs.

python scripts/goldens_training.py        (needs torch)
"""

from __future__ import annotations

import json
import sys

import torch
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import training_cases


def main():
    """Runs every case with seed 0."""
    found = {case.__name__: training_cases.run(torch, case) for case in training_cases.CASES}
    write(GOLDENS / "training.json", json.dumps(found))


if __name__ == "__main__":
    main()
