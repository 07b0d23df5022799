"""Where the elements of a result lie in memory: in the order that PyTorch gives dimensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .autograd.mode import active
from .backends import NAMESPACES
from .shape import channels_last, channels_last_3d, follows, kept_strides, spread_strides
from .tensor import Tensor

if TYPE_CHECKING:
    from .op import Op

LAST = {4: channels_last.order, 5: channels_last_3d.order}


def arranged(op: Op, out: Any, args: tuple) -> Any:
    """Returns a result, which is not row-major, in the order of memory that the op declares.

    "always" stands for row-major memory, "but for channels last" leaves that alone, too. "as
    operands" keeps the order of the operands' dimensions, the first operand's before others.
    NumPy does so in most functions, where no stride is 0.
    """
    xp = NAMESPACES[type(out)]
    shape, strides = xp.extent(out)
    if op.packed == "as operands":
        tensors = [args[p] for _, p, _ in op.tensors if isinstance(args[p], Tensor)]
        read = active.trace.read if active.recording and active.trace else _array
        operands = [read(each) for each in tensors]
        if xp.extent(operands[0])[1] == strides and 0 not in strides:
            return out  # it is as dense as its operand
        aligned = [_aligned(xp, each, shape) for each in operands]
        wanted = strides if None in aligned else kept_strides(shape, *aligned)
        return out if wanted == strides else xp.relaid(out, wanted)
    order = LAST.get(out.ndim) if op.packed == "but for channels last" else None
    return out if order and follows(order, shape, strides) else xp.contiguous(out)


def _array(tensor: Tensor) -> Any:
    return tensor._array


def _aligned(xp: Any, x: Any, shape: tuple) -> tuple | None:
    """Returns the strides of an operand that is broadcast to a shape; None where it is not."""
    sizes, strides = xp.extent(x)
    lead = len(shape) - len(sizes)
    if lead < 0:
        return None
    if any(size not in (1, target) for size, target in zip(sizes, shape[lead:], strict=True)):
        return None
    return spread_strides(sizes, strides, shape)
