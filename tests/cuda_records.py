"""Runs op records with their tensors on a GPU and on the CPU, and says where the two differ.

`python tests/cuda_records.py [--standin] [file of op_db ...]` prints one line per record that
fails and a last line of JSON: the counts. With `--standin` CuPy is `fake_cupy`, with `--brief`
each record is run in its first dtype only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
if "--standin" in sys.argv:
    import fake_cupy

    fake_cupy.install()

import op_db
from op_db import harness
from op_db.record import Record, Sample

import lantern

PLACE = "cuda:0"
DRAWN = ("dropout", "rrelu", "multinomial", "bernoulli")  # another stream on the GPU


def on_gpu(made: Any) -> Any:
    moved = made.detach().to(PLACE)
    return moved.requires_grad_() if made.requires_grad else moved


def call_on_gpu(record: Record, sample: Sample, grad: bool) -> harness.Call:
    plain = harness.tensor
    harness.tensor = lambda lt, array, grad=False: on_gpu(plain(lt, array, grad))
    try:
        return harness.Call(lantern, record, sample, grad)
    finally:
        harness.tensor = plain


def differences(record: Record, dtype: str) -> Iterator[str]:
    for sample in record.all_samples(harness.seed_of(record.label, dtype), dtype):
        cpu = harness.Call(lantern, record, sample, bool(record.gradient))
        gpu = call_on_gpu(record, sample, bool(record.gradient))
        want, have = harness.attempt(cpu.run), harness.attempt(gpu.run)
        try:
            compare(record, dtype, cpu, gpu, want, have)
        except Exception as error:
            first = str(error).strip().splitlines()
            yield f"{record.label} {dtype} {str(sample)[:100]}: {type(error).__name__} {first[:3]}"
            return


def compare(record: Record, dtype: str, cpu: Any, gpu: Any, want: Any, have: Any) -> None:
    if isinstance(want, harness.Raised) or isinstance(have, harness.Raised):
        assert isinstance(want, harness.Raised), f"raised {have}"
        assert isinstance(have, harness.Raised), f"did not raise {want}"
        assert have.kind == want.kind, f"raised {have}, not {want}"
        return
    pairs = list(zip(harness.leaves(have), harness.leaves(want), strict=True))
    for mine, yours in pairs:
        if not harness.is_tensor(yours):
            assert mine == yours or mine != mine, f"{mine}, not {yours}"
            continue
        if gpu.tensors:
            assert str(mine.device) == PLACE, f"the result is on {mine.device}"
        assert mine.dtype is yours.dtype and mine.shape == yours.shape
        mine, yours = harness.array_of(mine), harness.array_of(yours)
        harness.assert_values(mine, yours, record, dtype, "values")
    if not (record.gradient and record.edges):
        return
    results = [leaf for leaf in harness.floating(want) if leaf.dtype.is_floating_point]
    mine = [leaf for leaf in harness.floating(have) if leaf.dtype.is_floating_point]
    assert len(results) == len(mine)
    for leaf in results + mine:
        if leaf.numel():
            leaf.sum().backward(retain_graph=True)
    for a, b in zip(gpu.inputs, cpu.inputs, strict=True):
        assert (a.grad is None) == (b.grad is None), "one has a gradient, the other has none"
        if b.grad is not None:
            assert str(a.grad.device) == PLACE
            first, second = harness.array_of(a.grad), harness.array_of(b.grad)
            harness.assert_values(first, second, record, dtype, "gradients")


def main() -> None:
    wanted = [each for each in sys.argv[1:] if each[0] != "-"] or list(op_db.BY_FILE)
    total, failed = 0, 0
    for file in wanted:
        for record in op_db.BY_FILE[file]:
            if any(name in record.label for name in DRAWN):
                continue
            for dtype in record.dtypes[:1] if "--brief" in sys.argv else record.dtypes:
                total += 1
                for line in differences(record, dtype):
                    failed += 1
                    print(file, line, flush=True)
    print(json.dumps({"cases": total, "failed": failed}))


if __name__ == "__main__":
    main()
