"""`Parameter` and `Buffer`: the tensors that a `Module` keeps, registered by assignment."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.tensor import Tensor

__all__ = ["Buffer", "Parameter"]


class _ParameterType(type(Tensor)):  # type: ignore[misc]
    """Lets a tensor of a class of the user's own count as a `Parameter`."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and getattr(instance, "_is_param", False)


class Parameter(Tensor, metaclass=_ParameterType):
    """A tensor that a module trains: assigned to a `Module` it appears in its `parameters()`.

    It shares the memory of `data`, is a leaf, and requires a gradient unless told otherwise.
    Raises RuntimeError when integers should require gradients.

    >>> import lantern
    >>> lantern.nn.Parameter(lantern.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        """Returns the parameter; for a tensor of a user's class, one of that class."""
        if data is None:
            data = lantern.empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            _check_gradient_wanted(data, requires_grad)
            return Tensor._make_subclass(cls, data, requires_grad)
        tensor = data.detach().requires_grad_(requires_grad)
        if type(tensor) is Tensor:  # detaching forgot the user's class
            tensor = Tensor._make_subclass(type(data), tensor, requires_grad)
        tensor._is_param = True
        return tensor

    def __deepcopy__(self, memo: dict) -> Parameter:
        if id(self) in memo:
            return memo[id(self)]
        data = self.data.clone()
        result = type(self)(data, self.requires_grad)
        memo[id(self)] = result
        return result

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> tuple:
        parts = Tensor.__annotations__  # what a tensor is made of; the rest was put on it
        added = {name: value for name, value in vars(self).items() if name not in parts}
        return _rebuild_parameter, (self.data, self.requires_grad, OrderedDict()), added or None


class _BufferType(type(Tensor)):  # type: ignore[misc]
    """`Buffer(t)` is a plain tensor that carries a mark; this makes `isinstance` see the mark."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferType):
    """A tensor that a module keeps without training it, such as a running mean.

    Assigned to a `Module` it appears in its `buffers()` and, if `persistent`, in `state_dict()`.

    >>> import lantern
    >>> module = lantern.nn.Module()
    >>> module.mean = lantern.nn.Buffer(lantern.zeros(2))
    >>> module.state_dict()
    OrderedDict([('mean', tensor([0., 0.]))])
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        """Returns a plain tensor with a mark on it."""
        if data is None:
            data = lantern.empty(0)
        tensor = data.detach().requires_grad_(data.requires_grad)
        tensor.persistent = persistent
        tensor._is_buffer = True
        return tensor


def _check_gradient_wanted(data: Tensor, requires_grad: bool) -> None:
    if requires_grad and not (data.is_floating_point() or data.is_complex()):
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")


def _rebuild_parameter(data: Tensor, requires_grad: bool, hooks: Any) -> Parameter:
    """Makes a parameter from what a pickle holds; `hooks` is a field of PyTorch's, always empty."""
    return Parameter(data, requires_grad)


__getattr__ = missing(__name__)
