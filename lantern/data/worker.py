"""What runs in a worker process of a loader."""

from __future__ import annotations

import os
import pickle
import random
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lantern
from lantern.backends import mt19937

from .channel import Closed, wait_for
from .dataset import IterableDataset
from .fetch import Recipe
from .worker_info import WorkerInfo, note

PARENT_CHECK = 5.0  # seconds between looks whether the loader's process still lives


@dataclass
class Begin:
    """Told to a worker: a new pass, whose streams begin again."""

    number: int


@dataclass
class Task:
    """Told to a worker: read the batch at `indices`, the batch `number` of the pass."""

    number: int
    indices: Any


@dataclass
class Answer:
    """Told by a worker: a batch, a `Failure` or an `End`."""

    pass_number: int
    number: int
    content: Any


class End:
    """In place of a batch: this worker's part of the stream is at its end."""


class Failure:
    """In place of a batch: the exception that was raised on the way to it."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.kind: Any = type(error)
        self.name = self.kind.__name__
        self.where = where
        self.text = "".join(traceback.format_exception(error))
        try:
            pickle.loads(pickle.dumps(self.kind))
        except Exception:  # a class inside a function: the name has to do
            self.kind = RuntimeError

    def reraise(self) -> None:
        """Raise an exception of the same type, with the traceback in its message."""
        message = f"Caught {self.name} {self.where}.\nOriginal {self.text}"
        if self.kind is KeyError:
            raise KeyError(_Shown(message))
        try:
            error = self.kind(message)
        except Exception:  # a type that wants other arguments
            raise RuntimeError(message) from None
        raise error


class _Shown(str):
    """A message that `KeyError`, which prints the `repr` of its key, prints as it is."""

    def __repr__(self) -> str:
        return str(self)


@dataclass
class Job:
    """What a worker is started with."""

    recipe: Recipe
    init: Callable[[int], Any] | None
    id: int
    num_workers: int
    base_seed: int


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Holds Ctrl-C back while a worker starts, which until `work` could only print that it came."""
    if not _MASKS:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_MASKS = hasattr(signal, "pthread_sigmask")  # not on Windows


def work(channel: Any, job: Job) -> None:
    """Answer the tasks from `channel` until the loader closes it or its process ends."""
    try:
        if _MASKS:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _seed(job)
        _serve(channel, job)
    except (Closed, KeyboardInterrupt):
        pass  # nobody waits for an answer; Ctrl-C is for the loader's process to report


def _seed(job: Job) -> None:
    lantern.set_num_threads(1)  # the workers together use the processors, one each
    seed = job.base_seed + job.id
    random.seed(seed)
    lantern.manual_seed(seed)
    mt19937.seed_numpy([job.id, job.base_seed & 0xFFFFFFFF, job.base_seed >> 32])
    note(WorkerInfo(job.id, job.num_workers, seed, job.recipe.dataset))


def _serve(channel: Any, job: Job) -> None:
    where = f"in DataLoader worker process {job.id}"
    parent = os.getppid()
    pass_number, ended = -1, False
    read: Any = None
    try:
        if job.init is not None:
            job.init(job.id)
        broken = None
    except Exception as error:
        broken = Failure(error, where)
    while True:
        while not wait_for([channel], [], PARENT_CHECK):
            if os.getppid() != parent:
                return
        task = channel.receive()
        if isinstance(task, Begin):
            pass_number, ended, read = task.number, False, None
            continue
        if ended:
            continue
        content: Any = broken
        if content is None:
            try:
                read = job.recipe.reader() if read is None else read
                content = read(task.indices)
            except Exception as error:
                ended = isinstance(error, StopIteration) and _is_stream(job)
                content = End() if ended else Failure(error, where)
        _answer(channel, Answer(pass_number, task.number, content), where)


def _is_stream(job: Job) -> bool:
    return isinstance(job.recipe.dataset, IterableDataset)


def _answer(channel: Any, answer: Answer, where: str) -> None:
    try:
        channel.send(answer)
    except Closed:
        raise
    except Exception as error:  # the batch cannot be pickled
        channel.send(Answer(answer.pass_number, answer.number, Failure(error, where)))
