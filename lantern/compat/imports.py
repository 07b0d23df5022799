"""`import torch` gives Lantern: a finder that answers PyTorch's import paths in this process.

`torch.x.y` and `lantern.x.y` are the *same* module object, and so are `torchvision.x` and
`lantern.vision.x`. Nothing is executed twice, and `isinstance` holds across both spellings.
`safetensors.torch`, the part of that library that speaks to PyTorch, is `lantern.safetensors`.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

_PACKAGES = {"torch": "lantern", "torchvision": "lantern.vision"}
_MODULES = {"safetensors.torch": "lantern.safetensors"}
# Packages that programs of courses import: Lantern's own where they are not installed.
_STAND_INS = {
    "d2l": "lantern.compat.d2l",
    "matplotlib_inline": "lantern.compat.matplotlib_inline",
}
# Built against PyTorch's own binaries: beside Lantern they could only crash.
_REFUSED = frozenset({"functorch", "torchaudio", "torchtext", "torch_xla"})


def install() -> None:
    """Makes `import torch` and `import torchvision` give Lantern from now on, in this process.

    Raises `RuntimeError` when PyTorch itself was imported before; a second call does nothing.
    """
    if any(isinstance(finder, TorchFinder) for finder in sys.meta_path):
        return
    for name in (*_PACKAGES, *_REFUSED):
        if name in sys.modules:
            raise RuntimeError(
                f"{name} is imported in this process already, so Lantern cannot take its name; "
                "start a new process"
            )
    sys.meta_path.insert(0, TorchFinder())
    sys.meta_path.append(StandInFinder())


def lantern_name(name: str) -> str | None:
    """Lantern's name of one of PyTorch's modules, None for a module that is not PyTorch's.

    >>> lantern_name("torch.nn.functional"), lantern_name("torchvision"), lantern_name("numpy")
    ('lantern.nn.functional', 'lantern.vision', None)
    """
    package, dot, rest = name.partition(".")
    if name in _MODULES:
        return _MODULES[name]
    return _PACKAGES[package] + dot + rest if package in _PACKAGES else None


class TorchFinder(importlib.abc.MetaPathFinder):
    """Finds PyTorch's modules in Lantern, before any PyTorch that is installed is looked at."""

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Gives Lantern's module for one of PyTorch's names, None for any other name.

        Raises `ModuleNotFoundError` for a module of PyTorch that Lantern lacks.
        """
        if fullname == "safetensors":
            return _safetensors_spec()
        ours = lantern_name(fullname)
        if ours is None and fullname.partition(".")[0] not in _REFUSED:
            return None
        if ours is not None and _exists(ours):
            return importlib.machinery.ModuleSpec(fullname, _AliasLoader(ours))
        # `importlib.util.find_spec` asks whether there is such a module; None is its "no".
        # The import statement has to raise here: a later finder must not see the name.
        asker = sys._getframe(1).f_back
        if asker is not None and asker.f_globals.get("__name__") == "importlib.util":
            return None
        raise ModuleNotFoundError(f"{fullname} is not in Lantern yet", name=fullname)


class StandInFinder(importlib.abc.MetaPathFinder):
    """Finds what courses import, after all other finders have found nothing of that name."""

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Gives Lantern's module for a package that is not installed, None for any other name."""
        package, dot, rest = fullname.partition(".")
        ours = _STAND_INS.get(package, "") + dot + rest
        if package not in _STAND_INS or not _exists(ours):
            return None
        return importlib.machinery.ModuleSpec(fullname, _AliasLoader(ours))


class _AliasLoader(importlib.abc.Loader):
    """Gives a module of Lantern where one of PyTorch's is asked for."""

    def __init__(self, ours: str) -> None:
        self.ours = ours

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.ours)
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # Executed long ago, under its own name. The import system has just put the alias's
        # spec on the module; with its own back, reloading and pickling find it as before.
        module.__spec__ = self.own_spec


def _safetensors_spec() -> importlib.machinery.ModuleSpec | None:
    """Finds the library, whose `safe_open` would look for PyTorch's own C functions."""
    spec = importlib.machinery.PathFinder.find_spec("safetensors")
    if spec is None or spec.loader is None:
        return spec
    loader: Any = spec.loader
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        theirs = vars(module)["safe_open"]

        def safe_open(filename: Any, framework: str, device: Any = "cpu", **options: Any) -> Any:
            """Opens a file for Lantern where it is asked for as PyTorch's, else as always."""
            if framework not in ("pt", "torch", "pytorch"):
                return theirs(filename, framework, device, **options)
            ours = importlib.import_module("lantern.safetensors")
            return ours.safe_open(filename, framework, device, **options)

        vars(module)["safe_open"] = safe_open

    loader.exec_module = exec_module
    return spec


def _exists(ours: str) -> bool:
    parent, _, child = ours.rpartition(".")
    if parent:
        # In Lantern `tensor` is a function as well as the file that holds it. PyTorch has no
        # module of that name, and importing it would put the file in the function's place.
        there = vars(importlib.import_module(parent)).get(child)
        if there is not None and not isinstance(there, ModuleType):
            return False
    return ours in sys.modules or importlib.util.find_spec(ours) is not None


class Arguments(list[str]):
    """A `sys.argv` whose pickle brings the finder along.

    Under the spawn start method `multiprocessing` runs the script again in a bare interpreter,
    to which it sends `sys.argv` first; `import torch` has to mean Lantern there as well.
    """

    def __reduce__(self) -> tuple[object, tuple[list[str]]]:
        return _arguments_in_child, (list(self),)


def _arguments_in_child(arguments: Iterable[str]) -> Arguments:
    install()
    return Arguments(arguments)
