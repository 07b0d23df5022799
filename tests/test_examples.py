"""Each example runs by itself, offline, and comes to what it is about; its picture is there."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lantern

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))

# What must stand in an example's output; a pair is a pattern with the least that it may find.
EXPECTED: dict[str, list[str | tuple[str, float]]] = {
    "01_tensors": ["RuntimeError: shape '[4, -1]' is invalid for input of size 6"],
    "02_arrays_and_tensors": ["exp of a number", "1D tensors expected, but got 2D and 2D tensors"],
    "03_gradients": ["partial derivatives 偏导数: tensor(4.) tensor(1.)", "tensor(12.)"],
    "04_descent_by_hand": ["prediction for 4: 7.999778", "with backward(): w = 2.000000"],
    "06_datasets_and_transforms": ["(tensor([300., 300.]), tensor([200.]))", "[32, 32, 6]"],
    "08_linear_regression": ["-15.0 -10.0", "largest error of a weight: 0.0"],
    "09_linear_regression_concise": ["epoch 3, loss 0.0000"],
    "10_validation": ["chosen 选定: lr 0.1"],
    "11_missing_values": ["dtype=torch.float64", "torch.float32"],
    "12_logistic_regression": [(r"BCELoss: loss [\d.]+, accuracy ([\d.]+)", 0.95)],
    "13_activations": ["slope at 0: 1.0000"],
    "15_softmax_regression": [(r"test acc ([\d.]+)", 0.8)],
    "16_dnn": [(r"测试集精准度: ([\d.]+) %", 60.0)],
    "17_dnn_table": [(r"128: .*测试集精准度: ([\d.]+) %", 70.0)],
    "18_dnn_mnist": [(r"测试集精准度: ([\d.]+) %", 85.0)],
    "19_building_blocks": ["True 6", "tensor([-2., -1.,  0.,  1.,  2.])"],
    "20_files": ["<All keys matched successfully>", "损坏的文件: RuntimeError"],
    "21_lenet": [(r"test acc ([\d.]+)", 0.85)],
    "23_compiled": ["compiled"],
}
NEEDS = {"11_missing_values": "pandas", "23_compiled": "llvmlite"}
NO_PICTURE = "01 02 06 09 11 19 20 23".split()


def run(example: Path, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(example)],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(lantern.__file__).parents[1]),
            "PYTHONIOENCODING": "utf-8",
            "MPLBACKEND": "Agg",
            "LANTERN_FIGURES": str(folder / "figures"),
            "LANTERN_DATA": os.environ.get("LANTERN_DATA", str(folder / "nothing")),
        },
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_comes_to_what_it_is_about(example: Path, tmp_path: Path) -> None:
    for needed in ("matplotlib", NEEDS.get(example.stem, "numpy")):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{example.name} needs {needed}")
    printed = run(example, tmp_path)
    for expected in EXPECTED.get(example.stem, []):
        if isinstance(expected, str):
            assert expected in printed
        else:
            pattern, least = expected
            found = re.search(pattern, printed)
            assert found is not None, printed
            assert float(found.group(1)) >= least
    pictures = [p for p in tmp_path.rglob("*") if p.suffix in (".png", ".svg")]
    assert bool(pictures) is (example.stem[:2] not in NO_PICTURE)
    assert all(p.stat().st_size > 1000 for p in pictures)


def test_six_ways_to_write_a_network_give_the_same_losses(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    printed = run(ROOT / "examples" / "05_two_layer_net.py", tmp_path)
    losses = re.findall(r"first (\S+), after 200 steps (\S+)", printed)
    assert len(losses) == 6
    assert len(set(losses[:5])) == 1 and float(losses[5][1]) < 2


def test_the_map_of_the_examples_names_each_of_them() -> None:
    text = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"\d\d_\w+\.py", text))) == [path.name for path in EXAMPLES]


def test_each_example_begins_with_what_it_shows_in_both_languages() -> None:
    for path in EXAMPLES:
        docstring = path.read_text(encoding="utf-8").split('"""')[1]
        english, chinese = docstring.strip().split("\n\n")
        assert english.endswith(".") and "\n" in english, path
        assert len(re.findall(r"[\u4e00-\u9fff]", chinese)) > 10, path
