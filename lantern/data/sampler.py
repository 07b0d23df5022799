"""Samplers: the order in which a loader asks a dataset for its samples.

Beside `__iter__`, samplers whose order is born as a tensor offer `index_chunks()`: the same
indices as int64 tensors that follow one another, each drawn when it is asked for. A dataset that
gathers whole batches takes slices of them, and no index becomes a Python number.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import lantern
from lantern.tensor import Tensor

from .gather import stand_in, stands_for

if TYPE_CHECKING:
    from lantern import Generator

Index = TypeVar("Index", covariant=True)

# A sampler with replacement draws this many indices at a time: part of the random stream.
DRAWS_AT_ONCE = 32
# Bounds the memory of a sequential order; any size gives the same indices.
POSITIONS_AT_ONCE = 1 << 16


class Sampler(Generic[Index]):
    """Base of samplers: a subclass writes `__iter__`, and `__len__` where it knows the number.

    >>> class Backwards(Sampler):
    ...     def __init__(self, data_source):
    ...         self.data_source = data_source
    ...     def __iter__(self):
    ...         return reversed(range(len(self.data_source)))
    >>> list(Backwards("abc"))
    [2, 1, 0]
    """

    def __init__(self, data_source: Sized | None = None) -> None:
        """Accept the data source that older subclasses hand over; nothing is kept of it."""

    def __iter__(self) -> Iterator[Index]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """The indices 0, 1, 2, ... of `data_source`.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)

    @stands_for(__iter__)
    def index_chunks(self) -> Iterator[Tensor]:
        """The same indices as int64 tensors."""
        size = len(self.data_source)
        for start in range(0, size, POSITIONS_AT_ONCE):
            stop = min(start + POSITIONS_AT_ONCE, size)
            yield lantern.arange(start, stop, dtype=lantern.int64)


class RandomSampler(Sampler[int]):
    """A random order of the indices of `data_source`, or `num_samples` draws with `replacement`.

    Without replacement, more than one length of draws is several orders one after the other.
    Without a `generator`, each pass draws one seed from the default generator.
    Raises TypeError for a `replacement` that is no bool, ValueError where there is nothing to draw.

    >>> sampler = RandomSampler(range(5), generator=lantern.Generator().manual_seed(0))
    >>> sorted(sampler)
    [0, 1, 2, 3, 4]
    """

    data_source: Sized
    replacement: bool

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(
                f"replacement should be a boolean value, but got replacement={replacement}"
            )
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(
                "num_samples should be a positive integer value, "
                f"but got num_samples={self.num_samples}"
            )

    @property
    def num_samples(self) -> int:
        """How many indices a pass gives; the length of the data source unless given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        for chunk in self.index_chunks():
            yield from chunk.tolist()

    def __len__(self) -> int:
        return self.num_samples

    @stands_for(__iter__)
    def index_chunks(self) -> Iterator[Tensor]:
        """The same indices as int64 tensors, each drawn when it is asked for."""
        size = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = lantern.Generator()
            generator.manual_seed(draw_seed())
        if self.replacement:
            whole, rest = divmod(self.num_samples, DRAWS_AT_ONCE)
            for count in [DRAWS_AT_ONCE] * whole + [rest]:
                yield lantern.randint(size, (count,), dtype=lantern.int64, generator=generator)
            return
        whole, rest = divmod(self.num_samples, size)
        for _ in range(whole):
            yield lantern.randperm(size, generator=generator)
        # The last order is drawn even when none of it is wanted: the generator the caller gave
        # is left where PyTorch leaves it.
        if rest or self.generator is not None:
            yield lantern.randperm(size, generator=generator)[:rest]


class SubsetRandomSampler(Sampler[int]):
    """The given `indices` in a random order.

    >>> sorted(SubsetRandomSampler([3, 5, 8]))
    [3, 5, 8]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in lantern.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices drawn with probabilities proportional to `weights` `(N,)`.

    Raises ValueError for a `num_samples` that is no positive integer, a `replacement` that is no
    bool, and weights that are not one-dimensional.

    >>> list(WeightedRandomSampler([0.0, 1.0, 0.0], num_samples=4))
    [1, 1, 1, 1]
    """

    weights: Tensor
    num_samples: int
    replacement: bool

    def __init__(
        self,
        weights: Sequence[float],
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_positive("num_samples", num_samples)
        _check_bool("replacement", replacement)
        table = lantern.as_tensor(weights, dtype=lantern.float64)
        if table.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(table.shape)}"
            )
        self.weights = table
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for chunk in self.index_chunks():
            yield from chunk.tolist()

    def __len__(self) -> int:
        return self.num_samples

    @stands_for(__iter__)
    def index_chunks(self) -> Iterator[Tensor]:
        """The same indices as one int64 tensor."""
        yield lantern.multinomial(
            self.weights, self.num_samples, self.replacement, generator=self.generator
        )


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices of `sampler`; the short last one is kept or dropped.

    Raises ValueError for a `batch_size` that is no positive integer or a `drop_last` that is no
    bool.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool
    ) -> None:
        _check_positive("batch_size", batch_size)
        _check_bool("drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size:
                yield batch
            else:
                if not self.drop_last:
                    yield batch
                return

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)

    @stands_for(__iter__)
    def index_batches(self) -> Iterator[Tensor | list[int]]:
        """The same batches, as int64 tensors `(B,)` where the sampler's order is a tensor."""
        chunks = stand_in(self.sampler, "index_chunks", ("__iter__",))
        if chunks is None:
            yield from self
            return
        held: list[Tensor] = []
        count = 0
        for chunk in chunks():
            held.append(chunk)
            count += len(chunk)
            if count < self.batch_size:
                continue
            joined = held[0] if len(held) == 1 else lantern.cat(held)
            whole = count - count % self.batch_size
            for start in range(0, whole, self.batch_size):
                yield joined[start : start + self.batch_size]
            held, count = [joined[whole:]], count - whole
        if count and not self.drop_last:
            yield lantern.cat(held)


class DistributedSampler(Sampler[int]):
    """The share of one of `num_replicas` processes in an order that all of them agree on.

    Shares have one length: indices from the start are repeated, or with `drop_last` the tail is
    left out. Call `set_epoch` before each epoch for a new order.
    Raises ValueError for a `rank` outside `num_replicas`, RuntimeError where these two are left
    out and there is no process group to ask.

    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None:
            num_replicas = _process_group().get_world_size()
        if rank is None:
            rank = _process_group().get_rank()
        if rank >= num_replicas or rank < 0:
            raise ValueError(
                f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]"
            )
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        size = len(dataset)
        self.num_samples = size // num_replicas if drop_last else math.ceil(size / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[int]:
        return iter(self._share().tolist())

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self.epoch = epoch

    @stands_for(__iter__)
    def index_chunks(self) -> Iterator[Tensor]:
        """The same indices as one int64 tensor."""
        yield self._share()

    def _share(self) -> Tensor:
        size = len(self.dataset)
        if self.shuffle:
            generator = lantern.Generator()
            generator.manual_seed(self.seed + self.epoch)
            order = lantern.randperm(size, generator=generator)
        else:
            order = lantern.arange(size)
        if size < self.total_size:
            order = lantern.cat([order] * math.ceil(self.total_size / size))
        return order[self.rank : self.total_size : self.num_replicas]


def draw_seed(generator: Generator | None = None) -> int:
    """One seed from `generator`, or from the default one, as PyTorch's loader draws it."""
    return int(lantern.empty((), dtype=lantern.int64).random_(generator=generator).item())


def _check_positive(name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ValueError(f"{name} should be a positive integer value, but got {name}={value}")


def _check_bool(name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} should be a boolean value, but got {name}={value}")


def _process_group() -> Any:
    distributed = getattr(lantern, "distributed", None)
    if distributed is None or not distributed.is_available():
        raise RuntimeError("Requires distributed package to be available")
    return distributed
