"""One pass over a `DataLoader`: what all passes share, and the pass in the calling process.

`worker_pass.py` has the pass with worker processes. A pass over a dataset that gathers (see
`gather.py`) without chance and code of the user's stays in the calling process, also with
`num_workers`: values, order and random streams are the same.
"""

from __future__ import annotations

import copy
import itertools
import warnings
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import lantern

from .fetch import Recipe
from .gather import gathers_plainly, stand_in
from .pinning import pin
from .sampler import draw_seed

if TYPE_CHECKING:
    from .dataloader import DataLoader


def new_pass(loader: DataLoader) -> LoaderIterator:
    """The iterator that fits the loader."""
    if loader.num_workers > 0 and not _served_here(loader):
        from .worker_pass import WorkerPass  # most programs do without

        return WorkerPass(loader)
    return LocalPass(loader)


def _served_here(loader: DataLoader) -> bool:
    """Whether nobody could tell that there are no workers."""
    if loader.worker_init_fn is not None or recipe_of(loader).gather() is None:
        return False
    return gathers_plainly(loader.dataset)


def recipe_of(loader: DataLoader) -> Recipe:
    """What a reader has to know of a loader."""
    batched = loader.batch_sampler is not None
    return Recipe(loader.dataset, batched, loader.collate_fn, loader.drop_last)


class LoaderIterator:
    """One pass over a `DataLoader`."""

    def __init__(self, loader: DataLoader) -> None:
        if loader.num_workers == 0 and loader.timeout != 0:
            raise AssertionError("a DataLoader without workers requires timeout == 0")
        if loader.num_workers > 0 and not loader.prefetch_factor:
            raise AssertionError("a DataLoader with workers requires prefetch_factor > 0")
        self._pins = _pins(loader)
        self._loader = _copied(loader)
        self._indices = self._new_indices()
        # PyTorch draws the seed of its workers here in the stream, with or without workers.
        self.base_seed = draw_seed(loader.generator)
        self._begin()

    def restart(self, loader: DataLoader) -> None:
        """Begin another pass, with the same workers."""
        self._loader = _copied(loader)
        self._indices = self._new_indices()
        self._begin()

    def _new_indices(self) -> Iterator:
        return iter(self._loader._index_source)

    def _begin(self) -> None:
        self._yielded = 0
        self._reported_length = self._loader._reported_length

    def _next_batch(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> LoaderIterator:
        return self

    def __next__(self) -> Any:
        batch = self._next_batch()
        self._yielded += 1
        if self._reported_length is not None and self._yielded > self._reported_length:
            self._warn_of_length()
        return pin(batch) if self._pins else batch

    def __len__(self) -> int:
        return len(self._loader._index_source)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")

    def _warn_of_length(self) -> None:
        advice = (
            "For multiprocessing data-loading, this could be caused by not properly configuring "
            "the IterableDataset replica at each worker: see get_worker_info()."
        )
        warnings.warn(
            f"Length of IterableDataset {self._loader.dataset} was reported to be "
            f"{self._reported_length}(when accessing len(dataloader)), but {self._yielded} "
            f"samples have been fetched. {advice if self._loader.num_workers else ''}",
            stacklevel=3,
        )


class LocalPass(LoaderIterator):
    """A pass in the calling process."""

    def _begin(self) -> None:
        super()._begin()
        loader = self._loader
        self._read = recipe_of(loader).reader()
        if loader.num_workers:
            distance = loader.num_workers * (loader.prefetch_factor or 0)
            self._indices = _read_ahead(self._indices, distance)

    def _new_indices(self) -> Iterator:
        source = self._loader._index_source
        if recipe_of(self._loader).gather() is not None:
            batches = stand_in(source, "index_batches", ("__iter__",))
            if batches is not None:
                return batches()
        return iter(source)

    def _next_batch(self) -> Any:
        return self._read(next(self._indices))


def _read_ahead(indices: Iterator, distance: int) -> Iterator:
    """The same items, taken from `indices` at least `distance` before they are needed.

    Workers are given their indices in advance, so with workers a sampler draws that much earlier
    from the random stream. The first items are taken at once.
    """
    held: deque = deque(itertools.islice(indices, distance))

    def hand_over() -> Iterator:
        while True:
            held.extend(itertools.islice(indices, 0 if held else 1))
            if not held:
                return
            item = held.popleft()
            held.extend(itertools.islice(indices, 1))
            yield item

    return hand_over()


def _copied(loader: DataLoader) -> DataLoader:
    """The loader as it is now. A persistent pass must not keep the loader that keeps it."""
    copied = copy.copy(loader)
    copied._iterator = None
    return copied


def _pins(loader: DataLoader) -> bool:
    if not loader.pin_memory:
        return False
    if lantern.cuda.is_available():  # type: ignore[attr-defined]
        return True
    warnings.warn(
        "'pin_memory' argument is set as true but no accelerator is found, "
        "then device pinned memory won't be used.",
        stacklevel=5,
    )
    return False
