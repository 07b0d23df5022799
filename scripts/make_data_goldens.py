"""Write tests/goldens/data_orders.json: what PyTorch's samplers and loaders do, step by step.

Run with PyTorch installed: python scripts/make_data_goldens.py
"""

from __future__ import annotations

import json
import sys

import torch
import torch.utils.data
from golden_file import GOLDENS, TESTS, write

sys.path.insert(0, str(TESTS))

from data_scenarios import SCENARIOS

BOTH = [False, True]
CASES: list[tuple[str, dict]] = [
    *[
        ("shuffled", {"seed": 1, "size": size, "gathered": gathered, **options})
        for gathered in BOTH
        for size, options in [
            (10, {"batch_size": 3}),
            (10, {"batch_size": 3, "drop_last": True}),
            (12, {"batch_size": 4, "generator_seed": 3}),
            (12, {"batch_size": 4, "generator_seed": 3, "drop_last": True}),
            (7, {"batch_size": 10}),
            (1, {"batch_size": 1}),
            (11, {"batch_size": 2, "num_workers": 1}),
            (11, {"batch_size": 2, "num_workers": 2, "generator_seed": 5}),
            (11, {"batch_size": 2, "num_workers": 1, "persistent_workers": True}),
        ]
    ],
    ("shuffled", {"seed": 2, "size": 6, "gathered": False, "batch_size": None}),
    *[("in_order", {"seed": 3, "size": 9, "gathered": g, "batch_size": 4}) for g in BOTH],
    *[("left_early", {"seed": 4, "size": 9, "gathered": g, "batch_size": 4}) for g in BOTH],
    *[
        ("sampled", {"seed": 5, "size": 20, "gathered": gathered, **options})
        for gathered in BOTH
        for options in [
            {"batch_size": 5, "replacement": True},
            {"batch_size": 7, "replacement": True, "num_samples": 70},
            {"batch_size": 16, "replacement": True, "num_samples": 64, "generator_seed": 6},
            {"batch_size": 6, "num_samples": 50},
            {"batch_size": 6, "num_samples": 8, "generator_seed": 6},
            {"batch_size": 10, "num_samples": 40, "generator_seed": 6},
        ]
    ],
    *[
        ("chosen", {"seed": 7, "size": 9, "gathered": g, "indices": [8, 1, 4, 4], "batch_size": 3})
        for g in BOTH
    ],
    *[
        (
            "distributed",
            {"size": size, "gathered": gathered, "num_replicas": 3, "batch_size": 2, **options},
        )
        for gathered in BOTH
        for size in (2, 9, 10)
        for options in ({"seed": 8}, {"shuffle": False}, {"drop_last": True})
    ],
    ("split", {"seed": 9, "size": 10, "lengths": [7, 3]}),
    ("split", {"seed": 9, "size": 10, "lengths": [0.25, 0.25, 0.5]}),
    ("split", {"seed": 9, "size": 2, "lengths": [0.3, 0.3, 0.4], "generator_seed": 1}),
    *[
        (
            "split_and_shuffled",
            {"seed": 10, "size": 12, "gathered": g, "lengths": [8, 4], "batch_size": 3},
        )
        for g in BOTH
    ],
    ("drawn_in_workers", {"seed": 12, "size": 7, "num_workers": 2, "batch_size": 2}),
    (
        "drawn_in_workers",
        {"seed": 12, "size": 6, "num_workers": 2, "batch_size": 2, "persistent_workers": True},
    ),
    ("streamed", {"seed": 13, "size": 5, "uneven": 4, "num_workers": 2, "batch_size": 2}),
    (
        "streamed",
        {
            "seed": 13,
            "size": 5,
            "uneven": 3,
            "num_workers": 2,
            "batch_size": 2,
            "persistent_workers": True,
            "drop_last": True,
        },
    ),
    ("streamed", {"seed": 13, "size": 3, "uneven": 2, "num_workers": 2, "batch_size": None}),
    *[
        (
            "weighted",
            {
                "seed": 11,
                "gathered": gathered,
                "weights": [0.1, 0.9, 0.0, 2.0, 0.4, 1.0],
                "num_samples": 5,
                "replacement": replacement,
                "batch_size": 2,
            },
        )
        for gathered in BOTH
        for replacement in BOTH
    ],
]


def main() -> None:
    """Run every case and store its trace."""
    records = []
    for name, arguments in CASES:
        result = SCENARIOS[name](torch, torch.utils.data, **arguments)
        records.append({"scenario": name, "arguments": arguments, "trace": result})
    lines = ",\n".join(json.dumps(record) for record in records)
    write(GOLDENS / "data_orders.json", f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
