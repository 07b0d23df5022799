"""Attaches ops to `Tensor`: methods, operators and in-place forms, all from the declarations.

What is written out here are the methods that are no ops: conversions, `to`, `type`, `new_*`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import converting, creation, ops, printing, shaping, typed, untyped
from .autograd import engine
from .autograd.views import write_inplace
from .op import REGISTRY, Op, is_number
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


def _operator(op: Op, call: Callable[..., Any]) -> Callable[..., Any]:
    def operator(self, other, *settings):
        try:
            return call(self, other)
        except TypeError:
            if isinstance(other, Tensor) or _operand(other):
                raise
            if op.name in COMPARISONS and hasattr(other, "__array__"):
                return op(self, creation.from_numpy(other))
            return NotImplemented

    return operator


def _reflected(op: Op) -> Callable[..., Any]:
    def operator(self, other):
        if op.name == "true_divide" and self.dtype.char in "eE" and is_number(other):
            return ops.reciprocal(self) * other  # rounded in between, as PyTorch does
        return op(other, self) if _operand(other) else NotImplemented

    return operator


def _operand(other: Any) -> bool:
    if isinstance(other, (int, float, Tensor)):
        return True
    return hasattr(other, "__array__") and not getattr(other, "shape", ())  # a number of NumPy's


REFLECTED = {"radd", "rsub", "rmul", "rtruediv", "rfloordiv", "rmod", "rpow", "rmatmul"}
REFLECTED |= {"rand", "ror", "rxor"}
REFLECTED |= {"rlshift", "rrshift"}
COMPARISONS = {"eq", "ne", "lt", "le", "gt", "ge"}
COMMUTING = {"radd", "rmul", "rand", "ror", "rxor"}
UNARY = {"neg", "pos", "abs"}
HAS_INPLACE = "add sub mul truediv floordiv mod pow and or xor lshift rshift".split()


def attach() -> None:
    """Gives `Tensor` the methods and operators that the ops declare."""
    for alias, op in REGISTRY.items():
        if op.method and op.public:
            method = _method(op)
            setattr(Tensor, alias, method)
            op.methods.append((alias, method, None))
        if op.inplace:
            setattr(Tensor, f"{alias}_", _inplace(op))
        for name in op.dunder:
            _attach_operator(op, name)
    for name, function in METHODS.items():
        setattr(Tensor, name, function)


def _attach_operator(op: Op, name: str) -> None:
    if name in UNARY:
        method = _method(op)
        setattr(Tensor, f"__{name}__", method)
        op.methods.append((f"__{name}__", method, None))
    elif name in COMMUTING or op.name in REFLECTED:  # rsub takes its operands as the operator does
        _attach_pair(op, name)
    elif name in REFLECTED:
        setattr(Tensor, f"__{name}__", _reflected(op))
    else:
        _attach_pair(op, name)
        if name in HAS_INPLACE:
            setattr(Tensor, f"__i{name}__", _inplace(op))


def _attach_pair(op: Op, name: str) -> None:
    method = _operator(op, op)
    setattr(Tensor, f"__{name}__", method)
    op.methods.append((f"__{name}__", method, _operator(op, op.run)))


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
    "storage": typed.storage,
    "untyped_storage": untyped.untyped_storage,
    "__invert__": _invert,
    "where": lambda self, condition, other: ops.where(condition, self, other),
    "polygamma": lambda self, n: ops.polygamma(n, self),
    "polygamma_": lambda self, n: self.copy_(ops.polygamma(n, self)),
    "real": property(lambda self: self),
    "imag": property(ops.imag),
    "conj": lambda self: self,
    "conj_physical": lambda self: self,
    "resolve_conj": lambda self: self,
    "resolve_neg": lambda self: self,
    "is_conj": lambda self: False,
    "is_neg": lambda self: False,
    "__repr__": printing.tensor_str,
    "__format__": printing.format_tensor,
    "__new__": staticmethod(creation.legacy_tensor),
}
METHODS |= shaping.METHODS | converting.METHODS

attach()
