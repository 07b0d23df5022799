"""Write tests/goldens/printing.json: tensors as PyTorch prints them.

A case says how to make a tensor (`values` or `arange`, `shape`, `dtype`, and `expression` or `leaf`
for the tape), under which options it prints, and the `text` that PyTorch gave. The file also
holds `formats`: `format(tensor, spec)` of numbers and tensors, and `devices`: a subclass `Moved`
that says it lives on another device. Needs PyTorch; run it as

    python scripts/goldens_printing.py
"""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Iterator
from typing import Any

import torch
from golden_file import GOLDENS, write

INF, NAN = math.inf, math.nan
Case = dict[str, Any]
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")

FLOAT_ROWS = [
    # whole numbers, and where they stop being written as such
    [1.0],
    [0.0],
    [-0.0],
    [0.0, -0.0, 5.0],
    [1.0, 2.0, -3.0],
    [1.0, 1000.0],
    [1.0, 1001.0],
    [-1.0, 10.0, 100.0],
    [1e8],
    [100000008.0],
    [123456.0, 1000.0],
    [65504.0],
    [3e38],
    [-1e30, 1e30],
    # fractions, and where they turn scientific
    [0.5],
    [-0.5, 10.25],
    [0.1, 100.0],
    [0.125, 125.0],
    [0.125, 125.125],
    [1e-4],
    [9.9e-5],
    [1.0001e-4, 0.01],
    [1e-4, 0.1001],
    [0.3, 0.30004],
    [2.00005, 9.99995],
    [99999.5, 99.5],
    [1e-7, 1.0],
    [1e-45],
    [6e-8],
    [1234.5678],
    [-1234.5678, 0.25],
    [1e10, 1e10 + 0.5],
    [0.0, 0.25],
    # what takes no part in the choice
    [NAN],
    [INF],
    [-INF],
    [NAN, INF, -INF, 0.0],
    [NAN, 1.0],
    [NAN, 1.5],
    [INF, -INF, 2.0, -200.0],
    [0.0] * 40,
    [NAN] * 30,
    [1e-9, NAN, INF],
    [0.0, 0.0, 1e-6],
    [-0.0, 1e9],
    [NAN, 12345.678],
    [-INF, 0.001, 1000.0],
]

SHAPES = [
    (),
    (1,),
    (7,),
    (12,),
    (30,),
    (1, 1),
    (2, 3),
    (3, 2),
    (4, 9),
    (1, 20),
    (2, 2, 2),
    (2, 1, 3),
    (3, 3, 1),
    (2, 2, 2, 2),
    (1, 2, 1, 2, 3),
    (2, 1, 2, 1, 2, 1),
]

OPTIONS: list[Case] = [
    {"precision": 0},
    {"precision": 1},
    {"precision": 8},
    {"sci_mode": True},
    {"sci_mode": False},
    {"precision": 2, "sci_mode": True},
    {"precision": 0, "sci_mode": True},
    {"linewidth": 20},
    {"linewidth": 0},
    {"linewidth": 120},
    {"threshold": 5},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 0, "edgeitems": 2},
    {"threshold": 0, "edgeitems": 0},
    {"edgeitems": 0},
    {"profile": "short"},
    {"profile": "full"},
    {"profile": "short", "precision": 3},
    {"profile": "short", "threshold": 3},
    {"threshold": 3, "edgeitems": 1, "linewidth": 30},
]

EXPRESSIONS = [
    "x * 2",
    "2 * x",
    "x + 1",
    "x - 1",
    "1 - x",
    "x / 2",
    "-x",
    "x ** 2",
    "x.exp()",
    "x.sum()",
    "x.mean()",
    "x.sum(0)",
    "x @ x.T",
    "x.T",
    "x.reshape(-1)",
    "x[0]",
    "x[:, 1:]",
    "x[0, 0]",
    "x.sigmoid()",
    "x.tanh()",
    "x.relu()",
    "x.abs()",
    "x.sqrt()",
    "x.clone()",
    "x.unsqueeze(0)",
    "x.detach()",
    "x.transpose(0, 1)",
    "x.max()",
    "x.double()",
    "(x > 1)",
    "x.argmax()",
]

SPECS = ["", ".3f", "8.2f", "d", "e", ">10", "x", "+", "%", "s", "g"]


def with_dtype(values: list[float], dtype: str) -> list[float]:
    """Return the values as `dtype` rounds them."""
    return torch.tensor(values, dtype=getattr(torch, dtype)).tolist()


def spread(count: int, step: float) -> list[float]:
    """Return `count` numbers around zero that have fractions."""
    return [round((k - count // 3) * step, 6) for k in range(count)]


def float_cases() -> Iterator[Case]:
    """Rows of floats that sit on both sides of every rule, in every float type."""
    for dtype, row in itertools.product(FLOATS, FLOAT_ROWS):
        if dtype in ("float32", "float64") or len(row) < 3:
            yield {"values": with_dtype(row, dtype), "dtype": dtype}
    # the ratio of 1000 itself, and the nearest float above it
    for largest in (1000.0, math.nextafter(1000.0, INF), 125.0, 125.00000000000001):
        yield {"values": [0.125 if largest < 200 else 1.0, largest], "dtype": "float64"}
    for edge in (1e8, 1e-4):
        for value in (math.nextafter(edge, 0.0), edge, math.nextafter(edge, INF)):
            yield {"values": [value], "dtype": "float64"}


def integer_cases() -> Iterator[Case]:
    """Small, mixed and extreme integers of every type, and truth values."""
    for dtype in INTEGERS:
        facts = torch.iinfo(getattr(torch, dtype))
        for row in ([0], [1, 22, 100], [facts.min, facts.max], [facts.max] * 12, [facts.max // 2]):
            yield {"values": row, "dtype": dtype}
    for row in ([True], [False], [True, True], [True, False] * 11):
        yield {"values": row, "dtype": "bool"}


def shape_cases() -> Iterator[Case]:
    """Every number of dimensions up to six, with whole, fractional, integer and bool elements."""
    for shape in SHAPES:
        count = math.prod(shape)
        yield {"values": spread(count, 0.37), "shape": shape, "dtype": "float32"}
        yield {"values": spread(count, 1.0), "shape": shape, "dtype": "float64"}
        yield {"values": list(range(count)), "shape": shape, "dtype": "int64"}
        yield {"values": [k % 3 == 0 for k in range(count)], "shape": shape, "dtype": "bool"}
    for shape in ((0,), (0, 3), (3, 0), (2, 0, 4), (0, 0)):
        for dtype in ("float32", "float64", "int64", "bool", "uint8"):
            yield {"values": [], "shape": shape, "dtype": dtype}


def large_cases() -> Iterator[Case]:
    """Tensors above the threshold, long in one or several dimensions."""
    for shape in (
        (1001,),
        (1000,),
        (2000, 2),
        (2, 2000),
        (40, 40),
        (8, 8, 20),
        (1, 1, 1200),
        (7, 6, 5, 7),
        (2000, 1, 1),
        (1500, 1),
        (7, 1, 200),
    ):
        for dtype in ("int64", "float32", "float64"):
            yield {"arange": math.prod(shape), "shape": shape, "dtype": dtype}
    yield {"arange": 5000, "shape": (50, 100), "dtype": "float32", "leaf": True}
    yield {"arange": 1200, "shape": (1200,), "dtype": "float32", "expression": "x * 0.25"}


def option_cases() -> Iterator[Case]:
    """Every set of options on a few tensors that it changes."""
    samples = [
        {"values": spread(12, 0.3), "dtype": "float32", "leaf": True},
        {"values": [1.0, 2.0, 3.0, 40.0], "dtype": "float64"},
        {"values": [1.5, NAN, 2e-7, 3e10], "dtype": "float32"},
        {"values": spread(24, 1.1), "shape": (4, 6), "dtype": "float32"},
        {"values": list(range(24)), "shape": (3, 8), "dtype": "int32"},
        {"values": [0.0, -0.0, INF], "dtype": "float32"},
        {"values": [2.5], "shape": (), "dtype": "float16"},
        {"values": [], "shape": (0, 2), "dtype": "int64"},
        {"values": [], "dtype": "int16"},
    ]
    for chosen, sample in itertools.product(OPTIONS, samples):
        yield {**sample, "options": chosen}


def suffix_cases() -> Iterator[Case]:
    """Rows that end closer and closer to the line width, followed by one or two suffixes."""
    for count in range(7, 13):
        row = {"values": spread(count, 0.5)}
        yield {**row, "dtype": "float32", "leaf": True}
        yield {**row, "dtype": "float32", "expression": "x * 2"}
        yield {**row, "dtype": "float64", "expression": "x * 2"}
        yield {**row, "dtype": "float16"}
    for width in range(38, 62):
        chosen = {"linewidth": width}
        yield {"values": [1.0, 2.0], "dtype": "float64", "leaf": True, "options": chosen}
    for default, dtype in itertools.product(("float64", "float16"), ("float16", *FLOATS[2:])):
        yield {"values": [1.0, 2.5], "dtype": dtype, "default": default}
        yield {"values": [], "dtype": dtype, "default": default}
    for expression in EXPRESSIONS:
        yield {
            "values": [1.0, 2.0, 3.0, 4.5, 5.0, 6.0],
            "shape": (2, 3),
            "dtype": "float32",
            "expression": expression,
        }


def random_cases(count: int = 60) -> Iterator[Case]:
    """Numbers of mixed size from a fixed seed."""
    source = random.Random(20)
    for _ in range(count):
        dtype = source.choice(FLOATS)
        low, high = sorted((source.uniform(-6, 4), source.uniform(-3, 6)))
        shape = [source.randint(1, 6) for _ in range(source.randint(1, 3))]
        row = [
            source.choice((-1, 1)) * 10 ** source.uniform(low, high)
            for _ in range(math.prod(shape))
        ]
        yield {"values": with_dtype(row, dtype), "shape": shape, "dtype": dtype}


def build(case: Case) -> torch.Tensor:
    """Make the tensor of a case."""
    dtype = getattr(torch, case["dtype"])
    if "arange" in case:
        flat = torch.arange(case["arange"], dtype=dtype)
    else:
        flat = torch.tensor(case["values"], dtype=dtype)
    x = flat.reshape(case["shape"]) if "shape" in case else flat
    if case.get("leaf") or "expression" in case:
        x.requires_grad_()
    return eval(case["expression"], {"x": x}) if "expression" in case else x


def printed(case: Case, tensor: torch.Tensor | None = None) -> str:
    """Return the text PyTorch gives a case, with its options and default dtype in force."""
    torch.set_default_dtype(getattr(torch, case.get("default", "float32")))
    torch.set_printoptions(**case.get("options", {}))
    try:
        return repr(build(case) if tensor is None else tensor)
    finally:
        torch.set_printoptions(profile="default")
        torch.set_default_dtype(torch.float32)


def format_cases() -> Iterator[Case]:
    """Yield `format(tensor, spec)` of 0-d tensors of several types, and of others that refuse."""
    inputs = [
        ([2.5], (), "float32"),
        ([-3], (), "int64"),
        ([True], (), "bool"),
        ([1.1], (), "float16"),
        ([NAN], (), "float64"),
        ([1.0, 2.0], (2,), "float32"),
        ([1.0], (1,), "float32"),
        ([], (0,), "int64"),
    ]
    for (values, shape, dtype), leaf, spec in itertools.product(inputs, (False, True), SPECS):
        if leaf and dtype != "float32":
            continue
        case = {"values": values, "shape": shape, "dtype": dtype, "spec": spec}
        if leaf:
            case["leaf"] = True
        try:
            case["text"] = format(build(case), spec)
        except (TypeError, ValueError) as error:
            case["error"] = type(error).__name__
            case["text"] = str(error)
        yield case


class Moved(torch.Tensor):
    """A tensor of the CPU that says it lives elsewhere, so that the device suffix is printed."""

    place = "cpu"
    device = property(lambda self: torch.device(self.place))


def device_cases() -> Iterator[Case]:
    """Tensors that name another device, alone and with further suffixes, narrow and wide."""
    rows = [
        {"values": [1.0, 2.0], "dtype": "float32"},
        {"values": [], "dtype": "int64"},
        {"values": [], "shape": (1, 0), "dtype": "float32"},
        {"values": [3], "dtype": "uint8"},
    ]
    rows += [
        {"values": [0.125] * count, "dtype": dtype}
        for count in range(5, 9)
        for dtype in ("float32", "float64")
    ]
    narrow = [
        {"values": [1.0], "dtype": "float64", "options": {"linewidth": width}}
        for width in range(34, 70)
    ]
    for row, place in itertools.product(rows + narrow, ("cuda:0", "cuda:11")):
        for leaf in (False, True) if row["dtype"].startswith("float") else (False,):
            tensor = build({**row, "leaf": leaf}).detach().as_subclass(Moved).requires_grad_(leaf)
            tensor.place = place
            case = {**row, "leaf": leaf, "device": place}
            yield {**case, "text": printed(case, tensor)}


def main() -> None:
    """Print every case with PyTorch and write the file."""
    groups = (
        float_cases,
        integer_cases,
        shape_cases,
        large_cases,
        option_cases,
        suffix_cases,
        random_cases,
    )
    cases = [{**case, "text": printed(case)} for group in groups for case in group()]
    formats = list(format_cases())
    devices = list(device_cases())
    lines = {"cases": cases, "formats": formats, "devices": devices}
    text = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]"
        for name, rows in lines.items()
    )
    write(GOLDENS / "printing.json", "{" + text + "}\n")
    print(", ".join(f"{len(rows)} {name}" for name, rows in lines.items()))


if __name__ == "__main__":
    main()
