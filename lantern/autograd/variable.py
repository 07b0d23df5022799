"""`Variable`: what tensors that record were called before PyTorch 0.4."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor, share


class _VariableMeta(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor)


class Variable(metaclass=_VariableMeta):
    """Returns a tensor of the same memory that records if asked to; kept for old programs.

    >>> import lantern
    >>> lantern.autograd.Variable(lantern.ones(1), requires_grad=True)
    tensor([1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        """Returns a tensor that shares the memory of `data`."""
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        tensor = share(Tensor, data)
        return tensor.requires_grad_() if requires_grad else tensor
