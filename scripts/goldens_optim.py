"""Writes tests/goldens/optim.npz: where PyTorch's optimizers are after 20 steps.

python scripts/goldens_optim.py        (needs torch)
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import optim_cases as cases  # noqa: E402


def main():
    """Runs every case in both precisions."""
    found = {}
    for name, settings, key in cases.names():
        for dtype in ("float32", "float64"):
            params, _ = cases.run(torch, name, settings, dtype=dtype)
            for i, each in enumerate(cases.corners(params)):
                found[f"{key}.{dtype}.{i}"] = each
    for search in (None, "strong_wolfe"):
        found[f"LBFGS.{search}"] = cases.lbfgs_losses(torch, search)
    target = ROOT / "tests" / "goldens" / "optim.npz"
    np.savez_compressed(target.with_suffix(".part.npz"), **found)
    target.with_suffix(".part.npz").replace(target)


if __name__ == "__main__":
    main()
