"""Datasets: what answers `dataset[i]`, and the ways to join, split and narrow them."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import lantern
from lantern.tensor import Tensor

from .gather import gatherer, gathers_plainly, index_tensor, stands_for

if TYPE_CHECKING:
    from lantern import Generator

Sample = TypeVar("Sample", covariant=True)


class Dataset(Generic[Sample]):
    """Base of map-style datasets: a subclass writes `__getitem__`, and `__len__` for samplers.

    A subclass may also write `__getitems__(indices)`, which takes a list of indices and returns
    the list of their samples; the loader then asks for a whole batch with one call.

    >>> class Squares(Dataset):
    ...     def __getitem__(self, index):
    ...         return index ** 2
    ...     def __len__(self):
    ...         return 10
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: Any) -> Sample:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset) -> Dataset:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[Sample], Iterable[Sample]):
    """Base of stream-style datasets: a subclass writes `__iter__`, and `__len__` if it knows it.

    >>> class Countdown(IterableDataset):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> list(Countdown() + Countdown())
    [3, 2, 1, 3, 2, 1]
    """

    def __add__(self, other: Dataset) -> Dataset:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Samples `(a[i], b[i], ...)` of tensors `(N, ...)` that agree in their first size.

    Raises AssertionError where the first sizes differ.

    >>> dataset = TensorDataset(lantern.tensor([[1., 2.], [3., 4.]]), lantern.tensor([0, 1]))
    >>> dataset[1]
    (tensor([3., 4.]), tensor(1))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        if any(tensor.size(0) != tensors[0].size(0) for tensor in tensors):
            raise AssertionError("Size mismatch between tensors")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return self.tensors[0].size(0)

    @stands_for(__getitem__)
    def __gather__(self, indices: Tensor) -> list[Tensor] | None:
        # A subclass of Tensor may collate in its own way.
        if any(type(tensor) is not Tensor for tensor in self.tensors):
            return None
        return [tensor[indices] for tensor in self.tensors]

    def gathers_plainly(self) -> bool:
        """Whether a gathered batch runs nothing of the user's: it never does."""
        return True


class StackDataset(Dataset):
    """Datasets of one length side by side: samples are tuples, or dicts for keyword arguments.

    Raises ValueError for no datasets, for both kinds at once and for lengths that differ.

    >>> StackDataset(image=["left", "right"], label=[0, 1])[1]
    {'image': 'right', 'label': 1}
    """

    datasets: tuple | dict

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError(
                "Supported either ``tuple``- (via ``args``) or"
                "``dict``- (via ``kwargs``) like input/output, but both types are given."
            )
        if not args and not kwargs:
            raise ValueError("At least one dataset should be passed")
        self.datasets = args or kwargs
        parts = list(args or kwargs.values())
        self._length = len(parts[0])
        if any(len(part) != self._length for part in parts):
            raise ValueError("Size mismatch between datasets")

    def __getitem__(self, index: Any) -> tuple | dict:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple(dataset[index] for dataset in self.datasets)

    def __getitems__(self, indices: list) -> list:
        if isinstance(self.datasets, dict):
            columns = [self._column(dataset, indices) for dataset in self.datasets.values()]
            return [
                dict(zip(self.datasets, row, strict=True)) for row in zip(*columns, strict=True)
            ]
        columns = [self._column(dataset, indices) for dataset in self.datasets]
        return list(zip(*columns, strict=True))

    def __len__(self) -> int:
        return self._length

    @staticmethod
    def _column(dataset: Any, indices: list) -> list:
        items = _samples(dataset, indices)
        if len(items) != len(indices):
            raise ValueError(
                f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(items)}"
            )
        return items


class ConcatDataset(Dataset):
    """Map-style datasets one after the other.

    Raises AssertionError for no datasets or a stream among them, ValueError for an index further
    than the length below zero.

    >>> (ConcatDataset(["ab", "cde"])[3], len(ConcatDataset(["ab", "cde"])))
    ('d', 5)
    """

    datasets: list
    cumulative_sizes: list[int]

    def __init__(self, datasets: Iterable) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable) -> list[int]:
        """Lengths of the items of `sequence`, added up from the left."""
        return list(itertools.accumulate(len(item) for item in sequence))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> Any:
        if idx < 0:
            if -idx > len(self):
                raise ValueError("absolute value of index should not exceed dataset length")
            idx += len(self)
        part = bisect.bisect_right(self.cumulative_sizes, idx)
        start = self.cumulative_sizes[part - 1] if part else 0
        return self.datasets[part][idx - start]


class ChainDataset(IterableDataset):
    """Streams one after the other.

    Raises AssertionError, when it gets there, for a dataset that is not an IterableDataset.
    """

    def __init__(self, datasets: Iterable) -> None:
        self.datasets = datasets

    def __iter__(self) -> Iterator:
        for dataset in self.datasets:
            yield from self._stream(dataset)

    def __len__(self) -> int:
        return sum(len(self._stream(dataset)) for dataset in self.datasets)

    @staticmethod
    def _stream(dataset: Any) -> Any:
        if not isinstance(dataset, IterableDataset):
            raise AssertionError("ChainDataset only supports IterableDataset")
        return dataset


class Subset(Dataset[Sample]):
    """The samples of `dataset` at `indices`, in that order.

    Raises NotImplementedError for a subclass that overrides `__getitem__` without
    `__getitems__`, which the loader would call instead.

    >>> subset = Subset("abcdef", [4, 1, 1])
    >>> [subset[0], subset[1], len(subset)]
    ['e', 'b', 3]
    """

    dataset: Dataset[Sample]
    indices: Sequence[int]

    def __init__(self, dataset: Dataset[Sample], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        kind = type(self)
        if kind.__getitem__ is not Subset.__getitem__ and kind.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ but not __getitems__. "
                "When subclassing Subset and overriding __getitem__, you must also override "
                "__getitems__ to ensure DataLoader works correctly with your custom logic. "
                "A simple implementation:\n\n"
                "def __getitems__(self, indices):\n"
                "    return [self.__getitem__(idx) for idx in indices]"
            )

    def __getitem__(self, idx: Any) -> Any:
        if isinstance(idx, list):
            return self.dataset[[self.indices[i] for i in idx]]
        return self.dataset[self.indices[idx]]

    def __getitems__(self, indices: list[int]) -> list[Sample]:
        return _samples(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)

    @stands_for(__getitem__, __getitems__)
    def __gather__(self, indices: Tensor) -> Any:
        gather = gatherer(self.dataset)
        if gather is None:
            return None
        # `indices` is looked up anew at each batch: its owner may change the list.
        chosen = index_tensor([self.indices[i] for i in indices.tolist()])
        return None if chosen is None else gather(chosen)

    def gathers_plainly(self) -> bool:
        """Whether a gathered batch runs nothing of the user's and draws no random numbers."""
        return gathers_plainly(self.dataset)


def random_split(
    dataset: Dataset[Sample],
    lengths: Sequence[int | float],
    generator: Generator | None = None,
) -> list[Subset[Sample]]:
    """Split `dataset` at random into subsets of `lengths`, which are counts or fractions of one.

    What rounding leaves over with fractions goes to the subsets one by one from the first.
    Raises ValueError for counts that do not add up to the length, or a fraction outside 0..1;
    warns of a fraction that comes to no sample.

    >>> parts = random_split(range(10), [0.7, 0.3], lantern.Generator().manual_seed(42))
    >>> [len(part) for part in parts]
    [7, 3]
    """
    size = len(dataset)  # type: ignore[arg-type]
    if math.isclose(sum(lengths), 1) and sum(lengths) <= 1:
        lengths = _fraction_lengths(size, lengths)
        for place, length in enumerate(lengths):
            if length == 0:
                warnings.warn(
                    f"Length of split at index {place} is 0. "
                    "This might result in an empty dataset.",
                    stacklevel=2,
                )
    if sum(lengths) != size:
        raise ValueError("Sum of input lengths does not equal the length of the input dataset!")
    order = lantern.randperm(size, generator=generator).tolist()
    ends = list(itertools.accumulate(lengths))
    return [
        Subset(dataset, order[end - length : end])
        for end, length in zip(ends, lengths, strict=True)
    ]


def _fraction_lengths(size: int, fractions: Sequence[float]) -> list[int]:
    for place, fraction in enumerate(fractions):
        if fraction < 0 or fraction > 1:
            raise ValueError(f"Fraction at index {place} is not between 0 and 1")
    lengths = [math.floor(size * fraction) for fraction in fractions]
    for place in range(size - sum(lengths)):
        lengths[place % len(lengths)] += 1
    return lengths


def _samples(dataset: Any, indices: list) -> list:
    """The samples at `indices`, with one call where the dataset offers `__getitems__`."""
    getitems = getattr(dataset, "__getitems__", None)
    if callable(getitems):
        return getitems(indices)
    return [dataset[index] for index in indices]
