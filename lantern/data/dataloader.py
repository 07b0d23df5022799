"""The loader: batches of a dataset in the order of a sampler.

Every batch takes the same way: the next indices from the sampler, their samples from the dataset,
one batch from the collate function. Where the dataset gathers (see `gather.py`) and the collate
function is the default one, the last two are one step.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import lantern
from lantern.tensor import Tensor

from .collate import collates_tensors_by_stacking, default_collate, default_convert
from .dataset import Dataset, IterableDataset
from .gather import gatherer, index_tensor, stand_in
from .sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

if TYPE_CHECKING:
    from lantern import Generator

Sample = TypeVar("Sample", covariant=True)

FIXED_AFTER_INIT = frozenset(
    {"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"}
)


class DataLoader(Generic[Sample]):
    """Batches of `dataset`, in order or shuffled, collated into tensors `(B, ...)`.

    Batches are prepared in the calling process, also with `num_workers` above 0: order and random
    stream of the samplers are those PyTorch has with that many workers, but `worker_init_fn` is
    not called, `get_worker_info()` is None, random numbers drawn inside `__getitem__` come from
    this process's generators, and an `IterableDataset` is read once, not once per worker.

    Raises ValueError for arguments that exclude one another or are out of range.

    >>> dataset = lantern.data.TensorDataset(lantern.arange(5), lantern.arange(5) * 10)
    >>> for x, y in DataLoader(dataset, batch_size=2):
    ...     print(x, y)
    tensor([0, 1]) tensor([ 0, 10])
    tensor([2, 3]) tensor([20, 30])
    tensor([4]) tensor([40])
    """

    dataset: Dataset[Sample]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Sampler | Iterable
    pin_memory_device: str
    prefetch_factor: int | None
    _initialized = False

    def __init__(
        self,
        dataset: Dataset[Sample],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        _check_order(dataset, shuffle, sampler, batch_sampler)
        _check_batching(batch_size, shuffle, sampler, batch_sampler, drop_last)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self.generator = generator
        self.sampler = sampler if sampler is not None else self._default_sampler(bool(shuffle))
        if batch_sampler is not None:
            batch_size = None
        elif batch_size is not None:
            batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.batch_sampler = batch_sampler
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self._reported_length: int | None = None
        self._iterator: LoaderIterator | None = None
        self._initialized = True

    def _default_sampler(self, shuffle: bool) -> Sampler:
        if isinstance(self.dataset, IterableDataset):
            return _StreamSampler()
        if shuffle:
            return RandomSampler(self.dataset, generator=self.generator)  # type: ignore[arg-type]
        return SequentialSampler(self.dataset)  # type: ignore[arg-type]

    @property
    def multiprocessing_context(self) -> Any:
        """The context given for worker processes, checked as PyTorch checks it."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            context = _checked_context(context, self.num_workers)
        self._multiprocessing_context = context

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in FIXED_AFTER_INIT:
            raise ValueError(
                f"{name} attribute should not be set after {type(self).__name__} is initialized"
            )
        super().__setattr__(name, value)

    def __iter__(self) -> LoaderIterator:
        if not (self.persistent_workers and self.num_workers > 0):
            return LoaderIterator(self)
        # Persistent workers are seeded once, so later epochs draw no seed.
        if self._iterator is None:
            self._iterator = LoaderIterator(self)
        else:
            self._iterator.restart()
        return self._iterator

    def __len__(self) -> int:
        if not isinstance(self.dataset, IterableDataset):
            return len(self._index_source)  # type: ignore[arg-type]
        length = len(self.dataset)  # type: ignore[arg-type]
        self._reported_length = length
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    @property
    def _index_source(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler


class LoaderIterator:
    """One pass over a `DataLoader`."""

    _read: Callable[[Any], Any]

    def __init__(self, loader: DataLoader) -> None:
        if loader.num_workers == 0 and loader.timeout != 0:
            raise AssertionError("a DataLoader without workers requires timeout == 0")
        _warn_of_pinning(loader)
        self._loader = loader
        self._source = loader._index_source
        self._gather = _allowed_gather(loader)
        self._indices = self._new_indices()
        # PyTorch draws the seed of its workers here in the stream, with or without workers.
        self.base_seed = draw_seed(loader.generator)
        if loader.num_workers > 0:
            self.restart()
        else:
            self._open_dataset()

    def restart(self) -> None:
        """Begin a pass as PyTorch does with workers: indices in advance, and no new seed."""
        loader = self._loader
        distance = loader.num_workers * (loader.prefetch_factor or 0)
        self._indices = _read_ahead(self._new_indices(), distance)
        self._open_dataset()

    def _open_dataset(self) -> None:
        if isinstance(self._loader.dataset, IterableDataset):
            self._read = _stream_reader(self._loader)
        else:
            self._read = _map_reader(self._loader, self._gather)
        self._yielded = 0
        self._reported_length = self._loader._reported_length

    def _new_indices(self) -> Iterator:
        if self._gather is not None:
            batches = stand_in(self._source, "index_batches", ("__iter__",))
            if batches is not None:
                return batches()
        return iter(self._source)

    def __iter__(self) -> LoaderIterator:
        return self

    def __next__(self) -> Any:
        batch = self._read(next(self._indices))
        self._yielded += 1
        if self._reported_length is not None and self._yielded > self._reported_length:
            self._warn_of_length()
        return batch

    def __len__(self) -> int:
        return len(self._source)

    def __getstate__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled")

    def _warn_of_length(self) -> None:
        warnings.warn(
            f"Length of IterableDataset {self._loader.dataset} was reported to be "
            f"{self._reported_length}(when accessing len(dataloader)), but {self._yielded} "
            "samples have been fetched. ",
            stacklevel=3,
        )


def get_worker_info() -> None:
    """What a dataset can ask inside a worker process: None, since this is the calling process."""
    return None


class _StreamSampler(Sampler):
    """Asks a stream for its next sample, for ever: the stream itself knows when it ends."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


def _allowed_gather(loader: DataLoader) -> Callable[[Tensor], Any] | None:
    """The dataset's way to gather a batch, where it gives what the collate function would."""
    if loader.batch_sampler is None or loader.collate_fn is not default_collate:
        return None
    return gatherer(loader.dataset) if collates_tensors_by_stacking() else None


def _map_reader(loader: DataLoader, gather: Callable[[Tensor], Any] | None) -> Callable[[Any], Any]:
    dataset, collate = loader.dataset, loader.collate_fn

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

    if loader.batch_sampler is None:
        return read_one
    return read_batch if gather is None else gather_batch


def _stream_reader(loader: DataLoader) -> Callable[[Any], Any]:
    samples = iter(loader.dataset)  # type: ignore[call-overload]
    collate, drop_last = loader.collate_fn, loader.drop_last

    def read_one(_: None) -> Any:
        return collate(next(samples))

    def read_batch(places: list[None]) -> Any:
        batch = [sample for _, sample in zip(places, samples, strict=False)]
        if not batch or (drop_last and len(batch) < len(places)):
            raise StopIteration
        return collate(batch)

    return read_one if loader.batch_sampler is None else read_batch


def _read_ahead(indices: Iterator, distance: int) -> Iterator:
    """The same items, taken from `indices` at least `distance` before they are needed.

    Workers are given their indices in advance, so with workers a sampler draws that much earlier
    from the random stream. The first items are taken at once.
    """
    held: deque = deque()

    def take() -> None:
        for item in indices:
            held.append(item)
            return

    for _ in range(distance):
        take()

    def hand_over() -> Iterator:
        while True:
            if not held:
                take()
            if not held:
                return
            item = held.popleft()
            take()
            yield item

    return hand_over()


def _warn_of_pinning(loader: DataLoader) -> None:
    if loader.pin_memory and not lantern.cuda.is_available():
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, "
            "then device pinned memory won't be used.",
            stacklevel=4,
        )


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool
) -> None:
    if num_workers < 0:
        raise ValueError(
            "num_workers option should be non-negative; "
            "use num_workers=0 to disable multiprocessing."
        )
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing."
            "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
        )
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_order(dataset: Any, shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """A stream has its own order: refuse anything that would choose another."""
    if not isinstance(dataset, IterableDataset):
        return
    for option, value, given in (
        ("shuffle", shuffle, shuffle not in {False, None}),
        ("sampler", sampler, sampler is not None),
        ("batch_sampler", batch_sampler, batch_sampler is not None),
    ):
        if given:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {option} option, "
                f"but got {option}={value}"
            )


def _check_batching(
    batch_size: int | None, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if sampler is not None and shuffle:
        raise ValueError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None:
        if batch_size != 1 or shuffle or sampler is not None or drop_last:
            raise ValueError(
                "batch_sampler option is mutually exclusive "
                "with batch_size, shuffle, sampler, and "
                "drop_last"
            )
    elif batch_size is None and drop_last:
        raise ValueError(
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last"
        )


def _checked_context(context: Any, num_workers: int) -> Any:
    if num_workers == 0:
        raise ValueError(
            "multiprocessing_context can only be used with "
            "multi-process loading (num_workers > 0), but got "
            f"num_workers={num_workers}"
        )
    import multiprocessing

    if isinstance(context, str):
        methods = multiprocessing.get_all_start_methods()
        if context not in methods:
            raise ValueError(
                "multiprocessing_context option "
                f"should specify a valid start method in {methods!r}, but got "
                f"multiprocessing_context={context!r}"
            )
        context = multiprocessing.get_context(context)
    if not isinstance(context, multiprocessing.context.BaseContext):
        raise TypeError(
            "multiprocessing_context option should be a valid context "
            "object or a string specifying the start method, but got "
            f"multiprocessing_context={context}"
        )
    return context
