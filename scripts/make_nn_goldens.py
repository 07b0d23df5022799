"""Write tests/goldens/nn.json: what PyTorch's modules do in the scenarios of the tests.

Run with PyTorch installed: python scripts/make_nn_goldens.py
"""

from __future__ import annotations

import json
import sys

import torch
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

import nn_layer_cases as layers
from nn_record import record
from nn_scenarios import GROUPS


def refusal(expression: str) -> list[str]:
    try:
        layers.made(torch, expression)
    except Exception as error:
        return [type(error).__name__, str(error)]
    raise ValueError(f"PyTorch accepts {expression}")


def outcome(expression: str, names: str) -> list:
    try:
        return [each.tolist() for each in layers.called(torch, expression, names)]
    except Exception as error:
        return [type(error).__name__, str(error)]


def main() -> None:
    unary = [*layers.ACTIVATIONS, *layers.INPLACE]
    every = [*unary, *layers.DROPOUTS, *(expression for expression, _ in layers.LOSS_CASES)]
    calls = [*((expression, "x") for expression in unary), *layers.LOSS_CASES]
    goldens = {
        "torch": torch.__version__,
        **{
            group: {name: record(torch, function) for name, function in scenarios.items()}
            for group, scenarios in GROUPS.items()
        },
        "shown": {expression: layers.shown(torch, expression) for expression in every},
        "refused": {expression: refusal(expression) for expression in layers.REFUSED},
        "called": {expression: outcome(expression, names) for expression, names in calls},
    }
    write(GOLDENS / "nn.json", json.dumps(goldens, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
