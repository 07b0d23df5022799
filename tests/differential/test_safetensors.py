"""safetensors files in both directions with PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pth_tools import SCRIPT
from pth_tools import raw_bytes as our_bytes

import lantern
from lantern import safetensors as ours

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32"]


def tensors(torch):
    made = {name: torch.arange(6).reshape(2, 3).to(getattr(torch, name)) for name in DTYPES}
    return made | {"scalar": torch.tensor(0.5), "empty": torch.empty(0, 2)}


def test_files_go_both_ways(tmp_path):
    import safetensors.torch as theirs

    path = tmp_path / "x.safetensors"
    theirs.save_file(tensors(torch), path, {"k": "v"})
    content = path.read_bytes()
    found = SCRIPT.describe(ours.load_file(path), our_bytes)
    assert found == SCRIPT.describe(theirs.load_file(path), SCRIPT.raw_bytes)
    # The library writes the header in the order of a hash table: equal but for the order.
    assert sorted(ours.save(tensors(lantern), {"k": "v"})) == sorted(content)
    ours.save_file(tensors(lantern), path)
    assert SCRIPT.describe(theirs.load_file(path), SCRIPT.raw_bytes) == SCRIPT.describe(
        ours.load_file(path), our_bytes
    )


PROGRAM = """
import torch
from safetensors import safe_open
from safetensors.torch import load_file, load_model, save_file, save_model

model = torch.nn.Linear(2, 3)
save_model(model, "m.safetensors")
load_model(torch.nn.Linear(2, 3), "m.safetensors")
save_file({"w": torch.ones(2, 3)}, "w.safetensors")
with safe_open("w.safetensors", framework="pt", device="cpu") as file:
    print(file.keys(), file.get_slice("w")[:, 1:].shape, file.get_tensor("w").sum())
with safe_open("w.safetensors", framework="np") as file:
    print(type(file.get_tensor("w")))
print(load_file("w.safetensors")["w"])
print(torch.__name__)
"""


def test_programs_that_import_safetensors_torch_run(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONPATH": str(Path(lantern.__file__).parents[1])}
    outputs = [
        subprocess.run(
            [sys.executable, "-W", "error::DeprecationWarning", *start, "program.py"],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )
        for start in (["-m", "lantern", "run"], [])
    ]  # fmt: skip
    here, there = outputs
    assert here.returncode == 0, here.stderr
    assert here.stdout.replace("lantern", "torch") == there.stdout
