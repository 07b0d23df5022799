"""PyTorch's names for Lantern's classes and functions in a pickle, and the way back.

A checkpoint names classes by module: `torch.nn.modules.linear Linear`. Lantern's layers lie in
modules of the same names under `lantern`, so most of the mapping is the prefix; what PyTorch keeps
elsewhere is in the tables.
"""

from __future__ import annotations

import importlib
import sys
from types import FunctionType, ModuleType
from typing import Any

import lantern

from . import bridge

# Where PyTorch keeps what Lantern keeps elsewhere: (module, name) in a pickle -> path in Lantern.
_MOVED = {
    ("torch", "Tensor"): "Tensor",
    ("torch._tensor", "Tensor"): "Tensor",
    ("torch.tensor", "Tensor"): "Tensor",
    ("torch", "Size"): "Size",
    ("torch", "device"): "device",
    ("torch", "dtype"): "dtype",
    ("torch._C", "Generator"): "Generator",
    ("torch", "Generator"): "Generator",
    ("torch.nn.parameter", "Parameter"): "nn.Parameter",
    ("torch.nn.parameter", "Buffer"): "nn.Buffer",
}
# Layers whose sizes the first input sets lie in one file here, beside their kin in PyTorch.
_MOVED |= {
    (f"torch.nn.modules.{home}", f"Lazy{name}{ndim}d"): f"nn.Lazy{name}{ndim}d"
    for home, name in (
        ("conv", "Conv"),
        ("conv", "ConvTranspose"),
        ("batchnorm", "BatchNorm"),
        ("instancenorm", "InstanceNorm"),
    )
    for ndim in (1, 2, 3)
}
_MOVED["torch.nn.modules.linear", "LazyLinear"] = "nn.LazyLinear"
_PACKAGES = (("torch.utils.data", "lantern.data"), ("torchvision", "lantern.vision"))


class TorchName:
    """A class or function of PyTorch, known by name only, to be written into a pickle."""

    def __init__(self, module: str, name: str):
        self.module = module
        self.name = name

    def __call__(self) -> None:
        """Exists because pickle wants what it writes as a function to be callable."""
        raise TypeError(f"{self.module}.{self.name} is only a name here")

    def __repr__(self) -> str:
        return f"{self.module}.{self.name}"


def of_lantern(value: Any) -> TorchName | None:
    """Returns PyTorch's name for a class, function or dtype of Lantern; None for anything else.

    >>> import lantern
    >>> of_lantern(lantern.nn.Linear)
    torch.nn.modules.linear.Linear
    """
    if isinstance(value, lantern.dtype):
        return TorchName("torch", str(value).removeprefix("torch."))
    if is_tensor_function(value):
        return _function_name(value)
    if not isinstance(value, (type, FunctionType)) or not is_lantern_name(value.__module__):
        return None
    for (module, name), path in _MOVED.items():
        if _attribute(lantern, path) is value:
            return TorchName(module, name)
    return TorchName(_torch_module(value.__module__), value.__qualname__)


def to_lantern(module: str, name: str, *, may_import: bool) -> Any:
    """Returns what Lantern has under a name of PyTorch; raises LookupError where it has nothing.

    Without `may_import` only modules that are loaded already are looked at.
    """
    path = _MOVED.get((module, name))
    if module == "torch" and name in bridge.DTYPES:
        return bridge.dtype_named(name)
    if path is not None:
        found = _attribute(lantern, path)
    else:
        found = _attribute(_lantern_module(module, may_import), name)
        if found is None and module.startswith("torch.nn."):
            found = vars(lantern.nn).get(name)
        if found is None and module in ("torch.nn.functional", "torch._C._nn"):
            found = function_named(name)
    if found is None or isinstance(found, ModuleType):
        raise LookupError(f"{module}.{name} is not in Lantern yet")
    return found


def function_named(name: str) -> Any:
    """Returns a function on tensors that a layer may hold as its activation, or None."""
    name = "logsigmoid" if name == "log_sigmoid" else name  # the one that calls itself otherwise
    for namespace in (lantern.nn.functional, lantern):
        found = vars(namespace).get(name)
        if is_tensor_function(found):
            return found
    return None


def is_tensor_function(value: Any) -> bool:
    """Says whether a value is an op, or a function made of ops in `nn.functional` or `ops`."""
    home = value.__module__ if isinstance(value, FunctionType) else type(value).__module__
    if isinstance(value, FunctionType):
        return f"{home}.".startswith(("lantern.nn.functional.", "lantern.ops."))
    return home == "lantern.op" and callable(value)


def _function_name(value: Any) -> TorchName | None:
    for namespace, home in ((lantern.nn.functional, "torch.nn.functional"), (lantern, "torch")):
        for name, each in vars(namespace).items():
            if each is value and not name.startswith("_"):
                return TorchName(home, name)
    return None


def _torch_module(module: str) -> str:
    for theirs, ours in _PACKAGES:
        if f"{module}.".startswith(f"{ours}."):
            return theirs + module.removeprefix(ours)
    return "torch" + module.removeprefix("lantern")


def _lantern_module(module: str, may_import: bool) -> Any:
    for theirs, ours in (*_PACKAGES, ("torch", "lantern")):
        if f"{module}.".startswith(f"{theirs}."):
            path = ours + module.removeprefix(theirs)
            break
    else:
        return None
    if path not in sys.modules and may_import:
        try:
            importlib.import_module(path)
        except ModuleNotFoundError:
            return None
    return sys.modules.get(path)


def _attribute(owner: Any, path: str) -> Any:
    """Follows plain attributes only: nothing is computed or imported by looking."""
    for part in path.split("."):
        try:
            owner = vars(owner).get(part)
        except TypeError:
            return None
        if owner is None:
            return None
    return owner


def is_lantern_name(module: str) -> bool:
    """Says whether a module is part of Lantern itself."""
    return module == "lantern" or module.startswith("lantern.")
