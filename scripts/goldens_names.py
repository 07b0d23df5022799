"""Writes tests/goldens/names.json: PyTorch's public names of some parts, with their parameters.

python scripts/goldens_names.py        (needs torch)
"""

from __future__ import annotations

import importlib
import inspect
import json

from golden_file import GOLDENS, write

PARTS = {
    "torch.optim": "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam Optimizer "
    "RAdam RMSprop Rprop SGD SparseAdam",
    "torch.optim.lr_scheduler": None,
    "torch.optim.swa_utils": None,
    "torch.distributions": None,
    "torch.distributions.constraints": None,
    "torch.distributions.transforms": None,
}


def parameters_of(value):
    """The names of the parameters of a function or a class; None for other values."""
    if not inspect.isfunction(value) and not inspect.isclass(value):
        return None
    try:
        return [each for each in inspect.signature(value).parameters if each != "self"]
    except (TypeError, ValueError):
        return None


def main():
    """Writes one line for each part."""
    lines = []
    for module, names in PARTS.items():
        part = importlib.import_module(module)
        listed = sorted(names.split() if names else part.__all__)
        found = {name: parameters_of(getattr(part, name)) for name in listed}
        lines.append(f"{json.dumps(module)}: {json.dumps(found)}")
    write(GOLDENS / "names.json", "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
