"""What is going on: the active trace, and whether gradients are recorded: `no_grad` and its kin."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any


class _Mode(threading.local):
    enabled = True
    inference = False
    autocast: Any = None  # the half type of mixed precision, inside of `autocast`
    autocast_on = "cpu"  # the kind of device that this is for


mode = _Mode()


class _Active:
    """Holds the trace that is being recorded, if any; every op call looks here.

    `recording` is that of whichever thread, which costs least to ask; `trace` is for the thread
    that asks, as other threads go on computing meanwhile.
    """

    __slots__ = ("recording",)

    def __init__(self) -> None:
        self.recording: Any = None

    @property
    def trace(self) -> Any:
        """The trace that this thread records."""
        trace = self.recording
        if trace is None or trace.thread != threading.get_ident():
            return None
        return trace

    def refuse(self, what: str, cure: str = "") -> None:
        """Raises TraceError where this thread records: `what` is known in a run only."""
        trace = self.trace
        if trace is not None:
            trace.refuse(what, cure)


class _NoTrace:
    """Stands where a trace would, to keep ops from going their short ways: see `autocast`."""

    thread = None


active = _Active()
NO_TRACE = _NoTrace()


class _Flags:
    """Counts what may happen to the things that a record was made under.

    `version` counts changes of modules, optimizers and settings; `grads` counts how often a tensor
    was given a `.grad`.
    """

    __slots__ = ("version", "grads")

    def __init__(self) -> None:
        self.version = self.grads = 0


flags = _Flags()


def is_grad_enabled() -> bool:
    """Says whether operations are being recorded."""
    return mode.enabled


def is_inference_mode_enabled() -> bool:
    """Says whether inference mode is on."""
    return mode.inference


class _Switch:
    """A context manager, also usable as a decorator of functions and generator functions."""

    enabled = True

    def __init__(self) -> None:
        self._before: list[tuple[bool, bool]] = []

    def _enter(self) -> None:
        mode.enabled = self.enabled

    def __enter__(self) -> Any:
        self._before.append((mode.enabled, mode.inference))
        self._enter()

    def __exit__(self, *exception: object) -> None:
        mode.enabled, mode.inference = self._before.pop()

    def _again(self) -> _Switch:
        return type(self)()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isgeneratorfunction(function):
            return self._wrap_generator(function)

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return wrapped

    def _wrap_generator(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # The mode holds while the generator runs, not while its consumer does.
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            sent = None
            while True:
                try:
                    with self._again():
                        value = generator.send(sent)
                except StopIteration as stop:
                    return stop.value
                sent = yield value

        return wrapped


class no_grad(_Switch):
    """Stops recording: results do not require gradients.

    >>> import lantern
    >>> x = lantern.ones(2, requires_grad=True)
    >>> with lantern.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        """Returns the context, or the function given to the bare decorator, decorated."""
        if function is None:
            return super().__new__(cls)
        return cls()(function)

    def __init__(self, function: Callable[..., Any] | None = None) -> None:
        super().__init__()


class enable_grad(no_grad):
    """Records again inside `no_grad`."""

    enabled = True


class set_grad_enabled(_Switch):
    """Switches recording on or off at once, or for a `with` block or a function.

    >>> import lantern
    >>> with lantern.set_grad_enabled(False):
    ...     lantern.is_grad_enabled()
    False
    """

    def __init__(self, mode: bool) -> None:
        super().__init__()
        self.enabled = bool(mode)
        self._outside = (globals()["mode"].enabled, globals()["mode"].inference)
        self._enter()

    def __enter__(self) -> Any:
        self._before.append(self._outside)
        self._enter()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns `function` with the switch set in its calls only."""
        mode.enabled, mode.inference = self._outside  # as a decorator it acts only in the calls
        return super().__call__(function)

    def _again(self) -> _Switch:
        return type(self)(self.enabled)


class inference_mode(_Switch):
    """As `no_grad`; results also cannot take part in recording later.

    >>> import lantern
    >>> with lantern.inference_mode():
    ...     (lantern.ones(2, requires_grad=True) * 2).requires_grad
    False
    """

    def __new__(cls, mode: Any = True) -> Any:
        """Returns the context, or the function given to the bare decorator, decorated."""
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__()
        self.inference = mode

    def _enter(self) -> None:
        if self.inference:
            mode.enabled = False
        mode.inference = self.inference

    def _again(self) -> _Switch:
        return type(self)(self.inference)
