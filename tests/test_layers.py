"""The layers of the package: who may import whom, and what `import lantern` may bring in."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "lantern"

# The layer of each file and folder; `backends` alone is its `__init__`, the list of backends.
LAYERS = {
    0: "backends cache compat device dtypes matrices naming return_types shape storage trees",
    1: "backends.arithmetic backends.arrangement backends.blas backends.convolution backends.cuda "
    "backends.cudnn backends.cupy backends.dlpack backends.heap backends.implicit "
    "backends.indices backends.kinds backends.lapack backends.library backends.literals "
    "backends.mps backends.mt19937 backends.philox backends.native backends.numpy "
    "backends.parameters backends.passes backends.places backends.pointwise backends.ranges "
    "backends.rejection backends.special backends.strided backends.vocabulary",
    2: "arranging autograd binding moving op promotion quick sequence_op tensor untyped view_op",
    3: "ops",
    4: "converting creation cuda factories fused indexing legacy lowrank methods printing random "
    "sampling shaping spaced special testing threads typed updating version windows "
    "autograd.functional",
    5: "amp checkpoint cuda.amp data func linalg nn optim safetensors serialization utils "
    "accelerator autograd.profiler jit multiprocessing profiler types",
    6: "_dynamo compiler",
    7: "__main__ cli compat.d2l demo distributed distributions hub vision viz",
    8: "onnx",
}
# The layers each may import from besides its own; from 4 up, also the names of `lantern` itself.
BELOW = {
    0: "", 1: "0", 2: "01", 3: "02", 4: "0123", 5: "01234", 6: "012", 7: "012345", 8: "0123456",
}  # fmt: skip

# The few files that may import each of these, at the top or inside a function.
ONLY = {
    "numpy": "backends/arithmetic.py backends/cupy/placing.py backends/implicit.py "
    "backends/kinds.py backends/lapack.py backends/library.py backends/literals.py "
    "backends/mt19937.py backends/numpy.py backends/passes.py backends/philox.py "
    "backends/places.py backends/ranges.py backends/special.py backends/strided.py "
    "cli/doctor.py",
    "ml_dtypes": "backends/kinds.py",
    "cupy": "backends/cupy/__init__.py backends/cupy/hosted.py backends/cupy/library.py "
    "backends/cupy/memory.py backends/cupy/places.py backends/cupy/placing.py "
    "backends/cupy/special.py backends/cupy/strided.py",
    "cupyx": "backends/cupy/places.py backends/cupy/placing.py backends/cupy/special.py",
    "onnx": "onnx/writer.py",
    "safetensors": "safetensors.py",
    "llvmlite": "compiler/llvm.py compiler/runtime.py cli/doctor.py",
}

LAYER_OF = {name: number for number, names in LAYERS.items() for name in names.split()}
FILES = sorted(file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py"))


def layer_of(name: str) -> int | None:
    """The layer of a name such as `ops.reduce.sum`; None when it is a name of `lantern` itself."""
    parts = name.split(".")
    return LAYER_OF.get(".".join(parts[:2]), LAYER_OF.get(parts[0]))


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


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_a_file_imports_from_the_layers_below_it_only(file: str) -> None:
    own = file.removesuffix(".py").removesuffix("/__init__").split("/")
    layer = layer_of(".".join(own))
    assert layer is not None, f"give lantern/{file} a layer in {Path(__file__).name}"
    for name in imports_of(file):
        root, _, rest = name.partition(".")
        if root == "lantern" and rest.partition(".")[0] != own[0]:
            allowed = {layer, *map(int, BELOW[layer]), *([None] if layer >= 4 else [])}
            assert layer_of(rest) in allowed, f"lantern/{file}, layer {layer}, imports {name}"


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
    late = {name for name in loaded if (layer_of(name.partition(".")[2]) or 0) >= 6}
    assert not late, "these belong to whoever uses them first"
