"""In-place updates by formula: what optimizers are made of.

An optimizer is one formula over a namespace, `new values = rule(xp, *values, *constants)`. Eager, it
runs on the arrays block by block, so that the intermediate results stay in the processor's cache;
under trace it is recorded, and the numbers of a parameter group become inputs read at every call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import dtypes
from .autograd.mode import active
from .backends import NAMESPACES
from .tensor import Tensor

BLOCK = 1 << 14  # elements; some ten float32 blocks fit into a core's second-level cache


def update(
    rule: Callable[..., Any],
    tensors: Sequence[Tensor],
    constants: Sequence[Tensor],
    numbers: tuple = (),
) -> None:
    """Gives `tensors` the values `rule(xp, *tensors, *constants, *numbers)`, in place.

    All tensors have one shape, and the rule works element by element.
    """
    if active.trace is not None:
        _record(rule, tensors, constants, numbers)
        return
    arrays = [each._array for each in tensors]
    rest = [each._array for each in constants]
    first = arrays[0]
    xp = NAMESPACES[type(first)]
    if first.dtype.char in "eE":
        news = rule(xp, *(xp.cast(x, dtypes.float32) for x in (*arrays, *rest)), *numbers)
        for array, new in zip(arrays, news, strict=True):
            xp.copy_into(array, new)
    elif first.size > BLOCK and all(xp.is_row_major(x) for x in (*arrays, *rest)):
        flat = [xp.reshape(x, (-1,)) for x in (*arrays, *rest)]
        count = len(arrays)
        for start in range(0, first.size, BLOCK):
            part = [x[start : start + BLOCK] for x in flat]
            for array, new in zip(part[:count], rule(xp, *part, *numbers), strict=True):
                array[...] = new
    else:
        for array, new in zip(arrays, rule(xp, *arrays, *rest, *numbers), strict=True):
            array[...] = new
    for each in tensors:
        each._storage.version += 1


def _record(
    rule: Callable[..., Any], tensors: Sequence[Tensor], constants: Sequence[Tensor], numbers: tuple
) -> None:
    trace = active.trace
    xp = trace.namespace
    values = [trace.read(each) for each in (*tensors, *constants)]
    dtype = values[0].dtype
    compute = dtypes.float32 if dtype.char in "eE" else dtype
    values = [x if x.dtype is compute else xp.cast(x, compute) for x in values]
    kind = type(values[0])
    fitted = [xp.cast(n, compute) if isinstance(n, kind) else n for n in numbers]
    for tensor, new in zip(tensors, rule(xp, *values, *fitted), strict=True):
        trace.write(tensor, new if new.dtype is tensor.dtype else xp.cast(new, tensor.dtype))
        tensor._storage.version += 1


def number(group: dict, name: str) -> Any:
    """Returns a number of a parameter group; under trace, an input that is read at every call.

    A number that is zero stays a plain 0, so that formulas can leave terms out; that it is zero
    then becomes a condition of the recording.
    """
    value = group[name]
    if active.trace is None:
        return value
    active.trace.guard(lambda: group[name] == 0)
    if value == 0:
        return value
    return active.trace.scalar(lambda: group[name], dtypes.float64)


def numbers_of(group: dict, name: str) -> tuple:
    """Returns a tuple of numbers of a parameter group, such as `betas`, as `number` does."""
    values = group[name]
    if active.trace is None:
        return values
    trace = active.trace
    return tuple(
        trace.scalar(lambda i=i: group[name][i], dtypes.float64) for i in range(len(values))
    )


def choice(group: dict, name: str) -> Any:
    """Returns a setting that decides what is computed; it becomes a condition of a recording."""
    if active.trace is not None:
        active.trace.guard(lambda: group[name])
    return group[name]


def advance(step: Tensor) -> Any:
    """Adds 1 to a step count and returns it in double precision."""
    if active.trace is None:
        step._array += 1
        step._storage.version += 1
        return float(step._array)
    trace = active.trace
    new = trace.read(step) + 1
    trace.write(step, new)
    step._storage.version += 1
    return trace.namespace.cast(new, dtypes.float64)
