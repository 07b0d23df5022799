"""The public names of parts that are complete: PyTorch's, with its parameters in its order."""

from __future__ import annotations

import importlib
import inspect
import json
from pathlib import Path

import pytest

NAMES = json.loads((Path(__file__).parent / "goldens" / "names.json").read_text())


@pytest.mark.parametrize("module", NAMES)
def test_all_names_of_a_part_are_there(module):
    part = importlib.import_module(module.replace("torch", "lantern", 1))
    missing = [name for name in NAMES[module] if not hasattr(part, name)]
    assert not missing, f"{module} lacks {missing}"


@pytest.mark.parametrize("module", NAMES)
def test_their_parameters_stand_in_pytorchs_order(module):
    part = importlib.import_module(module.replace("torch", "lantern", 1))
    for name, expected in NAMES[module].items():
        found = getattr(part, name)
        if expected is None or not callable(found):
            continue
        have = [each for each in inspect.signature(found).parameters if each != "self"]
        assert have == expected, f"{module}.{name}"
