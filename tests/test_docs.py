"""The documents run: the miniature, and the program that the README begins with."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*args, cwd):
    return subprocess.run(
        [sys.executable, *args], cwd=cwd, capture_output=True, text=True, timeout=300
    )


def test_the_miniature_runs_and_stays_short(tmp_path):
    path = ROOT / "docs" / "miniature.py"
    done = run(str(path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "second derivative 3.8521" in done.stdout
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


def test_the_program_of_the_readme_recognises_digits(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S).group(1)
    assert len(code.splitlines()) < 50
    done = run("-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    accuracy = float(re.search(r"([\d.]+) % of", done.stdout).group(1))
    assert accuracy >= 95.0
    assert (tmp_path / "digits.pth").exists()


def test_the_page_on_compiled_steps_runs(tmp_path):
    pytest.importorskip("llvmlite")
    text = (ROOT / "docs" / "compile.md").read_text(encoding="utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", text, re.S))
    done = run("-W", "error", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "passes over memory" in done.stdout and "mul(" in done.stdout


def test_the_page_on_files_runs(tmp_path):
    for library in ("safetensors", "onnx"):
        pytest.importorskip(library)
    text = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    code = "".join(re.findall(r"```python\n(.*?)```", text, re.S))
    done = run("-W", "error", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"weights.pth", "model.onnx", "weights.safetensors"} <= set(os.listdir(tmp_path))
