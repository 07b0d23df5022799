"""Writing: the one function that changes memory, and what it means for views and their history.

A view points to the root tensor of its family. To write through a view is to give the root a new
value in which one part is replaced; the root's history gains a node for that, and each view of the
family takes its own history again from the root when it is next looked at.
"""

from __future__ import annotations

from math import prod
from typing import Any

from .. import dtypes
from ..backends import NAMESPACES, gpu
from ..shape import is_dense, offsets_range
from ..storage import Storage
from ..tensor import Tensor, current_node, share, wrap
from .graph import AccumulateGrad, Edge, Node, OpNode
from .mode import active, mode


def steps_of(view: Tensor) -> tuple:
    """Returns the steps (view op, arguments) that lead from the base of a view to it."""
    base = view._base
    assert base is not None
    known, steps = base._layout, view._layout
    if not known:
        return steps
    if steps[: len(known)] == known:
        return steps[len(known) :]
    # The base was given another shape in place after the view was made, or the view looks at
    # memory outside of the base: then strides say where it lies.
    from ..op import REGISTRY

    size, stride, offset, _ = geometry_of(view)
    return ((REGISTRY["memory_view"], (size, stride, offset, geometry_of(base))),)


def geometry_of(tensor: Tensor) -> tuple:
    """Returns the shape, strides and offset of a tensor, and how long its storage is."""
    length = offsets_range(*NAMESPACES[type(tensor._storage.array)].extent(tensor._storage.array))
    return tuple(tensor.shape), tensor.stride(), tensor.storage_offset(), length


def look(xp: Any, value: Any, steps: tuple) -> Any:
    """Returns the part of `value` that a chain of view steps shows."""
    for op, args in steps:
        value = op.forward(xp, value, *args)
    return value


def replace(xp: Any, base: Any, value: Any, steps: tuple) -> Any:
    """Returns `base` with the part that a chain of view steps shows replaced by `value`."""
    (op, args), *rest = steps
    if rest:
        if op.overlaps:
            return _replace_places(xp, base, value, steps)
        value = replace(xp, op.forward(xp, base, *args), value, tuple(rest))
    return op.put(xp, base, value, *args)


def _replace_places(xp: Any, base: Any, value: Any, steps: tuple) -> Any:
    # Several elements of a view share a place here. To put all of it back would undo what was
    # replaced, so only the places that the last step shows are written.
    count = prod(base.shape)
    places = look(xp, xp.reshape(xp.arange(0, count, 1, dtypes.int64), base.shape), steps)
    row = xp.put(xp.reshape(base, (count,)), (places,), value)
    return xp.reshape(row, base.shape)


def rederive(view: Tensor) -> None:
    """Takes the history of a view again from its base, whose own history has moved on."""
    base = view._base
    assert base is not None
    if view._made:
        if mode.enabled and base._node is not None and view._born != view._storage.version:
            _refuse_ambiguous(view, indirect=True)
        return
    if base._node is None:
        view._node, view._index = None, 0
    else:
        before, mode.enabled = mode.enabled, True
        try:
            tensor = share(Tensor, base)
            tensor._node, tensor._index = base._node, base._index
            for op, args in steps_of(view):
                tensor = op.show(tensor, args)
        finally:
            mode.enabled = before
        view._node, view._index = tensor._node, tensor._index
        if type(view._node) is OpNode:
            view._node.__class__ = Rederived
    view._seen = base._node


class Rederived(OpNode):
    """History of a view that was taken again from its base."""

    __slots__ = ()

    def name(self) -> str:
        """Returns PyTorch's name, which tells nothing of the ops that made the view."""
        return "AsStridedBackward0"


class CopySlices(Node):
    """History of a tensor of which one part was replaced."""

    def __init__(self, edges: list[Edge], steps: tuple):
        super().__init__(edges)
        self.steps = steps

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns the gradients of what was kept and of what took the place of the part."""
        xp = NAMESPACES[type(g)]
        part = look(xp, g, self.steps)
        zeros = xp.full(part.shape, 0, g)
        kept = None if self.edges[0] is None else replace(xp, g, zeros, self.steps)
        return [kept, part if self.edges[1] is not None else None]


def check_writable(tensor: Tensor, tracked: bool | None = None) -> None:
    """Raises RuntimeError where an in-place write would lose a gradient.

    `tracked` says whether anything that takes part in the write requires a gradient; None asks
    only the tensor itself.
    """
    if not mode.enabled or not (tensor.requires_grad if tracked is None else tracked):
        return
    base = tensor._base
    if base is not None:
        if tensor._made:
            _refuse_ambiguous(tensor, indirect=False)
        if tensor.requires_grad and base.is_leaf:
            raise RuntimeError(
                "a view of a leaf Variable that requires grad is being used in an in-place "
                "operation."
            )
    if isinstance(current_node(tensor), AccumulateGrad):
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation."
        )


def _refuse_ambiguous(view: Tensor, indirect: bool) -> None:
    made, node = view._made, view._node
    if node is None or isinstance(node, AccumulateGrad):
        start = "A view was created in no_grad mode"
    else:
        start = f"Output {view._index} of {node.name().removesuffix('0').removesuffix('Backward')}"
        nested = made.startswith("no_grad")
        start += (
            " is a view of a view which was created in no_grad mode" if nested else " is a view"
        )
    what = "its base or another view of its base has been" if indirect else "is being"
    grad = " with grad mode enabled" if "no_grad mode" in start else ""
    if made == "no_grad":
        why = (
            "Given that this use case is ambiguous and error-prone, it is forbidden. You can "
            "clarify your code by moving both the view and the inplace either both inside the "
            "no_grad block (if you don't want the inplace to be tracked) or both outside (if you "
            "want the inplace to be tracked)."
        )
    else:
        why = (
            "This view is the output of a function that returns multiple views. Such functions do "
            "not allow the output views to be modified inplace. You should replace the inplace "
            "operation by an out-of-place one."
        )
    raise RuntimeError(f"{start} and {what} modified inplace{grad}. {why}")


def check_single(tensor: Tensor) -> None:
    """Raises RuntimeError where a write would hit the same memory more than once."""
    strides = tensor._array.strides
    if (
        0 in strides
        and 0 not in tensor._array.shape
        and any(
            stride == 0 and size > 1
            for size, stride in zip(tensor._array.shape, strides, strict=True)
        )
    ):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a "
            "single memory location. Please clone() the tensor before performing the operation."
        )


def check_apart(tensor: Tensor, other: Tensor) -> None:
    """Raises RuntimeError where what is written is in part what is read."""
    if other is tensor or other._storage is not tensor._storage:
        return
    (shape, strides), (others, steps) = (
        (each._array.shape, each.stride()) for each in (tensor, other)
    )
    if 0 in shape or 0 in others or not (is_dense(shape, strides) and is_dense(others, steps)):
        return
    start, other_start = tensor.storage_offset(), other.storage_offset()
    end, other_end = start + prod(shape), other_start + prod(others)
    if (start, end) == (other_start, other_end) and strides == steps:
        return
    if start < other_end and other_start < end:
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor "
            "refer to a single memory location. Please clone() the tensor before performing the "
            "operation."
        )


def assign(tensor: Tensor, new: Tensor) -> Tensor:
    """Gives `tensor` the value and the history of `new`, of the same shape; the only writer.

    Eager: the memory is written. Under trace: the storage's value becomes a new symbol.
    """
    if mode.enabled:
        check_writable(tensor, tensor.requires_grad or new.requires_grad)
    check_single(tensor)
    return _assign(tensor, new)


def copy_into(target: Any, source: Any) -> None:
    """Writes one array into the memory of another, which may be on another device."""
    if type(source) is gpu.kind and type(target) is not gpu.kind:
        source = gpu.namespace.transfer(source, None)
    NAMESPACES[type(target)].copy_into(target, source)


def _assign(tensor: Tensor, new: Tensor) -> Tensor:
    if not (active.recording and active.trace):
        copy_into(tensor._array, new._array)
    else:
        active.trace.touch(tensor)
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


def check_cast(have: dtypes.dtype, want: dtypes.dtype) -> None:
    """Raises RuntimeError where results of one dtype must not go into a tensor of another."""
    if not dtypes.can_cast(have, want):
        raise RuntimeError(
            f"result type {have.legacy} can't be cast to the desired output type {want.legacy}"
        )


def write_inplace(op: Any, tensor: Tensor, args: tuple, kwargs: dict) -> Tensor:
    """Runs the plain form of `op` and writes its result into `tensor`: `mul_` and its kin."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{op.name}_(): argument 'input' must be Tensor, not {type(tensor).__name__}"
        )
    tracked = mode.enabled and _any_tracked(tensor, args, kwargs)
    if tracked:
        check_writable(tensor, True)
    if not op.uniform:
        check_single(tensor)
        for each in args:
            if isinstance(each, Tensor) and each._storage is tensor._storage:
                check_apart(tensor, each)
    try:
        result = op(_copied(tensor) if tracked and op.composite else tensor, *args, **kwargs)
    except NotImplementedError as error:
        check_cast(getattr(error, "dtype", tensor.dtype), tensor.dtype)
        raise
    if result._array.shape != tensor._array.shape:
        raise RuntimeError(
            f"output with shape {list(tensor.shape)} doesn't match the broadcast shape "
            f"{list(result.shape)}"
        )
    node, fresh = result._node, result._storage
    if result._array.dtype is not tensor._array.dtype and result.dtype is not tensor.dtype:
        want = tensor.dtype
        check_cast(result.dtype, want)
        result = NAMESPACES[Tensor].cast(result, want)
    if node is not None:
        _keep_old(node, op, tensor)
    _assign(tensor, result)
    if node is not None:
        _watch_result(node, fresh, tensor)
    return tensor


def _any_tracked(tensor: Tensor, args: tuple, kwargs: dict) -> bool:
    if tensor.requires_grad:
        return True
    for each in args:
        if isinstance(each, Tensor) and each.requires_grad:
            return True
    return bool(kwargs) and _any_tracked(tensor, tuple(kwargs.values()), {})


def _keep_old(node: Node, op: Any, tensor: Tensor) -> None:
    """Gives a formula that saved the value about to be overwritten a copy of it."""
    if not isinstance(node, OpNode) or node.op is not op:
        return
    assert node.saved is not None and node.values is not None
    for i, position in enumerate(node.plan.saves):
        if position == op.first and node.saved[i] is tensor:
            copied = _copied(tensor)
            if node.values[i] is tensor._array:  # otherwise it was converted and is a copy already
                node.values[i] = copied._array
            node.saved[i] = copied
            place = sum(isinstance(each, (Tensor, Storage)) for each in node.saved[:i])
            node.checks[place] = (copied._storage, 0)


def _copied(tensor: Tensor) -> Tensor:
    """Returns a tensor of the same value and history in memory of its own."""
    if not (active.recording and active.trace):
        copied = wrap(NAMESPACES[type(tensor._array)].clone(tensor._array))
    else:
        copied = wrap(active.trace.read(tensor))
    copied._node, copied._index = tensor._node, tensor._index
    return copied


def _watch_result(node: Node, fresh: Storage, tensor: Tensor) -> None:
    """Makes a formula that saved its result notice later writes to where that went."""
    if not isinstance(node, OpNode):
        return
    now = tensor._storage, tensor._storage.version
    node.checks = [now if storage is fresh else (storage, v) for storage, v in node.checks]
    if (active.recording and active.trace) or node.saved is None or node.values is None:
        return
    for i, each in enumerate(node.saved):
        if each is fresh and node.values[i].dtype is tensor._array.dtype:
            # One copy is enough, and it is the one that the user sees.
            node.saved[i], node.values[i] = Storage(tensor._array), tensor._array


def write_out(target: Tensor, value: Tensor) -> None:
    """Writes a result into the tensor given as `out=`, which takes its shape."""
    if not isinstance(target, Tensor):
        raise TypeError(f"argument 'out' must be Tensor, not {type(target).__name__}")
    check_cast(value.dtype, target.dtype)
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
