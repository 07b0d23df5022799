"""Writes tests/goldens/schedules.json: the rates and momenta that PyTorch's schedules give.

python scripts/goldens_schedules.py        (needs torch)
"""

from __future__ import annotations

import json
import sys

import torch
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import schedule_cases as cases


def main():
    """Runs every schedule."""
    found = {name: cases.run(torch, text)[0] for name, text in cases.SCHEDULES.items()}
    lines = [f"{json.dumps(name)}: {json.dumps(rates)}" for name, rates in found.items()]
    write(GOLDENS / "schedules.json", "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
