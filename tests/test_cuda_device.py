"""Tests that need a GPU; where there is none they are skipped, each by its name.

On a machine with one: `python -m pytest tests/test_cuda_device.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lantern
from lantern import nn
from lantern.backends.philox import Philox as OnCPU

HERE = Path(__file__).resolve().parent

pytestmark = pytest.mark.skipif(
    not lantern.cuda.is_available(), reason="needs an NVIDIA GPU and CuPy"
)


def test_every_op_record_gives_what_it_gives_on_the_cpu() -> None:
    command = [sys.executable, "cuda_records.py"]
    result = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    *lines, last = result.stdout.splitlines() or [result.stderr[-3000:]]
    assert result.returncode == 0, result.stderr[-3000:]
    assert json.loads(last)["failed"] == 0, "\n".join(lines[:40])


def test_the_stream_of_words_is_that_of_the_cpu() -> None:
    generator = lantern.Generator("cuda").manual_seed(123)
    words = generator.stream.words32(1001).get()
    assert (words == OnCPU(123).words32(1001)).all()
    found = lantern.rand(1001, device="cuda", generator=generator.manual_seed(123)).cpu().numpy()
    assert (found == OnCPU(123).uniform((1001,))).all()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_products_of_matrices_are_close_to_the_cpus(dtype: str) -> None:
    kind = getattr(lantern, dtype)
    x, y = lantern.randn(65, 130).to(kind), lantern.randn(130, 67).to(kind)
    found, expected = (x.cuda() @ y.cuda()).cpu(), x @ y
    lantern.testing.assert_close(found, expected)


def test_tf32_is_coarser_and_off_at_first() -> None:
    x = lantern.randn(256, 256, device="cuda")
    exact = x.double() @ x.double()
    full = (x @ x - exact).abs().max().item()
    lantern.backends.cuda.matmul.allow_tf32 = True
    try:
        coarse = (x @ x - exact).abs().max().item()
    finally:
        lantern.backends.cuda.matmul.allow_tf32 = False
    assert full < 1e-3 < coarse < 1 or lantern.cuda.get_device_capability() < (8, 0)


def losses(place: str) -> list[float]:
    lantern.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(6 * 14 * 14, 10),
    )  # fmt: skip
    x, y = lantern.randn(16, 1, 28, 28), lantern.randint(10, (16,))
    net, x, y = net.to(place), x.to(place), y.to(place)
    opt = lantern.optim.Adam(net.parameters(), lr=1e-3)
    found = []
    for _ in range(10):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        found.append(loss.item())
    return found


def test_a_network_learns_as_on_the_cpu() -> None:
    np.testing.assert_allclose(losses("cuda"), losses("cpu"), rtol=2e-3, atol=1e-4)


def test_out_of_memory_leaves_the_process_usable() -> None:
    _, total = lantern.cuda.mem_get_info()
    with pytest.raises(lantern.cuda.OutOfMemoryError, match="CUDA out of memory"):
        lantern.empty(total, dtype=lantern.float64, device="cuda")
    assert lantern.ones(3, device="cuda").sum().item() == 3


def test_events_tell_the_time_between() -> None:
    start, end = (lantern.cuda.Event(enable_timing=True) for _ in range(2))
    x = lantern.randn(512, 512, device="cuda")
    start.record()
    for _ in range(10):
        x = (x @ x).tanh()
    end.record()
    end.synchronize()
    assert 0 < start.elapsed_time(end) < 10000


def test_pinned_memory_and_its_copies() -> None:
    x = lantern.randn(1000).pin_memory()
    assert x.is_pinned() and not lantern.randn(3).is_pinned()
    assert lantern.equal(x.to("cuda", non_blocking=True).cpu(), x)


def test_memory_is_counted() -> None:
    lantern.cuda.reset_peak_memory_stats()
    before = lantern.cuda.memory_allocated()
    x = lantern.zeros(1 << 20, device="cuda")
    assert lantern.cuda.memory_allocated() - before >= 4 << 20
    del x
    assert lantern.cuda.memory_allocated() == before
    assert lantern.cuda.max_memory_allocated() >= 4 << 20
