"""Every op by its record beside PyTorch, on inputs drawn anew: values, gradients, errors, strides.

The seed of a run is part of every message; LANTERN_SEED=n draws the same inputs again.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from op_db import RECORDS  # noqa: E402
from op_db.harness import (  # noqa: E402
    LAYOUTS,
    Call,
    Raised,
    array_of,
    assert_same,
    assert_values,
    attempt,
    floating,
    gradients,
    is_tensor,
    leaf_of,
    leaves,
    relaid,
    seed_of,
    weights_for,
)
from op_db.record import FLOATS, Make, Record, Sample  # noqa: E402

import lantern  # noqa: E402

SEED = int(os.environ.get("LANTERN_SEED") or np.random.SeedSequence().entropy % 1_000_000)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

every = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.label)
with_gradient = pytest.mark.parametrize(
    "record", [r for r in RECORDS if r.gradient], ids=lambda record: record.label
)


def fresh(record: Record, dtype: str, special: bool = True) -> Iterator[tuple[str, Sample]]:
    """Samples with new values, some of them laid out in memory in another way."""
    seed = seed_of(record.label, dtype, SEED)
    layouts = [lambda array: array, *LAYOUTS.values()]
    samples = record.all_samples(seed, dtype) if special else record.samples(Make(seed, dtype))
    for i, sample in enumerate(samples):
        laid = relaid(sample, layouts[(i + SEED) % len(layouts) if record.layouts else 0])
        yield f"{record.label} {dtype} {laid} (LANTERN_SEED={SEED})", laid


def quietly(call: Call) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return attempt(call.run)


@every
def test_values_dtypes_strides_and_errors(record: Record) -> None:
    for dtype in record.dtypes:
        for what, sample in fresh(record, dtype):
            expected = quietly(Call(torch, record, sample))
            if isinstance(expected, Raised) and expected.message.startswith("view size is not"):
                continue  # PyTorch's own fault: it takes a view inside
            if not isinstance(expected, Raised):
                expected = list(map(leaf_of, leaves(expected)))
            call = Call(lantern, record, sample)
            assert_same(attempt(call.run), expected, record, dtype, what)
            assert not call.changed(), f"{what}: changed its inputs"


@pytest.mark.parametrize(
    "record", [r for r in RECORDS if r.errors], ids=lambda record: record.label
)
def test_error_samples_are_what_pytorch_raises(record: Record) -> None:
    for sample in record.errors:
        raised = quietly(Call(torch, record, sample))
        assert_same(raised, Raised(sample.kind.__name__, sample.start), record, "", f"{sample}")


@with_gradient
def test_gradients(record: Record) -> None:
    for dtype in ("float32", "float64", "bfloat16"):
        if dtype not in record.dtypes:
            continue
        for what, sample in fresh(record, dtype, record.edges):
            ours, theirs = (Call(lt, record, sample, grad=True) for lt in (lantern, torch))
            expected, found = quietly(theirs), attempt(ours.run)
            if isinstance(expected, Raised):
                continue
            assert not isinstance(found, Raised), f"{what}: {found}"
            mine, others = floating(found), floating(expected)
            flags = [is_tensor(each) and each.requires_grad for each in leaves(found)]
            wanted = [is_tensor(each) and each.requires_grad for each in leaves(expected)]
            assert flags == wanted, f"{what}: requires_grad {flags}, not {wanted}"
            if others:
                have = gradients(ours, mine, weights_for(lantern, mine))
                weights = weights_for(torch, others)
                want = attempt(lambda c=theirs, o=others, w=weights: gradients(c, o, w))
                if isinstance(want, Raised):
                    continue  # some kernels of PyTorch refuse memory with gaps in backward
                compare(record, dtype, have, want, f"gradient of {what}")


@pytest.mark.parametrize(
    "record",
    [r for r in RECORDS if r.gradient and r.second],
    ids=lambda record: record.label,
)
def test_second_gradients(record: Record) -> None:
    seed = seed_of(record.label, "float64", SEED)
    for sample in record.samples(Make(seed, "float64")):
        what = f"second gradient of {record.label} {sample} (LANTERN_SEED={SEED})"
        theirs = quietly(Call(torch, record, sample, grad=True))
        if isinstance(theirs, Raised) or not all(x.isfinite().all() for x in floating(theirs)):
            continue
        expected = attempt(lambda s=sample: second_gradients(torch, record, s))
        if isinstance(expected, Raised):
            continue  # PyTorch has no second order of some kernels
        compare(record, "float64", second_gradients(lantern, record, sample), expected, what)


def second_gradients(lt: object, record: Record, sample: Sample) -> list:
    """The gradients, by the inputs and the weights, of a weighed sum of the gradients."""
    call = Call(lt, record, sample, grad=True)
    outs = floating(call.run())
    if not outs:
        return []
    weights = [each.requires_grad_() for each in weights_for(call.lt, outs)]
    first = gradients(call, outs, weights, create_graph=True)
    others = weights_for(call.lt, call.inputs, seed=1)
    total = call.lt.zeros((), dtype=call.lt.float64)
    for grad, other in zip(first, others, strict=True):
        if grad is not None:
            total = total + (grad * other).sum()
    by = [*call.inputs, *weights]
    if not total.requires_grad:
        return [None] * len(by)
    return list(call.lt.autograd.grad(total, by, allow_unused=True))


def compare(record: Record, dtype: str, have: list, want: list, what: str) -> None:
    """Asserts that gradients are equal; one that takes no part counts as zero."""
    assert len(have) == len(want), what
    for i, (mine, theirs) in enumerate(zip(have, want, strict=True)):
        if mine is None and theirs is None:
            continue
        shown = array_of(theirs if mine is None else mine)
        left = np.zeros_like(shown) if mine is None else array_of(mine)
        right = np.zeros_like(shown) if theirs is None else array_of(theirs)
        assert left.dtype == right.dtype, f"{what} {i}: {left.dtype}, not {right.dtype}"
        if what.startswith("second"):  # where PyTorch divides zero by zero we need not
            right = np.where(np.isnan(right) & np.isfinite(left), left, right)
        rtol, atol = record.tolerance.get(dtype, (None, None))
        if rtol is None and dtype == "float32":
            rtol, atol = 1e-5, 1e-5
        elif dtype == "bfloat16":
            # PyTorch rounds after each step of a formula, and what cancels is lost there.
            finite = np.abs(right.astype(np.float32))[np.isfinite(right)]
            rtol, atol = max(rtol or 0, 5e-2), 1e-1 * max(1.0, finite.max(initial=0))
        loose = Record(record.name, record.samples, tolerance={dtype: (rtol, atol)} if rtol else {})
        assert_values(left, right, loose, dtype, f"{what} {i}")


def test_floats_are_all_covered() -> None:
    assert {dtype for record in RECORDS for dtype in record.dtypes} >= set(FLOATS)
