"""Loaders and samplers beside the installed PyTorch, on fresh seeds, sizes and options."""

from __future__ import annotations

import collections
import importlib.util
import inspect
import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.utils.data as torch_data  # noqa: E402

import lantern  # noqa: E402
from lantern import data  # noqa: E402

_place = Path(__file__).parents[1] / "data_scenarios.py"
_spec = importlib.util.spec_from_file_location("data_scenarios", _place)
scenarios = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(scenarios)

SEEDS = [random.SystemRandom().getrandbits(32) for _ in range(12)]


def both(name, **arguments):
    """The trace of a scenario in Lantern and in PyTorch, or the error."""
    run = scenarios.SCENARIOS[name]
    traces = []
    for module, utils in ((lantern, data), (torch, torch_data)):
        try:
            traces.append(run(module, utils, **arguments))
        except (ValueError, TypeError, RuntimeError, IndexError, AssertionError) as error:
            traces.append((type(error), str(error)))
    return traces


def a_generator(draw):
    return draw.choice([None, draw.randrange(1 << 31)])


def loader_options(draw):
    return {"batch_size": draw.choice([1, 2, 3, 5, 64]), "drop_last": draw.random() < 0.5}


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_shuffled_order_and_stream(seed, gathered):
    draw = random.Random(seed)
    arguments = {"seed": seed, "size": draw.randrange(1, 200), "gathered": gathered}
    ours, theirs = both(
        "shuffled", **arguments, generator_seed=a_generator(draw), **loader_options(draw)
    )
    assert ours == theirs
    for name in ("in_order", "left_early"):
        ours, theirs = both(name, **arguments, batch_size=draw.randrange(1, 9))
        assert ours == theirs


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_sampler(seed, gathered):
    draw = random.Random(seed)
    ours, theirs = both(
        "sampled",
        seed=seed,
        size=draw.randrange(1, 90),
        gathered=gathered,
        batch_size=draw.randrange(1, 50),
        generator_seed=a_generator(draw),
        replacement=draw.random() < 0.5,
        num_samples=draw.choice([None, draw.randrange(1, 200)]),
    )
    assert ours == theirs


@pytest.mark.parametrize("gathered", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_other_samplers(seed, gathered):
    draw = random.Random(seed)
    size = draw.randrange(2, 60)
    common = {"seed": seed, "gathered": gathered}
    indices = [draw.randrange(size) for _ in range(draw.randrange(1, 40))]
    ours, theirs = both("chosen", size=size, indices=indices, **common, **loader_options(draw))
    assert ours == theirs
    ours, theirs = both(
        "distributed",
        **common,
        size=size,
        num_replicas=draw.randrange(1, 5),
        shuffle=draw.random() < 0.7,
        drop_last=draw.random() < 0.5,
        batch_size=draw.randrange(1, 7),
    )
    assert ours == theirs
    weights = [draw.random() for _ in range(size)]
    for replacement in (False, True):
        ours, theirs = both(
            "weighted",
            **common,
            weights=weights,
            num_samples=draw.randrange(1, size + 1),
            replacement=replacement,
            batch_size=draw.randrange(1, 7),
        )
        assert ours == theirs


@pytest.mark.parametrize("seed", SEEDS)
def test_random_split(seed):
    draw = random.Random(seed)
    size = draw.randrange(1, 100)
    first = draw.randrange(size + 1)
    share = draw.random()
    for lengths in (
        [first, size - first],
        [share, 1 - share],
        [0.3, 0.3, 0.4],
        [0.5],
        [first],
        [-0.5, 1.5],
    ):
        ours, theirs = both(
            "split", seed=seed, size=size, lengths=lengths, generator_seed=a_generator(draw)
        )
        assert ours == theirs, lengths
    ours, theirs = both(
        "split_and_shuffled",
        seed=seed,
        size=size + 2,
        gathered=True,
        lengths=[size, 2],
        batch_size=draw.randrange(1, 9),
    )
    assert ours == theirs


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_workers_draw_from_the_stream_in_the_same_places(seed):
    draw = random.Random(seed)
    ours, theirs = both(
        "shuffled",
        seed=seed,
        size=draw.randrange(1, 60),
        gathered=True,
        epochs=2,
        generator_seed=a_generator(draw),
        num_workers=1,
        persistent_workers=draw.random() < 0.5,
        **loader_options(draw),
    )
    assert ours == theirs


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_random_streams_and_shares_of_workers(seed):
    draw = random.Random(seed)
    options = {
        "num_workers": 2,
        "batch_size": draw.randrange(1, 4),
        "prefetch_factor": draw.randrange(1, 4),
        "persistent_workers": draw.random() < 0.5,
    }
    ours, theirs = both("drawn_in_workers", seed=seed, size=draw.randrange(1, 20), **options)
    assert ours == theirs
    uneven = draw.randrange(5)
    ours, theirs = both("streamed", seed=seed, size=draw.randrange(9), uneven=uneven, **options)
    assert ours == theirs


def as_plain(value):
    """A collated batch in terms that both libraries share."""
    if isinstance(value, (torch.Tensor, lantern.Tensor)):
        return (str(value.dtype), tuple(value.shape), value.tolist())
    if isinstance(value, collections.abc.Mapping):
        return (type(value).__name__, {key: as_plain(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [as_plain(item) for item in value])
    return value


Pair = collections.namedtuple("Pair", "left right")


def a_sample(module, draw, depth):
    kind = draw.randrange(13 if depth else 9)
    if kind < 9:
        return [
            lambda: draw.randrange(-5, 5),
            lambda: draw.random(),
            lambda: draw.random() < 0.5,
            lambda: draw.choice("abc"),
            lambda: b"xyz",
            lambda: np.float32(draw.random()),
            lambda: np.int16(draw.randrange(9)),
            lambda: np.full((2, 1), draw.randrange(9), dtype=np.uint8),
            lambda: module.full((3,), float(draw.randrange(9))),
        ][kind]()
    parts = [a_sample(module, draw, depth - 1) for _ in range(2)]
    return [tuple(parts), list(parts), Pair(*parts), {"one": parts[0], "two": parts[1]}][kind - 9]


@pytest.mark.parametrize("seed", SEEDS * 3)
def test_collation(seed):
    """Samples of one shape: the same random choices give the same structure."""
    results = []
    for module, utils in ((lantern, data), (torch, torch_data)):
        draw = random.Random(seed)
        sample = a_sample(module, draw, 3)
        results.append(as_plain(utils.default_collate([sample, sample, sample])))
        results.append(as_plain(utils.default_convert(sample)))
    assert results[:2] == results[2:]


@pytest.mark.parametrize(
    "samples",
    [
        [np.float64(1.5), np.float64(2.5)],
        [np.bool_(True), np.bool_(False)],
        [np.str_("a"), np.str_("b")],
        [1.5, 2],
        [1, 2.5],
        [True, 2],
        [None],
        [1j],
        [object()],
        [[1], [1, 2]],
        [{"a": 1}, {"b": 2}],
        [range(2), range(2)],
        [np.array("text")],
        [],
    ],
    ids=str,
)
def test_collation_of_edge_cases(samples):
    results = []
    for utils in (data, torch_data):
        try:
            results.append(as_plain(utils.default_collate(samples)))
        except Exception as error:  # the type and the words are what is compared
            results.append((type(error), str(error)))
    assert results[0] == results[1]


def failures(build):
    """How Lantern and PyTorch refuse the same call."""
    found = []
    for utils in (data, torch_data):
        with pytest.raises(Exception) as caught:
            build(utils)
        found.append((caught.type, str(caught.value)))
    return found


@pytest.mark.parametrize(
    "options",
    [
        {"num_workers": -1},
        {"num_workers": "2"},
        {"timeout": -1},
        {"prefetch_factor": 2},
        {"prefetch_factor": -2, "num_workers": 1},
        {"persistent_workers": True},
        {"sampler": [0], "shuffle": True},
        {"batch_sampler": [[0]], "batch_size": 2},
        {"batch_sampler": [[0]], "shuffle": True},
        {"batch_sampler": [[0]], "sampler": [0]},
        {"batch_sampler": [[0]], "drop_last": True},
        {"batch_size": None, "drop_last": True},
        {"batch_size": 0},
        {"batch_size": -1},
        {"batch_size": 2.0},
        {"batch_size": True},
        {"drop_last": 1},
        {"multiprocessing_context": "fork"},
        {"multiprocessing_context": "thread", "num_workers": 1},
        {"multiprocessing_context": 3, "num_workers": 1},
        {"dataset": [], "shuffle": True},
        {"unknown": 1},
    ],
    ids=str,
)
def test_the_loader_refuses_what_pytorch_refuses(options):
    ours, theirs = failures(lambda utils: utils.DataLoader(**{"dataset": [1, 2, 3]} | options))
    assert ours == theirs


@pytest.mark.parametrize(
    "build",
    [
        lambda utils: utils.RandomSampler([1], replacement="no"),
        lambda utils: utils.RandomSampler([1], num_samples=0),
        lambda utils: utils.RandomSampler([]),
        lambda utils: utils.WeightedRandomSampler([1.0], 0),
        lambda utils: utils.WeightedRandomSampler([1.0], 1, replacement=1),
        lambda utils: utils.WeightedRandomSampler([[1.0, 2.0]], 1),
        lambda utils: utils.BatchSampler([1], 0, False),
        lambda utils: utils.BatchSampler([1], 1, None),
        lambda utils: utils.DistributedSampler([1], 2, 5),
        lambda utils: utils.ConcatDataset([]),
        lambda utils: utils.ConcatDataset([[1]])[-2],
        lambda utils: utils.StackDataset(),
        lambda utils: utils.StackDataset([1], [1, 2]),
        lambda utils: utils.StackDataset([1], a=[1]),
        lambda utils: list(utils.ChainDataset([[1]])),
        lambda utils: utils.Dataset()[0],
        lambda utils: utils.random_split([1, 2], [3]),
        lambda utils: utils.random_split([1, 2], [-1, 2]),
        lambda utils: type("Half", (utils.Subset,), {"__getitem__": len})([1], [0]),
    ],
)
def test_datasets_and_samplers_refuse_what_pytorch_refuses(build):
    ours, theirs = failures(build)
    assert ours == theirs


@pytest.mark.parametrize("seed", SEEDS)
def test_tensor_datasets_are_batched_alike(seed):
    draw = random.Random(seed)
    size = draw.randrange(1, 40)
    arrays = [
        np.random.RandomState(seed % 1000).standard_normal((size, 3)).astype(draw.choice("fdi")),
        np.arange(size, dtype=draw.choice([np.uint8, np.int64, np.float16])),
        np.arange(size * 4).reshape(4, size).T % 3 == 0,
    ]
    batch_size = draw.randrange(1, 9)
    batches = []
    for module, utils in ((lantern, data), (torch, torch_data)):
        module.manual_seed(seed)
        dataset = utils.TensorDataset(*(module.from_numpy(array) for array in arrays))
        loader = utils.DataLoader(dataset, batch_size, shuffle=True)
        batches.append([as_plain(batch) for batch in loader])
    assert len(batches[0]) == -(-size // batch_size)
    assert batches[0] == batches[1]


# Lantern's own, and the base that takes what older subclasses hand over.
DIFFERENT = {"stand_in", "stands_for", "Sampler"}


@pytest.mark.parametrize("name", sorted(set(data.__all__) - DIFFERENT))
def test_parameters_are_those_of_pytorch(name):
    found = []
    for utils in (data, torch_data):
        parameters = inspect.signature(getattr(utils, name)).parameters.values()
        found.append([(each.name, each.kind) for each in parameters])
    assert found[0] == found[1]
