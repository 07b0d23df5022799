"""Modules that hold other modules or parameters: `Sequential`, lists and dictionaries."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, TypeVar

from lantern.autograd.mode import flags
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

from .module import Module, _indent

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

T = TypeVar("T")
L = TypeVar("L", bound="_Numbered")
S = TypeVar("S", bound="Sequential")


class _Numbered(Module):
    """What `Sequential` and `ModuleList` share: children under the names '0', '1', ..."""

    def _names(self) -> list[str]:
        return list(self._modules)

    def _replace_all(self, modules: Iterable[Module | None]) -> None:
        """Makes these the children, numbered afresh."""
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __setitem__(self, idx: int, module: Module) -> None:
        setattr(self, self._names()[_place(idx, len(self))], module)

    def __delitem__(self, idx: int | slice) -> None:
        names = self._names()
        doomed = names[idx] if isinstance(idx, slice) else [names[_place(idx, len(names))]]
        self._replace_all([m for name, m in self._modules.items() if name not in set(doomed)])

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __reversed__(self) -> Iterator[Any]:
        return reversed(list(self._modules.values()))

    def pop(self, key: int | slice) -> Any:
        """Takes a child (or, for a slice, several) out and returns it; raises IndexError."""
        taken = self[key]  # type: ignore[index]
        del self[key]
        return taken

    def append(self: L, module: Module) -> L:
        """Adds a module at the end; returns this container."""
        self.add_module(str(len(self)), module)
        return self


class Sequential(_Numbered):
    """Calls modules one after another, each on the output of the one before.

    Takes the modules, or one OrderedDict that names them. Raises TypeError for what is no module.

    >>> import lantern
    >>> from lantern import nn
    >>> nn.Sequential(nn.Flatten(), nn.ReLU())
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named: Iterable[tuple[Any, Any]]
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            named = args[0].items()
        else:
            named = ((str(i), module) for i, module in enumerate(args))
        for name, module in named:
            self.add_module(name, module)

    def forward(self, input: Any) -> Any:
        """Returns the last module's output."""
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, idx: int | slice) -> Any:
        items = list(self._modules.items())
        if isinstance(idx, slice):
            return self.__class__(OrderedDict(items[idx]))
        return items[_place(idx, len(items))][1]

    def __add__(self, other: Sequential) -> Sequential:
        _check_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self: S, other: Sequential) -> S:
        _check_sequential(other)
        return self.extend(list(other))

    def __mul__(self, other: int) -> Sequential:
        return Sequential(*(list(self) * self._times(other)))

    __rmul__ = __mul__

    def __imul__(self: S, other: int) -> S:
        return self.extend(list(self) * (self._times(other) - 1))

    def _times(self, other: Any) -> int:
        if not isinstance(other, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(other)}")
        if other <= 0:
            raise ValueError(f"Non-positive multiplication factor {other} for {type(self)}")
        return other

    def insert(self: S, index: int, module: Module) -> S:
        """Puts a module before the one at `index`; raises IndexError beyond the ends."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        modules = list(self)
        modules.insert(index, module)
        self._replace_all(modules)
        return self

    def extend(self: S, sequential: Iterable[Module]) -> S:
        """Adds all modules of an iterable at the end; returns this container."""
        for module in list(sequential):
            self.append(module)
        return self


class ModuleList(_Numbered):
    """A list whose modules count as children; it has no `forward` of its own.

    Raises TypeError for what is no module.

    >>> import lantern
    >>> from lantern import nn
    >>> nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, idx: int | slice) -> Any:
        modules = list(self._modules.values())
        if isinstance(idx, slice):
            return self.__class__(modules[idx])
        return modules[_place(idx, len(modules))]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return self.__class__(chain(self, other))

    def __iadd__(self: L, modules: Iterable[Module]) -> L:
        return self.extend(modules)  # type: ignore[attr-defined]

    def insert(self, index: int, module: Module) -> None:
        """Puts a module before the one at `index`, as `list.insert` does."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        modules = list(self)
        modules.insert(index, module)
        self._replace_all(modules)

    def extend(self: L, modules: Iterable[Module]) -> L:
        """Adds all modules of an iterable at the end; returns this list."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleList.extend should be called with an iterable, but got "
                + type(modules).__name__
            )
        for module in list(modules):
            self.append(module)
        return self

    def __repr__(self) -> str:
        texts = [repr(each) for each in self]
        if not texts:
            return f"{self._get_name()}()"
        lines = []
        start = 0
        for end in range(1, len(texts) + 1):  # equal neighbours share a line
            if end < len(texts) and texts[end] == texts[start]:
                continue
            numbers, times = f"({start})", ""
            if end - start > 1:
                numbers, times = f"({start}-{end - 1})", f"{end - start} x "
            lines.append(_indent(f"\n{numbers}: {times}{texts[start]}"))
            start = end
        return f"{self._get_name()}({''.join(lines)}\n)"


class ModuleDict(Module):
    """A dictionary whose modules count as children; keys are strings without a dot.

    Raises TypeError for what is no module, KeyError for a name that is taken.

    >>> import lantern
    >>> from lantern import nn
    >>> nn.ModuleDict({"act": nn.ReLU()})["act"]
    ReLU()
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        flags.version += 1
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Takes all modules out."""
        flags.version += 1
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Takes a module out and returns it; raises KeyError."""
        flags.version += 1
        return self._modules.pop(key)

    def keys(self) -> Any:
        """Returns the names."""
        return self._modules.keys()

    def items(self) -> Any:
        """Returns pairs of a name and a module."""
        return self._modules.items()

    def values(self) -> Any:
        """Returns the modules."""
        return self._modules.values()

    def update(self, modules: Any) -> None:
        """Adds modules from a mapping or pairs; raises TypeError or ValueError for other things."""
        for key, module in _pairs("ModuleDict", modules):
            self[key] = module


class ParameterList(Module):
    """A list whose tensors become parameters of the module; other values are kept as they are.

    >>> import lantern
    >>> weights = lantern.nn.ParameterList([lantern.ones(2, 3)])
    >>> len(list(weights.parameters()))
    1
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, slice):
            result = self.__class__()
            return result.extend(self[i] for i in range(*idx.indices(len(self))))
        return getattr(self, str(_place(idx, len(self))))

    def __setitem__(self, idx: int, param: Any) -> None:
        setattr(self, str(_place(idx, len(self))), _as_parameter(param))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __iadd__(self, parameters: Iterable[Any]) -> ParameterList:
        return self.extend(parameters)

    def append(self, value: Any) -> ParameterList:
        """Adds a value at the end; returns this list."""
        setattr(self, str(len(self)), _as_parameter(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Adds all values of an iterable at the end; raises TypeError for a tensor."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(
                "ParameterList.extend should be called with an iterable, but got "
                + type(values).__name__
            )
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """Returns a line for each value."""
        return "\n".join(
            f"  ({i}): " + _summary(each, str(each.dtype) if isinstance(each, Tensor) else "")
            for i, each in enumerate(self)
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises RuntimeError: a container of parameters computes nothing."""
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dictionary whose tensors become parameters of the module; keys are strings.

    >>> import lantern
    >>> weights = lantern.nn.ParameterDict({"scale": lantern.ones(2)})
    >>> [name for name, parameter in weights.named_parameters()]
    ['scale']
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._keys: dict[str, None] = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key: str) -> Any:
        attribute = self._key_to_attr(key)
        if key in self._keys:
            return getattr(self, attribute)
        return self.__getattr__(attribute)  # methods such as `keys` are no values

    def __setitem__(self, key: str, value: Any) -> None:
        attribute = self._key_to_attr(key)
        setattr(self, attribute, _as_parameter(value))
        self._keys[key] = None

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, self._key_to_attr(key))

    def _key_to_attr(self, key: str) -> str:
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')."
            )
        return key

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def copy(self) -> ParameterDict:
        """Returns a dictionary of the same values."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Returns the value of a key, which is `default` from now on if there was none."""
        if key not in self._keys:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Takes all values out."""
        for key in list(self._keys):
            del self[key]

    def pop(self, key: str) -> Any:
        """Takes a value out and returns it; raises AttributeError if there is none."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Takes the newest value out and returns it with its key; raises KeyError if empty."""
        key, _ = self._keys.popitem()
        self._keys[key] = None
        return key, self.pop(key)

    def get(self, key: str, default: Any = None) -> Any:
        """Returns the value of a key, or `default`."""
        return self[key] if key in self._keys else default

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Returns a new dictionary that has `default` under every key."""
        return ParameterDict((key, default) for key in keys)

    def keys(self) -> Any:
        """Returns the keys."""
        return self._keys.keys()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Returns pairs of a key and a value."""
        return ((key, self[key]) for key in self._keys)

    def values(self) -> Iterable[Any]:
        """Returns the values."""
        return (self[key] for key in self._keys)

    def update(self, parameters: Any) -> None:
        """Adds values from a mapping or pairs; raises TypeError or ValueError for other things."""
        pairs = _pairs("ParameterDict", parameters, "ParametersDict")
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs = sorted(pairs)
        for key, value in pairs:
            self[key] = value

    def extra_repr(self) -> str:
        """Returns a line for each value."""
        return "\n".join(
            f"  ({key}): " + _summary(each, each.type() if isinstance(each, Tensor) else "")
            for key, each in self.items()
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises RuntimeError: a container of parameters computes nothing."""
        raise RuntimeError("ParameterDict should not be called.")

    def __or__(self, other: ParameterDict) -> ParameterDict:
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other: ParameterDict) -> ParameterDict:
        result = ParameterDict(OrderedDict(other.items()))
        result.update(self)
        return result

    def __ior__(self, other: ParameterDict) -> ParameterDict:
        self.update(other)
        return self


def _place(idx: Any, length: int) -> int:
    """Returns an index counted from the front; raises TypeError or IndexError."""
    idx = operator.index(idx)
    if not -length <= idx < length:
        raise IndexError(f"index {idx} is out of range")
    return idx % length


def _check_sequential(other: Any) -> None:
    if not isinstance(other, Sequential):
        raise ValueError(
            f"add operator supports only objects of Sequential class, but {type(other)} is given."
        )


def _as_parameter(value: Any) -> Any:
    if isinstance(value, Tensor) and not isinstance(value, Parameter):
        return Parameter(value)
    return value


def _summary(value: Any, tensor_type: str) -> str:
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(str(each) for each in value.size())
    place = f" ({value.device})" if value.is_cuda else ""
    return f"{kind} containing: [{tensor_type} of size {size}{place}]"


def _pairs(kind: str, given: Any, caller: str = "") -> list[tuple[str, Any]]:
    """Returns the pairs of a mapping or of an iterable of pairs."""
    if not isinstance(given, Iterable):
        raise TypeError(
            f"{caller or kind}.update should be called with an iterable of key/value pairs, but "
            f"got {type(given).__name__}"
        )
    if hasattr(given, "items"):
        return list(given.items())
    result = []
    for number, pair in enumerate(given):
        if not isinstance(pair, Iterable):
            raise TypeError(
                f"{kind} update sequence element #{number} should be Iterable; is "
                + type(pair).__name__
            )
        values = list(pair)
        if len(values) != 2:
            raise ValueError(
                f"{kind} update sequence element #{number} has length {len(values)}; 2 is required"
            )
        result.append((values[0], values[1]))
    return result
