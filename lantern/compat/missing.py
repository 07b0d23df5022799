"""What a module answers when it is asked for a name that Lantern does not have."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from typing import Any

# Where PyTorch's name of a package is not `torch` plus the rest of Lantern's; first match counts.
_TORCH_NAMES = (
    ("lantern.vision", "torchvision"),
    ("lantern.compat.d2l", "d2l"),
    ("lantern.data", "torch.utils.data"),
    ("lantern", "torch"),
)


def torch_name(module_name: str) -> str:
    """The name under which PyTorch's users know a module of Lantern.

    >>> torch_name("lantern.nn.functional"), torch_name("lantern.vision.transforms")
    ('torch.nn.functional', 'torchvision.transforms')
    """
    for ours, theirs in _TORCH_NAMES:
        if module_name == ours or module_name.startswith(ours + "."):
            return theirs + module_name.removeprefix(ours)
    return module_name


def missing(module_name: str) -> Callable[[str], Any]:
    """Makes the module-level `__getattr__` of `module_name`: `__getattr__ = missing(__name__)`.

    A submodule that exists and was not imported yet is imported and returned. Any other name
    raises `AttributeError` with the name as a PyTorch script writes it and, where one is close,
    the name that was probably meant.

    >>> missing("lantern.compat.missing")("mising")
    Traceback (most recent call last):
    AttributeError: torch.compat.missing.mising is not in Lantern yet; did you mean \
torch.compat.missing.missing?
    """

    def __getattr__(name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):  # Python's own question, not a user's
            raise AttributeError(f"module '{module_name}' has no attribute '{name}'")
        if _has_submodule(module_name, name):
            return importlib.import_module(f"{module_name}.{name}")
        # `name=` without `obj=` keeps the interpreter from adding a suggestion of its own.
        raise AttributeError(_sentence(module_name, name), name=name)

    return __getattr__


def _has_submodule(module_name: str, name: str) -> bool:
    if not hasattr(sys.modules[module_name], "__path__"):
        return False
    path = f"{module_name}.{name}"
    return path in sys.modules or importlib.util.find_spec(path) is not None


def _sentence(module_name: str, name: str) -> str:
    import difflib  # most programs never get here

    module = sys.modules[module_name]
    prefix = torch_name(module_name)
    text = f"{prefix}.{name} is not in Lantern yet"
    known = [each for each in dir(module) if not each.startswith("_")]
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    if close:
        text += f"; did you mean {prefix}.{close[0]}?"
    if getattr(module.__spec__, "_initializing", False):
        text += f" ({module_name} is still being imported)"
    return text
