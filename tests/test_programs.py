"""Unmodified PyTorch programs under `lantern run` print what they print with PyTorch.

The texts come from `scripts/goldens_programs.py`. Everything between numbers must be the same, and
integers too; a number with a fraction may differ by one in its last printed digit, or by 2e-4 of
itself, as sums of floating point numbers taken in another order do.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lantern

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.py"))
NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[+-]?\d+)?")


def differences(found: str, expected: str) -> list[str]:
    """Returns the first lines that differ by more than rounding, each with the one expected."""
    pairs = list(zip(found.splitlines(), expected.splitlines(), strict=False))
    wrong = [f"{a!r} instead of {b!r}" for a, b in pairs if not _same_line(a, b)]
    if len(found.splitlines()) != len(expected.splitlines()):
        wrong.append(f"{len(found.splitlines())} lines, not {len(expected.splitlines())}")
    return wrong[:5]


def _same_line(found: str, expected: str) -> bool:
    if found == expected:
        return True
    if NUMBER.sub("#", found) != NUMBER.sub("#", expected):
        return False
    return all(map(_same_number, NUMBER.findall(found), NUMBER.findall(expected)))


def _same_number(found: str, expected: str) -> bool:
    if found == expected:
        return True
    digits, _, exponent = expected.partition("e")
    whole, dot, fraction = digits.partition(".")
    if not dot or "." not in found:
        return False
    last_digit = 10.0 ** (int(exponent or 0) - len(fraction))
    allowed = max(1.01 * last_digit, 2e-4 * abs(float(expected)))
    return abs(float(found) - float(expected)) <= allowed


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_prints_what_it_prints_with_torch(program, tmp_path):
    result = subprocess.run(
        [sys.executable, "-m", "lantern", "run", program],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(lantern.__file__).parents[1]),
            "PYTHONIOENCODING": "utf-8",
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert result.returncode == 0, result.stderr
    golden = HERE / "goldens" / "programs" / f"{program.stem}.txt"
    assert differences(result.stdout, golden.read_text(encoding="utf-8")) == []
    assert not list(tmp_path.iterdir())


def test_a_difference_beyond_rounding_is_told():
    assert differences("loss 0.1235 of 7\n", "loss 0.1234 of 7\n") == []
    for other in ("loss 0.1239 of 7", "loss 0.1234 of 8", "lose 0.1234 of 7", "loss 0.12 of 7\n\n"):
        assert differences(other, "loss 0.1234 of 7")
