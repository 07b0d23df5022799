"""Writes tests/goldens/rng.npz and tests/goldens/initial.npz with real PyTorch.

Run it where `torch` 2.13 is installed: `python scripts/goldens_rng.py`. `rng.npz` holds programs
of random draws with their results: `programs` is their text in JSON, `<seed>/<program>/<step>`
the result of a step (bfloat16 as its bits) and `<seed>/<program>/state` the state at the end.
`initial.npz` holds what models start from after `torch.manual_seed(0)`, each entry named by the
expression that made it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import torch
from golden_file import GOLDENS, write_arrays
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

SEEDS = (0, 2**63 + 11)
SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 100)
FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")

Step = dict[str, object]


def fill(method: str, dtype: str, size: int | list[int], *arguments: object) -> Step:
    """A step that fills an empty tensor in place."""
    shape = size if isinstance(size, list) else [size]
    return {"method": method, "dtype": dtype, "shape": shape, "arguments": arguments}


def programs() -> dict[str, list[Step]]:
    """Sequences of draws; each runs on one stream, so that every step fixes the next."""
    mixed = (3, 17, 1, 1, 2, 40, 5, 16, 1, 15, 31, 1)
    return {
        "uniform": [fill("uniform_", d, n, 0, 1) for d in FLOATS for n in SIZES]
        + [fill("uniform_", d, 20, *b) for d in FLOATS for b in ((-0.3, 0.7), (0.1, 2.5), (4, 4))]
        + [fill("uniform_", "float32", [3, 4, 5], -0.05, 0.05)],
        "normal": [fill("normal_", d, n, 0, 1) for d in FLOATS for n in SIZES]
        + [fill("normal_", d, n, 1.5, 0.25) for d in FLOATS for n in (3, 20)],
        "mixed": [
            fill(method, dtype, size, *arguments)
            for size in mixed
            for method, dtype, arguments in (
                ("normal_", "float32", (0, 1)),
                ("uniform_", "float64", (0, 1)),
                ("random_", "int64", (0, 10)),
                ("normal_", "float64", (2, 3)),
                ("log_normal_", "float32", (0, 0.5)),
            )
        ],
        "integers": [fill("random_", d, 12) for d in INTEGERS + FLOATS]
        + [
            fill("random_", d, 12, *bounds)
            for d, ranges in {
                "int64": (
                    (0, 10),
                    (-5, 7),
                    (0, 2**28 - 1),
                    (0, 2**28),
                    (0, 2**32),
                    (0, 2**63 - 1),
                    (-(2**63), 2**63 - 1),
                    (-(2**63), None),
                    (5, None),
                ),
                "int32": ((0, 2**31 - 1), (-100, None)),
                "uint8": ((0, 256), (3, 200), (7, None)),
                "bool": ((0, 2),),
                "float32": ((0, 1000), (5, None)),
                "bfloat16": ((0, 100),),
            }.items()
            for bounds in ranges
        ],  # fmt: skip
        "permutations": [
            {"method": "randperm", "dtype": d, "count": n}
            for n, d in [(n, "int64") for n in (0, 1, 2, 3, 10, 100, 1000)]
            + [(20, "int32"), (20, "uint8"), (20, "float32"), (20, "bfloat16")]
        ],
        "discrete": [fill("bernoulli_", d, 20, p) for d in INTEGERS + FLOATS for p in (0.3, 1)]
        + [{"method": "bernoulli", "dtype": d, "p": [[0.1, 0.5], [0.9, 1.0]] * 4} for d in FLOATS]
        + [fill("geometric_", d, 20, 0.2) for d in ("int64", "uint8", "float32")]
        + [
            {"method": "multinomial", "dtype": "float64", "weights": w, "arguments": [n, r]}
            for w in ([1.0, 0.0, 5.0, 3.0, 2.5, 8.0], [[1.0, 2.0, 3.0], [0.0, 0.5, 0.25]])
            for n, r in ((1, False), (2, False), (1, True), (30, True))
        ]
        + [
            {"method": "poisson", "dtype": d, "rates": [0.0, 0.5, 3.0, 9.5, 10.0, 25.0, 400.0] * 3}
            for d in ("float32", "float64")
        ],  # fmt: skip
        "continuous": [
            fill(method, d, n, *arguments)
            for d in ("float32", "float64")
            for n in (1, 20)
            for method, arguments in (
                ("exponential_", (1.7,)),
                ("cauchy_", (1.5, 0.3)),
                ("log_normal_", (0.5, 0.25)),
            )
        ],  # fmt: skip
    }


def run(step: Step, generator: torch.Generator) -> torch.Tensor:
    """The result of one step."""
    dtype = getattr(torch, str(step["dtype"]))
    method = step["method"]
    if method == "randperm":
        return torch.randperm(step["count"], dtype=dtype, generator=generator)
    if method == "bernoulli":
        return torch.bernoulli(torch.tensor(step["p"], dtype=dtype), generator=generator)
    if method == "poisson":
        return torch.poisson(torch.tensor(step["rates"], dtype=dtype), generator=generator)
    if method == "multinomial":
        weights = torch.tensor(step["weights"], dtype=dtype)
        return torch.multinomial(weights, *step["arguments"], generator=generator)
    empty = torch.empty(step["shape"], dtype=dtype)
    return getattr(empty, method)(*step["arguments"], generator=generator)


def as_array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as NumPy stores it, bfloat16 as its bits."""
    tensor = tensor.detach()
    return tensor.view(torch.uint16).numpy() if tensor.dtype == torch.bfloat16 else tensor.numpy()


def random_draws() -> dict[str, np.ndarray]:
    """The contents of rng.npz."""
    text = programs()
    arrays = {"programs": np.array(json.dumps(text)), "seeds": np.array(SEEDS, np.uint64)}
    for seed in SEEDS:
        for name, steps in text.items():
            generator = torch.Generator().manual_seed(seed)
            for number, step in enumerate(steps):
                arrays[f"{seed}/{name}/{number}"] = as_array(run(step, generator))
            arrays[f"{seed}/{name}/state"] = generator.get_state().numpy()
    return arrays


def initialised() -> Iterator[tuple[str, torch.Tensor]]:
    """Weights and orders, each after `torch.manual_seed(0)`, with the expression that makes it."""
    for text in ("nn.Linear(8, 32)", "nn.Linear(784, 10)", "nn.Conv2d(1, 6, 5)",
                 "nn.Embedding(10, 3)", "nn.Linear(3, 1, dtype=torch.float64)"):  # fmt: skip
        torch.manual_seed(0)
        for name, parameter in eval(text).named_parameters():
            yield f"{text}.{name}", parameter
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
    for name, parameter in model.named_parameters():
        yield f"nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2)).{name}", parameter
    for text in (
        "uniform_(torch.empty(3, 5))", "uniform_(torch.empty(3, 5), -2, 3)",
        "normal_(torch.empty(3, 5))", "normal_(torch.empty(6, 5), 1, 0.5)",
        "trunc_normal_(torch.empty(3, 5))", "trunc_normal_(torch.empty(40), 1, 2, -1, 4)",
        "xavier_uniform_(torch.empty(6, 4))", "xavier_uniform_(torch.empty(3, 2, 3, 3), 1.5)",
        "xavier_normal_(torch.empty(6, 4))", "xavier_normal_(torch.empty(3, 2, 3, 3), 1.5)",
        "kaiming_uniform_(torch.empty(6, 4))",
        "kaiming_uniform_(torch.empty(3, 2, 3, 3), 2.0, 'fan_out', 'leaky_relu')",
        "kaiming_normal_(torch.empty(6, 4))",
        "kaiming_normal_(torch.empty(3, 2, 3, 3), mode='fan_out', nonlinearity='relu')",
        "orthogonal_(torch.empty(5, 3))", "orthogonal_(torch.empty(3, 5), 2.0)",
        "orthogonal_(torch.empty(4, 4))", "sparse_(torch.empty(6, 4), 0.3)",
        "sparse_(torch.empty(10, 3), 0.5, 1.0)",
    ):  # fmt: skip
        torch.manual_seed(0)
        yield f"nn.init.{text}", eval(f"nn.init.{text}")


def orders() -> Iterator[tuple[str, torch.Tensor]]:
    """The orders in which datasets are split and loaded."""
    torch.manual_seed(0)
    for number, part in enumerate(random_split(range(10), [7, 3])):
        yield f"random_split(range(10), [7, 3])[{number}].indices", torch.tensor(part.indices)
    torch.manual_seed(0)
    for number, part in enumerate(random_split(range(11), [0.5, 0.25, 0.25])):
        name = f"random_split(range(11), [0.5, 0.25, 0.25])[{number}].indices"
        yield name, torch.tensor(part.indices)
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(torch.arange(25)), batch_size=4, shuffle=True)
    for epoch in range(2):
        seen = torch.cat([batch for (batch,) in loader])
        yield f"DataLoader(25, batch_size=4, shuffle=True) epoch {epoch}", seen
    yield "torch.rand(3) after these epochs", torch.rand(3)
    torch.manual_seed(0)
    kept = nn.functional.dropout(torch.ones(4, 10), 0.3)
    yield "nn.functional.dropout(torch.ones(4, 10), 0.3)", kept


def draws_from_its_own_stream() -> bool:
    """Whether `bernoulli_(p)` takes from the generator what `rand` takes: not so on Intel's."""
    one, other = (torch.Generator().manual_seed(0) for _ in range(2))
    expected = torch.rand(50, dtype=torch.float64, generator=one) < 0.5
    return torch.equal(torch.empty(50).bernoulli_(0.5, generator=other).bool(), expected)


def main() -> None:
    """Writes both files."""
    if not draws_from_its_own_stream():
        raise SystemExit("On this processor PyTorch draws bernoulli_ from MKL: use another.")
    write_arrays(GOLDENS / "rng.npz", random_draws())
    entries = (*initialised(), *orders())
    arrays = {name: as_array(tensor) for name, tensor in entries}
    write_arrays(GOLDENS / "initial.npz", arrays)


if __name__ == "__main__":
    main()
