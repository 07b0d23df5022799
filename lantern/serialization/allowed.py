"""The names that a checkpoint may use when it is loaded safely, and what may be done with each.

Allowed by default are the parts of tensors, plain containers, the layers of `lantern.nn`, and
modules whose class the running program has already defined. A module is rebuilt as an object with
a `__dict__`: neither its constructor nor any function named by the file runs. A program can allow
more with `add_safe_globals`; what is refused is named together with the line that would allow it.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from pickle import UnpicklingError
from typing import Any

import lantern

from . import bridge, names
from .pickling import check_hashable, shown
from .rebuild import Rebuilder
from .storages import storage_type

BLOCKED_MODULES = ("sys", "os", "posix", "nt")

_user_allowed: dict[Any, None] = {}


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allows classes and functions by name in all later loads with `weights_only=True`.

    Entries are classes or functions, or pairs `(class, "module.name")` where the file uses another
    name than the class has. Raises ValueError or TypeError for pairs of another form.

    >>> from collections import deque
    >>> from lantern.serialization import add_safe_globals, clear_safe_globals, get_safe_globals
    >>> add_safe_globals([deque])
    >>> get_safe_globals()
    [<class 'collections.deque'>]
    >>> clear_safe_globals()
    """
    for entry in safe_globals:
        _path_of(entry)
    _user_allowed.update(dict.fromkeys(safe_globals))


def get_safe_globals() -> list[Any]:
    """Returns what `add_safe_globals` has allowed.

    >>> from lantern.serialization import get_safe_globals
    >>> get_safe_globals()
    []
    """
    return list(_user_allowed)


def clear_safe_globals() -> None:
    """Forgets what `add_safe_globals` has allowed.

    >>> from lantern.serialization import clear_safe_globals
    >>> clear_safe_globals()
    """
    _user_allowed.clear()


class safe_globals:
    """Allows classes and functions within a `with` block, as `add_safe_globals` does for good.

    >>> from collections import deque
    >>> from lantern.serialization import get_safe_globals, safe_globals
    >>> with safe_globals([deque]):
    ...     get_safe_globals()
    [<class 'collections.deque'>]
    """

    def __init__(self, safe_globals: list[Any]):
        self.safe_globals = safe_globals

    def __enter__(self) -> None:
        self._before = dict(_user_allowed)
        add_safe_globals(self.safe_globals)

    def __exit__(self, *error: object) -> None:
        _user_allowed.clear()
        _user_allowed.update(self._before)


class Refused(UnpicklingError):
    """A name that the allow-list does not have; `name` is the pair of its module and itself."""

    def __init__(self, module: str, name: str):
        super().__init__(refusal((module, name)))
        self.name = (module, name)


class Function:
    """Stands in a pickle's stack for a function that only this module may call."""

    def __init__(self, path: str):
        self.path = path


class AllowList:
    """What one safe load may name, call, make and fill."""

    def __init__(self, rebuilder: Rebuilder, budget: int):
        self._budget = budget
        self._values: dict[str, Any] = {}
        # Methods of the list itself by their names: a reference would keep the load's memory.
        self._calls: dict[int, Callable[..., Any] | str] = {}
        self._modules: dict[int, type] = {}
        self._trusted: dict[int, Any] = {}
        self._users = {_path_of(entry): _object_of(entry) for entry in _user_allowed}
        for path, function in rebuilder.functions.items():
            self._allow(path, function, function)
        self._allow("torch.nn.parameter.Parameter", lantern.nn.Parameter)
        self._allow("torch.Tensor", lantern.Tensor)
        self._allow("torch.Size", lantern.Size, "_size")
        self._allow("torch.device", lantern.device, lantern.device)
        self._allow("torch._C._VariableFunctionsClass", Function("_VariableFunctionsClass"))
        self._allow("builtins.getattr", Function("getattr"), "_tensor_function")
        self._allow("collections.OrderedDict", OrderedDict, "_ordered_dict")
        self._allow("collections.Counter", Counter, "_counter")
        self._allow("_codecs.encode", Function("_codecs.encode"), "_encode")
        self._allow("builtins.bytearray", bytearray, "_bytearray")
        self._allow("builtins.set", set, "_set")
        self._allow("builtins.frozenset", frozenset, "_frozenset")
        self._allow("builtins.complex", complex, _complex)

    def _allow(self, path: str, value: Any, call: Callable[..., Any] | str | None = None) -> None:
        self._values[path] = value
        if call is not None:
            self._calls[id(value)] = call

    # --- what the unpickler asks
    def find(self, module: str, name: str) -> Any:
        """Returns what a name stands for; raises Refused for names that are not allowed."""
        path = f"{module}.{name}"
        if module.partition(".")[0] in BLOCKED_MODULES:
            raise UnpicklingError(
                f"Trying to load unsupported GLOBAL {path} whose module {module} is blocked: "
                "data never needs it, so that the file is likely to be an attack. Do not load it."
            )
        if path in self._values:
            return self._values[path]
        trusted = self._users.get(_present_path(path))
        if trusted is not None:
            self._trusted[id(trusted)] = trusted
            return trusted
        found = self._find_torch(module, name) if _is_torch(module) else find_loaded(module, name)
        if bridge.is_module_class(found):
            self._modules[id(found)] = found
        elif found is None:
            raise Refused(module, name)
        self._values[path] = found
        return found

    def call(self, function: Any, args: tuple) -> Any:
        """Calls a function that the list has a checked form of, or that the program allowed."""
        checked = self._calls.get(id(function))
        if checked is None:
            if id(function) not in self._trusted:
                raise UnpicklingError(
                    f"Trying to call reduce for unrecognized function: {shown(function)}"
                )
            return function(*args)
        try:
            return (getattr(self, checked) if isinstance(checked, str) else checked)(*args)
        except (TypeError, OverflowError) as error:
            raise UnpicklingError(f"a function was given wrong arguments: {error}") from error

    def make(self, kind: Any, args: tuple, keywords: dict) -> Any:
        """Makes an object without its constructor: a module, or what the program allowed."""
        if id(kind) in self._trusted:
            return kind.__new__(kind, *args, **keywords)
        if id(kind) not in self._modules or args or keywords:
            raise UnpicklingError(
                "Can only create new object for nn.Module or classes allowlisted via "
                f"`add_safe_globals` but got {shown(kind)}"
            )
        return object.__new__(kind)

    def build(self, instance: Any, state: Any) -> None:
        """Gives an object its attributes."""
        kind = type(instance)
        if self.trusts(kind):
            _build_trusted(instance, state)
        elif kind is OrderedDict or id(kind) in self._modules:
            if type(state) is not dict or not all(type(name) is str for name in state):
                raise UnpicklingError(f"the state of {kind} is not a dict of attributes")
            self._pay(len(state))
            if kind is OrderedDict:
                instance.__dict__.update(state)
            else:
                _build_module(instance, state)
        else:
            raise UnpicklingError(
                "Can only build OrderedDict, nn.Module or types allowlisted via "
                f"`add_safe_globals`, but got {kind}"
            )

    def trusts(self, kind: type) -> bool:
        """Says whether the program has allowed a class by name."""
        # `numpy.dtype` stands for its subclasses: NumPy has one for each type of numbers.
        kinds = kind.__mro__ if kind.__module__ == "numpy.dtypes" else (kind,)
        return any(id(each) in self._trusted for each in kinds)

    # --- names
    def _find_torch(self, module: str, name: str) -> Any:
        kind = storage_type(name)
        if kind is not None and module in ("torch", "torch.storage", "torch.cuda"):
            return kind
        if module == "torch" and name in bridge.DTYPES:
            return bridge.dtype_named(name)
        try:
            found = names.to_lantern(module, name, may_import=False)
        except LookupError as error:
            raise UnpicklingError(str(error)) from None
        in_nn = module.startswith(("torch.nn.", "torch._C._nn"))
        harmless = bridge.is_module_class(found) or names.is_tensor_function(found)
        return found if in_nn and harmless else None

    # --- the checked forms of functions
    def _pay(self, size: int) -> None:
        """Counts what is copied; honest files never ask for more than they hold."""
        self._budget -= size
        if self._budget < 0:
            raise UnpicklingError(
                "the file copies its parts over and over: it was made to fill the memory"
            )

    def _encode(self, text: Any, encoding: Any) -> bytes:
        if type(text) is not str or encoding not in ("latin1", "latin-1"):
            raise UnpicklingError(f"bytes are written as latin1 texts, not as {shown(encoding)}")
        self._pay(len(text))
        try:
            return text.encode("latin1")
        except UnicodeEncodeError:
            raise UnpicklingError("bytes are written as texts of small characters") from None

    def _bytearray(self, content: Any = b"", encoding: Any = "latin-1") -> bytearray:
        if type(content) is not bytes:
            content = self._encode(content, encoding)
        self._pay(len(content))
        return bytearray(content)

    def _size(self, sizes: Any = ()) -> Any:
        if type(sizes) is not tuple or not all(type(size) is int for size in sizes):
            raise UnpicklingError("torch.Size takes a tuple of integers")
        self._pay(len(sizes))
        return lantern.Size(sizes)

    def _set(self, values: Any = ()) -> set:
        made: set = set()
        for value in self._hashable(values, list, tuple):
            made.add(value)
        return made

    def _frozenset(self, values: Any = ()) -> frozenset:
        return frozenset(self._set(values))

    def _counter(self, counts: Any = None) -> Counter:
        self._hashable(counts or {}, dict)
        return Counter(counts)

    def _ordered_dict(self, items: Any = ()) -> OrderedDict:
        """Python 2 wrote the items as a list of pairs; later versions set them one by one."""
        pairs = type(items) in (list, tuple)
        if not pairs or not all(type(item) in (list, tuple) and len(item) == 2 for item in items):
            raise UnpicklingError("OrderedDict takes pairs")
        self._hashable([key for key, _ in items], list)
        return OrderedDict(items)

    def _hashable(self, values: Any, *kinds: type) -> Any:
        if type(values) not in kinds:
            raise UnpicklingError(f"{type(values)} stands where {kinds[0].__name__} belongs")
        self._pay(len(values))
        for value in values:
            if type(value) is not str:
                check_hashable(value, self.trusts)
        return values

    def _tensor_function(self, owner: Any, name: Any) -> Any:
        """Functions of tensors, such as `torch.relu`, which pickle as attributes of their class."""
        if owner is not self._values["torch._C._VariableFunctionsClass"] or type(name) is not str:
            raise UnpicklingError("getattr may only name a function of tensors")
        found = names.function_named(name)
        if found is None:
            raise UnpicklingError(f"torch.{name} is not in Lantern yet")
        return found


def _complex(real: Any, imaginary: Any) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise UnpicklingError("complex takes two floats")
    return complex(real, imaginary)


def _build_module(module: Any, state: dict[str, Any]) -> None:
    """Gives a module its attributes by `__setstate__`: Lantern's, the only one that gets here."""
    for table in ("_parameters", "_buffers", "_modules"):
        if not isinstance(state.get(table, {}), dict):
            raise UnpicklingError(f"{table} of {type(module)} is not a dict")
    try:
        module.__setstate__(state)
    except Exception as error:
        raise UnpicklingError(f"{type(module)} can not take its state: {error}") from error


def _build_trusted(instance: Any, state: Any) -> None:
    update = getattr(instance, "__setstate__", None)
    if update is not None:
        update(state)
        return
    attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
    if attributes:
        instance.__dict__.update(attributes)
    for name, value in (slots or {}).items():
        setattr(instance, name, value)


def find_loaded(module: str, name: str) -> Any:
    """Returns a class of modules that the program has defined, or None; imports nothing.

    Classes with code of their own for being rebuilt or thrown away are left to `add_safe_globals`.
    """
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        try:
            found = vars(found).get(part)
        except TypeError:
            return None
    if not bridge.is_module_class(found):
        return None
    for special in ("__setstate__", "__del__"):
        owner = next((each for each in found.__mro__ if special in vars(each)), None)
        if owner is not None and not names.is_lantern_name(owner.__module__):
            return None
    return found


def _is_torch(module: str) -> bool:
    return module == "torch" or module.startswith("torch.")


def _path_of(entry: Any) -> str:
    """Returns the name by which a file would call an entry of `add_safe_globals`."""
    if isinstance(entry, tuple):
        if len(entry) != 2:
            raise ValueError(
                "Expected tuple of length 2 (global, str of callable full path), but got tuple of "
                f"length: {len(entry)}"
            )
        if type(entry[1]) is not str:
            raise TypeError(
                "Expected second item in tuple to be str of callable full path, but got: "
                f"{type(entry[1])}"
            )
        return _present_path(entry[1])
    known = names.of_lantern(entry)
    if known is not None:
        return f"{known.module}.{known.name}"
    return _present_path(f"{entry.__module__}.{entry.__qualname__}")


def _object_of(entry: Any) -> Any:
    return entry[0] if isinstance(entry, tuple) else entry


def _present_path(path: str) -> str:
    """NumPy 2 renamed the home of the functions that rebuild its arrays and numbers."""
    return path.replace("numpy.core.", "numpy._core.", 1) if path.startswith("numpy.") else path


def refusal(first: tuple[str, str], others: Iterable[tuple[str, str]] = ()) -> str:
    """The sentence for a name that is not allowed, with the lines that would allow it.

    Names are pairs of module and name; `others` are those of the same file that would be refused
    after this one.
    """
    refused = list(dict.fromkeys([first, *others]))
    paths = [".".join(each) for each in refused]
    unknown = [".".join(each) for each in refused if not _is_defined(*each)]
    text = f"Unsupported global: GLOBAL {paths[0]} was not an allowed global by default. "
    if len(paths) > 1:
        text += f"The file also needs {', '.join(paths[1:])}. "
    if unknown:
        verb = "is" if len(unknown) == 1 else "are"
        text += (
            f"{', '.join(unknown)} {verb} not defined in the running program: define or import "
            "it under the same name before loading. Subclasses of nn.Module then load as they "
            "are; for others, if you trust them, "
        )
    else:
        text += "If you trust it, "
    spelled = [_spelled(*each) for each in refused]
    lines = [f"import {module}" for module in sorted({module for module, _ in spelled} - {""})]
    listed = ", ".join(f"{module}.{name}" if module else name for module, name in spelled)
    lines.append(f"lantern.serialization.add_safe_globals([{listed}])")
    text += "allow it by adding this before loading:\n\n    " + "\n    ".join(lines)
    once = f"with lantern.serialization.safe_globals([{listed}]):"
    return f"{text}\n\nor, for this load only, put it in `{once}`."


def _spelled(module: str, name: str) -> tuple[str, str]:
    """The module to import and the name in it, as the running program would write them."""
    if _is_torch(module):
        try:
            found = names.to_lantern(module, name, may_import=False)
            return found.__module__, found.__qualname__
        except (LookupError, AttributeError):  # not there, or there but no class or function
            return f"lantern{module.removeprefix('torch')}", name
    return ("" if module in ("__main__", "builtins") else module), name


def _is_defined(module: str, name: str) -> bool:
    if _is_torch(module):
        return True
    return name.partition(".")[0] in vars(sys.modules.get(module, object))
