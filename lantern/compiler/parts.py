"""Into how many parts a kernel is cut, and along which dimension, for several threads to share.

The parts are the same whatever number of threads there is when the code runs, so that results are
too. A kernel of a few microseconds stays whole: handing over costs about half of one.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from .fuse import Kernel, Plan
from .memory import operands
from .pool import cores

SMALL = 4.0  # µs that a part takes at least
FLOPS, BYTES, VALUES = 1e5, 2e4, 2e3  # done in a µs, roughly: multiply-adds, moves, instructions


class Cut(NamedTuple):
    """A kernel in `count` parts of `size` along dimension `dim`; the last may be smaller."""

    dim: int
    size: int
    count: int


def cut_up(plan: Plan, kernel: Kernel) -> Cut | None:
    """Returns how to cut a kernel; None where it stays whole."""
    threads = cores()
    if (
        threads == 1
        or kernel.kind not in ("loop", "matmul")
        or kernel.checks
        or prod(kernel.space) == 0
    ):
        return None
    most = int(min(cost(plan, kernel) / SMALL, 4 * threads))
    found = _dim(plan, kernel)
    if most < 2 or found is None:
        return None
    dim, step = found
    units = -(-kernel.space[dim] // step)
    count = most - most % threads if most > threads else most
    size = -(-units // min(count, units)) * step
    count = -(-kernel.space[dim] // size)
    return Cut(dim, size, count) if count > 1 else None


def cost(plan: Plan, kernel: Kernel) -> float:
    """Returns about how many µs a kernel takes on one thread."""
    size = prod(kernel.space)
    moved = sum(each.size * each.itemsize for each in operands(kernel))
    moved += sum(target.leaf.size * target.leaf.itemsize for _, target in kernel.stores)
    total = moved / BYTES + size * (len(kernel.values) + len(kernel.reductions)) / VALUES / 8
    if kernel.product is not None:
        total += size * kernel.factors[0].shape[-1] * 2 / FLOPS
    return total


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
    for dim, size in enumerate(kernel.space):
        if dim not in (kernel.dims or ()) and size > 1:
            last = dim == len(kernel.space) - 1
            return dim, 64 if last else 1
    return None
