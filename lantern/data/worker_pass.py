"""One pass over a `DataLoader` with worker processes.

Workers are started by `fork` on Linux: they have the dataset without pickling it, and scripts
need no `if __name__ == "__main__":`. Python 3.12 warns of a fork while there are threads, and
3.14 no longer forks unless told to, because a thread may hold a lock at that moment. A worker
runs Python and NumPy on one thread, and OpenBLAS gives up its threads before a fork, so the
warning is not passed on. A program whose other threads matter chooses for itself:
`multiprocessing_context="spawn"`, or `multiprocessing.set_start_method`.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import time
import warnings
import weakref
from typing import TYPE_CHECKING, Any

from .channel import Closed, channel_pair, wait_for
from .passes import LoaderIterator, recipe_of
from .worker import Answer, Begin, End, Failure, Job, Task, interrupts_wait, work

if TYPE_CHECKING:
    from .dataloader import DataLoader

PATIENCE = 5.0  # seconds that workers get to finish what they do before they are ended
NOTHING = object()


class WorkerPass(LoaderIterator):
    """A pass with worker processes; with `persistent_workers`, one pass after the other."""

    def __init__(self, loader: DataLoader) -> None:
        self._pass = -1
        self._workers: list[tuple[Any, Any]] = []  # process and channel
        self._stop = weakref.finalize(self, _stop, self._workers, os.getpid())
        super().__init__(loader)

    def _begin(self) -> None:
        super()._begin()
        loader = self._loader
        if not self._workers:
            self._start()
        self._pass += 1
        self._sent = self._next = 0
        self._owner: dict[int, int] = {}  # of each task without an answer: its worker
        self._ready: dict[int, Any] = {}
        self._load = [0] * loader.num_workers
        self._ended = [False] * loader.num_workers
        self._turns = itertools.cycle(range(loader.num_workers))
        for number in range(loader.num_workers):
            self._tell(number, Begin(self._pass))
        for _ in range(loader.num_workers * (loader.prefetch_factor or 0)):
            self._assign()

    def _start(self) -> None:
        loader = self._loader
        _warn_of_many(loader.num_workers)
        context = loader.multiprocessing_context or _default_context()
        for number in range(loader.num_workers):
            ours, theirs = channel_pair()
            job = Job(
                recipe_of(loader), loader.worker_init_fn, number, loader.num_workers, self.base_seed
            )
            process = context.Process(target=work, args=(theirs, job), daemon=True)
            with warnings.catch_warnings(), interrupts_wait():
                # Python's warning of a fork with threads: the head of this file says why.
                warnings.simplefilter("ignore", DeprecationWarning)
                try:
                    process.start()
                except Exception as error:
                    _explain_start(error, context)
                    ours.close()
                    self._stop()
                    raise
                finally:
                    theirs.close()
            self._workers.append((process, ours))

    def _tell(self, number: int, message: Any) -> None:
        try:
            self._workers[number][1].send(message)
        except Closed:
            self._lost(number)

    def _assign(self) -> None:
        """Draw the next indices and give them to the worker whose turn it is."""
        indices = next(self._indices, NOTHING)
        if indices is NOTHING:
            return
        count = len(self._workers)
        for number in itertools.islice(self._turns, count):
            if not self._ended[number] and (self._loader.in_order or self._has_time(number)):
                break
        else:
            return
        self._owner[self._sent] = number
        self._load[number] += 1
        self._sent += 1
        self._tell(number, Task(self._sent - 1, indices))

    def _has_time(self, number: int) -> bool:
        most = len(self._workers) * (self._loader.prefetch_factor or 0)
        return self._load[number] < most // self._ended.count(False)

    def _next_batch(self) -> Any:
        if not self._stop.alive:
            raise StopIteration
        while True:
            content = self._take()
            if content is NOTHING:
                if self._next >= self._sent:
                    if not self._loader.persistent_workers:
                        self._stop()
                    raise StopIteration
                self._receive()
                continue
            self._assign()
            if isinstance(content, Failure):
                content.reraise()
            return content

    def _take(self) -> Any:
        """The next batch if it is there; `NOTHING` where it has to be waited for."""
        if not self._loader.in_order and self._ready:
            return self._ready.pop(next(iter(self._ready)))
        while self._next < self._sent:
            if self._next in self._ready:
                self._next += 1
                return self._ready.pop(self._next - 1)
            owner = self._owner.get(self._next)
            if owner is not None and not self._ended[owner]:
                break
            self._owner.pop(self._next, None)  # beyond the end of the worker's stream
            self._next += 1
        return NOTHING

    def _receive(self) -> None:
        """Wait for an answer of this pass and note it."""
        deadline = time.monotonic() + self._loader.timeout if self._loader.timeout else None
        while True:
            ready = self._wait(deadline)
            for number, (_, channel) in enumerate(self._workers):
                if channel in ready:
                    return self._note(number)
            # No message: a worker whose end of the channel lives on in another process.
            for number, (process, _) in enumerate(self._workers):
                if process.sentinel in ready:
                    self._lost(number)

    def _wait(self, deadline: float | None) -> list[Any]:
        rest = None if deadline is None else max(0.0, deadline - time.monotonic())
        waiting = [
            pair for pair, ended in zip(self._workers, self._ended, strict=True) if not ended
        ]
        ready = wait_for([c for _, c in waiting], [p.sentinel for p, _ in waiting], rest)
        if not ready:
            self._stop()
            raise RuntimeError(f"DataLoader timed out after {self._loader.timeout} seconds")
        return ready

    def _note(self, number: int) -> None:
        try:
            answer: Answer = self._workers[number][1].receive()
        except Closed:
            self._lost(number)
        if answer.pass_number != self._pass:
            return  # of a pass that was left early
        self._load[number] -= 1
        if isinstance(answer.content, End):
            self._ended[number] = True
            if not self._loader.persistent_workers:
                self._workers[number][1].close()
            self._assign()
            return
        del self._owner[answer.number]
        self._ready[answer.number] = answer.content

    def _lost(self, number: int) -> None:
        """Raise the RuntimeError that says how a worker ended."""
        process, channel = self._workers[number]
        channel.close()
        process.join(PATIENCE)
        pid, code = process.pid, process.exitcode
        self._stop()
        if code is not None and code < 0:
            raise RuntimeError(
                f"DataLoader worker (pid {pid}) is killed by signal: "
                f"{signal.strsignal(-code)}. {_memory_advice(code)}"
            )
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pid}) exited unexpectedly with exit code {code}. Details "
            "are lost due to multiprocessing. Rerunning with num_workers=0 may give better error "
            'trace. A script whose workers are not forked needs `if __name__ == "__main__":` '
            "around the code that loads data."
        )


def _stop(workers: list[tuple[Any, Any]], owner: int) -> None:
    """End all workers, gently first. In a process forked from the loader's, do nothing."""
    if os.getpid() != owner:
        return
    for _, channel in workers:
        channel.close()
    deadline = time.monotonic() + PATIENCE
    for step in ("", "terminate", "kill"):
        for process, _ in workers:
            if step and process.is_alive():
                getattr(process, step)()
        for process, _ in workers:
            process.join(max(0.0, deadline - time.monotonic()))
        deadline = time.monotonic() + 1.0
    for process, _ in workers:
        if process.exitcode is not None:
            process.close()
    workers.clear()


def _memory_advice(code: int) -> str:
    if code == -signal.SIGKILL:
        return "The system may have run out of memory: fewer workers or smaller batches need less."
    return ""


def _default_context() -> Any:
    chosen = multiprocessing.get_start_method(allow_none=True)
    if chosen is None and sys.platform.startswith("linux"):
        return multiprocessing.get_context("fork")
    return multiprocessing.get_context()


def _explain_start(error: Exception, context: Any) -> None:
    method = context.get_start_method()
    if method != "fork" and "pickle" in str(error):
        error.add_note(
            f"Worker processes are started by '{method}' here, which pickles the dataset, "
            "collate_fn and worker_init_fn: define their functions and classes at the top of a "
            "module, not inside a function or as a lambda."
        )


def _warn_of_many(count: int) -> None:
    if hasattr(os, "sched_getaffinity"):
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or count
    if count > processors:
        warnings.warn(
            f"This DataLoader will create {count} worker processes in total. Our suggested max "
            f"number of worker in current system is {processors}, which is smaller than what this "
            "DataLoader is going to create. More workers than processors slow each other down.",
            stacklevel=6,
        )
