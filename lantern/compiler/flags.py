"""Train and eval: which modules a function can reach, and in which mode they are.

A record holds for the flags it was made under. Modules are found where functions keep them: in
closures, globals, defaults, a bound object's attributes, and lists or dicts of these.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

from ..autograd.mode import flags

_FUNCTIONS = (types.FunctionType, types.MethodType)


class ModuleFlags:
    """Answers, cheaply while nothing changes, in which mode the modules of a function are."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self._names: list[tuple[dict, str]] = []  # globals that the function refers to
        self._cells: list[types.CellType] = []
        self._fixed: list[Any] = []
        self._seen: Any = None
        self._key: tuple = ()
        _collect(function, self, set())

    def key(self) -> tuple:
        """Returns the flags of all modules that the function can reach."""
        values = [space.get(name) for space, name in self._names]
        for cell in self._cells:
            try:
                values.append(cell.cell_contents)
            except ValueError:  # a name that has no value yet
                continue
        seen = (flags.version, list(map(id, values)))
        if seen != self._seen:
            self._seen = seen
            roots = _modules([*values, *self._fixed])
            self._key = tuple(each.training for root in roots for each in root.modules())
        return self._key


def _collect(function: Any, found: ModuleFlags, done: set[int]) -> None:
    """Notes what a function refers to, and what the user's functions among that refer to."""
    if isinstance(function, types.MethodType):
        found._fixed.append(function.__self__)
        function = function.__func__
    if not isinstance(function, types.FunctionType):
        found._fixed.append(function)
        return
    if id(function) in done or (function.__module__ or "").partition(".")[0] == "lantern":
        return
    done.add(id(function))
    space = function.__globals__
    names = [(space, n) for n in _names(function.__code__) if n in space]
    names = [(s, n) for s, n in names if not isinstance(s[n], types.ModuleType)]
    cells = list(function.__closure__ or ())
    found._names += names
    found._cells += cells
    found._fixed += function.__defaults__ or ()
    for each in [s[n] for s, n in names] + _contents(cells):
        if isinstance(each, _FUNCTIONS):
            _collect(each, found, done)


def _contents(cells: list[types.CellType]) -> list[Any]:
    values = []
    for cell in cells:
        try:
            values.append(cell.cell_contents)
        except ValueError:
            continue
    return values


def _names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names


def _is_module(value: Any) -> bool:
    return hasattr(type(value), "named_modules") and hasattr(value, "training")


def _modules(values: list[Any]) -> Iterator[Any]:
    """Yields modules among values, and among the items or attributes of values."""
    for value in values:
        if _is_module(value):
            yield value
        elif type(value) in (list, tuple):
            yield from (each for each in value if _is_module(each))
        elif type(value) is dict:
            yield from (each for each in value.values() if _is_module(each))
        elif hasattr(value, "__dict__") and not isinstance(value, (type, *_FUNCTIONS)):
            yield from (each for each in vars(value).values() if _is_module(each))
