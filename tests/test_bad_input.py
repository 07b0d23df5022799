"""Mistakes raise PyTorch's type of exception, in a sentence that begins with PyTorch's words."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import bad_input_cases
import pytest

import lantern

GOLDENS = json.loads(
    (Path(__file__).parent / "goldens" / "bad_input.json").read_text(encoding="utf-8")
)
CASES = bad_input_cases.cases()
WORDS = 40  # characters; what follows may teach more than PyTorch does


def differs(line: str, expected: list[str], words: bool) -> str:
    """Returns what is wrong with the answer to a mistake, or nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, sentence = bad_input_cases.raised(lantern, line)
    kind, wanted = expected
    if kind not in found.split():
        return f"raised {found}, not {kind}: {sentence}"
    if words and not sentence.startswith(wanted[:WORDS]):
        return f"said {sentence!r}, not {wanted!r}"
    return "" if sentence else "said nothing"


def test_every_mistake_has_its_golden():
    assert set(CASES) == set(GOLDENS)


@pytest.mark.parametrize("line", CASES)
def test_a_mistake_raises_what_torch_raises(line):
    assert differs(line, GOLDENS[line], CASES[line]) == ""


def test_another_type_another_sentence_and_silence_are_told():
    line = "torch.mm(torch.ones(2, 3), torch.ones(2, 3))"
    kind, sentence = GOLDENS[line]
    assert differs(line, ["ValueError", sentence], True).startswith("raised RuntimeError")
    assert differs(line, [kind, "another sentence"], True).startswith("said")
    assert differs("torch.ones(1)", [kind, sentence], False).startswith("raised nothing")
