"""Writes tests/goldens/schedules.json: the rates and momenta that PyTorch's schedules give.

python scripts/goldens_schedules.py        (needs torch)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import schedule_cases as cases  # noqa: E402


def main():
    """Runs every schedule."""
    found = {name: cases.run(torch, text)[0] for name, text in cases.SCHEDULES.items()}
    target = ROOT / "tests" / "goldens" / "schedules.json"
    part = target.with_suffix(".part")
    lines = [f"{json.dumps(name)}: {json.dumps(rates)}" for name, rates in found.items()]
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    part.replace(target)


if __name__ == "__main__":
    main()
