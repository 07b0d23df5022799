"""The namespaces that formulas run in offer the vocabulary: the same names, the same parameters."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lantern import ops
from lantern.backends import numpy as arrays
from lantern.backends.vocabulary import VOCABULARY
from lantern.compiler import symbolic

# What the frame, not formulas, asks of every kind of value.
SERVICES = {"dtype_of", "device_of", "asarray", "address_of", "to_numpy", "to_list", "keep"}


def parameters_of(name: str) -> list[inspect.Parameter]:
    text = f"lambda {VOCABULARY[name].parameters}: None"
    return list(inspect.signature(eval(text)).parameters.values())


def accepts(function: Callable, name: str) -> bool:
    """Whether a function takes the primitive's arguments by position, the fewest or all of them."""
    found = parameters_of(name)
    if isinstance(function, np.ufunc):
        return function.nin == len(found)
    positional = [p for p in found if p.kind is not p.VAR_POSITIONAL]
    signature = inspect.signature(function)
    for count in {sum(p.default is p.empty for p in positional), len(positional)}:
        try:
            signature.bind(*range(count))
        except TypeError:
            return False
    return True


@pytest.mark.parametrize("name", VOCABULARY)
def test_every_namespace_takes_a_primitives_arguments(name: str) -> None:
    for module in (arrays, symbolic, ops):
        assert accepts(getattr(module, name), name), f"{module.__name__}.{name}"


@pytest.mark.parametrize("module", [arrays, symbolic])
def test_defaults_are_the_vocabularys(module: ModuleType) -> None:
    for name in VOCABULARY:
        function = getattr(module, name)
        if isinstance(function, np.ufunc) or function.__module__ == "numpy":
            continue
        have = [p.default for p in inspect.signature(function).parameters.values()]
        assert have == [p.default for p in parameters_of(name)], f"{module.__name__}.{name}"


@pytest.mark.parametrize("module", [arrays, symbolic])
def test_a_namespace_offers_the_services_of_the_frame(module: ModuleType) -> None:
    assert all(callable(getattr(module, name)) for name in SERVICES)


def names_used(file: Path) -> set[str]:
    """The names that a file asks of `xp`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "xp"
    }


FOLDER = Path(ops.__file__).parent


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_ops_ask_of_their_namespace_only_what_the_vocabulary_names(file: Path) -> None:
    questions = {"dtype_of", "asarray", "outside", "one_pass"}  # no values, but services
    assert names_used(file) <= VOCABULARY.keys() | questions
