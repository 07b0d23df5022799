"""A data set of one's own, transforms as classes and composed, and a loader that makes batches.
Raw data, Dataset, one sample, DataLoader, batches: each step prints what it hands on.

自定义 Dataset、变换类与 Compose,以及批量生成数据的 DataLoader。
原始数据 → Dataset → 单样本处理 → DataLoader → 批量:每一步都打印出来。
"""

import lantern as torch
from lantern.utils.data import DataLoader, Dataset, random_split
from lantern.vision import transforms


class toy_set(Dataset):
    def __init__(self, length=100, transform=None):
        self.len = length
        self.x = 2 * torch.ones(length, 2)
        self.y = torch.ones(length, 1)
        self.transform = transform

    def __len__(self):
        return self.len

    def __getitem__(self, index):
        sample = self.x[index], self.y[index]
        return self.transform(sample) if self.transform else sample


class add_mult:
    def __init__(self, addx=1, muly=2):
        self.addx, self.muly = addx, muly

    def __call__(self, sample):
        x, y = sample
        return x + self.addx, y * self.muly


class mult:
    def __init__(self, mult=100):
        self.mult = mult

    def __call__(self, sample):
        x, y = sample
        return x * self.mult, y * self.mult


data_set = toy_set()
print(len(data_set), data_set[0])
print(add_mult()(data_set[0]))
print(toy_set(transform=add_mult())[0])
both = transforms.Compose([add_mult(), mult()])
print(both(data_set[0]))

torch.manual_seed(0)
train, validation, test = random_split(toy_set(transform=both), [70, 15, 15])
loader = DataLoader(dataset=train, batch_size=32, shuffle=True)
print(len(train), len(validation), len(test), "in batches of", [len(y) for _, y in loader])
x, y = next(iter(loader))
print(x.shape, y.shape, x[0], y[0])
for workers in (0, 2):
    loader = DataLoader(toy_set(10), batch_size=4, num_workers=workers)
    print(f"{workers} workers:", [tuple(x.shape) for x, _ in loader])
