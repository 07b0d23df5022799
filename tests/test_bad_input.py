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


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "float16", "float32"])
def test_bounds_that_the_dtype_cannot_hold_are_refused(kind):
    x = lantern.ones(2, dtype=getattr(lantern, kind))
    for _ in range(60):  # on the short way, too
        with pytest.raises(RuntimeError, match="cannot be converted to type .* without overflow"):
            x.clamp(min=2**40 if x.dtype.kind != "f" else 1e40)
    assert x.clamp(max=float("inf")).tolist() == [1.0, 1.0]
    assert x.clamp(max=3.5).dtype is (x.dtype if x.dtype.kind == "f" else lantern.float32)


def test_integers_beyond_64_bits_are_refused():
    x = lantern.ones(2)
    for make in (lambda: x + 10**30, lambda: x * -(10**30), lambda: x < 10**30, lambda: 10**30 * x,
                 lambda: x.fill_(10**30), lambda: lantern.full((2,), 10**30)):  # fmt: skip
        for _ in range(60):
            with pytest.raises(OverflowError, match="int too big to convert|negative int"):
                make()
    assert (x + (2**64 - 1)).tolist() == [2.0**64] * 2


MAKERS = {
    "zeros": (2,), "ones": (2,), "rand": (2,), "randn": (2,), "eye": (2,), "full": ((2,), 1.0),
    "arange": (3,), "linspace": (0, 1, 3), "randint": (3, (2,)), "empty": (2,),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_layouts_other_than_the_strided_are_refused(name):
    make, args = getattr(lantern, name), MAKERS[name]
    assert make(*args, layout=lantern.strided).layout is lantern.strided
    with pytest.raises(NotImplementedError, match=rf"{name}\(\): layout torch.sparse_coo"):
        make(*args, layout=lantern.sparse_coo)
    with pytest.raises(TypeError, match=rf"{name}\(\): argument 'layout' must be torch.layout"):
        make(*args, layout="strided")


def test_targets_and_weights_out_of_range_are_refused():
    half, wrong = lantern.full((2,), 0.5), lantern.tensor([0.5, 2.0])
    with pytest.raises(RuntimeError, match="all elements of target should be between 0 and 1"):
        lantern.nn.functional.binary_cross_entropy(half, wrong)
    with pytest.raises(RuntimeError, match=r"cov\(\): aweights cannot be negative"):
        lantern.cov(lantern.ones(2, 2), aweights=-half)
    with pytest.raises(RuntimeError, match="values must be in the range"):
        lantern.quantile(half, wrong)


def test_integers_in_losses_and_integrals_are_pytorchs():
    a, b = lantern.tensor([1, -2, 3]), lantern.tensor([1, -1, 1])
    F = lantern.nn.functional
    assert F.hinge_embedding_loss(a, b, margin=0.7, reduction="none").tolist() == [1, 2, 3]
    ranked = F.margin_ranking_loss(a, a.flip(0), b, margin=1, reduction="none")
    assert ranked.dtype is lantern.float32 and ranked.tolist() == [3.0, 1.0, 0.0]
    assert lantern.trapezoid(lantern.full((3,), 200, dtype=lantern.uint8)).item() == 528.0
