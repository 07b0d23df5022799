"""A graph as native code: the passes one after the other, and the calls that run the result.

`LANTERN_DEBUG=ir,simplify,fuse,memory,loops,llvm` prints what each pass makes.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Container, Sequence
from functools import cached_property
from typing import Any, NoReturn

from ..backends import default, silently
from ..shape import is_contiguous
from . import pool, runtime, store
from .accesses import Accesses, lanes_of
from .alike import Shared
from .blueprint import Blueprint, Call, Shown, draw, filled, generators_of, unpacked
from .builder import Function
from .convolution import write_convolution
from .decompose import decompose
from .explain import told
from .fuse import fuse
from .interpret import interpret
from .ir import Graph, Value, verify
from .llvm import module
from .loops import Nest, Rows
from .matmul import write_matmul
from .memory import ALIGNMENT, Memory, lay_out
from .parts import cut_up
from .plan import Kernel, Plan, Unsupported
from .regions import find_region, write_region
from .runtime import Native, Target, host
from .simplify import simplify
from .written import written


def show(stage: str, what: Any) -> None:
    """Prints what a pass made, where the environment asks for it."""
    if stage in os.environ.get("LANTERN_DEBUG", "").split(","):
        print(f"--- {stage}\n{what}", file=sys.stderr)


def loops(plan: Plan, memory: Memory, target: Target) -> list[Function]:
    """Returns the loop nests of all kernels but the calls."""
    functions = []
    shared = Shared(plan, memory)
    if plan.region is not None:
        functions += write_region(plan, memory, plan.region, target)
    for kernel in plan.kernels:
        if name_of(plan, kernel) == "region":
            continue
        if kernel.kind != "call":
            functions.append(_kernel(plan, memory, kernel, target, shared))
    functions.append(_final_copies(plan, memory))
    return functions


def _kernel(plan: Plan, memory: Memory, kernel: Kernel, target: Target, shared: Shared) -> Function:
    """Returns a kernel as a function, in parts where that pays."""
    cut = cut_up(plan, kernel)
    same, signature = shared.find(kernel, cut)
    if same is not None:
        return same
    function = Function(f"kernel{kernel.index}")
    shared.add(function, signature)
    if cut is None:
        _write(function, plan, memory, kernel, target, None)
        return function
    function.parts, function.larger = cut.count, cut.larger
    start = function.op("mul", "i64", "%part", cut.size)
    _write(function, plan, memory, kernel, target, Rows(start, cut.size, dim=cut.dim))
    if cut.larger < cut.count:
        rest = function.rest = Function(f"{function.name}.rest")
        rest.parts = cut.count - cut.larger
        start = rest.op("mul", "i64", "%part", cut.small)
        start = rest.op("add", "i64", start, cut.larger * (cut.size - cut.small))
        _write(rest, plan, memory, kernel, target, Rows(start, cut.small, dim=cut.dim))
    return function


def _write(
    b: Function, plan: Plan, memory: Memory, kernel: Kernel, target: Target, rows: Rows | None
) -> None:
    if kernel.kind == "matmul":
        write_matmul(b, plan, memory, kernel, target, rows)
    elif kernel.kind == "conv":
        write_convolution(b, plan, memory, kernel, target, rows)
    else:
        lanes = lanes_of(kernel, target.vector_bytes)
        Nest(b, Accesses(plan, memory, kernel), lanes).write(rows)


def _final_copies(plan: Plan, memory: Memory) -> Function:
    b = Function("copies")
    for new, old in memory.copies:
        size = new.size * new.itemsize
        if size:
            target, source = b.pointer(*memory.places[old]), b.pointer(*memory.places[new])
            b._emit("copy", "i8", target, source, size, lanes=1)
    return b


def name_of(plan: Plan, kernel: Kernel) -> str:
    """Returns the name of the function that a kernel is part of."""
    inside = plan.region is not None and kernel in plan.region.kernels
    return "region" if inside else f"kernel{kernel.index}"


def cut(plan: Plan) -> list[list[str] | Kernel]:
    """Returns the steps of a plan: names of kernels to run in one go, and calls between them."""
    steps: list[list[str] | Kernel] = []
    for kernel in plan.kernels:
        name = name_of(plan, kernel)
        if kernel.kind == "call":
            steps.append(kernel)
            continue
        if not steps or not isinstance(steps[-1], list):
            steps.append([])
        if name not in steps[-1]:
            steps[-1] += [name, f"{name}.end"] if name == "region" else [name]
    if not steps or not isinstance(steps[-1], list):
        steps.append([])
    steps[-1].append("copies")  # type: ignore[union-attr]
    return steps


class Changed(Exception):
    """An input has another shape or dtype than the program was made for."""


class Program:
    """Native code for a graph; `writes` pairs the number of an output with the input it replaces.

    Raises `Unsupported` where the graph holds something that has no native form.
    """

    def __init__(
        self,
        graph: Graph,
        writes: Sequence[tuple[int, int]] = (),
        target: Target | None = None,
        load: bool = True,
        strides: Sequence[tuple[int, ...]] = (),
        arguments: Sequence[int] = (),
        alone: bool = False,
    ):
        self.target = target or host()
        self.graph, self.alone = graph, alone
        self.writes = list(writes)
        self.strides = dict(enumerate(strides))  # of the first outputs, where eager has others
        for out, place in writes:
            new, old = graph.outputs[out], graph.inputs[place]
            if new.shape != old.shape or new.dtype is not old.dtype:
                raise Unsupported(f"{new!r} is written over {old!r}")
        self.written = dict.fromkeys(place for _, place in writes)
        written = {out for out, _ in writes}
        self.results = [i for i in range(len(graph.outputs)) if i not in written]
        self.arguments = list(arguments)  # inputs that come with each call
        if load:
            self._load()

    # --- planning, where no blueprint is there already
    @cached_property
    def _planned(self) -> tuple[Plan, Memory]:
        show("ir", self.graph)
        verify(self.graph)
        graph = simplify(decompose(simplify(self.graph)))
        verify(graph)
        show("simplify", graph)
        plan = fuse(graph, self.alone)
        find_region(plan)
        show("fuse", plan)
        memory = lay_out(plan, [(graph.outputs[out], graph.inputs[i]) for out, i in self.writes])
        show("memory", memory)
        return plan, memory

    @property
    def plan(self) -> Plan:
        """The kernels, and what they read and write."""
        return self._planned[0]

    @property
    def memory(self) -> Memory:
        """Where each value of the plan lies."""
        return self._planned[1]

    @property
    def _slots(self) -> int:
        return 1 + len(self.graph.inputs) + len(self.plan.constants)

    @property
    def _checks(self) -> frozenset[str]:
        return frozenset(f"kernel{each.index}" for each in self.plan.kernels if each.checks)

    @cached_property
    def functions(self) -> list[Function]:
        """The loops of all kernels."""
        found = loops(self.plan, self.memory, self.target)
        show("loops", "\n".join(map(str, found)))
        return found

    @cached_property
    def text(self) -> str:
        """The program as LLVM assembly."""
        segments = [each for each in cut(self.plan) if isinstance(each, list)]
        found = module(self.functions, segments, self._slots, self._checks)
        show("llvm", found)
        return found

    def _blueprint(self, code: str, shared: bool) -> Blueprint:
        return draw(self.plan, self.memory, cut(self.plan), self._slots, code, shared)

    def _is_whole(self, drawn: Blueprint) -> bool:
        """Says whether one piece of code computes and gives all results."""
        given = [(self.graph.outputs[i].shape, self.strides.get(i)) for i in self.results]
        return len(drawn.steps) == 1 and all(_order(*each) is None for each in given)

    # --- from the disk, or made
    def _made(self) -> tuple[Blueprint, bytes]:
        """Returns how the program is run, and its machine code."""
        name = self._key()
        generators = generators_of(self.graph)
        found = None if name is None or "LANTERN_DEBUG" in os.environ else store.read(name)
        if found is not None:
            drawn = unpacked(found, generators)
            code = store.read(drawn.code)
            if code is not None:
                return drawn, code
        code = runtime.object_code(self.text, self.target)
        shared = any(each.parts > 1 for each in self.functions)
        drawn = self._blueprint(runtime.code_key(self.text, self.target), shared)
        if name is not None:
            store.write(name, drawn.packed(generators))
        for each in ("_planned", "functions", "text"):  # they are large, and seldom asked for
            del vars(self)[each]
        return drawn, code

    def _key(self) -> str | None:
        """Returns the name that stands for all that plan and code depend on; None without one."""
        text = written(self.graph)
        if text is None:
            return None
        return store.key(
            "program", text, self.writes, self.strides, self.arguments, self.alone,
            default().np.__version__, sys.implementation.cache_tag,
            pool.cores(), store.sources(), store.settings(), *runtime.versions(self.target),
        )  # fmt: skip

    def _load(self) -> None:
        xp = default()
        drawn, code = self._made()
        self.blueprint = drawn
        self.whole = self._is_whole(drawn)
        self.checks = drawn.checks
        count = drawn.steps.count(None)
        self.native = Native(code, drawn.slots, count, self.target, drawn.shared)
        self.bound: list[Any] = [None] * len(self.graph.inputs)
        self.used: list[Any] = list(self.bound)  # row-major stand-ins where inputs are not
        self.stand_ins: dict[int, Any] = {}
        self._numbers: dict[int, Any] = {}
        self.ranges: list[tuple[int, int, int]] = []
        self._arena(xp)
        self.constants = []
        for i, (name, args) in enumerate(drawn.constants, 1 + len(self.graph.inputs)):
            array = xp.asarray(getattr(xp, name)(*args))
            self.constants.append(array)
            self.native.table[i] = xp.address_of(array)
        entries = iter(self.native.segments)
        self.steps: list[Callable[[], Any]] = [
            next(entries) if each is None else self._caller(each) for each in drawn.steps
        ]
        self.outputs = [self._reader(drawn.outputs[i], self.strides.get(i)) for i in self.results]
        generators = [each.args[3] for each in drawn.calls if each.name == "draw"]
        # An index out of range takes everything back, also what was drawn before it was seen.
        self.generators = list(dict.fromkeys(generators)) if self.checks else []
        self.lock = threading.Lock()
        self.owner = 0  # the thread that has the lock

    def _arena(self, xp: Any) -> None:
        from .. import dtypes

        self.arena = xp.full((self.blueprint.arena + 2 * ALIGNMENT,), 0, dtypes.uint8)
        self.skew = -xp.address_of(self.arena) % ALIGNMENT
        self.native.table[0] = xp.address_of(self.arena) + self.skew

    # --- arrays over the memory of the program
    def _array(self, shown: Shown) -> Any:
        """Returns an array that shows a value where it lies now."""
        xp = default()
        slot = shown.slot
        if slot == 0:
            count = max(shown.size, 1)
            base = xp.from_buffer(self.arena, shown.dtype, count, shown.start + self.skew)
        elif slot <= len(self.used):
            base = self.used[slot - 1]
        else:
            base = self.constants[slot - 1 - len(self.used)]
        if shown.size == 0:
            return xp.full(shown.shape, 0, shown.dtype)
        return xp.as_strided(base, shown.shape, shown.strides, shown.offset)

    def _reader(self, shown: Shown, strides: tuple[int, ...] | None) -> Callable[[], Any]:
        """Returns a function that gives a fresh array of an output, with the strides if given."""
        xp = default()
        order = _order(shown.shape, strides)
        if order is not None:
            back = tuple(order.index(i) for i in range(len(order)))
            return lambda: xp.permute(xp.contiguous(xp.permute(self._array(shown), order)), back)
        if shown.slot != 0:
            return lambda: xp.contiguous(self._array(shown))
        array = self._array(shown)
        return lambda: xp.contiguous(array)

    def _caller(self, wanted: Call) -> Callable[[], None]:
        """Returns a function that has the NumPy backend compute one value."""
        xp = default()
        function = getattr(xp, wanted.name)
        shape, dtype = wanted.target.shape, wanted.target.dtype
        target = self._array(wanted.target)

        @silently
        def call() -> None:
            result = xp.asarray(function(*filled(wanted.args, self._array)))
            if tuple(result.shape) != shape or xp.dtype_of(result) is not dtype:
                raise TypeError(f"{wanted.name} gave {result.shape} {result.dtype}")
            xp.copy_into(target, result)

        return call

    def times(self, rounds: int = 20) -> list[tuple[Kernel, float]]:
        """Returns each native kernel with its median time in seconds, on the last run's values.

        Kernels run apart for this; what they write is put back as it was.
        """
        xp = default()
        self._same_plan()
        kept = {i: xp.contiguous(self.bound[i]) for i in self.written if self.bound[i] is not None}
        loops_only = [each for each in self.plan.kernels if each.kind != "call"]
        kernels = list({name_of(self.plan, each): each for each in loops_only}.values())
        alone = [[name_of(self.plan, each)] for each in kernels]
        text = module(self.functions, alone, self._slots, self._checks)
        native = Native(text, self._slots, len(alone), self.target)
        native.table[:] = self.native.table[:]
        found: list[list[float]] = [[] for _ in kernels]
        for _ in range(rounds):
            for segment, times in zip(native.segments, found, strict=True):
                start = time.perf_counter()
                segment()
                times.append(time.perf_counter() - start)
        for i, array in kept.items():
            xp.copy_into(self.bound[i], array)
        return [(k, sorted(t)[len(t) // 2]) for k, t in zip(kernels, found, strict=True)]

    def _same_plan(self) -> None:
        """Raises RuntimeError where the compiler would plan otherwise now than for this program."""
        if self._blueprint(self.blueprint.code, self.blueprint.shared) != self.blueprint:
            raise RuntimeError("the compiler's settings have changed since the program was made")

    def explain(self) -> str:
        """Returns a text: what runs in one pass over memory, how long it takes, and why."""
        if any(each is None for each in self.bound):
            return "This program has not run yet."
        times = {name_of(self.plan, kernel): taken for kernel, taken in self.times()}
        inside = [] if self.plan.region is None else self.plan.region.kernels
        taken = [
            None
            if kernel.kind == "call" or kernel in inside[1:]
            else times.get(name_of(self.plan, kernel))
            for kernel in self.plan.kernels
        ]
        return told(self.plan, taken, self.memory.size, self.memory.copies)

    # --- running
    def __call__(self, arrays: Sequence[Any]) -> list[Any]:
        """Runs on arrays in the order of the inputs; returns the outputs that replace no input."""
        thread, busy = threading.get_ident(), self.native.busy
        if self.owner == thread:
            return self.interpreted(arrays)
        with self.lock:
            try:  # no call between lock and owner, as a signal would be handled there
                self.owner, busy.value = thread, 1
                return self._run(arrays)
            finally:
                self.owner = busy.value = 0

    def _run(self, arrays: Sequence[Any]) -> list[Any]:
        bound = self.bound
        for i, array in enumerate(arrays):
            if array is not bound[i]:
                self._bind(arrays)
                break
        for i in self.arguments:  # an entry leaves other addresses there
            if i not in self.stand_ins:
                self.native.table[1 + i] = default().address_of(arrays[i])
        if self.stand_ins:
            self._fill_stand_ins()
        states = [each.get_state() for each in self.generators]
        for step in self.steps:
            step()
            if self.checks and self.native.error.value:
                self._fail(arrays, states)
        if self.stand_ins:
            self._give_back()
        return [read() for read in self.outputs]

    def interpreted(self, arrays: Sequence[Any]) -> list[Any]:
        """Does in NumPy what a call does, for one that comes in the midst of another.

        A handler of a signal or a `__del__` may call what its thread is just running.
        """
        xp = default()
        found = interpret(self.graph, [xp.clone(each) for each in arrays])
        for number, i in self.writes:
            xp.copy_into(arrays[i], found[number])
        return [xp.clone(found[i]) for i in self.results]

    def _fail(self, arrays: Sequence[Any], states: list[Any]) -> NoReturn:
        """Raises the error of an index out of range as the interpreter does; nothing is written."""
        self.native.error.value = 0
        xp = default()
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
        try:
            interpret(self.graph, [xp.contiguous(each) for each in arrays])
        finally:
            for generator, state in zip(self.generators, states, strict=True):
                generator.set_state(state)
        raise IndexError("index out of range in a compiled function")

    def _bind(self, arrays: Sequence[Any]) -> None:
        xp = default()
        recheck = False
        for i, (array, value) in enumerate(zip(arrays, self.graph.inputs, strict=True)):
            if array is self.bound[i]:
                continue
            if tuple(array.shape) != value.shape or xp.dtype_of(array) is not value.dtype:
                self.bound[i] = None
                raise Changed(
                    f"input {i} has become {xp.dtype_of(array)} {list(array.shape)}; "
                    f"the program was made for {value!r}"
                )
            if i not in self.arguments or i in self.written or i in self.stand_ins:
                self.native.stamp.value += 1
            self.stand_ins.pop(i, None)
            address = xp.dense_address(array)
            if address is None:
                self.stand_ins[i] = self.used[i] = xp.asarray(xp.contiguous(array))
                address = xp.address_of(self.used[i])
            else:
                self.used[i] = array
            self.bound[i] = array
            self.native.table[1 + i] = address
            recheck = recheck or i in self.written or self._meets_written(i, address, value)
        if recheck:
            self._part_overlapping(xp)

    def own_number(self, i: int) -> int:
        """Gives a number among the inputs a place of its own; returns the address."""
        xp = default()
        value = self.graph.inputs[i]
        if i not in self._numbers:
            self._numbers[i] = xp.full((), 0, value.dtype)
        self.bound[i] = self.used[i] = array = self._numbers[i]
        address = self.native.table[1 + i] = xp.address_of(array)
        return address

    def _meets_written(self, i: int, address: int, value: Value) -> bool:
        """Says whether an input shares memory with one that the program writes."""
        if self.stand_ins:
            return bool(self.ranges)
        place = bisect_right(self.ranges, (address + max(value.size * value.itemsize, 1), -1, -1))
        return place > 0 and self.ranges[place - 1][1] > address

    def _part_overlapping(self, xp: Any) -> None:
        """Gives inputs that share memory with a written one memory of their own for the run."""
        spans = []
        self.native.stamp.value += 1
        for i, array in enumerate(self.bound):
            low, high = xp.byte_span(array)
            if high > low:
                spans.append((low, high, i))
        shared = _meeting(spans, self.written)
        for i in shared:
            if i not in self.stand_ins:
                self.stand_ins[i] = self.used[i] = xp.contiguous(self.bound[i])
                self.native.table[1 + i] = xp.address_of(self.used[i])
        self.ranges = sorted((low, high, i) for low, high, i in spans if i in self.written)

    def _fill_stand_ins(self) -> None:
        xp = default()
        for i, copy in self.stand_ins.items():
            xp.copy_into(copy, self.bound[i])

    def _give_back(self) -> None:
        xp = default()
        for i in self.written:
            if i in self.stand_ins:
                xp.copy_into(self.bound[i], self.stand_ins[i])


def _order(shape: tuple[int, ...], strides: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Returns the dimensions from the outermost inwards where they lie in another order."""
    if strides is None or is_contiguous(shape, strides):
        return None
    order = tuple(sorted(range(len(shape)), key=lambda d: -strides[d]))
    ordered = [shape[d] for d in order], [strides[d] for d in order]
    return order if is_contiguous(*ordered) else None


def _meeting(spans: list[tuple[int, int, int]], written: Container[int]) -> set[int]:
    found = set()
    for low, high, i in spans:
        if i in written:
            for low2, high2, j in spans:
                if j != i and low < high2 and low2 < high:
                    found |= {i, j}
    return found
