"""Worker processes of a loader: what they give, how they fail, and that nothing is left of them.

Order and random streams in workers are compared with PyTorch's in `test_data.py`.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

import lantern
from lantern import data
from lantern.data import channel as channels

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")
ROOT = Path(__file__).parents[1]


class Function(data.Dataset):
    """`function(index)` for each index: user code, which has to run in a worker."""

    def __init__(self, function, size=8):
        self.function, self.size = function, size

    def __getitem__(self, index):
        return self.function(index)

    def __len__(self):
        return self.size


def pid_of(index):
    return os.getpid()


def no_children_left():
    gc.collect()
    return not multiprocessing.active_children()


def test_user_code_runs_in_workers_in_turn():
    loader = data.DataLoader(Function(pid_of), batch_size=2, num_workers=2)
    pids = [batch.tolist() for batch in loader]
    assert pids[0] == pids[2] != pids[1] == pids[3]
    assert os.getpid() not in {pid for batch in pids for pid in batch}
    assert no_children_left()


def test_lanterns_own_arrays_need_no_workers():
    loader = data.DataLoader(data.TensorDataset(lantern.arange(4)), batch_size=2, num_workers=2)
    batches = iter(loader)
    assert [batch[0].tolist() for batch in batches] == [[0, 1], [2, 3]]
    assert type(batches).__name__ == "LocalPass"


def test_worker_init_fn_makes_workers_of_any_dataset():
    def init(number):
        data.get_worker_info().dataset.tensors[0].add_(10 * number)

    loader = data.DataLoader(
        data.TensorDataset(lantern.zeros(4)), batch_size=2, num_workers=2, worker_init_fn=init
    )
    assert [batch[0].tolist() for batch in loader] == [[0, 0], [10, 10]]


@pytest.mark.parametrize("persistent", [False, True])
def test_batches_equal_those_made_in_process(persistent):
    def sample(index):
        return {
            "image": lantern.full((3, 40), float(index)),
            "half": lantern.full((7,), index, dtype=lantern.bfloat16),
            "array": np.full((50, 50), index),
            "empty": lantern.empty(0, 2),
            "text": str(index) * 900,
            "number": index,
            "view": base[index],
        }

    base = lantern.arange(8000).reshape(8, 1000)
    options = {"batch_size": 3, "persistent_workers": persistent, "num_workers": 2}
    loader = data.DataLoader(Function(sample), **options)
    here = list(data.DataLoader(Function(sample), batch_size=3))
    for _ in range(2):
        there = list(loader)
        assert len(here) == len(there)
        for left, right in zip(here, there, strict=True):
            assert list(left) == list(right)
            assert left.pop("text") == right.pop("text")
            lantern.testing.assert_close(left, right, rtol=0, atol=0)
        here = list(data.DataLoader(Function(sample), batch_size=3))
    right["image"].add_(1)  # the memory is the program's own


def test_a_sample_that_is_a_view_travels_alone():
    base = lantern.zeros(1000, 1000)
    (sample,) = data.DataLoader(Function(base.__getitem__, 1), batch_size=None, num_workers=1)
    assert sample.untyped_storage().nbytes() == 4000


def test_more_batches_than_descriptors_can_be_kept(monkeypatch):
    monkeypatch.setattr(channels, "MOST_MAPPED", 3)
    loader = data.DataLoader(Function(lambda i: lantern.full((2000,), i), 20), num_workers=1)
    kept = list(loader)
    assert [int(batch[0, 1999]) for batch in kept] == list(range(20))
    del kept
    gc.collect()
    assert channels._mapped == 0


def test_shared_memory_is_given_back():
    loader = data.DataLoader(
        Function(lambda i: lantern.ones(1 << 18), 64), num_workers=2, persistent_workers=True
    )
    open_before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert [len(list(loader)[-1]) for _ in range(3)] == [1, 1, 1]  # 192 MiB in all
    del loader
    assert no_children_left()
    assert channels._mapped == 0
    if open_before:
        assert len(os.listdir("/proc/self/fd")) <= open_before


@pytest.mark.parametrize("prefetch", [1, 500])
def test_large_messages_both_ways_do_not_block_each_other(prefetch):
    order = [list(range(2000))] * 60
    loader = data.DataLoader(
        Function(lambda i: i, 2000),
        batch_sampler=order,
        collate_fn=lambda batch: str(batch),
        num_workers=1,
        prefetch_factor=prefetch,
        timeout=60,
    )
    assert list(loader) == [str(order[0])] * 60


def test_batches_come_as_they_are_ready_where_order_does_not_matter():
    def slow_first(index):
        time.sleep(0.3 if index == 0 else 0)
        return index

    loader = data.DataLoader(Function(slow_first), num_workers=2, in_order=False)
    order = [int(batch) for batch in loader]
    assert sorted(order) == list(range(8))
    assert order[0] != 0


@pytest.mark.parametrize("kind", [ValueError, KeyError, StopIteration])
def test_an_exception_arrives_with_its_type_and_traceback(kind):
    def fails(index):
        if index == 1:
            raise kind("what happened")
        return index

    batches = iter(data.DataLoader(Function(fails), num_workers=2))
    assert int(next(batches)) == 0
    with pytest.raises(RuntimeError if kind is StopIteration else kind) as caught:
        try:
            next(batches)
        except StopIteration as error:  # would end a `for` loop without a word
            raise RuntimeError(*error.args) from None
    assert str(caught.value).startswith(
        f"Caught {kind.__name__} in DataLoader worker process 1.\nOriginal Traceback (most recent "
    )
    assert 'raise kind("what happened")' in str(caught.value)
    assert int(next(batches)) == 2


def test_an_exception_of_a_class_that_cannot_travel_is_named():
    class Unknown(Exception):
        pass

    def fails(index):
        raise Unknown("here")

    with pytest.raises(RuntimeError, match="Caught Unknown in DataLoader worker process 0"):
        next(iter(data.DataLoader(Function(fails), num_workers=1)))


def test_a_batch_that_cannot_be_pickled_is_an_error():
    loader = data.DataLoader(Function(lambda i: lambda: i), collate_fn=list, num_workers=1)
    with pytest.raises(Exception, match="(?s)in DataLoader worker process 0.*ickle"):
        next(iter(loader))


def test_an_exception_in_worker_init_fn_arrives():
    def init(number):
        raise ValueError("no file")

    loader = data.DataLoader(Function(pid_of), num_workers=1, worker_init_fn=init)
    with pytest.raises(ValueError, match="(?s)DataLoader worker process 0.*no file"):
        next(iter(loader))


def test_a_killed_worker_raises_with_pid_and_signal():
    def kills(index):
        if index == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return index

    batches = iter(data.DataLoader(Function(kills), num_workers=2))
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid \d+\) is killed by signal: K"):
        list(batches)
    assert no_children_left()


def test_a_worker_that_exits_raises():
    loader = data.DataLoader(Function(lambda index: os._exit(3)), num_workers=1)
    with pytest.raises(RuntimeError, match="exited unexpectedly with exit code 3"):
        next(iter(loader))


def test_a_slow_worker_runs_into_the_timeout(monkeypatch):
    monkeypatch.setattr("lantern.data.worker_pass.PATIENCE", 0.1)
    loader = data.DataLoader(Function(lambda index: time.sleep(60)), num_workers=1, timeout=0.2)
    with pytest.raises(RuntimeError, match="DataLoader timed out after 0.2 seconds"):
        next(iter(loader))
    assert no_children_left()


def test_no_process_is_left_at_break_and_by_persistent_loaders():
    for _ in data.DataLoader(Function(pid_of), num_workers=2):
        break
    assert not multiprocessing.active_children()
    loader = data.DataLoader(Function(pid_of), num_workers=2, persistent_workers=True)
    first = next(iter(loader))
    assert first.tolist() == next(iter(loader)).tolist()
    assert len(multiprocessing.active_children()) == 2
    del loader
    assert not multiprocessing.active_children()


def test_a_loader_without_prefetching_is_refused():
    with pytest.raises(AssertionError, match="prefetch_factor > 0"):
        iter(data.DataLoader(Function(pid_of), num_workers=1, prefetch_factor=0))


def test_more_workers_than_processors_are_warned_of(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0}, raising=False)
    loader = data.DataLoader(Function(pid_of, 2), num_workers=2)
    with pytest.warns(UserWarning, match="will create 2 worker processes in total. Our suggested"):
        list(loader)


def test_channels_without_descriptors_carry_the_same(monkeypatch):
    monkeypatch.setattr(channels, "PASSES_DESCRIPTORS", False)
    loader = data.DataLoader(Function(lambda i: lantern.full((9999,), i)), num_workers=2)
    assert [int(batch[0, -1]) for batch in loader] == list(range(8))
    with pytest.raises(RuntimeError, match="exited unexpectedly"):
        next(iter(data.DataLoader(Function(lambda index: os._exit(3)), num_workers=1)))


# Whole programs

HEAD = """
import os, signal, sys, time
import lantern
from lantern import data

class Numbers(data.Dataset):
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        return lantern.full((5000,), index)
"""


def start(tmp_path, program):
    path = tmp_path / "program.py"
    path.write_text(HEAD + textwrap.dedent(program))
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def finish(process):
    """What the program printed, after a check that no process of its session lives on."""
    output, errors = process.communicate(timeout=60)
    for _ in range(50):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return output, errors
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    raise AssertionError(f"processes are left: {output} {errors}")


def test_a_program_that_ends_in_the_middle_of_a_pass_is_quiet(tmp_path):
    program = """
        loader = data.DataLoader(Numbers(), num_workers=2, persistent_workers=True)
        batches = iter(loader)
        print(int(next(batches)[0, 0]))
    """
    process = start(tmp_path, program)
    assert finish(process) == ("0\n", "")
    assert process.returncode == 0


def test_ctrl_c_ends_the_program_and_its_workers_without_further_noise(tmp_path):
    # A shell that starts the tests in the background has them ignore Ctrl-C, and so all below them.
    program = """
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for batch in data.DataLoader(Numbers(), num_workers=2):
            print("begun", flush=True)
            time.sleep(30)
    """
    process = start(tmp_path, program)
    assert process.stdout.readline() == "begun\n"
    os.killpg(process.pid, signal.SIGINT)
    _, errors = finish(process)
    assert errors.count("Traceback") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_workers_end_when_the_program_is_killed(tmp_path):
    program = """
        batches = iter(data.DataLoader(Numbers(), num_workers=2))
        next(batches)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    finish(start(tmp_path, program))


def test_spawned_workers_give_the_same_with_a_guard(tmp_path):
    program = """
        if __name__ == "__main__":
            options = {"multiprocessing_context": "spawn", "num_workers": 1}
            loader = data.DataLoader(Numbers(), 500, **options)
            print([int(batch[-1, 0]) for batch in loader])
    """
    assert finish(start(tmp_path, program)) == ("[499, 999]\n", "")


def test_spawned_workers_without_a_guard_say_what_to_add(tmp_path):
    program = """
        next(iter(data.DataLoader(Numbers(), num_workers=1, multiprocessing_context="spawn")))
    """
    _, errors = finish(start(tmp_path, program))
    assert 'needs `if __name__ == "__main__":`' in errors.splitlines()[-1]


def test_what_cannot_be_pickled_for_a_spawned_worker_is_explained():
    loader = data.DataLoader(
        Function(lambda index: index), num_workers=1, multiprocessing_context="spawn"
    )
    with pytest.raises(Exception, match="ickle") as caught:
        iter(loader)
    assert "started by 'spawn'" in caught.value.__notes__[0]
