"""Compiled steps shared by threads: the same numbers whoever computes them, and a clean end."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import lantern
from lantern.compiler import parts, pool

if not hasattr(os, "fork"):
    pytest.skip("compiled steps have no helpers here", allow_module_level=True)


@pytest.fixture
def two_threads(monkeypatch):
    before = lantern.get_num_threads()
    monkeypatch.setattr(parts, "cores", lambda: 2)
    monkeypatch.setattr(pool, "cores", lambda: 2)
    lantern.set_num_threads(2)
    yield
    lantern.set_num_threads(before)


def make_step(widths=(300, 200, 100, 10), rows=64):
    lantern.manual_seed(0)
    layers = []
    for have, want in zip(widths, widths[1:], strict=False):
        layers += [lantern.nn.Linear(have, want), lantern.nn.ReLU()]
    net = lantern.nn.Sequential(*layers[:-1])
    optimizer = lantern.optim.Adam(net.parameters(), lr=1e-3)
    x, y = lantern.randn(rows, widths[0]), lantern.randint(0, widths[-1], (rows,))

    def step():
        loss = lantern.nn.functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step, net


def program_of(compiled):
    (record,) = [each for group in compiled._records.values() for each in group]
    return record.machine.program


def go(program, alone):
    """Fixes which way a step goes: with helpers or without."""
    program.native.state(0)[:5] = [int(alone), 1 << 40, 0, 0, 0]


@pytest.mark.parametrize("widths", [(300, 200, 100, 10), (257, 131, 67)])
def test_helpers_change_no_bit(two_threads, widths):
    losses = []
    for alone in (False, True):
        step, net = make_step(widths)
        compiled = lantern.compile(step)
        compiled(), compiled()
        program = program_of(compiled)
        assert any(each.parts > 1 for each in program.functions)
        go(program, alone)
        losses.append([compiled().item() for _ in range(100)])
        losses[-1] += [each.sum().item() for each in net.parameters()]
    assert losses[0] == losses[1]
    step, _ = make_step(widths)
    eager = [step().item() for _ in range(52)][2:]
    np.testing.assert_allclose(losses[0][:50], eager, rtol=2e-4)


def test_one_thread_means_no_helper(two_threads):
    compiled = lantern.compile(make_step()[0])
    compiled(), compiled()
    program = program_of(compiled)
    go(program, False)
    lantern.set_num_threads(1)
    compiled()
    assert pool.pool()._limit.value == 0
    lantern.set_num_threads(2)
    assert pool.pool()._limit.value == 1


def test_a_step_measures_both_ways_and_takes_one(two_threads):
    compiled = lantern.compile(make_step()[0])
    compiled(), compiled()
    state = program_of(compiled).native.state(0)
    tried = False
    for _ in range(100):
        before = state[4]  # whether the last call was part of a trial
        compiled()
        if before and not state[4]:  # judged
            tried = True
            break
    way, left, shared, alone, *_ = state
    assert tried and shared > 0 and alone > 0 and left > 0 and way == int(alone < shared)


@pytest.mark.parametrize("held_up, decides", [(60_000, False), (5_000_000, True)])
def test_only_a_long_wait_has_a_short_step_try_the_other_way(two_threads, held_up, decides):
    end = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(pool.pool().entries[2])
    state = (ctypes.c_int64 * pool.WORDS)(*pool.INITIAL)
    state[0], state[1], state[2], state[3] = 0, 1024, 7_000, 10_000  # helped, 7 µs; alone, 10 µs
    state[5], state[9] = 0, 1_000_000
    state[7] = time.monotonic_ns() - held_up  # when the call began
    end(ctypes.addressof(state))
    assert state[2] > 7_000
    assert (state[0], state[4]) == ((1, 1) if decides else (0, 0))


@pytest.mark.parametrize(
    "whole, step, count", [(100, 4, 8), (784, 16, 8), (64, 8, 8), (1000, 16, 8)]
)
def test_parts_cover_all_and_are_as_equal_as_steps_allow(whole, step, count):
    cut = parts._even(0, whole, step, count)
    sizes = [cut.size if i < cut.larger else cut.small for i in range(cut.count)]
    assert sum(sizes) == whole and min(sizes) > 0 and cut.count <= count
    assert all(each % step == 0 for each in sizes[:-1])
    if whole % step == 0:
        assert cut.count == count and max(sizes) - min(sizes) in (0, step)


def test_a_product_in_parts_of_two_sizes(two_threads):
    random = np.random.RandomState(0)
    x, w = random.rand(64, 1000).astype("f4"), random.rand(100, 1000).astype("f4")
    product = lantern.compile(lambda a, b: a @ b.T)
    tensors = [lantern.from_numpy(each) for each in (x, w)]
    found = [product(*tensors).numpy() for _ in range(3)]
    program = program_of(product)
    (function,) = [each for each in program.functions if each.parts > 1]
    assert 0 < function.larger < function.parts and function.rest is not None
    for each in found[1:]:
        np.testing.assert_allclose(each, x @ w.T, rtol=1e-5)


def test_large_weights_are_no_part_of_a_region(two_threads):
    """Each part of a region would go through all of them, and sum up gradients of its own."""
    compiled = lantern.compile(make_step((1000, 100, 10))[0])
    compiled(), compiled()
    program = program_of(compiled)
    region = program.plan.region
    assert region is None or all(each.size <= 10 * 100 for each in region.sums())
    assert program.memory.size < 2 * 4 * 1000 * 100
    (update,) = [each for each in program.plan.kernels if each.space == (100, 1000)]
    assert update.kind == "matmul" and len(update.stores) == 3  # weight and moments
    assert parts.cut_up(program.plan, update).count > 1


PROGRAM = """
import os, sys
sys.path.insert(0, {tests!r})
import lantern
from lantern.compiler import parts, pool
parts.cores = pool.cores = lambda: 2
lantern.set_num_threads(2)
from test_compiler_threads import make_step
compiled = lantern.compile(make_step()[0])
for _ in range(20):
    compiled()
child = os.fork()
if child == 0:
    for _ in range(20):
        loss = compiled()
    os._exit(0 if loss.item() > 0 else 1)
_, status = os.waitpid(child, 0)
assert status == 0
for _ in range(20):
    compiled()
{end}
"""


@pytest.mark.parametrize("end", ["", "sys.exit(0)"])
def test_a_process_with_helpers_forks_and_ends(end):
    text = PROGRAM.format(tests=os.path.dirname(__file__), end=end)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
