"""Writes tests/goldens/training.json: the losses of PyTorch's own training runs.

python scripts/goldens_training.py        (needs torch)
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import training_cases  # noqa: E402


def main():
    """Runs every case with seed 0."""
    found = {case.__name__: training_cases.run(torch, case) for case in training_cases.CASES}
    target = ROOT / "tests" / "goldens" / "training.json"
    part = target.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    os.replace(part, target)


if __name__ == "__main__":
    main()
