"""Writes tests/goldens/distributions.json: what PyTorch's distributions say of themselves.

python scripts/goldens_distributions.py        (needs torch)
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import distribution_cases as cases  # noqa: E402


def plain(value):
    """An array as nested lists, a text as it is."""
    return value.tolist() if hasattr(value, "tolist") else value


def main():
    """Asks all distributions everything."""
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in cases.CASES:
            answers = cases.answers(torch, name)
            found[name] = {each: plain(value) for each, value in answers.items()}
        found["kl"] = {each: plain(value) for each, value in cases.divergences(torch).items()}
    lines = [f"{json.dumps(name)}: {json.dumps(each)}" for name, each in found.items()]
    target = ROOT / "tests" / "goldens" / "distributions.json"
    part = target.with_suffix(".part")
    part.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    part.replace(target)


if __name__ == "__main__":
    main()
