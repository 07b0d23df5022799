"""`lantern.checkpoint`: a run that is stopped and resumed is the run that never stopped."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

import lantern
from lantern import checkpoint, nn

ROOT = Path(__file__).resolve().parent.parent


class Run:
    """A small training run whose losses depend on all that a checkpoint has to keep."""

    def __init__(self, seed):
        lantern.manual_seed(seed)
        self.model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 1))
        self.optimizer = lantern.optim.Adam(self.model.parameters(), lr=0.05)

    def step(self):
        noise = random.random() + numpy.random.rand()
        loss = ((self.model(lantern.rand(16, 4)) - noise) ** 2).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def parts(self):
        return {"model": self.model, "optimizer": self.optimizer}


def test_a_resumed_run_goes_on_as_the_run_that_never_stopped(tmp_path):
    path = tmp_path / "run.pth"
    first = Run(0)
    for _ in range(5):
        first.step()
    assert checkpoint.save(path, **first.parts(), epoch=4, best=0.5) == str(path)
    expected = [first.step() for _ in range(20)]
    second = Run(1)
    random.seed(9)
    assert checkpoint.resume(path, **second.parts()) == {"epoch": 4, "best": 0.5}
    assert [second.step() for _ in range(20)] == expected


def test_schedulers_and_lists_of_models_are_parts(tmp_path):
    if not hasattr(lantern.optim, "lr_scheduler"):
        pytest.skip("no schedulers yet")
    path = tmp_path / "run.pth"

    def parts():
        models = [nn.Linear(2, 2), nn.Linear(2, 1)]
        optimizer = lantern.optim.SGD(models[0].parameters(), lr=0.1)
        return models, optimizer, lantern.optim.lr_scheduler.StepLR(optimizer, 2)

    models, optimizer, scheduler = parts()
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    checkpoint.save(path, model=models, optimizer=optimizer, scheduler=scheduler, ema=models[0])
    fresh, new, schedule = parts()
    left = checkpoint.resume(path, model=fresh, optimizer=new, scheduler=schedule)
    assert set(left) == {"ema"} and set(left["ema"]) == {"weight", "bias"}
    assert schedule.last_epoch == 3 and new.param_groups[0]["lr"] == pytest.approx(0.01)
    for one, other in zip(models, fresh, strict=True):
        assert one.weight.tolist() == other.weight.tolist()


def test_the_newest_files_of_a_pattern_are_kept(tmp_path):
    pattern = str(tmp_path / "run-{epoch}-{loss:.2f}.pth")
    (tmp_path / "run-notes.txt").write_text("stays")
    (tmp_path / "other-1.pth").write_text("stays")
    for epoch in range(8, 13):
        checkpoint.save(pattern, epoch=epoch, loss=1 / epoch, keep=3)
    kept = ["run-10-0.10.pth", "run-11-0.09.pth", "run-12-0.08.pth"]
    assert sorted(os.listdir(tmp_path)) == ["other-1.pth", *kept, "run-notes.txt"]
    assert checkpoint.latest(pattern) == str(tmp_path / kept[-1])
    assert checkpoint.resume(pattern, rng=False)["epoch"] == 12
    checkpoint.save(pattern, epoch=1, loss=0.5, keep=3)  # a run that was begun anew
    assert (tmp_path / "run-1-0.50.pth").exists()


def test_a_failed_save_removes_nothing(tmp_path):
    pattern = str(tmp_path / "run-{epoch}.pth")
    checkpoint.save(pattern, epoch=0, keep=1)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(pattern, epoch=1, keep=1, bad=lambda: 1)
    assert os.listdir(tmp_path) == ["run-0.pth"]


def test_wrong_arguments_say_what_is_wrong(tmp_path):
    model = nn.Linear(1, 1)
    path = tmp_path / "x.pth"
    with pytest.raises(FileNotFoundError, match="missing_ok=True"):
        checkpoint.resume(path, model=model)
    assert checkpoint.resume(path, model=model, missing_ok=True) == {}
    assert checkpoint.resume(tmp_path / "no" / "x-{epoch}.pth", missing_ok=True) == {}
    checkpoint.save(path, model=model)
    with pytest.raises(KeyError, match="has no state of 'optimizer'; it holds 'model', 'rng'"):
        checkpoint.resume(path, optimizer=lantern.optim.SGD(model.parameters(), lr=1))
    with pytest.raises(ValueError, match="keep=2 needs a path with a field"):
        checkpoint.save(path, model=model, keep=2)
    with pytest.raises(ValueError, match="pass epoch"):
        checkpoint.save(tmp_path / "x-{epoch}.pth", model=model)
    with pytest.raises(ValueError, match="plain names"):
        checkpoint.save(tmp_path / "x-{}.pth", model=model)
    with pytest.raises(ValueError, match="not of its folder"):
        checkpoint.save(str(tmp_path / "{epoch}" / "x.pth"), epoch=1)
    lantern.save([1], path)
    with pytest.raises(TypeError, match="holds a list, not the dict of a checkpoint"):
        checkpoint.resume(path)


def test_pytorch_reads_the_file(tmp_path):
    torch = pytest.importorskip("torch")
    run = Run(0)
    run.step()
    path = checkpoint.save(tmp_path / "x.pth", **run.parts(), epoch=1)
    saved = torch.load(path)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    model.load_state_dict(saved["model"])
    torch.optim.Adam(model.parameters()).load_state_dict(saved["optimizer"])
    torch.set_rng_state(saved["rng"]["torch"])
    assert torch.rand(3).tolist() == lantern.rand(3).tolist()


def test_the_page_on_checkpoints_runs_and_goes_on(tmp_path):
    text = (ROOT / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    first, plain = re.findall(r"```python\n(.*?)```", text, re.S)
    short = first.replace("range(state", "range(state").replace(", 10)", ", 4)")

    def run(code):
        code += "\nprint(epoch, [p.sum().item() for p in model.parameters()])\n"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert short != first
    run(short)
    stopped = run(first + plain)
    assert sorted(os.listdir(tmp_path)) == ["plain.pth"] + [f"run-00{i}.pth" for i in (7, 8, 9)]
    for name in os.listdir(tmp_path):
        os.remove(tmp_path / name)
    assert run(first) == stopped
