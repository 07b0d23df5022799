"""`compile`: turns a function of tensors, such as a whole training step, into one recorded program.

The first call for given shapes, dtypes and other arguments runs eagerly, so that state which is
made on first use exists; the second is recorded; later ones run the record. A record holds while
what the function reaches (globals, attributes, modules, optimizers) is as it was.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable
from typing import Any

from ..autograd import engine
from ..autograd.mode import active, mode
from ..dtypes import get_default_dtype
from ..tensor import Tensor
from . import control
from .doorway import MISS, door
from .entry import make_entry
from .ir import Graph
from .machine import Changed
from .record import Record
from .structure import describe, text
from .surroundings import Watch
from .trace import NotReady, TraceError, warn

MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")
ENTRIES = 8  # short ways in that are tried
KEPT = 128  # records, and sets of arguments met once, that are kept
PATIENCE = 64  # short ways in that are made one after the other; then one in so many calls


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = None,
    mode: str | None = None,
    options: dict | None = None,
    name: str | None = None,
    disable: bool = False,
    recompile_limit: int | None = None,
    strict: bool = True,
    keep_grads: bool = False,
) -> Any:
    """Returns the function or module, recorded once and then run as one program of native code.

    The function may read and write any tensors it can reach: parameters, buffers, optimizer state.
    Gradients that an optimizer in the function has used are dropped unless `keep_grads`. What
    cannot be recorded raises `TraceError` with the line of the user's program; with `strict=False`
    such a function runs eagerly after one warning. `backend="interpreter"` runs records in NumPy,
    `backend="eager"` leaves the function alone. The other arguments are accepted for PyTorch's
    sake: whole functions are compiled in any case, for the shapes that they meet.

    >>> import lantern
    >>> double = lantern.compile(lambda x: x * 2)
    >>> [double(lantern.tensor([1.0, 2.0])) for _ in range(3)][-1]
    tensor([2., 4.])
    """
    if mode not in (None, *MODES):
        raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(MODES)}")
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    own: dict[str, Any] = {"strict": strict, "keep_grads": keep_grads, "backend": backend}
    if model is None:
        return functools.partial(compile, **own, disable=disable)
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if backend not in (None, "inductor", "interpreter", "eager", "aot_eager"):
        raise ValueError(
            f"compile() has no backend {backend!r}; there are 'inductor' (native code, the "
            "default), 'interpreter' and 'eager'"
        )
    if hasattr(model, "_optimized"):
        return model._optimized(disable=disable, **own)
    if disable or backend in ("eager", "aot_eager") or isinstance(model, CompiledFunction):
        return model
    return CompiledFunction(model, **own)


class CompiledFunction:
    """A function with the records made of it; `graphs` shows them.

    Python finds in a slot what a call is: the general way, or native code that leads to it where
    none of the short ways is open.
    """

    __slots__ = ("__call__", "__dict__", "__weakref__")

    def __init__(
        self,
        function: Callable[..., Any],
        strict: bool = True,
        keep_grads: bool = False,
        backend: Any = None,
    ):
        functools.update_wrapper(self, function)
        self.name = getattr(function, "__name__", type(function).__name__)
        self.backend = backend
        self.function = function
        self.strict = strict
        self.keep_grads = keep_grads
        control.compiled.add(self)
        self.reset()

    def reset(self) -> None:
        """Forgets all records."""
        self._waiting: dict[Any, Watch] = {}  # what was met once: after an eager call
        self._records: dict[Any, list[Record]] = {}
        self._entries: list[Any] = []  # the short ways into records
        self._general = _general_way(weakref.ref(self), self.function)
        self.__call__ = self._general
        self._eager = False
        self._met = 0
        self._lock = threading.RLock()

    @property
    def graphs(self) -> list[Graph]:
        """The graphs recorded so far."""
        return [each.graph for records in self._records.values() for each in records]

    def explain(self) -> None:
        """Prints, for each record, its kernels: what was fused into what, and the time of each."""
        if not self._records:
            print(f"{self.name} has not been recorded yet: that happens in the second call.")
        for key, records in self._records.items():
            for each in records:
                print(f"{self.name}, for {text(key[0][1])}:")
                if each.machine is None:
                    print(f"interpreted in NumPy:\n{each.graph}")
                    continue
                print(each.machine.program.explain())
                if each.machine.back is not None:
                    print(f"the backward of its results:\n{each.machine.back.explain()}")

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        return _again, (self.function, self.strict, self.keep_grads, self.backend)

    def __deepcopy__(self, memo: dict) -> Any:
        from copy import deepcopy

        return _again(deepcopy(self.function, memo), self.strict, self.keep_grads, self.backend)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the function where no short way is open: eagerly at first, then from a record."""
        off = control.state.stance == "force_eager" or control.config.disable
        if off or self._eager or active.trace is not None or engine.checks_nan:
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        try:
            key = (
                describe((args, kwargs), tensors),
                mode.enabled,
                mode.inference,
                mode.autocast,
                get_default_dtype(),
            )
        except TraceError as error:
            return self._refused(error, args, kwargs)
        lock = self._lock  # the function may reset what is called
        if not lock.acquire(blocking=False):
            if self._runs_here():  # who has the lock may wait for this very thread
                return self.function(*args, **kwargs)
            lock.acquire()
        try:
            found = self._run(key, args, kwargs, tensors)
        finally:
            lock.release()
        if found is not MISS:
            return found
        result = self.function(*args, **kwargs)
        with self._lock:
            self._waiting[key] = Watch(self.function)
        return result

    def _runs_here(self) -> bool:
        """Says whether this thread is in the midst of a record, as a signal's handler may be."""
        thread = threading.get_ident()
        machines = [each.machine for group in [*self._records.values()] for each in [*group]]
        found = [each for machine in machines if machine is not None for each in machine.programs]
        return any(each.owner == thread for each in found)

    def _run(self, key: Any, args: tuple, kwargs: dict, tensors: list[Tensor]) -> Any:
        """Runs a record, makes one, or returns MISS: then the call is to be run eagerly."""
        reason = None
        for record in self._records.get(key, ()):
            reason = record.obstacle()
            if reason is not None:
                continue
            try:
                result = record.call(tensors)
            except Changed as error:  # an input has another shape now: record again
                self._records[key].remove(record)
                self._enter_by([])
                reason = str(error)
                break
            except TraceError as error:
                return self._refused(error, args, kwargs)
            if not kwargs:
                self._shorten(record, args)
            return result
        watch = self._waiting.pop(key, None)
        if watch is not None:
            changed = watch.obstacle()
            if changed is None:
                return self._record(key, args, kwargs, tensors)
            reason = changed
        self._count(key, reason)
        return MISS

    def _count(self, key: Any, reason: str | None) -> None:
        """Counts what the function has been asked to do so far; warns when it is much."""
        self._met += 1
        if len(self._waiting) > KEPT:
            self._waiting.pop(next(iter(self._waiting)))
        if self._met == control.config.recompile_limit + 1:
            others = [each for each in {**self._records, **self._waiting} if each != key]
            if reason is None and others:
                reason = _difference(others[-1], key)
            warn(
                f"{self.name} has been recorded or run eagerly under {self._met} conditions; this "
                f"time because {reason}. Each costs a new recording: numbers that change often are "
                "better given as tensors, and tensors as arguments."
            )

    def _shorten(self, record: Record, args: tuple) -> None:
        """Gives a record its short way in, the newest first."""
        record.missed += 1
        if record.machine is None or self._eager:
            return
        if record.missed > PATIENCE and record.missed % PATIENCE:  # it mostly does not hold
            return
        others = [each for each in self._entries if each is not record.entry]
        record.entry = make_entry(record, args)
        first = [] if record.entry is None else [record.entry]
        self._enter_by([*first, *others[:ENTRIES]])

    def _enter_by(self, entries: list[Any]) -> None:
        """Sets the short ways that a call tries."""
        self._entries = entries
        opened = door() if entries else None
        self.__call__ = (
            self._general if opened is None else opened.function(self._general, tuple(entries))
        )

    def _record(self, key: Any, args: tuple, kwargs: dict, tensors: list[Tensor]) -> Any:
        try:
            record = Record(
                self.function,
                args,
                kwargs,
                tensors,
                Watch(self.function),
                self.keep_grads,
                self.backend != "interpreter",
            )
            result = record.call(tensors)
        except NotReady:
            return MISS
        except TraceError as error:
            return self._refused(error, args, kwargs)
        self._records.setdefault(key, []).append(record)
        if sum(map(len, self._records.values())) > KEPT:
            oldest = next(iter(self._records))
            self._records[oldest].pop(0)
            if not self._records[oldest]:
                del self._records[oldest]
            self._enter_by([])
        return result

    def _refused(self, error: TraceError, args: tuple, kwargs: dict) -> Any:
        if self.strict and not control.config.suppress_errors:
            raise error
        warn(f"{self.name} runs eagerly: {error}")
        self._eager = True
        self._enter_by([])
        return self.function(*args, **kwargs)


def _general_way(reference: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns the general way into a compiled function, which it does not keep alive.

    Where only the method `__call__` of it is left, the function runs eagerly.
    """

    def general(*args: Any, **kwargs: Any) -> Any:
        compiled = reference()
        return (function if compiled is None else compiled._call)(*args, **kwargs)

    return general


def _again(function: Any, strict: bool, keep_grads: bool, backend: Any) -> CompiledFunction:
    return CompiledFunction(function, strict, keep_grads, backend)


def _difference(old: tuple, new: tuple) -> str:
    """Returns in words what tells two sets of arguments apart."""
    if old[0] != new[0]:
        return f"the arguments are {text(new[0][1])}, before {text(old[0][1])}"
    if old[1:3] != new[1:3]:
        return "the gradient mode is another"
    return "the default dtype is another"
