"""`torch._dynamo`: the names that programs use, for what `lantern.compiler` does."""

from __future__ import annotations

import importlib

from .compat.missing import missing
from .compiler.control import allow_in_graph as allow_in_graph
from .compiler.control import config as config
from .compiler.control import disable as disable
from .compiler.control import is_compiling as is_compiling
from .compiler.control import list_backends as list_backends
from .compiler.control import reset as reset


def mark_dynamic(t: object, index: object, **bounds: object) -> None:
    """Does nothing: a function is compiled anew for each shape that it meets."""


mark_static = maybe_mark_dynamic = mark_dynamic


def __getattr__(name: str) -> object:
    if name == "OptimizedModule":
        return importlib.import_module("lantern.nn.modules.optimized").OptimizedModule
    return missing(__name__)(name)
