"""Collation, datasets and samplers, each by itself."""

from __future__ import annotations

import collections
from pathlib import Path

import data_scenarios as scenarios
import numpy as np
import pytest
from small_datasets import Stream, Words

import lantern
from lantern import data
from lantern.data import collate

HERE = Path(__file__).parent

same = scenarios.same


def test_same_can_fail():
    for left, right in [
        ([lantern.tensor([1])], [lantern.tensor([2])]),
        (lantern.tensor([1]), lantern.tensor([1.0])),
        (lantern.tensor([1]), lantern.tensor([[1]])),
        ([1], (1,)),
        ({"a": 1}, {"b": 1}),
    ]:
        with pytest.raises(AssertionError):
            same(left, right)


# Collation

Point = collections.namedtuple("Point", "x y")


class Frozen(collections.abc.Mapping):
    def __init__(self, entries):
        self.entries = dict(entries)

    def __getitem__(self, key):
        return self.entries[key]

    def __iter__(self):
        return iter(self.entries)

    def __len__(self):
        return len(self.entries)


def test_collation_of_plain_types():
    collated = data.default_collate
    same(collated([1, 2]), lantern.tensor([1, 2]))
    same(collated([1.5, 2]), lantern.tensor([1.5, 2.0], dtype=lantern.float64))
    same(collated([True, False]), lantern.tensor([True, False]))
    same(collated(["a", "b"]), ["a", "b"])
    same(collated([b"a", b"b"]), [b"a", b"b"])
    same(collated([lantern.ones(2), lantern.zeros(2)]), lantern.tensor([[1.0, 1.0], [0.0, 0.0]]))


def test_collation_of_numpy_values():
    collated = data.default_collate
    same(collated([np.float32(1.5), np.float32(2)]), lantern.tensor([1.5, 2.0]))
    same(collated([np.float64(1.5)]), lantern.tensor([1.5], dtype=lantern.float64))
    same(collated([np.int16(3)]), lantern.tensor([3], dtype=lantern.int16))
    same(collated([np.bool_(True)]), lantern.tensor([True]))
    same(collated([np.str_("a")]), [np.str_("a")])
    arrays = [np.arange(3, dtype=np.int8), np.ones(3, dtype=np.int8)]
    same(collated(arrays), lantern.tensor([[0, 1, 2], [1, 1, 1]], dtype=lantern.int8))
    for wrong in (np.array(["a"]), np.array([object()])):
        with pytest.raises(TypeError, match="default_collate: batch must contain tensors"):
            collated([wrong])


def test_collation_keeps_the_structure_of_a_sample():
    collated = data.default_collate
    one, two = lantern.tensor([1, 3]), lantern.tensor([2, 4])
    same(collated([(1, 2), (3, 4)]), [one, two])
    same(collated([[1, 2], [3, 4]]), [one, two])
    same(collated([Point(1, 2), Point(3, 4)]), Point(one, two))
    nested = collated([{"a": (1, "p"), "b": 2}, {"a": (3, "q"), "b": 4}])
    same(nested, {"a": [one, ("p", "q")], "b": two})
    assert type(collated([collections.OrderedDict(a=1)])) is collections.OrderedDict
    default = collections.defaultdict(list, a=1)
    assert collated([default]).default_factory is list
    assert default["a"] == 1
    frozen = collated([Frozen({"a": 1}), Frozen({"a": 3})])
    assert isinstance(frozen, Frozen)
    same(frozen["a"], one)
    same(collated([range(2), range(2)]), [lantern.tensor([0, 0]), lantern.tensor([1, 1])])


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ([None], TypeError, "default_collate: batch must contain tensors, numpy arrays, numbers"),
        ([1j], TypeError, "found <class 'complex'>"),
        ([{1, 2}], TypeError, "found <class 'set'>"),
        ([[1, 2], [3]], RuntimeError, "each element in list of batch should be of equal size"),
        ([{"a": 1}, {"b": 1}], KeyError, "a"),
        ([], IndexError, "list index out of range"),
        ([(1, None)], TypeError, "found <class 'NoneType'>"),
    ],
)
def test_what_cannot_be_collated_is_refused(samples, error, message):
    with pytest.raises(error, match=message):
        data.default_collate(samples)


def test_tensors_of_different_sizes_are_refused():
    with pytest.raises(RuntimeError, match="stack expects each tensor to be equal size"):
        data.default_collate([lantern.ones(2), lantern.ones(3)])


def test_scripts_can_teach_collation_a_type(monkeypatch):
    class Celsius:
        def __init__(self, degrees):
            self.degrees = degrees

    def warmest(batch, *, collate_fn_map=None):
        return max(item.degrees for item in batch)

    monkeypatch.setitem(collate.default_collate_fn_map, Celsius, warmest)
    assert data.default_collate([(Celsius(3), 1), (Celsius(5), 2)])[0] == 5


def test_conversion_turns_arrays_into_tensors_and_nothing_else():
    convert = data.default_convert
    same(convert(np.array([1, 2])), lantern.tensor([1, 2]))
    same(convert(np.float32(1.5)), lantern.tensor(1.5))
    same(convert((np.array([1]), 2, "a")), [lantern.tensor([1]), 2, "a"])
    same(convert([np.array([1])]), [lantern.tensor([1])])
    same(convert({"a": np.array([1]), "b": None}), {"a": lantern.tensor([1]), "b": None})
    same(convert(Point(np.array(1), 2)), Point(lantern.tensor(1), 2))
    text = np.array(["a"])
    assert convert(text) is text
    assert convert(None) is None
    array = np.zeros(2)
    convert(array).fill_(1)
    assert array.tolist() == [1, 1]


# Datasets


def test_datasets_add_up():
    words = Words(["a", "b"]) + Words(["c"])
    assert isinstance(words, data.ConcatDataset)
    assert [words[i] for i in (0, 2, -1, -3)] == ["a", "c", "c", "a"]
    assert words.cumulative_sizes == [2, 3]
    with pytest.raises(ValueError, match="absolute value of index should not exceed"):
        words[-4]
    with pytest.raises(IndexError):
        words[3]
    with pytest.raises(AssertionError, match="should not be an empty iterable"):
        data.ConcatDataset([])
    with pytest.raises(AssertionError, match="does not support IterableDataset"):
        data.ConcatDataset([Stream(1)])


def test_streams_add_up():
    streams = Stream(2, 2) + Stream(3, 3)
    assert isinstance(streams, data.ChainDataset)
    assert list(streams) == [0, 1, 0, 1, 2]
    assert len(streams) == 5
    for use in (list, len):
        with pytest.raises(AssertionError, match="only supports IterableDataset"):
            use(data.ChainDataset([Words(["a"])]))


def test_stacked_datasets_are_read_side_by_side():
    class Batched(Words):
        def __getitems__(self, indices):
            return [self.words[index] + "!" for index in indices]

    pair = data.StackDataset(Words("abc"), Batched("xyz"))
    assert pair[1] == ("b", "y")
    assert pair.__getitems__([2, 0]) == [("c", "z!"), ("a", "x!")]
    named = data.StackDataset(left=Words("abc"), right=Batched("xyz"))
    assert len(named) == 3
    assert named[0] == {"left": "a", "right": "x"}
    assert named.__getitems__([1]) == [{"left": "b", "right": "y!"}]
    assert next(iter(data.DataLoader(named, 2))) == {"left": ["a", "b"], "right": ["x!", "y!"]}


def test_stacks_that_do_not_fit_are_refused():
    class Short(Words):
        def __getitems__(self, indices):
            return []

    with pytest.raises(ValueError, match="At least one dataset should be passed"):
        data.StackDataset()
    with pytest.raises(ValueError, match="Size mismatch between datasets"):
        data.StackDataset("ab", "abc")
    with pytest.raises(ValueError, match="both types are given"):
        data.StackDataset("ab", other="ab")
    with pytest.raises(ValueError, match="Expected 1, got 0"):
        data.StackDataset(Short("a")).__getitems__([0])


def test_tensors_of_a_dataset_have_one_length():
    with pytest.raises(AssertionError, match="Size mismatch between tensors"):
        data.TensorDataset(lantern.ones(2), lantern.ones(3))
    dataset = data.TensorDataset(lantern.arange(3), lantern.arange(3) * 2)
    assert [part.tolist() for part in dataset[1:]] == [[1, 2], [2, 4]]
    assert len(dataset) == 3


def test_subsets_pass_batches_on():
    class Batched(Words):
        def __getitems__(self, indices):
            return [f"{self.words[index]}!" for index in indices]

    assert data.Subset(Batched("abc"), [2, 0]).__getitems__([1, 0]) == ["a!", "c!"]
    assert data.Subset(Words("abc"), [2, 0]).__getitems__([1, 0]) == ["a", "c"]
    assert data.Subset(np.arange(5) * 10, [4, 3, 2])[[0, 2]].tolist() == [40, 20]


def test_what_a_subclass_has_to_write():
    with pytest.raises(NotImplementedError, match="should implement __getitem__"):
        data.Dataset()[0]
    with pytest.raises(NotImplementedError):
        iter(data.Sampler())
    assert not hasattr(data.Dataset(), "__len__")
    assert data.Dataset[int] is not None
    assert data.IterableDataset[int] is not None


def test_random_split_checks_its_lengths():
    with pytest.raises(ValueError, match="does not equal the length of the input dataset"):
        data.random_split(range(5), [2, 2])
    with pytest.raises(ValueError, match="Fraction at index 0 is not between 0 and 1"):
        data.random_split(range(5), [-0.5, 1.5])
    with pytest.warns(UserWarning, match="Length of split at index 1 is 0"):
        parts = data.random_split(range(1), [0.5, 0.5])
    assert [len(part) for part in parts] == [1, 0]
    parts = data.random_split(range(10), [0.33, 0.33, 0.34])
    assert [len(part) for part in parts] == [4, 3, 3]
    assert sorted(i for part in parts for i in part.indices) == list(range(10))


# Samplers


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (
            lambda: data.RandomSampler([]),
            ValueError,
            "positive integer value, but got num_samples=0",
        ),
        (lambda: data.RandomSampler([1], num_samples=-1), ValueError, "num_samples=-1"),
        (lambda: data.RandomSampler([1], num_samples=1.5), ValueError, "num_samples=1.5"),
        (lambda: data.RandomSampler([1], replacement=1), TypeError, "replacement=1"),
        (lambda: data.WeightedRandomSampler([1], 0), ValueError, "num_samples=0"),
        (lambda: data.WeightedRandomSampler([1], True), ValueError, "num_samples=True"),
        (lambda: data.WeightedRandomSampler([1], 1, 0), ValueError, "replacement=0"),
        (lambda: data.WeightedRandomSampler([[1, 2]], 1), ValueError, r"have shape \(1, 2\)"),
        (lambda: data.BatchSampler([1], 0, False), ValueError, "batch_size=0"),
        (lambda: data.BatchSampler([1], True, False), ValueError, "batch_size=True"),
        (lambda: data.BatchSampler([1], 1, 1), ValueError, "drop_last=1"),
        (lambda: data.DistributedSampler([1], 2, 2), ValueError, r"Invalid rank 2.*\[0, 1\]"),
        (lambda: data.DistributedSampler([1], 2, -1), ValueError, "Invalid rank -1"),
    ],
)
def test_samplers_check_their_arguments(build, error, message):
    with pytest.raises(error, match=message):
        build()


def test_a_distributed_sampler_without_a_process_group_says_so():
    with pytest.raises(RuntimeError, match="Requires distributed package to be available"):
        data.DistributedSampler([1])


def test_lengths_of_samplers():
    assert len(data.SequentialSampler("abc")) == 3
    assert len(data.RandomSampler("abc")) == 3
    assert len(data.RandomSampler("abc", num_samples=7)) == 7
    assert len(data.SubsetRandomSampler([4, 5])) == 2
    assert len(data.WeightedRandomSampler([1.0, 2.0], 9)) == 9
    assert len(data.BatchSampler(range(5), 2, False)) == 3
    assert len(data.BatchSampler(range(5), 2, True)) == 2
    assert len(data.BatchSampler(range(4), 2, False)) == 2
    assert len(data.DistributedSampler("abcde", 2, 0)) == 3
    assert len(data.DistributedSampler("abcde", 2, 0, drop_last=True)) == 2


def test_a_subclass_of_a_sampler_gives_its_own_order():
    class Backwards(data.SequentialSampler):
        def __iter__(self):
            return iter(range(len(self.data_source) - 1, -1, -1))

    class Pairs(data.BatchSampler):
        def __iter__(self):
            return iter([[0, 3], [1, 2]])

    dataset = data.TensorDataset(lantern.arange(4))
    loader = data.DataLoader(dataset, batch_size=2, sampler=Backwards(dataset))
    assert [batch[0].tolist() for batch in loader] == [[3, 2], [1, 0]]
    pairs = Pairs(data.SequentialSampler(dataset), 2, False)
    loader = data.DataLoader(dataset, batch_sampler=pairs)
    assert [batch[0].tolist() for batch in loader] == [[0, 3], [1, 2]]


def test_older_samplers_hand_over_their_data_source():
    class Old(data.Sampler):
        def __init__(self, data_source):
            super().__init__(data_source)

    Old([1])
