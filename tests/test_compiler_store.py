"""Machine code on disk: private, verified, bounded, shared by processes, and quick to take."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from lantern import dtypes
from lantern.compiler import runtime, store
from lantern.compiler.ir import Graph
from lantern.compiler.native import Program

pytest.importorskip("llvmlite")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LANTERN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "native"


@pytest.fixture
def compiled(monkeypatch):
    """Counts how often something was compiled."""
    made = []
    original = runtime._compile
    monkeypatch.setattr(runtime, "_compile", lambda *args: made.append(1) or original(*args))
    return made


def program(addend=1.0):
    graph = Graph()
    x = graph.input((5,), dtypes.float32)
    graph.outputs = [graph.add("add", (x, addend))]
    return Program(graph)


def right(made, addend=1.0):
    return made([np.ones(5, np.float32)])[0].tolist() == [1 + addend] * 5


def test_a_program_is_compiled_once_and_its_text_is_not_made_again(folder, compiled):
    assert right(program()) and len(compiled) == 1
    again = program()
    assert right(again) and len(compiled) == 1
    assert "text" not in vars(again) and "functions" not in vars(again)
    assert right(program(2.0), 2.0) and len(compiled) == 2


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_the_folder_is_the_users_own(folder, compiled):
    program()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(each.stat().st_mode & 0o077 == 0 for each in folder.iterdir())
    folder.chmod(0o777)  # anybody may have put code into it
    assert right(program()) and len(compiled) == 2


@pytest.mark.parametrize("damage", [lambda data: data[:-9] + b"\0" * 9, lambda data: data[:40]])
def test_a_damaged_entry_is_made_anew(folder, compiled, damage):
    program()
    for entry in folder.iterdir():
        entry.write_bytes(damage(entry.read_bytes()))
    assert right(program()) and len(compiled) == 2
    assert right(program()) and len(compiled) == 2


def test_an_entry_under_another_name_is_not_taken(folder, compiled):
    program(1.0)
    known = {each.name for each in folder.iterdir()}
    program(2.0)
    first = [each for each in folder.iterdir() if each.name in known]
    second = [each for each in folder.iterdir() if each.name not in known]
    for a, b in zip(sorted(first, key=size), sorted(second, key=size), strict=True):
        b.write_bytes(a.read_bytes())
    assert right(program(2.0), 2.0) and len(compiled) == 3


def size(path):
    return path.stat().st_size


def test_other_settings_sources_and_processors_have_entries_of_their_own(monkeypatch):
    from lantern.compiler import matmul

    made = program()
    names = [made._key(), program()._key()]
    with monkeypatch.context() as patch:
        patch.setattr(matmul, "A_SETTING", 1, raising=False)
        names.append(made._key())
    with monkeypatch.context() as patch:
        patch.setattr(store, "sources", lambda: "another compiler")
        names.append(made._key())
    made.target = made.target._replace(cpu="another")
    names.append(made._key())
    assert names[0] == names[1] and len(set(names)) == 4


def test_caching_can_be_switched_off_and_a_folder_that_cannot_be_made_does_not_matter(
    tmp_path, monkeypatch, compiled
):
    monkeypatch.setenv("LANTERN_CACHE", "off")
    assert store.folder() is None and right(program()) and right(program())
    assert len(compiled) == 2
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("LANTERN_CACHE", str(blocked / "below"))
    assert right(program()) and len(compiled) == 3


def test_the_folder_is_bounded_and_the_oldest_go_first(folder, monkeypatch):
    monkeypatch.setattr(store, "LIMIT", 10_000)
    for i in range(20):
        store.write(f"{i}", bytes(1000))
        if (folder / f"{i}").exists():
            os.utime(folder / f"{i}", (i, i))
    left = sorted(int(each.name) for each in folder.iterdir())
    assert sum(map(size, folder.iterdir())) <= 10_000
    assert left == list(range(left[0], 20)) and len(left) > 3
    store.read(str(left[0]))  # what is in use counts as new
    for i in range(20, 22):
        store.write(f"{i}", bytes(1000))
    assert (folder / str(left[0])).exists()


WORK = """
import sys, lantern
from lantern import nn
lantern.manual_seed(0)
found = []
for width in range(3, 9):
    net = nn.Linear(width, 2)
    f = lantern.compile(lambda x: net(x).tanh())
    found.append([f(lantern.ones(4, width)).sum().item() for _ in range(3)][-1])
print(found)
"""


def test_processes_share_the_folder(folder):
    command = [sys.executable, "-c", WORK]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    answers = {each.communicate()[0] for each in running}
    assert all(each.returncode == 0 for each in running) and len(answers) == 1
    before = {each.name: each.stat().st_size for each in folder.iterdir()}
    subprocess.run(command, check=True, capture_output=True)
    assert {each.name: each.stat().st_size for each in folder.iterdir()} == before
    assert not [each for each in before if each.startswith("tmp")]


START = """
import time, lantern
from lantern import nn
lantern.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = lantern.optim.Adam(net.parameters())
x, y = lantern.rand(32, 64), lantern.randint(0, 10, (32,))

@lantern.compile
def step(x, y):
    loss = nn.functional.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss

step(x, y)
start = time.process_time()
step(x, y)
print(time.process_time() - start)
"""


def test_a_step_starts_quickly_from_the_folder(folder):
    command = [sys.executable, "-c", START]
    times = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in "ab"]
    assert times[1] < times[0] / 2 and times[1] < 1.0  # a tenth of that on a machine at rest


def test_without_llvmlite_an_error_names_the_package(monkeypatch):
    import lantern

    monkeypatch.setattr(runtime, "available", lambda: False)
    f = lantern.compile(lambda x: x + 1)
    f(lantern.ones(1))
    with pytest.raises(ImportError, match="pip install llvmlite"):
        f(lantern.ones(1))
    g = lantern.compile(lambda x: x + 1, backend="interpreter")
    assert [g(lantern.ones(1)).item() for _ in range(3)] == [2.0] * 3
