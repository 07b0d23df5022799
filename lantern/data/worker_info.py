"""What a dataset can ask in a worker process of a loader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class WorkerInfo:
    """Which worker this is: its `id` below `num_workers`, its `seed`, its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """Which worker process of a `DataLoader` this is; None in a process that is none.

    >>> get_worker_info() is None
    True
    """
    return _worker_info


def note(info: WorkerInfo) -> None:
    """Say, once in a worker, which one it is."""
    global _worker_info
    _worker_info = info
