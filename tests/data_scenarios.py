"""Passes over datasets that leave a trace: every batch, and what the random stream gave after it.

Each scenario runs on PyTorch and on Lantern alike: `torch` is either module, `data` its
`torch.utils.data`. The traces must be equal, so order and random stream are the same.
`same` compares what collation gives.
"""

from __future__ import annotations

import random
import warnings

import numpy as np


def same(left, right):
    """Equal in structure, types, dtypes, shapes and values."""
    assert type(left) is type(right)
    if hasattr(left, "stride"):
        assert left.dtype == right.dtype
        assert left.shape == right.shape
        assert left.stride() == right.stride()
        np.testing.assert_array_equal(left.numpy(), right.numpy())
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            same(left[key], right[key])
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for first, second in zip(left, right, strict=True):
            same(first, second)
    else:
        assert left == right


class Squares:
    """A map-style dataset without any fast way to read a batch."""

    def __init__(self, size):
        self.size = size

    def __getitem__(self, index):
        return index**2

    def __len__(self):
        return self.size


def squares(torch, data, size, gathered):
    if gathered:
        return data.TensorDataset(torch.arange(size) ** 2)
    return Squares(size)


def values(batch):
    batch = batch[0] if isinstance(batch, list) else batch
    return batch if isinstance(batch, int) else batch.tolist()


def trace(torch, loader, epochs, generator=None, draws=1):
    """Batches, each followed by draws from the streams that the loader may use."""
    steps = []
    for _ in range(epochs):
        for batch in loader:
            for _ in range(draws):
                witness = [torch.randint(0, 1 << 30, ()).item()]
                if generator is not None:
                    witness.append(torch.randint(0, 1 << 30, (), generator=generator).item())
                steps.append([values(batch), witness])
    steps.append(torch.randint(0, 1 << 30, ()).item())
    return steps


def seeded(torch, seed):
    return None if seed is None else torch.Generator().manual_seed(seed)


def shuffled(torch, data, seed, size, gathered, epochs=3, generator_seed=None, **options):
    generator = seeded(torch, generator_seed)
    torch.manual_seed(seed)
    loader = data.DataLoader(
        squares(torch, data, size, gathered), shuffle=True, generator=generator, **options
    )
    return trace(torch, loader, epochs, generator)


def in_order(torch, data, seed, size, gathered, **options):
    torch.manual_seed(seed)
    return trace(torch, data.DataLoader(squares(torch, data, size, gathered), **options), 2)


def left_early(torch, data, seed, size, gathered, **options):
    """An epoch that is broken off, then a whole one."""
    torch.manual_seed(seed)
    loader = data.DataLoader(squares(torch, data, size, gathered), shuffle=True, **options)
    first = values(next(iter(loader)))
    return [first, *trace(torch, loader, 1)]


def sampled(torch, data, seed, size, gathered, batch_size, generator_seed=None, **options):
    generator = seeded(torch, generator_seed)
    torch.manual_seed(seed)
    dataset = squares(torch, data, size, gathered)
    sampler = data.RandomSampler(dataset, generator=generator, **options)
    loader = data.DataLoader(dataset, batch_size=batch_size, sampler=sampler)
    return trace(torch, loader, 2, generator)


def chosen(torch, data, seed, size, gathered, indices, **options):
    torch.manual_seed(seed)
    sampler = data.SubsetRandomSampler(indices)
    loader = data.DataLoader(squares(torch, data, size, gathered), sampler=sampler, **options)
    return trace(torch, loader, 2)


def weighted(torch, data, seed, gathered, weights, num_samples, replacement, batch_size):
    torch.manual_seed(seed)
    sampler = data.WeightedRandomSampler(weights, num_samples, replacement)
    dataset = squares(torch, data, len(weights), gathered)
    loader = data.DataLoader(dataset, batch_size=batch_size, sampler=sampler)
    return trace(torch, loader, 2)


def distributed(torch, data, size, gathered, num_replicas, batch_size, **options):
    dataset = squares(torch, data, size, gathered)
    passes = []
    for rank in range(num_replicas):
        sampler = data.DistributedSampler(dataset, num_replicas, rank, **options)
        loader = data.DataLoader(dataset, batch_size=batch_size, sampler=sampler)
        for epoch in range(2):
            sampler.set_epoch(epoch)
            passes.append([values(batch) for batch in loader])
    return passes


def split(torch, data, seed, size, lengths, generator_seed=None):
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if generator_seed is None:
            parts = data.random_split(range(size), lengths)
        else:
            parts = data.random_split(range(size), lengths, seeded(torch, generator_seed))
    return [list(part) for part in parts] + [torch.randint(0, 1 << 30, ()).item()]


def split_and_shuffled(torch, data, seed, size, gathered, lengths, batch_size):
    torch.manual_seed(seed)
    parts = data.random_split(squares(torch, data, size, gathered), lengths)
    loaders = [data.DataLoader(part, batch_size, shuffle=True) for part in parts]
    return [trace(torch, loader, 2) for loader in loaders]


class Draws:
    """Samples that tell which worker read them and what its random streams gave."""

    def __init__(self, torch, data, size):
        self.torch, self.data, self.size = torch, data, size

    def __getitem__(self, index):
        info = self.data.get_worker_info()
        return [
            index,
            info.id,
            info.seed,
            random.random(),
            float(np.random.rand()),
            self.torch.rand(()).item(),
        ]

    def __len__(self):
        return self.size


def drawn_in_workers(torch, data, seed, size, epochs=2, **options):
    torch.manual_seed(seed)
    loader = data.DataLoader(Draws(torch, data, size), collate_fn=list, shuffle=True, **options)
    return [[list(loader) for _ in range(epochs)], torch.rand(()).item()]


def streamed(torch, data, seed, size, uneven, **options):
    """A stream of which each worker reads its share, the first one a longer one."""

    class Share(data.IterableDataset):
        def __iter__(self):
            info = data.get_worker_info()
            extra = uneven if info.id == 0 else 0
            yield from (100 * info.id + place for place in range(size + extra))

    torch.manual_seed(seed)
    loader = data.DataLoader(Share(), **options)
    return [[[values(batch) for batch in loader] for _ in range(2)], torch.rand(()).item()]


SCENARIOS = {
    function.__name__: function
    for function in (
        shuffled,
        in_order,
        left_early,
        sampled,
        chosen,
        weighted,
        distributed,
        split,
        split_and_shuffled,
        drawn_in_workers,
        streamed,
    )
}
