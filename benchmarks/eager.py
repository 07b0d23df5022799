"""One training step of small networks: Lantern eager beside PyTorch eager, in one process.

The two take turns, round by round, so that a change in the machine's speed meets both; the table
gives medians and the ratio of medians, and the time of each one's first step apart.

    python benchmarks/eager.py [--rounds 31] [--only NAME|script] [--script]

`--script` also times the whole MNIST script, from `import` to accuracy, as two processes, and
`--only script` nothing else; it needs the data set: `--data DIR`, torchvision's root.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import lantern


def sequential(torch, sizes, activation, last=False):
    """Linear layers with an activation between them (and after the last, if `last`)."""
    layers = []
    for i, (have, want) in enumerate(zip(sizes, sizes[1:], strict=False)):
        layers.append(torch.nn.Linear(have, want))
        if last or i < len(sizes) - 2:
            layers.append(getattr(torch.nn, activation)())
    return torch.nn.Sequential(*layers)


def linear_regression(torch, random, features, outputs):
    """Least squares by SGD on 16 rows."""
    x, y = random.rand(16, features), random.rand(16, outputs)
    net = torch.nn.Linear(features, outputs)
    return net, torch.nn.MSELoss(), torch.optim.SGD(net.parameters(), lr=0.03), x, y


def two_layer(torch, random):
    """The two-layer network of the first tutorials, with Adam."""
    x, y = random.rand(64, 1000), random.rand(64, 10)
    net = sequential(torch, [1000, 100, 10], "ReLU")
    loss = torch.nn.MSELoss(reduction="sum")
    return net, loss, torch.optim.Adam(net.parameters(), lr=1e-4), x, y


def narrow(torch, random):
    """3-5-5-5-3 on 7,000 rows, full batch."""
    x, y = random.rand(7000, 3), random.rand(7000, 3)
    net = sequential(torch, [3, 5, 5, 5, 3], "ReLU")
    return net, torch.nn.MSELoss(), torch.optim.SGD(net.parameters(), lr=0.01), x, y


def diabetes(torch, random, rows):
    """8-32-8-4-1 with sigmoids and binary cross entropy, Adam."""
    x, y = random.rand(rows, 8), random.randint(0, 2, (rows, 1)).astype(float)
    net = sequential(torch, [8, 32, 8, 4, 1], "Sigmoid", last=True)
    return net, torch.nn.BCELoss(), torch.optim.Adam(net.parameters(), lr=0.005), x, y


def digits(torch, random):
    """784-512-256-128-64-10 on a batch of 64, SGD with momentum."""
    x, y = random.rand(64, 784), random.randint(0, 10, 64)
    net = sequential(torch, [784, 512, 256, 128, 64, 10], "ReLU")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.5)
    return net, torch.nn.CrossEntropyLoss(), optimizer, x, y


def softmax_regression(torch, random):
    """784-10 on a batch of 256, SGD."""
    x, y = random.rand(256, 784), random.randint(0, 10, 256)
    net = torch.nn.Linear(784, 10)
    return net, torch.nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1), x, y


def lenet(torch, random):
    """LeNet on 256 digits: sigmoids, average pooling, SGD."""
    x, y = random.rand(256, 1, 28, 28), random.randint(0, 10, 256)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip
    return net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.5), x, y


def residual_block(torch, have, want, stride):
    """Returns a block of two convolutions beside a shortcut."""
    nn = torch.nn

    def conv(a, b, size, stride):
        layer = nn.Conv2d(a, b, size, stride, size // 2, bias=False)
        return [layer, nn.BatchNorm2d(b)]

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(
                *conv(have, want, 3, stride), nn.ReLU(), *conv(want, want, 3, 1)
            )
            same = have == want and stride == 1
            self.shortcut = nn.Identity() if same else nn.Sequential(*conv(have, want, 1, stride))

        def forward(self, x):
            return torch.nn.functional.relu(self.body(x) + self.shortcut(x))

    return Block()


def resnet(torch, random):
    """A small residual network on 32 colour images of 32 x 32: three stages, SGD momentum."""
    x, y = random.rand(32, 3, 32, 32), random.randint(0, 10, 32)
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        residual_block(torch, 16, 16, 1), residual_block(torch, 16, 32, 2),
        residual_block(torch, 32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    return net, nn.CrossEntropyLoss(), optimizer, x, y


def character_gpt(torch, random, layers=4, heads=4, width=128, context=64, batch=12, letters=65):
    """A small GPT over characters, AdamW; attention is written out, with a causal mask."""
    nn, F = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attend, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
            self.register_buffer("future", torch.ones(context, context).triu(1) == 1)

        def attention(self, x):
            rows, length, _ = x.shape
            parts = self.attend(x).split(width, 2)
            q, k, v = (p.view(rows, length, heads, -1).transpose(1, 2) for p in parts)
            scores = q @ k.transpose(-2, -1) / (width // heads) ** 0.5
            weights = F.softmax(scores.masked_fill(self.future, float("-inf")), -1)
            joined = (weights @ v).transpose(1, 2).reshape(rows, length, width)
            return self.project(joined)

        def forward(self, x):
            x = x + self.attention(self.first(x))
            return x + self.narrow(F.gelu(self.widen(self.second(x))))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)
            self.register_buffer("order", torch.arange(context))

        def forward(self, x):
            x = self.letters(x) + self.places(self.order)
            return self.head(self.norm(self.blocks(x))).view(-1, letters)

    text = random.randint(0, letters, (batch, context + 1))
    net = Model()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-3)
    return net, nn.CrossEntropyLoss(), optimizer, text[:, :-1], text[:, 1:].reshape(-1)


WARM_UP = 1.0  # seconds of steps before those that are timed

WORKLOADS: dict[str, Callable] = {
    "linear regression 3x1, SGD": lambda t, r: linear_regression(t, r, 3, 1),
    "linear regression 10x2, SGD": lambda t, r: linear_regression(t, r, 10, 2),
    "two-layer 64x1000x100x10, Adam": two_layer,
    "3-5-5-5-3, 7,000 rows, SGD": narrow,
    "8-32-8-4-1, 128 rows, Adam": lambda t, r: diabetes(t, r, 128),
    "8-32-8-4-1, 531 rows, Adam": lambda t, r: diabetes(t, r, 531),
    "MNIST MLP, batch 64, SGD momentum": digits,
    "softmax regression, batch 256, SGD": softmax_regression,
    "LeNet, batch 256, SGD": lenet,
    "small ResNet, batch 32, SGD momentum": resnet,
    "character GPT, batch 12, AdamW": character_gpt,
}


def make_step(torch, build):
    """Returns a function that does one training step and gives the loss."""
    torch.manual_seed(0)
    net, criterion, optimizer, x, y = build(torch, np.random.RandomState(0))
    x = torch.tensor(x if x.dtype == np.int64 else x.astype(np.float32))
    y = torch.tensor(y if y.dtype == np.int64 else y.astype(np.float32))

    def step():
        loss = criterion(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def seconds(step, count):
    """Returns the time of one of `count` steps."""
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def compare(torch, name, build, rounds):
    """Prints one row of the table."""
    steps = [make_step(each, build) for each in (torch, lantern)]
    first = [seconds(step, 1) for step in steps]
    losses = [[step().item() for _ in range(20)] for step in steps]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    count = max(3, int(0.02 / seconds(steps[0], 20)))
    for step in steps:  # what each does only for steps that come often, it does now
        end = time.perf_counter() + WARM_UP
        while time.perf_counter() < end:
            step()
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for step, found in zip(steps, times, strict=True):
            found.append(seconds(step, count) * 1e6)
    theirs, ours = (statistics.median(each) for each in times)
    print(
        f"| {name} | {theirs:.0f} | {ours:.0f} | **{theirs / ours:.2f}** "
        f"| {first[0] * 1e6:.0f} | {first[1] * 1e6:.0f} |",
        flush=True,
    )


SCRIPT = """
import sys, time
import {name} as torch
from {name} import nn
{data}
torch.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(),
                    nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(),
                    nn.Linear(64, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.5)
criterion = nn.CrossEntropyLoss()
for images, labels in torch.utils.data.DataLoader(train, batch_size=64, shuffle=True):
    loss = criterion(net(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
right = 0
with torch.no_grad():
    for images, labels in torch.utils.data.DataLoader(test, batch_size=64):
        right += (net(images).argmax(1) == labels).sum().item()
print(right / len(test))
"""

# PyTorch is given what torchvision would give: the samples one by one, as tensors. torchvision
# itself (a PIL image and a transform per sample) takes longer still.
THEIR_DATA = """
import numpy as np
class Digits(torch.utils.data.Dataset):
    def __init__(self, prefix):
        raw = f"{root}/MNIST/raw/{{prefix}}"
        read = lambda kind, skip: np.fromfile(f"{{raw}}-{{kind}}", np.uint8)[skip:]
        self.data = torch.tensor(read("images-idx3-ubyte", 16).reshape(-1, 28, 28))
        self.targets = torch.tensor(read("labels-idx1-ubyte", 8).astype(np.int64))
    def __len__(self):
        return len(self.data)
    def __getitem__(self, i):
        return (self.data[i][None].float().div(255) - 0.1307) / 0.3081, int(self.targets[i])
train, test = Digits("train"), Digits("t10k")
"""

OUR_DATA = """
from lantern.vision import datasets, transforms
both = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
train = datasets.MNIST({root!r}, train=True, transform=both)
test = datasets.MNIST({root!r}, train=False, transform=both)
"""


def compare_scripts(root, rounds):
    """Prints the times of the whole MNIST script, one epoch, import included."""
    theirs = SCRIPT.format(
        name="torch", data=THEIR_DATA.replace("{root}", root).replace("{{", "{").replace("}}", "}")
    )
    ours = SCRIPT.format(name="lantern", data=OUR_DATA.format(root=root))
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for code, found in zip((theirs, ours), times, strict=True):
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
            found.append(time.perf_counter() - start)
            if done.returncode:
                raise RuntimeError(done.stderr)
    a, b = (statistics.median(each) for each in times)
    print(
        f"\nwhole MNIST script, 1 epoch: PyTorch {a:.2f} s, Lantern {b:.2f} s, "
        f"ratio **{a / b:.2f}**"
    )


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--only", default="", help="part of a row's name, or 'script'")
    parser.add_argument("--script", action="store_true")
    parser.add_argument("--data", default="data")
    options = parser.parse_args()
    import torch

    print(
        f"torch {torch.__version__}, lantern {lantern.__version__}, numpy {np.__version__}, "
        f"{os.cpu_count()} cores\n"
    )
    print(
        "| one training step | PyTorch µs | Lantern µs | ratio | first, PyTorch | first, Lantern |"
    )
    print("|---|---|---|---|---|---|")
    for name, build in WORKLOADS.items():
        if options.only in name:
            compare(torch, name, build, options.rounds)
    if options.script or options.only == "script":
        compare_scripts(str(Path(options.data).resolve()), min(3, options.rounds))


if __name__ == "__main__":
    main()
