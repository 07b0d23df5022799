"""The stubs for editors and type checkers say what is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import lantern
from lantern.op import REGISTRY

ROOT = Path(__file__).resolve().parents[1]


def test_the_stubs_are_what_the_script_writes() -> None:
    # A process of its own: other tests may have imported more of the package.
    command = [sys.executable, "scripts/write_stub.py", "--check"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def members(stub: str, name: str = "") -> set[str]:
    """The names that a stub declares, in a class or at its top."""
    body = ast.parse((ROOT / "lantern" / stub).read_text(encoding="utf-8")).body
    if name:
        body = next(x for x in body if isinstance(x, ast.ClassDef) and x.name == name).body
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.AnnAssign):
            found.add(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            found |= {ast.unparse(each) for each in node.targets}
        elif isinstance(node, ast.ImportFrom):
            found |= {each.asname or each.name for each in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
    return found


def test_every_member_of_a_tensor_is_declared() -> None:
    pythons = {"__module__", "__doc__", "__dict__", "__weakref__", "__annotations__"}
    pythons |= {"__firstlineno__", "__static_attributes__"}  # from 3.13 on
    assert set(vars(lantern.Tensor)) - pythons <= members("tensor.pyi", "Tensor")


def test_every_public_function_is_declared() -> None:
    functions = {name for name, op in REGISTRY.items() if op.function and op.public}
    assert functions <= members("__init__.pyi")


def test_what_other_files_take_from_the_tensor_file_is_declared() -> None:
    declared = members("tensor.pyi")
    for file in (ROOT / "lantern").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level and node.module == "tensor":
                assert {each.name for each in node.names} <= declared, file
