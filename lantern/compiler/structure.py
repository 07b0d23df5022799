"""Arguments and results as trees: what is described, taken apart and put together again.

Tuples (also named ones), lists, dicts and data classes are looked into; a description says all that
a record depends on except the numbers in tensors.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..backends import NAMESPACES
from ..tensor import Tensor, current_node
from .trace import TraceError


class Identity:
    """Stands in a description for an object that is told from others by being that object."""

    __slots__ = ("value",)

    def __init__(self, value: Any):
        self.value = value  # kept, so that no other object can take its place

    def __eq__(self, other: object) -> bool:
        return type(other) is Identity and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"a {type(self.value).__name__}"


def describe(value: Any, tensors: list[Tensor]) -> Any:
    """Returns a hashable description of arguments; the tensors among them go into `tensors`."""
    if isinstance(value, Tensor):
        for i, each in enumerate(tensors):
            if each is value:
                return ("again", i)
        tensors.append(value)
        return describe_tensor(value)
    if isinstance(value, (tuple, list)):
        return (type(value), *[describe(each, tensors) for each in value])
    if isinstance(value, dict):
        return (type(value), *[(name, describe(each, tensors)) for name, each in value.items()])
    if type(value) in (int, bool, str, type(None)):
        return (type(value), value)
    if isinstance(value, float):
        return (float, value.hex())  # tells -0.0 from 0.0
    if _is_record(value):
        return (type(value), *[describe(each, tensors) for each in _fields(value).values()])
    if type(value) in NAMESPACES:
        raise TraceError(
            "a NumPy array is among the arguments of a compiled function. Its "
            "numbers would be taken for constants: pass a tensor, torch.from_numpy(array)."
        )
    try:
        hash(value)
    except TypeError:
        return Identity(value)
    return (type(value), value)


def describe_tensor(tensor: Tensor) -> tuple:
    """Returns what a record depends on of a tensor: shape, dtype, strides, history."""
    node = current_node(tensor)
    array = tensor._array
    strides = None if array.flags.c_contiguous else array.strides
    history = None if node is None else (tensor.is_leaf, tensor._grad is not None)
    return ("tensor", tuple(array.shape), tensor.dtype, history, strides)


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}


def replaced(value: Any, kind: type, replace: Callable[[Any], Any]) -> Any:
    """Returns a tree of the same form in which each leaf of a class is replaced."""
    if isinstance(value, kind):
        return replace(value)
    if type(value) in (tuple, list):
        return type(value)(replaced(each, kind, replace) for each in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(replaced(each, kind, replace) for each in value))
    if isinstance(value, dict):
        pairs = [(name, replaced(each, kind, replace)) for name, each in value.items()]
        try:
            return type(value)(pairs)
        except TypeError:  # such as a defaultdict, which is made otherwise
            return dict(pairs)
    if _is_record(value):
        new = {name: replaced(each, kind, replace) for name, each in _fields(value).items()}
        if all(new[name] is each for name, each in _fields(value).items()):
            return value
        fresh = object.__new__(type(value))
        for name, each in {**vars(value), **new}.items():
            object.__setattr__(fresh, name, each)
        return fresh
    return value


def leaves(value: Any, kind: type) -> list[Any]:
    """Returns the leaves of a class in a tree."""
    found: list[Any] = []
    replaced(value, kind, lambda each: found.append(each) or each)
    return found


def text(key: Any) -> str:
    """Returns a description of arguments as people read it."""
    if isinstance(key, tuple) and key and key[0] == "tensor":
        return f"{key[2].name}{list(key[1])}"
    if isinstance(key, tuple) and key and key[0] == "again":
        return f"argument {key[1]} again"
    if isinstance(key, tuple) and key and isinstance(key[0], type):
        if key[0] in (int, bool, str, type(None)) and len(key) == 2:
            return repr(key[1])
        if key[0] is float:
            return repr(float.fromhex(key[1]))
        if issubclass(key[0], dict):
            return "{" + ", ".join(f"{name!r}: {text(each)}" for name, each in key[1:]) + "}"
        if key[0] in (tuple, list):
            return f"({', '.join(text(each) for each in key[1:])})"
        return f"{key[0].__name__}({', '.join(text(each) for each in key[1:])})"
    return repr(key)
