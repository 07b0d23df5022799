"""Native code for the rule of an optimizer, over all parameters that it updates at once."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..backends import default
from ..tensor import Tensor
from . import runtime, symbolic
from .doorway import Passage
from .ir import Value
from .native import Program
from .plan import Unsupported
from .trace import Trace, recording

Job = tuple[Sequence[Tensor], Sequence[Tensor], tuple]


def update_program(rule: Callable[..., Any], jobs: Sequence[Job]) -> UpdateProgram | None:
    """Returns native code for jobs `(tensors, constants, numbers)`; None where there is none."""
    if not runtime.available():
        return None
    try:
        return UpdateProgram(rule, jobs)
    except Unsupported:
        return None


class UpdateProgram:
    """The code for jobs like those given: the same memory is written, all numbers are shared.

    A number that is no float, or is 0 or 1, may decide what the formula is, and has to stay.
    """

    def __init__(self, rule: Callable[..., Any], jobs: Sequence[Job]):
        self.arrays = [each._array for tensors, _, _ in jobs for each in tensors]
        self.numbers = jobs[0][2]
        self.free = [i for i, n in enumerate(self.numbers) if _is_free(n)]
        self.fixed = [(i, n) for i, n in enumerate(self.numbers) if not _is_free(n)]
        trace = Trace()
        with recording(trace):
            numbers, news = list(self.numbers), []
            dtype = jobs[0][0][0].dtype
            read = [[_input(trace, each) for each in tensors] for tensors, _, _ in jobs]
            given = [[_input(trace, each) for each in constants] for _, constants, _ in jobs]
            self.first = len(trace.graph.inputs)
            for i in self.free:
                numbers[i] = symbolic.cast(trace.graph.input((), dtypes.float64), dtype)  # type: ignore[attr-defined]
            for tensors, constants in zip(read, given, strict=True):
                news += rule(symbolic, *tensors, *constants, *numbers)
        trace.graph.outputs = news
        count = len(self.arrays)
        arguments = list(range(count, self.first))
        self.program = Program(trace.graph, [(i, i) for i in range(count)], arguments=arguments)
        self.cells = [
            ctypes.c_double.from_address(self.program.own_number(self.first + i))
            for i in range(len(self.free))
        ]
        self._passage = Passage(self.program)

    def __call__(self, jobs: Sequence[Job]) -> bool:
        """Carries out jobs; False, and nothing is done, where they are others."""
        numbers = jobs[0][2]
        given: list[Any] = []
        i, arrays = 0, self.arrays
        if len(jobs) * len(jobs[0][0]) != len(arrays):
            return False
        for tensors, constants, own in jobs:
            for each in tensors:
                if each._array is not arrays[i]:
                    return False
                i += 1
            for each in constants:
                given.append(each._array)
            if own is not numbers and own != numbers:
                return False
        for i, number in self.fixed:
            if numbers[i] is not number and (numbers[i] != number or _is_free(numbers[i])):
                return False
        for cell, i in zip(self.cells, self.free, strict=True):
            cell.value = numbers[i]
        self._passage(given, arrays)
        for tensors, _, _ in jobs:
            for each in tensors:
                each._storage.version += 1
        return True


def _is_free(number: Any) -> bool:
    return type(number) is float and number not in (0.0, 1.0)


def _input(trace: Trace, tensor: Tensor) -> Value:
    value = trace.graph.input(tuple(tensor._array.shape), tensor.dtype)
    value.lies(default().extent(tensor._array)[1])
    return value
