"""Writes tests/goldens/optim.npz: where PyTorch's optimizers are after 20 steps.

python scripts/goldens_optim.py        (needs torch)
"""

from __future__ import annotations

import sys

import torch
from golden_file import GOLDENS, TESTS, write_arrays

sys.path.insert(0, str(TESTS))

import optim_cases as cases


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
    write_arrays(GOLDENS / "optim.npz", found)


if __name__ == "__main__":
    main()
