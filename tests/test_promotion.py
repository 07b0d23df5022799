"""Result dtypes and refusals of every dtype and pair, as PyTorch gave them.

The tables and how they are read stand at the top of `scripts/goldens_promotion.py`.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import lantern

TABLES = json.loads((Path(__file__).parent / "goldens" / "promotion.json").read_text())
DTYPES, OPERANDS, OUTCOMES = TABLES["dtypes"], TABLES["operands"], TABLES["outcomes"]
LEGACY = dict(zip(DTYPES, TABLES["legacy"], strict=True))
NUMBERS = {"True": True, "1": 1, "1.0": 1.0}

LATE_UNSIGNED = ("uint16", "uint32", "uint64")

# Refused or not as PyTorch does it, but for the dtypes named here.
KNOWN = {
    # In place PyTorch sums in the dtype of the tensor, for which bool and these have no kernel.
    "x.cumsum_(0)": ("bool", "uint16", "uint32", "uint64"),
    # PyTorch has no kernels of these for its later unsigned types; Lantern computes them.
    "torch.nonzero(x)": LATE_UNSIGNED,
    "torch.tril(x.diag())": LATE_UNSIGNED,
    "x.index_select(0, y)": LATE_UNSIGNED,
    "x.gather(0, y)": LATE_UNSIGNED,
    "x.new_tensor([1.5])": ("uint64",),  # PyTorch wants integers here
}


@pytest.fixture(params=TABLES["result_type"])
def default(request: pytest.FixtureRequest) -> Iterator[str]:
    before = lantern.get_default_dtype()
    lantern.set_default_dtype(getattr(lantern, request.param))
    yield request.param
    lantern.set_default_dtype(before)


def operand(name: str) -> object:
    if name in NUMBERS:
        return NUMBERS[name]
    kind, _, rest = name.partition("[")
    return lantern.ones((2,) if rest == "2]" else (), dtype=getattr(lantern, kind))


def expected(place: int, x: str = "", y: str = "") -> object:
    """What PyTorch gave: a dtype name, or the kind and message of what it raised."""
    outcome = OUTCOMES[place]
    if isinstance(outcome, str):
        return outcome
    kind, message = outcome
    for mark, name in (("{x}", x), ("{y}", y)):
        message = message.replace(mark, LEGACY.get(name.partition("[")[0], mark))
    return kind, message


def found(text: str, x: object = None, y: object = None) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own were not recorded
        try:
            result = eval(text, {"torch": lantern, "x": x, "y": y})
        except Exception as error:  # the kind and the message are what is compared
            return type(error).__name__, str(error).split("\n")[0]
    result = result if isinstance(result, lantern.dtype) else result.dtype
    return str(result).removeprefix("torch.")


def assert_cells(text: str, cells: list) -> None:
    """Asserts the outcome of an expression for pairs of operands named in `cells`."""
    wrong, absent = [], []
    for x, y, place in cells:
        want, have = (
            expected(place, x, y),
            found(text, *(operand(n) if n else None for n in (x, y))),
        )
        if have[0] == "AttributeError":
            absent.append(have[1])
        if want != have and x.partition("[")[0] not in KNOWN.get(text, ()):
            wrong.append(f"{x} {y}: {have}, not {want}")
    if len(absent) == len(cells):
        pytest.skip(absent[0])
    assert not wrong, f"{text}: {len(wrong)} of {len(cells)} cells, such as\n" + "\n".join(
        wrong[:5]
    )


@pytest.mark.parametrize("name", ["promote_types", "can_cast"])
def test_the_lattice(name: str) -> None:
    for x, row in zip(DTYPES, TABLES[name], strict=True):
        for y, cell in zip(DTYPES, row, strict=True):
            a, b = getattr(lantern, x), getattr(lantern, y)
            if name == "can_cast":
                assert lantern.can_cast(a, b) == (cell == "1"), (x, y)
            else:
                assert found("torch.promote_types(x, y)", a, b) == expected(cell, x, y), (x, y)


def test_result_type(default: str) -> None:
    for x, row in zip(OPERANDS, TABLES["result_type"][default], strict=True):
        assert_cells(
            "torch.result_type(x, y)", [(x, y, c) for y, c in zip(OPERANDS, row, strict=True)]
        )


@pytest.mark.parametrize(
    ("default", "text"),
    [(d, text) for d, table in TABLES["unary"].items() for text in table],
    indirect=["default"],
)
def test_of_one_tensor(default: str, text: str) -> None:
    row = TABLES["unary"][default][text]
    assert_cells(text, [(f"{x}[2]", "", cell) for x, cell in zip(DTYPES, row, strict=True)])


@pytest.mark.parametrize(
    ("default", "text"),
    [(d, text) for d, table in TABLES["binary"].items() for text in table],
    indirect=["default"],
)
def test_of_two_operands(default: str, text: str) -> None:
    table = TABLES["binary"][default][text]
    rows = zip(DTYPES, table, strict=True)
    cells = [(f"{x}[2]", y, c) for x, row in rows for y, c in zip(OPERANDS, row, strict=True)]
    assert_cells(text, cells)


@pytest.mark.parametrize("text", TABLES["pairs"])
def test_of_two_tensors(text: str) -> None:
    cells = [
        (f"{x}[2]", f"{y}[2]", cell)
        for x, row in zip(DTYPES, TABLES["pairs"][text], strict=True)
        for y, cell in zip(DTYPES, row, strict=True)
    ]
    assert_cells(text, cells)


def test_of_python_numbers(default: str) -> None:
    for text, cell in TABLES["scalars"][default].items():
        assert_cells(text, [("", "", cell)])
