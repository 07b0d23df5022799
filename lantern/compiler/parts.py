"""Into how many parts a kernel is cut, and along which dimension, for several threads to share.

The parts are the same whatever number of threads there is when the code runs, so that results are
too. A kernel of a few microseconds stays whole: handing over costs about half of one.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from .forms import BATCH
from .ir import INPUT
from .looks import aligned_strides
from .memory import operands
from .plan import Kernel, Plan
from .pool import cores

SMALL = 4.0  # µs that a part takes at least
FLOPS, BYTES, VALUES = 1e5, 2e4, 2e3  # done in a µs, roughly: multiply-adds, moves, instructions


class Cut(NamedTuple):
    """A kernel in `count` parts along `dim`: the first `larger` of `size`, others of `small`."""

    dim: int
    size: int
    count: int
    larger: int
    small: int


def cut_up(plan: Plan, kernel: Kernel) -> Cut | None:
    """Returns how to cut a kernel; None where it stays whole."""
    threads = cores()
    if (
        threads == 1
        or kernel.kind not in ("loop", "matmul", "conv")
        or kernel.scatter is not None
        or prod(kernel.space) == 0
    ):
        return None
    most = int(min(cost(plan, kernel) / SMALL, 4 * threads))
    found = _dim(plan, kernel)
    if most < 2 or found is None:
        return None
    dim, step = found
    units = -(-kernel.space[dim] // step)
    count = min(most - most % threads if most > threads else most, units)
    if kernel.space[dim] % step == 0:  # rather fewer parts than two sizes, each with its own code
        fewer = [n for n in range(count, count // 2, -1) if n % threads == 0 and units % n == 0]
        count = fewer[0] if fewer else count
    return _even(dim, kernel.space[dim], step, count) if count > 1 else None


def _even(dim: int, whole: int, step: int, count: int) -> Cut:
    """Returns a cut into parts of sizes as equal as steps allow."""
    if whole % step == 0:
        units, larger = divmod(whole // step, count)
        return Cut(dim, (units + (larger > 0)) * step, count, larger or count, units * step)
    size = -(-whole // (count * step)) * step
    count = -(-whole // size)
    return Cut(dim, size, count, count - 1, whole - (count - 1) * size)


def cost(plan: Plan, kernel: Kernel) -> float:
    """Returns about how many µs a kernel takes on one thread."""
    size = prod(kernel.space)
    moved = sum(each.size * each.itemsize for each in operands(kernel))
    moved += sum(target.leaf.size * target.leaf.itemsize for _, target in kernel.stores)
    total = moved / BYTES + size * (len(kernel.values) + len(kernel.reductions)) / VALUES / 8
    if kernel.kind == "conv":
        total += _sums(kernel) / FLOPS
    elif kernel.product is not None:
        total += size * kernel.factors[0].shape[-1] * 2 / FLOPS
    return total


def _sums(kernel: Kernel) -> int:
    """Returns how many products a convolution adds up."""
    value, (first, second) = kernel.product, kernel.factors
    if value.name == "conv_weight":  # type: ignore[union-attr]
        return kernel.factors[0].size * prod(kernel.space[1:])
    places = value.size if value.name == "conv" else first.size  # type: ignore[union-attr]
    return places * prod(second.shape[1:])


def _dim(plan: Plan, kernel: Kernel) -> tuple[int, int] | None:
    """Returns the dimension to cut and the step that parts should keep to."""
    if kernel.kind == "matmul":
        rows, columns = kernel.space[-2:]
        if len(kernel.space) > 2 and kernel.space[0] > 1:
            return 0, 1
        lying = plan.looks[kernel.product].strides  # type: ignore[index]
        if lying[-1] != 1 and lying[-2] == 1:
            return (len(kernel.space) - 2, 64) if rows >= 128 else None
        x, y = kernel.factors
        wide = y.size > max(x.size, rows * columns) or rows < 8
        if wide and columns >= 32:  # a large right operand: each thread keeps its part of it
            return len(kernel.space) - 1, 16 if columns >= 256 else 4
        return (len(kernel.space) - 2, 1) if rows > 1 else None
    if kernel.kind == "conv":
        return _images(kernel)
    return _outermost(plan, kernel)


def _images(kernel: Kernel) -> tuple[int, int] | None:
    """Returns how to cut a convolution: rows where they are apart, or channels, or images."""
    value, shape = kernel.product, kernel.space
    assert value is not None
    stride, _, _, groups = value.args[-4:]
    rows = shape[2] if len(shape) > 3 else 1
    if value.name == "conv_weight":
        if groups > 1 or shape[0] >= 12 or rows == 1:
            return (0, 4 if shape[0] >= 12 else 1) if groups == 1 and shape[0] > 1 else None
        return 2, 1
    if rows > 1 and (value.name == "conv" or stride[0] == 1):
        return 2, 1
    if groups == 1 and shape[1] >= 16:
        return 1, 8
    if shape[0] >= 2 * BATCH:
        return 0, BATCH
    return (0, 1) if 1 < shape[0] < BATCH else None


def _outermost(plan: Plan, kernel: Kernel) -> tuple[int, int] | None:
    """Returns the dimension whose neighbours lie farthest apart, if it is long enough."""
    free = [d for d, n in enumerate(kernel.space) if d not in (kernel.dims or ()) and n > 1]
    if kernel.adds:  # parts may not add to the same places
        free = [d for d in free if d == 0]
    if not free:
        return None
    if _turns(plan, kernel):  # a weight: each thread keeps its rows of it
        return 1, 32
    strides = _lying(plan, kernel)
    dim = max(free, key=lambda d: (min(kernel.space[d], 8), strides[d], -d))
    return dim, 64 if strides[dim] == 1 else 1


def _turns(plan: Plan, kernel: Kernel) -> bool:
    """Says whether a loop does nothing but turn a matrix from outside."""
    if kernel.values or kernel.reductions or len(kernel.space) != 2 or kernel.space[1] < 128:
        return False
    looks = [plan.looks[source] for source, _ in kernel.stores]
    return all(look.leaf.name == INPUT and look.strides[0] == 1 for look in looks)


def _lying(plan: Plan, kernel: Kernel) -> tuple[int, ...]:
    """Returns the strides of what a loop writes, or of the largest tensor that it reads."""
    for source, target in kernel.stores:
        if source not in kernel.reductions and len(target.strides) == len(kernel.space):
            return tuple(map(abs, target.strides))
    read = max(operands(kernel), key=lambda each: each.size)
    strides = aligned_strides(plan.looks[read], read.shape, kernel.space)
    return tuple(map(abs, strides[: len(kernel.space)]))
