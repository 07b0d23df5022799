"""The loader: order, gathered batches, options (goldens: scripts/make_data_goldens.py)."""

from __future__ import annotations

import importlib
import json
import pickle
from pathlib import Path

import data_scenarios as scenarios
import numpy as np
import pytest
from small_datasets import Stream, Words

import lantern
from lantern import data
from lantern.data import collate, stands_for
from lantern.data.gather import index_tensor

HERE = Path(__file__).parent
ORDERS = json.loads((HERE / "goldens" / "data_orders.json").read_text())

same = scenarios.same


def one_by_one(samples):
    """The default collation under another name, which no dataset gathers for."""
    return data.default_collate(samples)


class Doubles(data.Dataset):
    """Gathers, and counts how often it is asked in which way."""

    def __init__(self, size):
        self.size = size
        self.gathered = self.single = 0

    def __getitem__(self, index):
        self.single += 1
        return index * 2

    def __len__(self):
        return self.size

    @stands_for(__getitem__)
    def __gather__(self, indices):
        self.gathered += 1
        return indices * 2


# Order and random stream


@pytest.mark.parametrize("record", ORDERS, ids=lambda r: f"{r['scenario']}-{r['arguments']}")
def test_orders_and_random_stream_are_those_of_pytorch(record):
    run = scenarios.SCENARIOS[record["scenario"]]
    assert run(lantern, data, **record["arguments"]) == record["trace"]


def test_a_long_order_is_not_made_in_advance():
    loader = data.DataLoader(Doubles(10**13), batch_size=2)
    assert next(iter(loader)).tolist() == [0, 2]


def test_sequential_chunks_follow_one_another(monkeypatch):
    monkeypatch.setattr("lantern.data.sampler.POSITIONS_AT_ONCE", 5)
    loader = data.DataLoader(Doubles(17), batch_size=4)
    assert [batch.tolist() for batch in loader] == [
        list(range(start, min(start + 8, 34), 2)) for start in range(0, 34, 8)
    ]
    assert loader.dataset.single == 0


# Gathered batches


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("batch_size", [1, 3, 4, 8, 20])
@pytest.mark.parametrize("shuffle", [False, True])
def test_gathered_batches_equal_collated_samples(batch_size, shuffle, drop_last):
    dataset = data.TensorDataset(
        lantern.arange(8),
        lantern.arange(48, dtype=lantern.float64).reshape(8, 2, 3) / 7,
        lantern.arange(8) % 3 == 0,
        lantern.arange(24, dtype=lantern.uint8).reshape(3, 8).t(),
        lantern.empty(8, 0),
    )
    batches = []
    for collate_fn in (None, one_by_one):
        lantern.manual_seed(3)
        options = {"shuffle": shuffle, "drop_last": drop_last, "collate_fn": collate_fn}
        batches.append(list(data.DataLoader(dataset, batch_size, **options)))
    same(*batches)


def test_a_batch_has_memory_of_its_own():
    tensor = lantern.arange(6)
    for batch in data.DataLoader(data.TensorDataset(tensor), batch_size=6):
        batch[0].zero_()
    assert tensor.tolist() == [0, 1, 2, 3, 4, 5]


def test_gradients_reach_the_tensors_of_a_dataset():
    weights = lantern.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for (batch,) in data.DataLoader(data.TensorDataset(weights), batch_size=2):
        (batch * batch).sum().backward()
    assert weights.grad.tolist() == [2.0, 4.0, 6.0]


def test_tensor_datasets_and_subsets_of_them_are_gathered(monkeypatch):
    calls = []
    real = data.TensorDataset.__gather__

    def counted(self, indices):
        calls.append(indices.tolist())
        return real(self, indices)

    counted.stands_for = real.stands_for
    monkeypatch.setattr(data.TensorDataset, "__gather__", counted)
    dataset = data.TensorDataset(lantern.arange(10))
    subset = data.Subset(data.Subset(dataset, [9, 8, 7, 6, 5]), np.array([0, 2, 4]))
    batches = list(data.DataLoader(subset, batch_size=2))
    assert [batch[0].tolist() for batch in batches] == [[9, 7], [5]]
    assert calls == [[9, 7], [5]]


def test_a_changed_list_of_indices_counts():
    subset = data.Subset(data.TensorDataset(lantern.arange(10)), [1, 2])
    loader = data.DataLoader(subset, batch_size=2)
    assert next(iter(loader))[0].tolist() == [1, 2]
    subset.indices[0] = 7
    assert next(iter(loader))[0].tolist() == [7, 2]


def overriding_item(tensor):
    class Negated(data.TensorDataset):
        def __getitem__(self, index):
            return -super().__getitem__(index)[0]

    return Negated(tensor)


def overriding_items(tensor):
    class Negated(data.TensorDataset):
        def __getitems__(self, indices):
            return [-self.tensors[0][index] for index in indices]

    return Negated(tensor)


def mixed_in(tensor):
    class Negating:
        def __getitem__(self, index):
            return -super().__getitem__(index)[0]

    class Negated(Negating, data.TensorDataset):
        pass

    return Negated(tensor)


def overriding_subset(tensor):
    class Negated(data.Subset):
        def __getitem__(self, index):
            return -super().__getitem__(index)[0]

        def __getitems__(self, indices):
            return [self[index] for index in indices]

    return Negated(data.TensorDataset(tensor), range(len(tensor)))


def subset_of_overriding(tensor):
    return data.Subset(overriding_item(tensor), range(len(tensor)))


def delegating(tensor):
    class Wrapped:
        def __init__(self, inner):
            self.inner = inner

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def __getitem__(self, index):
            return -self.inner[index][0]

        def __len__(self):
            return len(self.inner)

    return Wrapped(data.TensorDataset(tensor))


@pytest.mark.parametrize(
    "build",
    [
        overriding_item,
        overriding_items,
        mixed_in,
        overriding_subset,
        subset_of_overriding,
        delegating,
    ],
)
def test_what_a_class_overrides_is_what_the_loader_gives(build):
    loader = data.DataLoader(build(lantern.arange(5)), batch_size=3)
    assert [batch.tolist() for batch in loader] == [[0, -1, -2], [-3, -4]]


def test_a_method_replaced_at_run_time_is_what_the_loader_gives(monkeypatch):
    dataset = data.TensorDataset(lantern.arange(4))
    monkeypatch.setattr(data.TensorDataset, "__getitem__", lambda self, index: index + 100)
    assert next(iter(data.DataLoader(dataset, batch_size=4))).tolist() == [100, 101, 102, 103]


def test_a_subset_that_overrides_one_of_two_methods_is_refused():
    class Half(data.Subset):
        def __getitem__(self, index):
            return index

    with pytest.raises(NotImplementedError, match="overrides __getitem__ but not __getitems__"):
        Half([1], [0])


def test_another_collation_of_tensors_is_what_the_loader_gives(monkeypatch):
    def reversed_stack(batch, *, collate_fn_map=None):
        return lantern.stack(list(batch)[::-1])

    monkeypatch.setitem(collate.default_collate_fn_map, lantern.Tensor, reversed_stack)
    loader = data.DataLoader(data.TensorDataset(lantern.arange(3)), batch_size=3)
    assert next(iter(loader))[0].tolist() == [2, 1, 0]


def test_tensors_of_a_subclass_are_collated_one_by_one():
    class Marked(lantern.Tensor):
        pass

    marked = lantern.Tensor._make_subclass(Marked, lantern.arange(4))
    assert data.TensorDataset(marked).__gather__(lantern.tensor([0])) is None
    batch = next(iter(data.DataLoader(data.TensorDataset(marked), batch_size=4)))
    assert batch[0].tolist() == [0, 1, 2, 3]


def test_a_dataset_that_cannot_gather_a_batch_is_read_one_by_one():
    class Sometimes(Doubles):
        @stands_for(Doubles.__getitem__)
        def __gather__(self, indices):
            return None if 3 in indices.tolist() else super().__gather__(indices)

    dataset = Sometimes(6)
    batches = [batch.tolist() for batch in data.DataLoader(dataset, batch_size=2)]
    assert batches == [[0, 2], [4, 6], [8, 10]]
    assert (dataset.gathered, dataset.single) == (2, 2)


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([2, 0], [2, 0]),
        ((1, 1), [1, 1]),
        ([-1], [-1]),
        ([np.int64(3), 1], [3, 1]),
        ([], None),
        ([True, False], None),
        ([lantern.tensor(1)], None),
        (["a"], None),
        ([slice(2)], None),
        ([1.0], None),
        ([2**80], None),
        (lantern.tensor([3, 4]), [3, 4]),
        (lantern.tensor([3, 4], dtype=lantern.int32), None),
        (lantern.tensor(3), None),
    ],
)
def test_only_plain_integers_become_an_index_tensor(indices, expected):
    found = index_tensor(indices)
    assert (found if found is None else found.tolist()) == expected


@pytest.mark.parametrize(
    "sampler", [[[0, 3], [2]], [(1,), (3, 3)], [[-1, -2]], [np.array([1, 2])], [[np.int32(2)]]]
)
def test_any_batches_of_indices_may_be_given(sampler):
    dataset = data.TensorDataset(lantern.arange(4) * 10, lantern.rand(4, 2))
    loader = data.DataLoader(dataset, batch_sampler=sampler)
    other = data.DataLoader(dataset, batch_sampler=sampler, collate_fn=one_by_one)
    same(list(loader), list(other))


def test_an_index_out_of_range_is_an_error():
    loader = data.DataLoader(data.TensorDataset(lantern.arange(4)), sampler=[1, 4])
    with pytest.raises(IndexError):
        list(loader)


def test_keys_may_be_anything():
    loader = data.DataLoader({"a": 1, "b": 2}, batch_sampler=[["b", "a"]])
    assert next(iter(loader)).tolist() == [2, 1]
    loader = data.DataLoader({"a": 1, "b": 2}, batch_size=None, sampler=["b"])
    assert list(loader) == [2]


# The loader


def loader_of(**options):
    return data.DataLoader(Words("abc"), **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_workers": -1}, ValueError, "num_workers option should be non-negative; use"),
        ({"timeout": -1}, ValueError, "timeout option should be non-negative"),
        ({"prefetch_factor": 2}, ValueError, "prefetch_factor option could only be specified in"),
        (
            {"prefetch_factor": -1, "num_workers": 1},
            ValueError,
            "prefetch_factor option should be non-negative",
        ),
        ({"persistent_workers": True}, ValueError, "persistent_workers option needs num_workers"),
        (
            {"sampler": [0], "shuffle": True},
            ValueError,
            "sampler option is mutually exclusive with shuffle",
        ),
        (
            {"batch_sampler": [[0]], "batch_size": 2},
            ValueError,
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and",
        ),
        ({"batch_sampler": [[0]], "shuffle": True}, ValueError, "batch_sampler option is"),
        ({"batch_sampler": [[0]], "drop_last": True}, ValueError, "batch_sampler option is"),
        ({"batch_size": None, "drop_last": True}, ValueError, "disables auto-batching"),
        ({"batch_size": 0}, ValueError, "batch_size should be a positive integer"),
        ({"batch_size": 2.5}, ValueError, "batch_size should be a positive integer"),
        ({"multiprocessing_context": "fork"}, ValueError, "can only be used with multi-process"),
        (
            {"multiprocessing_context": "thread", "num_workers": 1},
            ValueError,
            "should specify a valid start method in",
        ),
        (
            {"multiprocessing_context": 3, "num_workers": 1},
            TypeError,
            "should be a valid context object or a string",
        ),
    ],
)
def test_the_loader_checks_its_arguments(options, error, message):
    with pytest.raises(error, match=message):
        loader_of(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shuffle": True}, "expected unspecified shuffle option, but got shuffle=True"),
        ({"sampler": [0]}, r"expected unspecified sampler option, but got sampler=\[0\]"),
        ({"batch_sampler": [[0]]}, "expected unspecified batch_sampler option"),
    ],
)
def test_a_stream_cannot_be_put_in_order(options, message):
    with pytest.raises(ValueError, match=message):
        data.DataLoader(Stream(3), **options)


def test_attributes_of_a_loader():
    loader = loader_of(batch_size=2, drop_last=True)
    assert (loader.batch_size, loader.drop_last, loader.num_workers) == (2, True, 0)
    assert isinstance(loader.sampler, data.SequentialSampler)
    assert isinstance(loader.batch_sampler, data.BatchSampler)
    assert loader.collate_fn is data.default_collate
    assert loader.prefetch_factor is None
    loader = loader_of(shuffle=True, num_workers=2, batch_size=None)
    assert isinstance(loader.sampler, data.RandomSampler)
    assert loader.batch_sampler is None
    assert loader.collate_fn is data.default_convert
    assert loader.prefetch_factor == 2
    assert loader_of(batch_sampler=[[0]]).batch_size is None
    for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset"):
        with pytest.raises(ValueError, match=f"{name} attribute should not be set after DataLoad"):
            setattr(loader, name, None)
    loader.collate_fn = one_by_one
    assert loader.collate_fn is one_by_one


def test_lengths_of_loaders():
    assert len(loader_of()) == 3
    assert len(loader_of(batch_size=2)) == 2
    assert len(loader_of(batch_size=2, drop_last=True)) == 1
    assert len(loader_of(batch_size=None)) == 3
    assert len(loader_of(batch_sampler=[[0], [1]])) == 2
    assert len(iter(loader_of(batch_size=2))) == 2
    assert len(data.DataLoader(Stream(5, 5), batch_size=2)) == 3
    assert len(data.DataLoader(Stream(5, 5), batch_size=2, drop_last=True)) == 2
    with pytest.raises(TypeError):
        len(data.DataLoader(Stream(5)))


def test_streams_are_read_once_in_their_order():
    def batches(**options):
        return [list(map(int, batch)) for batch in data.DataLoader(Stream(5), **options)]

    assert batches(batch_size=2) == [[0, 1], [2, 3], [4]]
    assert batches(batch_size=2, drop_last=True) == [[0, 1], [2, 3]]
    assert batches(batch_size=5) == [[0, 1, 2, 3, 4]]
    assert list(data.DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]


def test_a_stream_longer_than_it_said_warns():
    loader = data.DataLoader(Stream(4, 3))
    assert len(list(loader)) == 4
    assert len(loader) == 3
    with pytest.warns(UserWarning, match="was reported to be 3.*but 4 samples have been fetched"):
        assert len(list(loader)) == 4


def test_samples_are_read_with_one_call_where_the_dataset_offers_it():
    class Batched(Words):
        def __getitems__(self, indices):
            return [self.words[index].upper() for index in indices]

    assert list(data.DataLoader(Batched("abc"), batch_size=2)) == [["A", "B"], ["C"]]
    assert list(data.DataLoader(Batched("abc"), batch_size=None)) == ["a", "b", "c"]


def test_a_timeout_without_workers_is_refused():
    with pytest.raises(AssertionError, match="timeout == 0"):
        iter(loader_of(timeout=1))


def test_two_passes_at_a_time_do_not_disturb_each_other():
    loader = data.DataLoader(data.TensorDataset(lantern.arange(4)), batch_size=2, shuffle=True)
    first, second = iter(loader), iter(loader)
    rows = [next(first)[0], next(second)[0], next(second)[0], next(first)[0]]
    assert sorted(rows[0].tolist() + rows[3].tolist()) == [0, 1, 2, 3]
    assert sorted(rows[1].tolist() + rows[2].tolist()) == [0, 1, 2, 3]
    with pytest.raises(StopIteration):
        next(first)


def test_pinning_without_an_accelerator_warns_and_goes_on():
    if lantern.cuda.is_available():
        pytest.skip("there is an accelerator")
    with pytest.warns(UserWarning, match="no accelerator is found"):
        assert len(list(loader_of(pin_memory=True))) == 3


def test_an_iterator_cannot_be_pickled_but_a_loader_can():
    loader = data.DataLoader(data.TensorDataset(lantern.arange(3)), batch_size=2)
    with pytest.raises(NotImplementedError, match="cannot be pickled"):
        pickle.dumps(iter(loader))
    again = pickle.loads(pickle.dumps(loader))
    same(list(again), list(loader))


def test_import_paths_of_torch_utils_data():
    thin = importlib.import_module("lantern.utils.data")
    for name in thin.__all__:
        assert getattr(thin, name) is getattr(data, name)
    sampler = importlib.import_module("lantern.utils.data.sampler")
    assert sampler.SubsetRandomSampler is data.SubsetRandomSampler
    assert importlib.import_module("lantern.utils.data.dataset").Dataset is data.Dataset
    distributed = importlib.import_module("lantern.utils.data.distributed")
    assert distributed.DistributedSampler is data.DistributedSampler
    inner = importlib.import_module("lantern.utils.data._utils.collate")
    assert inner.default_collate is data.default_collate
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("lantern.utils.data.datapipes")
    with pytest.raises(AttributeError, match="torch.utils.data.IterDataPipe is not in Lantern"):
        _ = thin.IterDataPipe
