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
from .autograd.mode import active, enable_grad
from .autograd.views import write_inplace
from .backends import NAMESPACES, gpu, silently
from .fused import Fused
from .moving import beside
from .ops.pointwise import copy
from .tensor import Tensor

SMALL = 1 << 9  # elements below which calls cost more than the arithmetic


Job = tuple[Sequence[Tensor], Sequence[Tensor], tuple]


@silently
def update(rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
    """Carries out jobs `(tensors, constants, numbers)`, each in place.

    A job gives its tensors the values `rule(xp, *tensors, *constants, *numbers)`; all tensors of a
    job have one shape, and the rule works element by element.
    """
    if flow.on:
        for job in jobs:
            _differentiate(rule, *job)
        return
    if active.recording and active.trace:
        for job in jobs:
            _record(rule, *job)
        return
    if flow.home is None:
        _update_plainly(rule, jobs)
        return
    key = rule, id(jobs[0][0][0])
    fused = flow.home.get(key)
    if fused is None:
        fused = flow.home[key] = Fused()
    fused.update(_update_plainly, rule, jobs)


def _update_plainly(rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
    if gpu.kind is None or not jobs:
        _update_all(rule, jobs)
        return
    by_place: dict[Any, list[Job]] = {}
    for job in jobs:
        by_place.setdefault(str(job[0][0].device), []).append(job)
    for part in by_place.values():
        with beside(part[0][0][0]):
            _update_all(rule, part)


def _update_all(rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
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


@silently
def update_whole(rule: Callable[..., Any], jobs: Sequence[Job]) -> None:
    """Carries out jobs like `update`, for rules that look at a tensor as a whole."""
    for tensors, constants, numbers in jobs:
        if flow.on:
            _differentiate(rule, tensors, constants, numbers)
        elif active.recording and active.trace:
            _record(rule, tensors, constants, numbers)
        else:
            _update_at_once(rule, tensors, constants, numbers)


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
    first = tensors[0]._array
    arrays = [each._array for each in tensors]
    rest = [each._array for each in constants]
    xp = NAMESPACES[type(first)]
    if (
        first.dtype.char not in "eE"
        and first.size > xp.BLOCK
        and all(xp.is_packed(x) for x in (*arrays, *rest))
    ):
        flat = [xp.reshape(x, (-1,)) for x in (*arrays, *rest)]
        count = len(arrays)
        for start in range(0, first.size, xp.BLOCK):
            part = [x[start : start + xp.BLOCK] for x in flat]
            for array, new in zip(part[:count], rule(xp, *part, *numbers), strict=True):
                array[...] = new
        for each in tensors:
            each._storage.version += 1
    else:
        _update_at_once(rule, tensors, constants, numbers)


def _update_at_once(
    rule: Callable[..., Any],
    tensors: Sequence[Tensor],
    constants: Sequence[Tensor],
    numbers: tuple,
) -> None:
    arrays = [each._array for each in tensors]
    xp = NAMESPACES[type(arrays[0])]
    values = [*arrays, *[each._array for each in constants]]
    if arrays[0].dtype.char in "eE":
        values = [xp.cast(each, dtypes.float32) for each in values]
    for tensor, array, new in zip(tensors, arrays, rule(xp, *values, *numbers), strict=True):
        xp.copy_into(array, new)
        tensor._storage.version += 1


class _Flow:
    """What the optimizer at work wants: gradients that flow (`on`: `differentiable=True`).

    `home` is where it keeps what has been compiled for its updates.
    """

    def __init__(self) -> None:
        self.on = False
        self.home: dict | None = None

    def __enter__(self) -> None:
        self.on = True

    def __exit__(self, *exception: object) -> None:
        self.on = False


flow = _Flow()


def _differentiate(
    rule: Callable[..., Any], tensors: Sequence[Tensor], constants: Sequence[Tensor], numbers: tuple
) -> None:
    """Carries out a job by the ops, so that gradients flow through it."""
    with enable_grad():
        values = [each.clone() for each in tensors]  # the graph keeps what is overwritten
        for tensor, new in zip(
            tensors, rule(NAMESPACES[Tensor], *values, *constants, *numbers), strict=True
        ):
            write_inplace(copy, tensor, (new,), {})


def _record(
    rule: Callable[..., Any], tensors: Sequence[Tensor], constants: Sequence[Tensor], numbers: tuple
) -> None:
    trace = active.recording and active.trace
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
    then becomes a condition of the recording. A rate is never left out: schedules pass through 0.
    """
    if not (active.recording and active.trace):
        return [_plain(group[name]) for name in names]
    return [_input(group, name) for name in names]


def _plain(number: Any) -> Any:
    """Returns a number that may be kept in a tensor."""
    return number.item() if isinstance(number, Tensor) and not flow.on else number


def _input(group: dict, name: str) -> Any:
    if isinstance(group[name], Tensor):
        active.trace.guard_item(group, name)
        return value_of(group[name])
    if name != "lr":
        active.trace.guard_zero(group, name)
        if group[name] == 0:
            return group[name]
    return active.trace.number(group, name)


def items_of(group: dict, name: str) -> Any:
    """Returns the items of a tuple of numbers, such as `betas`, as `numbers_of` does."""
    values = group[name]
    if not (active.recording and active.trace):
        return [_plain(each) for each in values]
    return [
        value_of(each) if isinstance(each, Tensor) else active.trace.number(group, name, i)
        for i, each in enumerate(values)
    ]


def make_ready() -> None:
    """Says that state is about to be made; a recording gives way to an eager call that makes it."""
    if active.recording and active.trace:
        active.trace.postpone()


def choices(group: dict, *names: str) -> list:
    """Returns settings that decide what is computed; under trace each becomes a condition."""
    values = [group[name] for name in names]
    if active.recording and active.trace:
        for name in names:
            active.trace.guard_item(group, name)
    return values


def advance(step: Tensor) -> Any:
    """Adds 1 to a step count and returns it in double precision."""
    if not (active.recording and active.trace):
        count = step._array.item() + 1
        step._array.fill(count)
        step._storage.version += 1
        return count
    trace = active.recording and active.trace
    new = trace.read(step) + 1
    trace.write(step, new)
    step._storage.version += 1
    return trace.namespace.cast(new, dtypes.float64)


def value_of(number: Tensor) -> Any:
    """Returns the number in a tensor of one element, in double precision."""
    trace = active.recording and active.trace
    if trace is None:
        return number.item()
    xp = trace.namespace
    return xp.cast(xp.reshape(trace.read(number), ()), dtypes.float64)


def store(number: Tensor, value: Any) -> None:
    """Gives a tensor of one element a value."""
    trace = active.recording and active.trace
    if trace is None:
        number._array.fill(value)
    else:
        trace.write(number, trace.namespace.cast(value, number.dtype))
    number._storage.version += 1


def scale(number: Tensor, factor: Any) -> None:
    """Multiplies a tensor of one element, in its own precision."""
    trace = active.recording and active.trace
    if trace is None:
        number._array *= factor
    else:
        xp = trace.namespace
        trace.write(number, trace.read(number) * xp.cast(factor, number.dtype))
    number._storage.version += 1


def either(condition: Any, a: Any, b: Any) -> Any:
    """Returns one of two numbers; under trace, the number chosen at every call."""
    if isinstance(condition, bool):
        return a if condition else b
    xp = active.trace.namespace
    a, b = (
        each if isinstance(each, type(condition)) else xp.full((), each, dtypes.float64)
        for each in (a, b)
    )
    return xp.where(condition, a, b)
