"""The layers of the package: who may import whom, and what `import lantern` may bring in."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "lantern"

# Layer of each file or folder of the package, and the layers it may import from besides its own.
LAYERS = {
    0: "cache compat device dtype shape storage",
    1: "backends",
    2: "autograd op tensor",
    3: "ops",
    4: "creation indexing methods printing random testing",
    5: "data nn optim serialization utils",
    6: "compiler",
    7: "__main__ cli demo distributed distributions vision viz",
}
BELOW = {0: "", 1: "0", 2: "01", 3: "02", 4: "0123", 5: "01234", 6: "012", 7: "012345"}

# The few files that may import each of these, at the top or inside a function.
ONLY = {
    "numpy": "backends/numpy.py cli/doctor.py",
    "cupy": "backends/cupy.py",
    "llvmlite": "compiler/llvm.py compiler/runtime.py cli/doctor.py",
}

LAYER_OF = {name: number for number, names in LAYERS.items() for name in names.split()}
FILES = sorted(file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py"))


def imports_of(file: str) -> set[str]:
    """Everything that `file` imports, wherever in the file, as absolute dotted names."""
    package = ("lantern", *Path(file).parent.parts)
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / file).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            around = package[: len(package) + 1 - node.level] if node.level else ()
            start = ".".join([*around, *filter(None, [node.module])])
            found |= {f"{start}.{alias.name}" for alias in node.names}
    return found


def part_of(file: str) -> str:
    return file.split("/")[0].removesuffix(".py")


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_a_file_imports_from_the_layers_below_it_only(file: str) -> None:
    part = part_of(file)
    assert part in LAYER_OF, f"give lantern/{file} a layer in {Path(__file__).name}"
    layer = LAYER_OF[part]
    for name in imports_of(file):
        root, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if root == "lantern" and target in LAYER_OF and target != part:
            allowed = {layer, *map(int, BELOW[layer])}
            assert LAYER_OF[target] in allowed, f"lantern/{file} (layer {layer}) imports {name}"


@pytest.mark.parametrize("library", ONLY)
def test_a_library_is_imported_in_the_files_named_for_it(library: str) -> None:
    users = {f for f in FILES if any(name.split(".")[0] == library for name in imports_of(f))}
    assert users <= set(ONLY[library].split())


def test_no_op_looks_at_the_device() -> None:
    for file in (PACKAGE / "ops").rglob("*.py"):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            assert not re.search(r"\b(device|cuda|is_cpu)\b", line), f"{file}:{number}: {line}"


def test_import_lantern_brings_in_numpy_and_nothing_heavier() -> None:
    program = "import sys; old = set(sys.modules); import lantern; print(*set(sys.modules) - old)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = set(result.stdout.decode().split())
    roots = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
    assert {name for name in roots if name[0] != "_"} <= {"lantern", "numpy", "ml_dtypes"}
    upper = {name for name in loaded if name.startswith("lantern.")}
    heavy = {name for name in upper if LAYER_OF[name.split(".")[1]] >= 6}
    assert not heavy, "these belong to whoever uses them first"
