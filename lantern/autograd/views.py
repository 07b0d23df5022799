"""Writing: the one function that changes memory, and what it means for views and their history.

A view points to the root tensor of its family. To write through a view is to give the root a new
value in which one part is replaced; the root's history gains a node for that, and each view of the
family takes its own history again from the root when it is next looked at.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..backends import NAMESPACES
from ..tensor import Tensor, current_node, share, wrap
from .graph import AccumulateGrad, Edge, Node
from .mode import active, mode


def steps_of(view: Tensor) -> tuple:
    """Returns the steps (view op, arguments) that lead from the base of a view to it."""
    assert view._base is not None
    return view._layout[len(view._base._layout) :]


def look(xp: Any, value: Any, steps: tuple) -> Any:
    """Returns the part of `value` that a chain of view steps shows."""
    for op, args in steps:
        value = op.forward(xp, value, *args)
    return value


def replace(xp: Any, base: Any, value: Any, steps: tuple) -> Any:
    """Returns `base` with the part that a chain of view steps shows replaced by `value`."""
    (op, args), *rest = steps
    if rest:
        value = replace(xp, op.forward(xp, base, *args), value, tuple(rest))
    return op.put(xp, base, value, *args)


def rederive(view: Tensor) -> None:
    """Takes the history of a view again from its base, whose own history has moved on."""
    base = view._base
    assert base is not None
    if base._node is None:
        view._node, view._index = None, 0
    else:
        before, mode.enabled = mode.enabled, True
        try:
            tensor = share(Tensor, base)
            tensor._node, tensor._index = base._node, base._index
            for op, args in steps_of(view):
                tensor = op(tensor, *args)
        finally:
            mode.enabled = before
        view._node, view._index = tensor._node, tensor._index
    view._seen = base._node


class CopySlices(Node):
    """History of a tensor of which one part was replaced."""

    def __init__(self, edges: list[Edge], steps: tuple):
        super().__init__(edges)
        self.steps = steps

    def backward(self, g: Any, create_graph: bool) -> list:
        xp = NAMESPACES[type(g)]
        part = look(xp, g, self.steps)
        zeros = xp.full(part.shape, 0, g)
        kept = None if self.edges[0] is None else replace(xp, g, zeros, self.steps)
        return [kept, part if self.edges[1] is not None else None]


def check_writable(tensor: Tensor) -> None:
    """Raises RuntimeError where an in-place write would lose a gradient or hit memory twice."""
    if mode.enabled:
        node = current_node(tensor)
        if tensor._base is None and isinstance(node, AccumulateGrad):
            raise RuntimeError(
                "a leaf Variable that requires grad is being used in an in-place operation."
            )
        if tensor._base is not None and isinstance(tensor._base._node, AccumulateGrad):
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation."
            )
    strides = tensor._array.strides
    if 0 in strides and 0 not in tensor._array.shape and any(
        stride == 0 and size > 1 for size, stride in zip(tensor._array.shape, strides, strict=True)
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )


def assign(tensor: Tensor, new: Tensor) -> Tensor:
    """Gives `tensor` the value and the history of `new`, of the same shape; the only writer.

    Eager: the memory is written. Under trace: the storage's value becomes a new symbol.
    """
    check_writable(tensor)
    if active.trace is None:
        NAMESPACES[type(tensor._array)].copy_into(tensor._array, new._array)
    else:
        active.trace.write(tensor, active.trace.read(new))
    if not tensor._silent:
        tensor._storage.version += 1
    if not mode.enabled:
        return tensor
    base = tensor._base
    if base is None:
        tensor._node, tensor._index = new._node, new._index
    elif new._node is not None or base._node is not None:
        edges = [_edge(base), _edge(new)]
        base._node, base._index = CopySlices(edges, steps_of(tensor)), 0
    return tensor


def _edge(tensor: Tensor) -> Edge:
    return None if tensor._node is None else (tensor._node, tensor._index)


def write_inplace(op: Any, tensor: Tensor, args: tuple, kwargs: dict) -> Tensor:
    """Runs the plain form of `op` and writes its result into `tensor`: `mul_` and its kin."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{op.name}_(): argument 'input' must be Tensor, not {type(tensor).__name__}")
    check_writable(tensor)
    source = tensor
    if mode.enabled and tensor._node is not None:
        source = _unshared(tensor)  # a formula may save the old value, which is about to go
    result = op(source, *args, **kwargs)
    if result._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"output with shape {list(tensor.shape)} doesn't match the broadcast shape "
            f"{list(result.shape)}"
        )
    have, want = result.dtype, tensor.dtype
    if have is not want:
        if not dtypes.can_cast(have, want):
            raise RuntimeError(
                f"result type {have.legacy} can't be cast to the desired output type {want.legacy}"
            )
        result = NAMESPACES[Tensor].cast(result, want)
    return assign(tensor, result)


def _unshared(tensor: Tensor) -> Tensor:
    if active.trace is not None:
        copied = wrap(active.trace.read(tensor))
    else:
        copied = wrap(NAMESPACES[type(tensor._array)].clone(tensor._array))
    copied._node, copied._index = tensor._node, tensor._index
    return copied


def write_out(target: Tensor, value: Tensor) -> None:
    """Writes a result into the tensor given as `out=`, which takes its shape."""
    if not isinstance(target, Tensor):
        raise TypeError(f"argument 'out' must be Tensor, not {type(target).__name__}")
    if not dtypes.can_cast(value.dtype, target.dtype):
        raise RuntimeError(
            f"result type {value.dtype.legacy} can't be cast to the desired output type "
            f"{target.dtype.legacy}"
        )
    if target.shape != value.shape:
        resize(target, value.shape)
    if value.dtype is not target.dtype:
        value = NAMESPACES[Tensor].cast(value, target.dtype)
    assign(target, value)


def resize(target: Tensor, shape: tuple) -> None:
    """Gives `target` memory of another shape; warns when elements would be lost, as torch does."""
    if target.numel():
        import warnings

        warnings.warn(
            f"An output with one or more elements was resized since it had shape "
            f"{list(target.shape)}, which does not match the required output shape {list(shape)}.",
            UserWarning,
            stacklevel=4,
        )
    xp = NAMESPACES[type(target._array)]
    fresh = wrap(xp.full(tuple(shape), 0, target.dtype))
    target._array, target._storage, target._layout = fresh._array, fresh._storage, ()
