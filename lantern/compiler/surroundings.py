"""What a function depends on besides its arguments: names, attributes, modules, optimizers.

The code of a function names the globals, closure cells and attributes that it can reach. `Watch`
walks along them and keeps, spot by spot, what lies there. A record may run while each spot still
holds the same object (or an equal number or text). Spots of modules and optimizers are looked at
only when `flags.version` has moved on, which every change of them brings about.
"""

from __future__ import annotations

import builtins
import dis
import functools
import pickle
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from ..autograd.mode import flags
from ..tensor import Tensor

ABSENT = type("Absent", (), {"__repr__": lambda self: "nothing"})()
ITEM, CELL, ATTRIBUTE, LENGTH, DEFAULTS = "item", "cell", "attribute", "length", "defaults"
STATE, STEPS = "state", "steps"  # of random numbers; of an iterator, which nobody can ask
PLAIN = frozenset({bool, int, float, str, bytes, type(None)})
DEPTH, ITEMS = 5, 64  # how far into objects, and how many items of a list, are looked at
_DRAWING = frozenset({"random", "numpy", "numpy.random"})
_STREAMS = frozenset(
    {
        ("random", "Random"),
        ("numpy.random.mtrand", "RandomState"),
        ("numpy.random._generator", "Generator"),
    }
)
_LIBRARIES = frozenset({"lantern", "numpy", *sys.stdlib_module_names})


class Spot:
    """A place where an object lies: an item, an attribute, a closure cell; or a length."""

    __slots__ = ("kind", "holder", "key", "name")

    def __init__(self, kind: str, holder: Any, key: Any, name: str):
        self.kind, self.holder, self.key, self.name = kind, holder, key, name

    def read(self) -> Any:
        """Returns what lies there now."""
        try:
            if self.kind is ITEM:
                return self.holder[self.key]
            if self.kind is CELL:
                return self.holder.cell_contents
            if self.kind is LENGTH:
                return len(self.holder)
            if self.kind is STATE:
                return pickle.dumps(self.holder)
            if self.kind is STEPS:
                return object()
            return getattr(self.holder, self.key)
        except (KeyError, IndexError, ValueError, AttributeError):
            return ABSENT

    def write(self, value: Any) -> None:
        """Puts something there."""
        if self.kind is ITEM:
            self.holder[self.key] = value
        elif self.kind is CELL:
            self.holder.cell_contents = value
        else:
            setattr(self.holder, self.key, value)


def same(old: Any, new: Any) -> bool:
    """Says whether what lies in a spot is as before: the same object, or an equal number."""
    if old is new:
        return True
    kind = type(old)
    if type(new) is not kind:
        return False
    if kind in PLAIN:
        return old == new and (kind is not float or old.hex() == new.hex())
    if kind is tuple:
        return len(old) == len(new) and all(map(same, old, new))
    return kind is types.MethodType and old == new


class Facts:
    """What a record depends on of a tensor that it has met, besides the numbers in it."""

    __slots__ = ("tensor", "storage", "layout", "tracked", "hooks")

    def __init__(self, tensor: Tensor):
        self.tensor = weakref.ref(tensor)
        self.storage, self.layout = tensor._storage, tensor._layout
        self.tracked, self.hooks = tensor._node is not None, _hooks(tensor)

    def hold(self) -> bool:
        """Says whether the tensor is as it was."""
        tensor = self.tensor()
        return tensor is None or (
            tensor._storage is self.storage
            and tensor._layout == self.layout
            and (tensor._node is not None) is self.tracked
            and _hooks(tensor) == self.hooks
        )


def _hooks(tensor: Tensor) -> tuple | None:
    hooks = None if tensor._node is None else tensor._node.hooks
    if hooks is None:
        return None
    return (
        *(len(each) for each in hooks.tensor.values()),
        *(len(hooks.before), len(hooks.after), len(hooks.accumulated)),
    )


class Watch:
    """The spots that a function reaches, and what lay in each when it was looked at."""

    def __init__(self, function: Callable[..., Any] | None = None):
        self.near: list[tuple[Spot, Any]] = []  # looked at in every call
        self.far: list[tuple[Spot, Any]] = []  # looked at when the version has moved on
        self.still: list[tuple[Spot, Any]] = []  # what a recording must not change
        self.facts: list[Facts] = []
        self.version = flags.version
        self._done: set[Any] = set()
        self._kept: list[Any] = []  # objects whose identity is in `_done`
        if function is not None:
            self._code(function, "")

    # --- asking
    def obstacle(self) -> str | None:
        """Returns what has changed, in words; None where all is as it was."""
        reason = _moved(self.near)
        if reason is None and self.version != flags.version:
            version = flags.version
            reason = _moved(self.far)
            if reason is None and not all(each.hold() for each in self.facts):
                reason = "the memory of a tensor, its requires_grad or its hooks were changed"
            if reason is None:
                self.version = version
        return reason

    def changes(self) -> list[tuple[Spot, Any, Any]]:
        """Returns the spots that hold something else now, with what they held and hold."""
        spots = [*self.near, *self.far, *self.still]
        found = [(spot, old, spot.read()) for spot, old in spots]
        return [(spot, old, new) for spot, old, new in found if not same(old, new)]

    def forget(self, spots: list[Spot]) -> None:
        """Stops looking at some spots."""
        gone = set(map(id, spots))
        self.near = [each for each in self.near if id(each[0]) not in gone]
        self.far = [each for each in self.far if id(each[0]) not in gone]

    # --- walking
    def _first(self, value: Any, context: Any = None) -> bool:
        mark = (id(value), context)
        if mark in self._done:
            return False
        self._done.add(mark)
        self._kept.append(value)
        return True

    def _code(self, function: Any, name: str) -> None:
        """Looks at what a function refers to, and what the user's functions among that do."""
        if isinstance(function, functools.partial):
            self._value((function.func, *function.args, *function.keywords.values()), name, (), 0)
            return
        if isinstance(function, types.MethodType):
            names = _names(getattr(function.__func__, "__code__", None))
            self._object(function.__self__, "self", names, 0)
            self._code(function.__func__, name)
            return
        if _compiled(function):
            self._code(function.function, name)
            return
        if not isinstance(function, types.FunctionType):
            self._object(function, name or "the function", ("forward", "__call__"), 0)
            return
        wrapped = getattr(function, "__wrapped__", None)
        if wrapped is not None:
            self._code(wrapped, name)
        if _library(function.__module__) or not self._first(function):
            return
        names = _names(function.__code__)
        space = function.__globals__
        for each in _globals(function.__code__):
            if each in space or each not in vars(builtins):
                self._spot(self.near, Spot(ITEM, space, each, each), names, 0)
        for each, cell in zip(
            function.__code__.co_freevars, function.__closure__ or (), strict=True
        ):
            self._spot(self.near, Spot(CELL, cell, None, each), names, 0)
        for each in ("__defaults__", "__kwdefaults__"):
            value = getattr(function, each)
            if value:
                self._spot(self.near, Spot(DEFAULTS, function, each, "a default"), names, 0)

    def _spot(self, spots: list, spot: Spot, names: Any, depth: int) -> None:
        value = spot.read()
        if isinstance(value, types.ModuleType):
            self._module(value, spot.name, names, spots)
            return
        spots.append((spot, value))
        self._value(value, spot.name, names, depth, spots)

    def _value(
        self, value: Any, name: str, names: Any, depth: int, spots: list | None = None
    ) -> None:
        """Looks into what lies in a spot."""
        spots = self.near if spots is None else spots
        kind = type(value)
        if isinstance(value, Tensor):
            self._tensor(value)
        if kind in PLAIN or depth > DEPTH or isinstance(value, Tensor):
            return
        self._stream(value, name)
        if kind in (types.FunctionType, types.MethodType, functools.partial) or _compiled(value):
            self._code(value, name)
        elif kind is tuple:
            for i, each in enumerate(value[:ITEMS]):
                self._value(each, f"{name}[{i}]", names, depth + 1, spots)
        elif isinstance(value, (list, dict)):
            self._items(value, name, names, depth, spots)
        elif isinstance(value, (set, deque)):
            spots.append((Spot(LENGTH, value, None, f"the length of {name}"), len(value)))
        elif isinstance(value, Iterator) and "next" in names:
            self.still.append((Spot(STEPS, value, None, name), None))
        elif _is_module(value):
            self.module(value, name)
        elif _is_optimizer(value):
            self.optimizer(value, name)
        else:
            self._object(value, name, names, depth)

    def _module(self, module: Any, name: str, names: Any, spots: list) -> None:
        """Looks at those numbers and tensors of a module whose names the code has."""
        for each in names:
            found, label = vars(module).get(each, ABSENT), f"{name}.{each}"
            if module.__name__ in _DRAWING:
                if isinstance(found, types.ModuleType):
                    self._module(found, label, [one for one in names if one != each], spots)
                self._stream(found, label)
            elif not _library(module.__name__):
                if type(found) in PLAIN or isinstance(found, Tensor):
                    spots.append((Spot(ITEM, vars(module), each, label), found))

    def _stream(self, value: Any, name: str) -> None:
        """Looks at the random numbers of Python's or NumPy's that a value or a method draws."""
        bound = isinstance(value, (types.BuiltinFunctionType, types.MethodType))
        stream = value.__self__ if bound else value
        known = (type(stream).__module__, type(stream).__name__) in _STREAMS
        if known and self._first(stream, STATE):
            spot = Spot(STATE, stream, None, name)
            self.still.append((spot, spot.read()))

    def _tensor(self, value: Any) -> None:
        if isinstance(value, Tensor) and self._first(value):
            self.facts.append(Facts(value))

    def _items(self, value: Any, name: str, names: Any, depth: int, spots: list) -> None:
        if not self._first(value):
            return
        spots.append((Spot(LENGTH, value, None, f"the length of {name}"), len(value)))
        if len(value) <= ITEMS:
            for each in value if isinstance(value, dict) else range(len(value)):
                spot = Spot(ITEM, value, each, f"{name}[{each!r}]")
                self._spot(spots, spot, names, depth + 1)

    def _object(self, value: Any, name: str, names: Any, depth: int) -> None:
        """Looks at those attributes of an object whose names the code has."""
        if _is_module(value):
            self.module(value, name)
        elif _is_optimizer(value):
            self.optimizer(value, name)
        kind = value if isinstance(value, type) else type(value)
        if _library(kind.__module__) or isinstance(value, Tensor):
            return
        own = getattr(value, "__dict__", None) if not isinstance(value, type) else None
        for each in names:
            if not self._first(value, each):
                continue
            if isinstance(own, dict) and each in own:
                self._spot(self.near, Spot(ITEM, own, each, f"{name}.{each}"), names, depth + 1)
                continue
            owner = next((one for one in kind.__mro__ if each in one.__dict__), None)
            if owner is None:
                if own is not None and not _is_module(value):
                    self.near.append((Spot(ATTRIBUTE, value, each, f"{name}.{each}"), ABSENT))
            elif not _library(owner.__module__):
                self._member(value, owner, each, name, depth)
                self._unhidden(value, owner, each, name)

    def _member(self, value: Any, owner: type, key: str, name: str, depth: int) -> None:
        """Looks at what an object has from its class."""
        found = owner.__dict__[key]
        function = found.fget if isinstance(found, property) else found
        function = getattr(function, "__func__", function)
        if isinstance(function, types.FunctionType):
            self._code(function, key)
            names = [each for each in _names(function.__code__) if each != key]
            self._object(value, name, names, depth)
        elif isinstance(found, types.MemberDescriptorType):
            spot = Spot(ATTRIBUTE, value, key, f"{name}.{key}")
            self._spot(self.near, spot, (), depth + 1)
        elif type(found) in PLAIN or isinstance(found, (Tensor, tuple, list, dict)):
            self._spot(self.near, Spot(ATTRIBUTE, owner, key, f"{name}.{key}"), (), depth + 1)

    def _unhidden(self, value: Any, owner: type, key: str, name: str) -> None:
        """Looks whether an object gets for itself what it has from its class."""
        own = getattr(value, "__dict__", None)
        if isinstance(own, dict) and not hasattr(type(owner.__dict__[key]), "__set__"):
            spots = self.far if _is_module(value) else self.near
            spots.append((Spot(ITEM, own, key, f"{name}.{key}"), ABSENT))

    # --- what tells of its changes itself
    def module(self, module: Any, name: str = "") -> None:
        """Looks at all modules in a module: attributes, tables of parameters and hooks."""
        for path, each in module.named_modules():
            if not self._first(each, "module"):
                continue
            label = f"{name}.{path}" if path and name else path or name or type(each).__name__
            for key, value in vars(each).items():
                if key == "_compiled_call_impl":
                    continue
                if isinstance(value, dict) and key.startswith("_"):
                    self.far.append((Spot(ITEM, vars(each), key, f"{label}.{key}"), value))
                    self._length(value, f"{label}.{key}")
                    for inner, held in value.items():
                        self._tensor(held)
                        self.far.append((Spot(ITEM, value, inner, f"{label}.{inner}"), held))
                else:
                    spot = Spot(ITEM, vars(each), key, f"{label}.{key}")
                    self.far.append((spot, value))
                    self._value(value, spot.name, (), 1)
            if "forward" not in vars(each):
                self.far.append((Spot(ITEM, vars(each), "forward", f"{label}.forward"), ABSENT))
            if not _library(type(each).__module__):
                self._object(each, label, ("forward",), 0)

    def optimizer(self, optimizer: Any, name: str = "") -> None:
        """Looks at the groups of an optimizer, which of its tensors are in them, and its state."""
        if not self._first(optimizer, "optimizer"):
            return
        name = name or type(optimizer).__name__
        own = vars(optimizer)
        for key in ("param_groups", "state"):
            self.far.append((Spot(ITEM, own, key, f"{name}.{key}"), own[key]))
        groups = optimizer.param_groups
        self._length(groups, f"{name}.param_groups")
        for i, group in enumerate(groups):
            label = f"{name}.param_groups[{i}]"
            self.far.append((Spot(ITEM, groups, i, label), group))
            self.far.append((Spot(ITEM, group, "params", f"{label}['params']"), group["params"]))
            for key, value in group.items():
                if key != "params":
                    self.still.append((Spot(ITEM, group, key, f"{label}[{key!r}]"), value))
            for j, each in enumerate(group["params"]):
                self.far.append((Spot(ITEM, group["params"], j, f"{label}['params'][{j}]"), each))
        for key, value in own.items():
            if key.endswith("_hooks"):
                self._length(value, f"{name}.{key}")

    def _length(self, table: Any, name: str) -> None:
        self.far.append((Spot(LENGTH, table, None, f"the number of {name}"), len(table)))

    def state(self, optimizer: Any) -> None:
        """Looks at the state that an optimizer has made, which takes the place of none."""
        for table in optimizer.state.values():
            if isinstance(table, dict):
                for key, value in table.items():
                    self.far.append((Spot(ITEM, table, key, f"the optimizer's {key}"), value))


def _moved(spots: list[tuple[Spot, Any]]) -> str | None:
    """Returns which spot has changed; equal numbers and texts take the place of those before."""
    for i, (spot, old) in enumerate(spots):
        new = spot.read()
        if old is not new:
            if not same(old, new):
                return _changed(spot, old, new)
            spots[i] = spot, new
    return None


def _changed(spot: Spot, old: Any, new: Any) -> str:
    if type(old) in PLAIN and type(new) in PLAIN:
        return f"{spot.name} was {old!r} and is {new!r}"
    if old is ABSENT or new is ABSENT:
        return f"{spot.name} {'was set' if old is ABSENT else 'is gone'}"
    return f"{spot.name} is another {type(new).__name__}"


def _names(code: types.CodeType | None) -> list[str]:
    """Returns the names of globals and attributes in code, and of the variables it shares."""
    if code is None:
        return []
    names = [*code.co_names, *code.co_freevars]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += _names(constant)
    return list(dict.fromkeys(names))


def _globals(code: types.CodeType) -> list[str]:
    """Returns the names of the globals that code reads or sets."""
    names = [each.argval for each in dis.get_instructions(code) if each.opname in _GLOBAL]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += _globals(constant)
    return list(dict.fromkeys(names))


_GLOBAL = frozenset({"LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME"})


def _compiled(value: Any) -> bool:
    return type(value).__name__ == "CompiledFunction" and hasattr(value, "function")


def _library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES and module != "__main__"


def _is_module(value: Any) -> bool:
    return hasattr(type(value), "named_modules") and "training" in getattr(value, "__dict__", ())


def _is_optimizer(value: Any) -> bool:
    own = getattr(value, "__dict__", ())
    return "param_groups" in own and "state" in own
