"""The command line: `run`, `doctor` and `demo`, each in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import lantern
from lantern.compat.missing import missing

FAILING = """\
import torch

def double(x):
    return torch.ones(2) / x.nothing

double(3)
"""


def start(
    *arguments: str, cwd: Path, input: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "lantern", *arguments],
        cwd=cwd,
        input=input,
        env={**os.environ, "PYTHONPATH": str(Path(lantern.__file__).parents[1]), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a program's text as `lantern run program.py ARGUMENTS`."""

    def run(text: str, *arguments: str, **options: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "program.py").write_text(text, encoding="utf-8")
        return start("run", "program.py", *arguments, cwd=tmp_path, **options)

    return run


def test_torch_and_lantern_are_the_same_modules(run) -> None:
    result = run("""\
import sys
import torch, torch.nn as nn, torch.nn.functional as F, torch.utils.data
import torchvision.transforms as T
from torch.utils.data import DataLoader
from torch.optim import SGD
import lantern, lantern.vision.transforms

assert sys.modules["torch"] is lantern and torch is lantern
assert nn is lantern.nn and F is lantern.nn.functional
assert DataLoader is lantern.utils.data.DataLoader and SGD is lantern.optim.SGD
assert T is lantern.vision.transforms is sys.modules["torchvision.transforms"]
assert torch.__spec__.name == "lantern" and nn.__spec__.name == "lantern.nn"
""")
    assert (result.returncode, result.stderr) == (0, "")


def test_types_of_tensors_print_as_pytorchs_and_are_pickled_as_before(run) -> None:
    program = (
        "import pickle, torch; p = torch.nn.Parameter(torch.ones(1)); "
        "print(type(p.data), type(p), type(pickle.loads(pickle.dumps([torch.Tensor, p]))[1]))"
    )
    shown = "<class 'torch.Tensor'> <class 'torch.nn.parameter.Parameter'>"
    assert run(program).stdout == f"{shown} <class 'torch.nn.parameter.Parameter'>\n"


def test_an_installed_torch_is_not_looked_at(run, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise SystemExit('the other torch')")
    result = run("import torch, torchvision; print(torch.zeros(1))")
    assert (result.returncode, result.stdout) == (0, "tensor([0.])\n")


def test_a_program_finds_what_python_would_give_it(run, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("here = 'beside'")
    result = run(
        """\
import pickle, sys
from beside import here

class Own:
    pass

assert __name__ == "__main__" and sys.modules["__main__"].Own is Own
assert type(pickle.loads(pickle.dumps(Own()))) is Own
print(sys.argv, here, sys.path[0] == __file__.removesuffix("/program.py"), input())
sys.exit(7)
""",
        "--epochs",
        "3",
        "-h",
        input="typed\n",
    )
    assert result.stdout == "['program.py', '--epochs', '3', '-h'] beside True typed\n"
    assert (result.returncode, result.stderr) == (7, "")


def test_missing_names_say_so_as_the_program_spells_them(run) -> None:
    wanted = {
        "torch.foo": "AttributeError: torch.foo is not in Lantern yet",
        "torch._inductor": "AttributeError: torch._inductor is not in Lantern yet",
        "torch.nn.Foo": "AttributeError: torch.nn.Foo is not in Lantern yet",
        "torch.sofmax": "AttributeError: torch.sofmax is not in Lantern yet; "
        "did you mean torch.softmax?",
        "import torch.foo.bar": "ModuleNotFoundError: torch.foo is not in Lantern yet",
        "import torchvision.foo": "ModuleNotFoundError: torchvision.foo is not in Lantern yet",
        "from torch.foo import x": "ModuleNotFoundError: torch.foo is not in Lantern yet",
        "import torchaudio": "ModuleNotFoundError: torchaudio is not in Lantern yet",
        # PyTorch has no such modules; Lantern's files of these names must not replace the names.
        "import torch.tensor": "ModuleNotFoundError: torch.tensor is not in Lantern yet",
        "import torch.device": "ModuleNotFoundError: torch.device is not in Lantern yet",
    }
    result = run(f"""\
import importlib.util, torch
for statement in {list(wanted)}:
    try:
        exec(statement)
    except Exception as error:
        print(f"{{type(error).__name__}}: {{error}}")
assert importlib.util.find_spec("torch.foo") is None
assert not hasattr(torch, "foo") and callable(torch.tensor)
""")
    assert result.stdout.splitlines() == list(wanted.values()), result.stderr
    result = run("from torch import foo")
    assert result.stderr.endswith("torch.foo is not in Lantern yet\n")


def test_a_traceback_begins_at_the_programs_own_line(run) -> None:
    result = run(FAILING)
    lines = result.stderr.splitlines()
    assert result.returncode == 1
    assert re.fullmatch(r'  File ".*program\.py", line 6, in <module>', lines[1])
    assert lines[2].strip() == "double(3)"
    assert lines[-1] == "AttributeError: 'int' object has no attribute 'nothing'"
    assert "cli" not in result.stderr
    result = run("import torch\nx = (\n")
    assert result.returncode == 1
    assert result.stderr.startswith('  File "') and "SyntaxError" in result.stderr


def test_a_programs_own_excepthook_sees_its_error(run) -> None:
    hook = "sys.excepthook = lambda kind, error, trace: print(kind.__name__, trace.tb_lineno)"
    result = run(f"import sys\n{hook}\n1 / 0\n")
    assert (result.returncode, result.stdout, result.stderr) == (1, "ZeroDivisionError 3\n", "")


def test_processes_that_a_program_spawns_get_lantern_too(run) -> None:
    result = run("""\
import multiprocessing
import torch

def work(queue):
    queue.put(torch.__name__)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    print(queue.get(timeout=60))
    process.join()
""")
    assert (result.returncode, result.stdout) == (0, "lantern\n"), result.stderr


def test_run_takes_modules_code_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    text = "import sys, torch; print(torch.__name__, __name__, __package__, sys.argv[1:])"
    (tmp_path / "package" / "__main__.py").write_text(text)
    result = start("run", "-m", "package", "-x", cwd=tmp_path)
    assert result.stdout == "lantern __main__ package ['-x']\n", result.stderr
    result = start("run", "-c", text, "-x", cwd=tmp_path)
    assert result.stdout == "lantern __main__ None ['-x']\n", result.stderr
    result = start("run", "-", "-x", cwd=tmp_path, input=text)
    assert result.stdout == "lantern __main__ None ['-x']\n", result.stderr


def test_a_wrong_command_line_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for arguments, exit_code, sentence in (
        (["run", "nowhere.py"], 2, "can't open file"),
        (["run"], 2, "usage: lantern run"),
        (["run", "--fast", "x.py"], 2, "no option '--fast'"),
        (["run", "-m"], 2, "-m needs an argument"),
        (["run", "-m", "nowhere.at.all"], 1, "no module 'nowhere.at.all'"),
        (["walk"], 2, "no command 'walk'"),
        (["demo", "mnist", "--epochs", "0"], 2, "not a number of epochs"),
    ):
        result = start(*arguments, cwd=tmp_path)
        assert result.returncode == exit_code
        assert sentence in result.stderr and "Traceback" not in result.stderr


def test_torchs_name_is_not_taken_from_a_torch_in_use(tmp_path: Path) -> None:
    (tmp_path / "torch.py").touch()
    program = "import torch, lantern.compat.imports as imports; imports.install()"
    root = str(Path(lantern.__file__).parents[1])
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert "RuntimeError: torch is imported in this process already" in result.stderr


def test_missing_leaves_pythons_own_questions_alone() -> None:
    with pytest.raises(AttributeError, match="module 'lantern.compat' has no attribute '__wrap__'"):
        missing("lantern.compat")("__wrap__")


def test_missing_imports_a_submodule_on_first_use() -> None:
    assert missing("lantern.compat")("imports").__name__ == "lantern.compat.imports"


def test_doctor_finds_this_machine_well(tmp_path: Path) -> None:
    result = start("doctor", cwd=tmp_path, LANTERN_CACHE=str(tmp_path / "cache"))
    found = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if line)
    assert result.returncode == 0, result.stdout
    assert found["lantern"].startswith(lantern.__version__)
    assert "LLVM" in found["llvmlite"] and "usable" in found["cores"]
    assert found["cache"].startswith("none yet")


def test_doctor_reports_trouble_and_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    (tmp_path / "tqdm.py").write_text("raise ImportError('DLL load failed')")
    root = str(Path(lantern.__file__).parents[1])
    result = start(
        "doctor",
        cwd=tmp_path,
        LANTERN_CACHE=str(tmp_path / "cache"),
        PYTHONPATH=os.pathsep.join([str(tmp_path), root]),
    )
    assert result.returncode == 1
    assert re.search(r"^tqdm +TROUBLE  ImportError: DLL load failed$", result.stdout, re.M)
    assert re.search(r"^cache +TROUBLE  .*is not a folder$", result.stdout, re.M)
    assert result.stdout.endswith("2 troubles found\n")


def test_the_demo_learns_saves_and_draws(tmp_path: Path) -> None:
    result = start("demo", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    accuracy = re.search(r"are right: ([\d.]+)%", result.stdout)
    assert accuracy and float(accuracy[1]) >= 97.0
    assert (tmp_path / "lantern-demo.png").read_bytes().startswith(b"\x89PNG\r\n")
    made = sorted(file.name for file in tmp_path.iterdir())
    assert made == ["lantern-demo.png", "lantern-demo.pt"]


def test_the_demo_without_matplotlib_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    absent = "raise ModuleNotFoundError('No module named matplotlib', name='matplotlib')"
    (tmp_path / "library" / "matplotlib.py").write_text(absent)
    root = str(Path(lantern.__file__).parents[1])
    path = os.pathsep.join([str(tmp_path / "library"), root])
    result = start("demo", "--epochs", "1", cwd=tmp_path, PYTHONPATH=path)
    assert result.returncode == 0, result.stderr
    assert "pip install matplotlib" in result.stdout
    assert not (tmp_path / "lantern-demo.png").exists()


def test_the_mnist_demo_says_which_files_belong_where(tmp_path: Path) -> None:
    result = start("demo", "mnist", "--data", "nowhere", cwd=tmp_path)
    assert result.returncode == 1
    assert "train-images-idx3-ubyte" in result.stderr and "Traceback" not in result.stderr
    assert f"nowhere{os.sep}MNIST{os.sep}raw" in result.stderr.replace("/", os.sep)
    assert list(tmp_path.iterdir()) == []
