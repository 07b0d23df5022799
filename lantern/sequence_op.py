"""Ops whose first argument is a sequence of tensors, such as `cat` and `stack`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dtypes
from .autograd.graph import Edge, Node
from .autograd.mode import active, mode
from .backends import NAMESPACES, gpu
from .binding import bind
from .moving import beside, index_of
from .naming import type_name
from .op import Op, declare
from .tensor import Tensor, current_node, wrap


class SequenceOp(Op):
    """An op whose first argument is a sequence of tensors, such as `cat`."""

    empty: tuple[type[Exception], str] = (RuntimeError, "expected a non-empty list of Tensors")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the op of a sequence, and records it where a gradient is wanted."""
        if kwargs or len(args) != self.arity:
            if "out" in kwargs:
                return self._call_out(args, kwargs)
            args = bind(self, args, kwargs)
        tensors = self._check(args[0])
        dtype = tensors[0].dtype
        if any(each.dtype is not dtype for each in tensors):
            ranks: tuple[list, list] = ([], [])
            for each in tensors:
                ranks[0 if each.ndim else 1].append(each.dtype)
            dtype = dtypes.combine(*ranks, [])
            tensors = [
                t if t.dtype is dtype else NAMESPACES[Tensor].cast(t, dtype) for t in tensors
            ]
        trace = active.recording and active.trace
        values = [each._array if trace is None else trace.read(each) for each in tensors]
        xp = NAMESPACES[type(values[0])]
        if gpu.kind is not None:
            if len({index_of(each) for each in tensors}) > 1:
                self._refuse_mixed(tensors)
            with beside(tensors[0]):
                tensor = wrap(xp.asarray(self.forward(xp, values, *args[1:])))
        else:
            tensor = wrap(xp.asarray(self.forward(xp, values, *args[1:])))
        if mode.enabled and any(current_node(each) is not None for each in tensors):
            edges = [None if t._node is None else (t._node, t._index) for t in tensors]
            shapes = [value.shape for value in values]
            tensor._node = SequenceNode(self, edges, shapes, args[1:])
        return tensor

    def _check(self, tensors: Any) -> list:
        if isinstance(tensors, Tensor) or not isinstance(tensors, (list, tuple)):
            raise TypeError(
                f"{self.name}(): argument 'tensors' (position 1) must be tuple of Tensors, not "
                f"{type(tensors).__name__}"
            )
        for i, each in enumerate(tensors):
            if not isinstance(each, Tensor):
                raise TypeError(
                    f"expected Tensor as element {i} in argument 0, but got {type_name(each)}"
                )
        if not tensors:
            kind, text = self.empty
            raise kind(text)
        return list(tensors)

    def _refuse_mixed(self, tensors: list) -> None:
        places = list(dict.fromkeys(str(each.device) for each in tensors))
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{places[0]} and {places[1]}! ({self.name}: argument 'tensors')"
        )


class SequenceNode(Node):
    """A recorded call of a `SequenceOp`; its formula returns one gradient per tensor."""

    def __init__(self, op: SequenceOp, edges: list[Edge], shapes: list, args: tuple):
        super().__init__(edges)
        self.op, self.shapes, self.args = op, shapes, args

    def name(self) -> str:
        """Returns PyTorch's name for the call."""
        return self.op.grad_name(self)  # type: ignore[arg-type]

    def backward(self, g: Any, create_graph: bool) -> Any:
        """Returns one gradient per tensor of the sequence."""
        formula, _ = self.op.formulas["tensors"]
        return formula(NAMESPACES[type(g)], g, self.shapes, *self.args)


def sequence_op(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op over a sequence of tensors; its formula is `(xp, g, shapes, *args)`."""
    return declare(SequenceOp, forward, options)
