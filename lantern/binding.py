"""How the arguments of a call find the parameters of an op, and what is said where they do not."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from .naming import type_name
from .shape import broadcast_shapes
from .tensor import Tensor

if TYPE_CHECKING:
    from .op import Op

# NumPy's names for PyTorch's parameters.
ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "x1": "input", "x2": "other"}
ALIASES["A"] = "input"  # as `linalg` calls it


def positional(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the function with its keyword-only parameters made positional.

    An op binds every parameter before it calls its forward, and a call by position is the fastest.
    """
    code = function.__code__
    if not code.co_kwonlyargcount:
        return function
    count = code.co_argcount + code.co_kwonlyargcount
    code = code.replace(co_argcount=count, co_kwonlyargcount=0)
    return FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)


def names_of(formula: Callable[..., Any]) -> tuple[str, ...]:
    """Returns the names of the parameters of a formula."""
    return tuple(inspect.signature(formula).parameters)


def bind(op: Op, args: tuple, kwargs: dict) -> tuple:
    """Returns one value per parameter; raises TypeError with torch's sentences."""
    if op.variadic is not None and len(args) > op.variadic:
        head, rest = args[: op.variadic], args[op.variadic :]
        if rest and (len(rest) > 1 or hasattr(rest[0], "__index__")):
            if all(hasattr(each, "__index__") for each in rest):
                args = (*head, rest)
    if len(args) > op.positional:
        raise TypeError(
            f"{op.name}() takes {op.positional} positional arguments but {len(args)} were given"
        )
    bound = list(args)
    used = 0
    for name in op.parameters[len(args) :]:
        if name in kwargs:
            bound.append(kwargs[name])
            used += 1
        elif name in op.defaults:
            bound.append(op.defaults[name])
        else:
            bound.append(_alias(op, name, kwargs))
            used += 1
    if used != len(kwargs):
        return _bind_aliases(op, args, kwargs)
    return tuple(bound)


def _alias(op: Op, name: str, kwargs: dict) -> Any:
    for alias in kwargs:
        if ALIASES.get(alias) == name:
            return kwargs[alias]
    raise TypeError(f'{op.name}() missing 1 required positional arguments: "{name}"')


def _bind_aliases(op: Op, args: tuple, kwargs: dict) -> tuple:
    """Binds once more, with NumPy's names for parameters replaced by PyTorch's."""
    renamed = {n if n in op.parameters else ALIASES.get(n, n): value for n, value in kwargs.items()}
    if len(renamed) == len(kwargs) and renamed.keys() != kwargs.keys():
        return bind(op, args, renamed)
    _refuse_keyword(op, kwargs, len(args))
    raise TypeError(f"{op.name}() got repeated arguments {sorted(kwargs)}")


def _refuse_keyword(op: Op, kwargs: dict, given: int) -> None:
    for name in kwargs:
        known = name if name in op.parameters else ALIASES.get(name)
        if known in op.parameters[:given]:
            raise TypeError(f"{op.name}() got multiple values for argument '{name}'")
        if known not in op.parameters:
            raise TypeError(f"{op.name}() got an unexpected keyword argument '{name}'")


# --- operands that cannot be used
def refuse(op: Op, position: int, arg: Any) -> NoReturn:
    """Raises TypeError for an argument that had to be a tensor."""
    raise TypeError(
        f"{op.name}(): argument '{op.parameters[position]}' (position {position + 1}) must be "
        f"Tensor, not {type_name(arg)}"
    )


def refuse_missing(op: Op, args: tuple) -> None:
    """Raises TypeError if an operand that cannot be left out is None."""
    for name, (_, position, _) in zip(op.tensor_names, op.tensors, strict=True):
        if args[position] is None and op.defaults.get(name, op) is not None:
            refuse(op, position, None)


def refuse_shapes(op: Op, args: tuple) -> None:
    """Raises RuntimeError with torch's sentence if the operands cannot be broadcast."""
    operands = [args[position] for _, position, _ in op.tensors]
    broadcast_shapes(*(tuple(each.shape) for each in operands if isinstance(each, Tensor)))


def refuse_numbers(op: Op, args: tuple, places: list) -> NoReturn:
    """Raises TypeError where no operand is a tensor."""
    if not places:
        raise TypeError(f"{op.name}() needs at least one Tensor argument")
    refuse(op, places[0], args[places[0]])


def refuse_devices(op: Op, args: tuple) -> NoReturn:
    """Raises RuntimeError where operands lie on different devices."""
    named = [
        f"{op.parameters[p]} on {args[p].device}"
        for _, p, _ in op.tensors
        if isinstance(args[p], Tensor)
    ]
    places = [each.rsplit(" ", 1)[1] for each in named]
    raise RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        f"{places[0]} and {next(p for p in places if p != places[0])}! "
        f"({op.name}: {', '.join(named)})"
    )
