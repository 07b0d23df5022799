"""Writes what PyTorch prints for tests/programs/*.py, and raises for tests/bad_input_cases.py.

python scripts/goldens_programs.py        (needs torch)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings

import torch
import torch.utils.data
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import bad_input_cases


def main():
    """Runs each program in a process of its own, with one thread."""
    (GOLDENS / "programs").mkdir(exist_ok=True)
    for program in sorted((TESTS / "programs").glob("*.py")):
        result = subprocess.run(
            [sys.executable, "-W", "ignore", program],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        write(GOLDENS / "programs" / f"{program.stem}.txt", result.stdout)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {}
        for line in bad_input_cases.cases():
            kinds, sentence = bad_input_cases.raised(torch, line)
            found[line] = kinds.split()[0], sentence
    silent = [line for line, (kind, _) in found.items() if kind == "nothing"]
    assert not silent, f"PyTorch takes these: {silent}"
    write(GOLDENS / "bad_input.json", json.dumps(found, indent=0) + "\n")


if __name__ == "__main__":
    main()
