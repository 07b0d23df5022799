"""The vocabulary recorded: each primitive adds a value to the active trace's graph."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from ..autograd.mode import active
from ..backends import NAMESPACES
from ..backends.vocabulary import VOCABULARY
from ..device import CPU, device
from ..dtypes import dtype
from ..shape import is_contiguous, view_strides
from .ir import Value

NAMESPACES[Value] = sys.modules[__name__]


def _recorder(name: str, parameters: str) -> Callable[..., Value]:
    signature = inspect.signature(eval(f"lambda {parameters}: None"))
    defaults = tuple(p.default for p in signature.parameters.values())

    def primitive(*args: Any, **kwargs: Any) -> Value:
        if kwargs:
            args = signature.bind(*args, **kwargs).args
        if len(args) < len(defaults):
            args += tuple(d for d in defaults[len(args) :] if d is not inspect.Parameter.empty)
        return active.trace.add(name, args)

    primitive.__name__ = name
    primitive.__signature__ = signature  # type: ignore[attr-defined]
    return primitive


for _primitive in VOCABULARY.values():
    globals()[_primitive.name] = _recorder(_primitive.name, _primitive.parameters)


def dtype_of(x: Value) -> dtype:
    """Returns the dtype of a value."""
    return x.dtype


def device_of(x: Value) -> device:
    """Returns the device that the value will be computed on."""
    return CPU


def asarray(x: Any, dtype: dtype | None = None) -> Value:
    """Returns a value as it is, a Python number as a constant."""
    return x if isinstance(x, Value) else globals()["full"]((), x, dtype)


def offset_in(x: Value, whole: Any) -> int:
    """Returns how many elements lie between the start of the memory and that of a value in it."""
    return x.memory[1]


def extent(x: Value) -> tuple:
    """Returns the shape and the strides in elements."""
    return x.shape, x.memory[0]


def view_as(x: Value, shape: tuple) -> Value | None:
    """Returns a view that shows the elements in this shape; None where strides allow none."""
    fits = view_strides(x.shape, x.memory[0], shape) is not None
    return globals()["reshape"](x, shape) if fits else None


def is_packed(x: Value) -> bool:
    """Says whether the elements lie in row-major order without gaps."""
    return is_contiguous(x.shape, x.memory[0])


def relaid(x: Value, strides: tuple) -> Value:
    """Returns a copy that lies in memory with these strides, in elements, without gaps."""
    order = sorted(range(x.ndim), key=lambda d: (-strides[d], -x.shape[d]))
    back = tuple(order.index(d) for d in range(x.ndim))
    permute = globals()["permute"]
    return permute(globals()["contiguous"](permute(x, tuple(order))), back)


def one_pass(formula: Callable, operands: tuple, together: int, *settings: Any) -> Value:
    """Records the formula: what becomes one pass is for the compiler to find."""
    return formula(NAMESPACES[Value], *operands, *settings)


def outside(index: Value, low: int, high: int) -> None:
    """Returns None: no place is known yet."""


def keep(x: Value, shared: bool) -> Value:
    """Returns the value, row-major: symbols have no memory that could be shared."""
    return x if is_packed(x) else globals()["contiguous"](x)


def address_of(x: Value) -> int:
    """Raises: a value that is being recorded has no memory."""
    return active.trace.refuse("the address of a tensor")


def to_numpy(x: Value, force: bool) -> Any:
    """Raises: a value that is being recorded is no array yet."""
    return active.trace.refuse(".numpy()")


def to_list(x: Value) -> Any:
    """Raises: a value that is being recorded has no elements yet."""
    return active.trace.refuse(".tolist()")


def _attach_operators() -> None:
    binary = {
        "add": "add", "sub": "sub", "mul": "mul", "truediv": "div", "floordiv": "floor_divide",
        "mod": "remainder", "pow": "pow", "matmul": "matmul", "and": "bitwise_and",
        "or": "bitwise_or", "xor": "bitwise_xor", "lt": "lt", "le": "le", "gt": "gt", "ge": "ge",
    }  # fmt: skip
    for dunder, name in binary.items():
        function = globals()[name]
        setattr(Value, f"__{dunder}__", lambda self, other, f=function: f(self, other))
        setattr(Value, f"__r{dunder}__", lambda self, other, f=function: f(other, self))
    Value.__neg__ = lambda self: globals()["neg"](self)  # type: ignore[attr-defined]
    Value.__getitem__ = _getitem  # type: ignore[attr-defined]
    Value.item = lambda self: active.trace.refuse(".item()")  # type: ignore[attr-defined]
    Value.__bool__ = lambda self: active.trace.refuse("the truth of a tensor")  # type: ignore


def _getitem(self: Value, index: Any) -> Value:
    index = index if isinstance(index, tuple) else (index,)
    if Ellipsis in index:
        place = index.index(Ellipsis)
        missing = self.ndim - (len(index) - 1 - index.count(None))
        index = (*index[:place], *(slice(None),) * missing, *index[place + 1 :])
    return globals()["getitem"](self, index)


_attach_operators()
