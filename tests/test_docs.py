"""The documents run: the miniature, the program that the README begins with, every guide."""

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


@pytest.mark.parametrize("guide", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.stem)
def test_the_code_of_a_guide_runs_from_top_to_bottom(guide, tmp_path):
    text = guide.read_text(encoding="utf-8")
    for library in ("onnx", "safetensors"):
        if f"lantern-dl[{library}]" in text:
            pytest.importorskip(library)
    done = run("-c", "\n".join(re.findall(r"```python\n(.*?)```", text, re.S)), cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_op_that_the_guide_for_contributors_shows_is_there():
    shown = re.search(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.S)
    assert shown.group(1) in (ROOT / "lantern/ops/activation.py").read_text(encoding="utf-8")


def test_the_readme_names_every_guide():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"docs/{guide.name}" in text for guide in (ROOT / "docs").glob("*.md"))
