"""Writes tests/goldens/distributions.json: what PyTorch's distributions say of themselves.

python scripts/goldens_distributions.py        (needs torch)
"""

from __future__ import annotations

import json
import sys
import warnings

import torch
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import distribution_cases as cases


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
    write(GOLDENS / "distributions.json", "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
