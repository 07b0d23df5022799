"""In-place updates by formula: what optimizers are made of.

An optimizer is one formula over a namespace, `new values = rule(xp, *values, *constants)`. Eager,
it runs on the arrays block by block, so that the intermediate results stay in the processor's
cache; under trace it is recorded, and the numbers of a parameter group become inputs read at every
call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import dtypes
from .autograd.mode import active
from .backends import NAMESPACES
from .tensor import Tensor

SMALL = 1 << 9  # elements below which calls cost more than the arithmetic
BLOCK = 1 << 14  # elements; some ten float32 blocks fit into a core's second-level cache


Job = tuple[Sequence[Tensor], Sequence[Tensor], tuple]


def update(rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
    """Carries out jobs `(tensors, constants, numbers)`, each in place.

    A job gives its tensors the values `rule(xp, *tensors, *constants, *numbers)`; all tensors of a
    job have one shape, and the rule works element by element.
    """
    if active.trace is not None:
        for job in jobs:
            _record(rule, *job)
        return
    small: list[Job] = []
    for job in jobs:
        first = job[0][0]._array
        if first.size <= SMALL and first.dtype.char == "f" and job[2] == jobs[0][2]:
            small.append(job)
        else:
            _update_one(rule, *job)
    if len(small) > 2:
        _update_together(rule, small)
    else:
        for tensors, constants, numbers in small:
            arrays = [each._array for each in tensors]
            xp = NAMESPACES[type(arrays[0])]
            news = rule(xp, *arrays, *[each._array for each in constants], *numbers)
            for tensor, array, new in zip(tensors, arrays, news, strict=True):
                array[...] = new
                tensor._storage.version += 1


def _update_together(rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
    """Carries out several small jobs at once, their tensors side by side in flat arrays."""
    count = len(jobs[0][0])
    columns = list(zip(*[[*tensors, *constants] for tensors, constants, _ in jobs], strict=True))
    xp = NAMESPACES[type(columns[0][0]._array)]
    flat = [xp.side_by_side([each._array for each in column]) for column in columns]
    news = rule(xp, *flat, *jobs[0][2])
    for column, new in zip(columns[:count], news, strict=True):
        start = 0
        for each in column:
            array = each._array
            stop = start + array.size
            array[...] = new[start:stop].reshape(array.shape)
            start = stop
            each._storage.version += 1


def _update_one(
    rule: Callable[..., Any],
    tensors: Sequence[Tensor],
    constants: Sequence[Tensor],
    numbers: tuple,
) -> None:
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


def numbers_of(group: dict, *names: str) -> list:
    """Returns numbers of a parameter group; under trace, inputs that are read at every call.

    A number that is zero stays a plain 0, so that formulas can leave terms out; that it is zero
    then becomes a condition of the recording.
    """
    if active.trace is None:
        return [group[name] for name in names]
    return [_input(group, name) for name in names]


def _input(group: dict, name: str) -> Any:
    active.trace.guard_zero(group, name)
    if group[name] == 0:
        return group[name]
    return active.trace.number(group, name)


def items_of(group: dict, name: str) -> Any:
    """Returns the items of a tuple of numbers, such as `betas`, as `numbers_of` does."""
    values = group[name]
    if active.trace is None:
        return values
    return [active.trace.number(group, name, i) for i in range(len(values))]


def make_ready() -> None:
    """Says that state is about to be made; a recording gives way to an eager call that makes it."""
    if active.trace is not None:
        active.trace.postpone()


def choices(group: dict, *names: str) -> list:
    """Returns settings that decide what is computed; under trace each becomes a condition."""
    values = [group[name] for name in names]
    if active.trace is not None:
        for name in names:
            active.trace.guard_item(group, name)
    return values


def advance(step: Tensor) -> Any:
    """Adds 1 to a step count and returns it in double precision."""
    if active.trace is None:
        count = step._array.item() + 1
        step._array.fill(count)
        step._storage.version += 1
        return count
    trace = active.trace
    new = trace.read(step) + 1
    trace.write(step, new)
    step._storage.version += 1
    return trace.namespace.cast(new, dtypes.float64)
