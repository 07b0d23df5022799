"""Write tests/goldens/nn_wide.json.gz and nn_names.json: PyTorch's layers, and its public names.

Run with PyTorch installed: python scripts/make_nn_wide_goldens.py [names.json]

The second file is made from a list of PyTorch's documented names, and is kept without one.
"""

from __future__ import annotations

import gzip
import json
import sys
import warnings
from pathlib import Path

import torch
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import nn_wide_cases as cases

PLACES = """
    torch.nn torch.nn.functional torch.nn.init torch.nn.utils torch.nn.utils.rnn
    torch.nn.utils.parametrizations torch.nn.utils.parametrize torch.nn.utils.prune torch.func
""".split()


def main(names: list[str]) -> None:
    """Writes the goldens."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    found = {expression: cases.outcome(torch, expression) for expression in cases.CASES}
    text = json.dumps(found, separators=(",", ":"))
    write(GOLDENS / "nn_wide.json.gz", gzip.compress(text.encode(), mtime=0))
    if names:
        listed = json.loads(Path(names[0]).read_text(encoding="utf-8"))["names"]
        kept = {place: listed[place] for place in PLACES}
        content = json.dumps(kept, indent=1) + "\n"
        write(GOLDENS / "nn_names.json", content)


if __name__ == "__main__":
    main(sys.argv[1:])
