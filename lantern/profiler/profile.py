"""`profile`: the context that times ops, with PyTorch's schedule of steps."""

from __future__ import annotations

import enum
import functools
import json
import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from ..autograd.profiling import Clock
from ..serialization.atomic import replacing
from .table import EventList, averages

_clocks: list[Clock] = []  # those that run now


class ProfilerActivity(enum.Enum):
    """What may be timed; only the CPU is."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3


class ProfilerAction(enum.Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def schedule(
    *,
    wait: int,
    warmup: int,
    active: int,
    repeat: int = 0,
    skip_first: int = 0,
    skip_first_wait: int = 0,
) -> Callable[[int], ProfilerAction]:
    """Returns the function that says what a profiler does in each step.

    >>> plan = schedule(wait=1, warmup=1, active=2)
    >>> [plan(step).name for step in range(4)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE']
    """
    if min(wait, warmup, repeat, skip_first) < 0 or active <= 0:
        raise AssertionError("Invalid profiler schedule arguments")
    cycle = wait + warmup + active

    def plan(step: int) -> ProfilerAction:
        step -= skip_first
        if step >= 0 and skip_first_wait:
            step += wait
        if step < 0 or (repeat and step // cycle >= repeat):
            return ProfilerAction.NONE
        place = step % cycle
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        last = place == cycle - 1
        return ProfilerAction.RECORD_AND_SAVE if last else ProfilerAction.RECORD

    return plan


class profile:
    """Times every op within a `with` block, on the CPU.

    With a `schedule` only the steps that it chooses are timed, `step()` begins the next one, and
    `on_trace_ready(profiler)` is called at the end of each cycle. Memory, stacks and operations
    are not counted: `profile_memory`, `with_stack` and `with_flops` change nothing.

    >>> import lantern
    >>> with profile() as prof:
    ...     _ = lantern.ones(3) + 1
    >>> [row.count for row in prof.key_averages() if row.key == "add"]
    [1]
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        use_cuda: bool | None = None,
    ):
        self.activities = set(activities or [ProfilerActivity.CPU])
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready = on_trace_ready
        self.record_shapes = record_shapes
        self.step_num = 0
        self.clock = Clock(record_shapes)
        self._running = False

    def start(self) -> None:
        """Begins, as entering the `with` block does."""
        self._go_to(self.schedule(self.step_num))

    def stop(self) -> None:
        """Ends, as leaving the `with` block does."""
        was = self._running
        self._go_to(ProfilerAction.NONE)
        if was and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def step(self) -> None:
        """Says that a step of the program is over."""
        done = self.schedule(self.step_num)
        self.step_num += 1
        if done is ProfilerAction.RECORD_AND_SAVE:
            self.stop()
        self._go_to(self.schedule(self.step_num))

    def _go_to(self, action: ProfilerAction) -> None:
        record = action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)
        if record and not self._running:
            self.clock = Clock(self.record_shapes)
            self.clock.start()
            _clocks.append(self.clock)
        elif self._running and not record:
            self.clock.stop()
            _clocks.remove(self.clock)
        self._running = record

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def events(self) -> list:
        """Returns every timed call, in order of their ends."""
        return list(self.clock.events)

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0
    ) -> EventList:
        """Returns the sums over the calls of each op."""
        return averages(self.clock.events, group_by_input_shape)

    def export_chrome_trace(self, path: str) -> None:
        """Writes the calls as JSON, which chrome://tracing and Perfetto show."""
        events = [
            {
                "ph": "X",
                "cat": "cpu_op",
                "name": event.name,
                "pid": os.getpid(),
                "tid": 0,
                "ts": event.start * 1e6,
                "dur": event.total * 1e6,
                "args": {"Input Dims": event.shapes},
            }
            for event in self.clock.events
        ]
        with replacing(path) as file:
            file.write(json.dumps({"traceEvents": events}).encode())


class record_function:
    """Times a `with` block under a name of its own; also a decorator of functions."""

    def __init__(self, name: str, args: str | None = None):
        self.name = name

    def __enter__(self) -> record_function:
        self._entered = list(_clocks)
        for clock in self._entered:
            clock.enter(self.name)
        return self

    def __exit__(self, *exception: object) -> None:
        for clock in self._entered:
            clock.leave()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `function`, each call of which is a block of this name."""

        @functools.wraps(function)
        def recorded(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return recorded


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """Returns an `on_trace_ready` that writes a file into `dir_name` after each cycle."""

    def write(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        name = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        file = f"{name}.{time.time_ns()}.pt.trace.json"
        prof.export_chrome_trace(os.path.join(dir_name, file))

    return write
