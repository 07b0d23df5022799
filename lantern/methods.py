"""Attaches ops to `Tensor`: methods, operators and in-place forms, all from the declarations.

What is written out here are the methods that are no ops: conversions, `to`, `type`, `new_*`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import creation, ops, printing, shaping, untyped
from . import dtypes
from .autograd import engine
from .autograd.views import write_inplace
from .device import as_device, device
from .op import REGISTRY, Op
from .tensor import Tensor


def _method(op: Op) -> Callable[..., Any]:
    def method(self, *args, **kwargs):
        return op(self, *args, **kwargs)

    method.__name__, method.__doc__ = op.name, op.__doc__
    method.__signature__ = op.__signature__  # type: ignore[attr-defined]
    return method


def _inplace(op: Op) -> Callable[..., Any]:
    def method(self, *args, **kwargs):
        return write_inplace(op, self, args, kwargs)

    method.__name__ = f"{op.name}_"
    method.__doc__ = f"`{op.name}`, written into the tensor itself."
    return method


def _operator(op: Op) -> Callable[..., Any]:
    def operator(self, other):
        try:
            return op(self, other)
        except TypeError:
            if isinstance(other, Tensor) or _operand(other):
                raise
            return NotImplemented

    return operator


def _reflected(op: Op) -> Callable[..., Any]:
    def operator(self, other):
        return op(other, self) if _operand(other) else NotImplemented

    return operator


def _operand(other: Any) -> bool:
    return isinstance(other, (int, float, Tensor)) or hasattr(other, "__array__")


REFLECTED = {f"r{name}" for name in "add sub mul truediv floordiv mod pow matmul and or xor".split()}
REFLECTED |= {"rlshift", "rrshift"}
COMMUTING = {"radd", "rmul", "rand", "ror", "rxor"}
UNARY = {"neg", "pos", "abs", "invert"}
HAS_INPLACE = "add sub mul truediv floordiv mod pow and or xor lshift rshift".split()


def attach() -> None:
    """Gives `Tensor` the methods and operators that the ops declare."""
    for alias, op in REGISTRY.items():
        if op.method and op.public:
            setattr(Tensor, alias, _method(op))
        if op.inplace:
            setattr(Tensor, f"{alias}_", _inplace(op))
        for name in op.dunder:
            _attach_operator(op, name)
    for name, function in METHODS.items():
        setattr(Tensor, name, function)


def _attach_operator(op: Op, name: str) -> None:
    if name in UNARY:
        setattr(Tensor, f"__{name}__", _method(op))
    elif name in COMMUTING or op.name in REFLECTED:  # rsub takes its operands as the operator does
        setattr(Tensor, f"__{name}__", _operator(op))
    elif name in REFLECTED:
        setattr(Tensor, f"__{name}__", _reflected(op))
    else:
        setattr(Tensor, f"__{name}__", _operator(op))
        if name in HAS_INPLACE:
            setattr(Tensor, f"__i{name}__", _inplace(op))


def _to(self, *args, **kwargs):
    """The tensor in another dtype or on another device; itself where it is that already."""
    copy = kwargs.pop("copy", False)
    kwargs.pop("non_blocking", None)
    kwargs.pop("memory_format", None)
    dtype, place = kwargs.pop("dtype", None), kwargs.pop("device", None)
    if kwargs:
        raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
    for each in args:
        if isinstance(each, Tensor):
            dtype, place = each.dtype, each.device
        elif isinstance(each, dtypes.dtype):
            dtype = each
        elif isinstance(each, (str, device)):
            place = each
        elif not isinstance(each, (bool, int, type(None))):
            raise TypeError(
                "to() received an invalid combination of arguments - got "
                f"({type(each).__name__}), but expected a dtype, a device or a Tensor"
            )
    if place is not None:
        as_device(place)
    if dtype is not None and dtype is not self.dtype:
        return ops.cast(self, dtype)
    return ops.clone(self) if copy else self


def _type(self, dtype=None, non_blocking=False):
    """The name of the tensor's type, or the tensor converted to a type given by name or dtype."""
    if dtype is None:
        place = "torch.cuda" if self.is_cuda else "torch"
        return f"{place}.{self.dtype.legacy}Tensor"
    return self.to(creation.dtype_from(dtype))


def _caster(dtype: dtypes.dtype) -> Callable[..., Any]:
    def cast(self, memory_format=None):
        return self if self.dtype is dtype else ops.cast(self, dtype)

    cast.__doc__ = f"The tensor as {dtype!r}."
    return cast


def _new_from(function: Callable[..., Any]) -> Callable[..., Any]:
    def new(self, *args, dtype=None, device=None, **kwargs):
        dtype = self.dtype if dtype is None else dtype
        return function(*args, dtype=dtype, device=device or self.device, **kwargs)

    new.__doc__ = "As the function of this name, with this tensor's dtype and device."
    return new


def _cpu(self, memory_format=None):
    """The tensor on the CPU."""
    return self.to("cpu")


def _cuda(self, device=None, non_blocking=False, memory_format=None):
    """The tensor on a GPU; raises RuntimeError where there is none."""
    return self.to("cuda" if device is None else device)


def _type_as(self, other):
    """The tensor in the dtype of another."""
    return self.to(other)


def _backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
    """Adds to every leaf's `.grad` the derivative of this tensor by it.

    `gradient` weighs the elements and may be left out for a scalar. The graph is released on the
    way unless `retain_graph`; with `create_graph` the gradients are themselves recorded. Raises
    RuntimeError when nothing was recorded or the graph has been released.
    """
    engine.backward(self, gradient, retain_graph, create_graph, inputs)


def _invert(self):
    if self.dtype.kind == "f":
        raise TypeError(
            "~ (operator.invert) is only implemented on integer and Boolean-type tensors"
        )
    return ops.bitwise_not(self)


METHODS: dict[str, Any] = {
    "backward": _backward,
    "untyped_storage": untyped.untyped_storage,
    "to": _to,
    "type": _type,
    "type_as": _type_as,
    "__invert__": _invert,
    "where": lambda self, condition, other: ops.where(condition, self, other),
    "polygamma": lambda self, n: ops.polygamma(n, self),
    "cpu": _cpu,
    "cuda": _cuda,
    "new_zeros": _new_from(creation.zeros),
    "new_ones": _new_from(creation.ones),
    "new_empty": _new_from(creation.empty),
    "new_full": _new_from(creation.full),
    "new_tensor": lambda self, data, **kw: creation.tensor(data, **{"dtype": self.dtype, **kw}),
    "__repr__": printing.tensor_str,
    "__format__": printing.format_tensor,
    "__contains__": lambda self, value: bool(ops.any(self == value)),
    "__new__": staticmethod(creation.legacy_tensor),
}
for _name, _dtype in [*dtypes.ALIASES.items(), ("bool", dtypes.bool_), ("byte", dtypes.uint8)]:
    METHODS[_name] = _caster(_dtype)
METHODS |= shaping.METHODS
METHODS["char"], METHODS["bfloat16"] = _caster(dtypes.int8), _caster(dtypes.bfloat16)

attach()
