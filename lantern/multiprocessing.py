"""`torch.multiprocessing`: the standard library's `multiprocessing`, and `spawn` beside it.

Tensors that go through a queue or a pipe are copied; memory is shared by data loaders only.
"""

from __future__ import annotations

import multiprocessing as _standard
import multiprocessing.connection as _connection
from collections.abc import Callable
from multiprocessing import *  # noqa: F403
from typing import Any

from .compat.missing import missing as _missing


class ProcessRaisedException(Exception):
    """A process that `spawn` started has raised; the text holds its traceback."""


class ProcessExitedException(Exception):
    """A process that `spawn` started has ended by itself or by a signal."""


class SpawnContext:
    """The processes that `spawn` started; `join()` waits for them."""

    def __init__(self, processes: list[Any], pipes: list[Any]):
        self.processes = processes
        self._pipes = pipes

    def pids(self) -> list[int | None]:
        """Returns the number of each process."""
        return [process.pid for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits for one process or for `timeout` seconds; returns whether all have ended well.

        Raises ProcessRaisedException or ProcessExitedException, after ending the others, when one
        has failed.
        """
        running = [each.sentinel for each in self.processes if each.exitcode is None]
        if running:  # waiting for none would never end
            _connection.wait(running, timeout=timeout)
        for index, process in enumerate(self.processes):
            if process.exitcode:
                for other in self.processes:
                    other.terminate()
                for other in self.processes:
                    other.join(grace_period)
                self._raise(index, process.exitcode)
        return all(process.exitcode == 0 for process in self.processes)

    def _raise(self, index: int, exitcode: int) -> None:
        if self._pipes[index].poll():
            raise ProcessRaisedException(
                f"\n\n-- Process {index} terminated with the following error:\n"
                + self._pipes[index].recv()
            )
        if exitcode < 0:
            raise ProcessExitedException(f"process {index} terminated with signal {-exitcode}")
        raise ProcessExitedException(f"process {index} terminated with exit code {exitcode}")


ProcessContext = SpawnContext


def spawn(
    fn: Callable[..., Any],
    args: tuple = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> SpawnContext | None:
    """Runs `fn(i, *args)` in `nprocs` new processes and waits for them.

    Without `join` returns at once a context whose `join()` waits. Raises
    ProcessRaisedException with the traceback when one of them raises.
    """
    context: Any = _standard.get_context(start_method)
    processes, pipes = [], []
    for index in range(nprocs):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_call, args=(fn, index, args, sender), daemon=daemon)
        process.start()
        sender.close()
        processes.append(process)
        pipes.append(receiver)
    started = SpawnContext(processes, pipes)
    if not join:
        return started
    while not started.join():
        pass
    return None


def _call(fn: Callable[..., Any], index: int, args: tuple, sender: Any) -> None:
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        import sys
        import traceback

        sender.send(traceback.format_exc())
        sys.exit(1)


def get_all_sharing_strategies() -> set[str]:
    """Returns the ways in which tensors may be sent to other processes."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """Returns PyTorch's default; it makes no difference here."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Takes PyTorch's names; raises AssertionError for another."""
    assert new_strategy in get_all_sharing_strategies()


__getattr__ = _missing(__name__)
