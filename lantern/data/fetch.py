"""How a batch is read: the next indices, their samples from the dataset, the collate function.

The same in the calling process and in a worker. Where the dataset gathers (see `gather.py`) and
the collate function is the default one, the last two are one step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lantern.tensor import Tensor

from .collate import collates_tensors_by_stacking, default_collate
from .dataset import IterableDataset
from .gather import gatherer, index_tensor

Read = Callable[[Any], Any]


@dataclass
class Recipe:
    """What a reader has to know of a `DataLoader`; workers get it pickled where they must."""

    dataset: Any
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool

    def reader(self) -> Read:
        """A function from indices to their batch. A stream begins again with each reader."""
        if isinstance(self.dataset, IterableDataset):
            return self._stream_reader()
        return self._map_reader()

    def gather(self) -> Callable[[Tensor], Any] | None:
        """The dataset's way to gather a batch, where it gives what the collate function would."""
        if not self.batched or self.collate_fn is not default_collate:
            return None
        return gatherer(self.dataset) if collates_tensors_by_stacking() else None

    def _map_reader(self) -> Read:
        dataset, collate, gather = self.dataset, self.collate_fn, self.gather()

        def read_one(index: Any) -> Any:
            return collate(dataset[index])

        def read_batch(indices: Any) -> Any:
            getitems = getattr(dataset, "__getitems__", None)
            if getitems:
                return collate(getitems(indices))
            return collate([dataset[index] for index in indices])

        def gather_batch(indices: Any) -> Any:
            positions = index_tensor(indices)
            if positions is not None:
                batch = gather(positions)  # type: ignore[misc]
                if batch is not None:
                    return batch
            return read_batch(indices.tolist() if type(indices) is Tensor else indices)

        if not self.batched:
            return read_one
        return read_batch if gather is None else gather_batch

    def _stream_reader(self) -> Read:
        samples = iter(self.dataset)
        collate, drop_last = self.collate_fn, self.drop_last

        def read_one(_: None) -> Any:
            return collate(next(samples))

        def read_batch(places: list[None]) -> Any:
            batch = [sample for _, sample in zip(places, samples, strict=False)]
            if not batch or (drop_last and len(batch) < len(places)):
                raise StopIteration
            return collate(batch)

        return read_batch if self.batched else read_one
