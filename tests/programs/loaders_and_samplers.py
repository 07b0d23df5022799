"""The order and the shape in which data sets, subsets and loaders give their samples."""

import numpy as np
import torch
from torch.utils.data import (
    ConcatDataset, DataLoader, Dataset, IterableDataset, RandomSampler, SequentialSampler, Subset,
    TensorDataset, WeightedRandomSampler, random_split,
)

torch.manual_seed(0)
x, y = torch.arange(20.0).reshape(10, 2), torch.arange(10)
pairs = TensorDataset(x, y)
print(len(pairs), pairs[3], pairs[2:4], pairs[-1])
for epoch in range(2):
    print([labels.tolist() for _, labels in DataLoader(pairs, batch_size=4, shuffle=True)])
print([labels.tolist() for _, labels in DataLoader(pairs, 3, drop_last=True)])
print(len(DataLoader(pairs, 3)), len(DataLoader(pairs, 3, drop_last=True)), len(DataLoader(pairs)))
batch = next(iter(DataLoader(pairs, batch_size=2)))
print(type(batch), batch)
print(torch.rand(1), torch.initial_seed())

first, second = random_split(pairs, [7, 3])
print(first.indices, second.indices, first[0], len(second), type(first).__name__)
parts = random_split(range(10), [0.5, 0.3, 0.2], generator=torch.Generator().manual_seed(42))
print([list(part) for part in parts])
print(list(Subset(pairs, [5, 1])), len(ConcatDataset([pairs, first])))
print([b.tolist() for _, b in DataLoader(first, batch_size=3, shuffle=True)])
generator = torch.Generator().manual_seed(7)
print([b.tolist() for b in DataLoader(range(6), batch_size=4, shuffle=True, generator=generator)])
print(list(RandomSampler(range(5))), list(SequentialSampler(range(3))))
print(list(RandomSampler(range(5), replacement=True, num_samples=8)))
print(list(WeightedRandomSampler([0.1, 0.0, 0.9], 6)))
print([b[1].tolist() for b in DataLoader(pairs, sampler=WeightedRandomSampler(y.float(), 6))])
print([b[1].tolist() for b in DataLoader(pairs, batch_sampler=[[0, 9], [3]])])
print(next(iter(DataLoader(pairs, batch_size=None))))


class Records(Dataset):
    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        if i >= self.n:
            raise IndexError(i)
        return {"a": i, "b": np.full(2, i), "c": float(i), "d": "text%d" % i, "e": (i, [i, -i])}


print(next(iter(DataLoader(Records(5), batch_size=2))))
print(list(DataLoader(Records(2), batch_size=2, collate_fn=lambda batch: len(batch))))
print([r["a"] for r in Records(3)])


class Count(IterableDataset):
    def __iter__(self):
        return iter(range(5))


print(list(DataLoader(Count(), batch_size=2)))
it = iter(DataLoader([1, 2, 3]))
print(next(it), next(it), next(it), next(it, "end"))

for what, call in (
    ("sizes", lambda: TensorDataset(torch.ones(2), torch.ones(3))),
    ("split", lambda: random_split(pairs, [5, 4])),
    ("batch size", lambda: DataLoader(pairs, batch_size=0)),
    ("both", lambda: DataLoader(pairs, shuffle=True, sampler=RandomSampler(pairs))),
    ("workers", lambda: DataLoader(pairs, num_workers=-1)),
    ("index", lambda: pairs[10]),
    ("ragged", lambda: list(DataLoader([torch.ones(1), torch.ones(2)], batch_size=2))),
    ("collate", lambda: list(DataLoader([object(), object()], batch_size=2))),
    ("length", lambda: len(Dataset())),
    ("item", lambda: Dataset()[0]),
):
    try:
        print(what, call())
    except Exception as error:
        print(what, type(error).__name__, str(error).splitlines()[:1])
