"""One training step on a GPU: Lantern eager beside PyTorch eager, each in a process of its own.

    python benchmarks/cuda.py [--steps 50] [--only NAME]

The two are run one after the other on the same networks: two small ones of the first tutorials,
LeNet, ResNet-18 on 128x3x32x32 and a character GPT (6 layers, width 384, context 256, batch 64).
It prints milliseconds per step, after the first steps, with the name of the GPU and the versions.
Where there is no GPU it says so and ends.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time


def mlp(torch, sizes, batch):
    """Linear layers with ReLU between them, and rows of random numbers."""
    layers = []
    for have, want in zip(sizes, sizes[1:], strict=False):
        layers += [torch.nn.Linear(have, want), torch.nn.ReLU()]
    net = torch.nn.Sequential(*layers[:-1])
    return net, torch.randn(batch, sizes[0]), torch.randint(sizes[-1], (batch,))


def lenet(torch):
    """LeNet with average pooling on 256 images."""
    nn = torch.nn
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84),
        nn.Tanh(), nn.Linear(84, 10),
    )  # fmt: skip
    return net, torch.randn(256, 1, 28, 28), torch.randint(10, (256,))


def resnet18(torch):
    """ResNet-18 as small images take it: 3x3 at the front, no pooling before the blocks."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, have, want, stride):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(have, want, 3, stride, 1, bias=False), nn.BatchNorm2d(want), nn.ReLU(),
                nn.Conv2d(want, want, 3, 1, 1, bias=False), nn.BatchNorm2d(want),
            )  # fmt: skip
            self.short = nn.Identity()
            if stride > 1 or have != want:
                side = nn.Conv2d(have, want, 1, stride, bias=False)
                self.short = nn.Sequential(side, nn.BatchNorm2d(want))

        def forward(self, x):
            return nn.functional.relu(self.body(x) + self.short(x))

    layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    have = 64
    for want, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        layers += [Block(have, want, stride), Block(want, want, 1)]
        have = want
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10)]
    return nn.Sequential(*layers), torch.randn(128, 3, 32, 32), torch.randint(10, (128,))


def gpt(torch):
    """A character GPT of 6 layers, width 384, context 256, batch 64."""
    nn = torch.nn

    class GPT(nn.Module):
        def __init__(self, words=65, width=384, context=256):
            super().__init__()
            self.words, self.places = nn.Embedding(words, width), nn.Embedding(context, width)
            layer = nn.TransformerEncoderLayer(
                width, 6, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            self.blocks = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words)

        def forward(self, x):
            place = torch.arange(x.shape[1], device=x.device)
            mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], device=x.device)
            y = self.blocks(self.words(x) + self.places(place), mask=mask, is_causal=True)
            return self.head(self.norm(y)).flatten(0, 1)

    return GPT(), torch.randint(65, (64, 256)), torch.randint(65, (64 * 256,))


NETWORKS = {
    "two layers, 64x1000": lambda torch: mlp(torch, [1000, 100, 10], 64),
    "MNIST network, 256x784": lambda torch: mlp(torch, [784, 256, 128, 10], 256),
    "LeNet, 256x1x28x28": lenet,
    "ResNet-18, 128x3x32x32": resnet18,
    "GPT, 64x256": gpt,
}


def measure(torch, name, steps):
    """Returns milliseconds per step: of the first one, and the median of rounds after it."""
    torch.manual_seed(0)
    net, x, y = NETWORKS[name](torch)
    net, x, y = net.to("cuda"), x.to("cuda"), y.to("cuda")
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)

    def step():
        opt.zero_grad()
        torch.nn.functional.cross_entropy(net(x), y).backward()
        opt.step()

    def timed(count):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            step()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / count * 1e3

    first = timed(1)
    timed(5)
    return first, statistics.median(timed(max(steps // 5, 1)) for _ in range(5))


def one_library(name, steps, only):
    """Measures all networks in this process and prints the times as JSON."""
    torch = __import__(name)
    if not torch.cuda.is_available():
        print(json.dumps({}))
        return
    found = {n: measure(torch, n, steps) for n in NETWORKS if only in n}
    print(json.dumps({"gpu": torch.cuda.get_device_name(), "times": found}))


def main():
    """Runs both libraries and prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--only", default="")
    parser.add_argument("--library", help="measure one library in this process")
    given = parser.parse_args()
    if given.library:
        one_library(given.library, given.steps, given.only)
        return
    import lantern

    if not lantern.cuda.is_available():
        try:
            lantern.ones(1, device="cuda")
        except RuntimeError as error:
            print(f"nothing to measure: {error}")
        return
    results = {}
    for name in ("lantern", "torch"):
        command = [sys.executable, __file__, "--library", name, "--only", given.only]
        run = subprocess.run(
            [*command, "--steps", str(given.steps)], capture_output=True, text=True
        )
        results[name] = json.loads(run.stdout) if run.returncode == 0 else {}
        if run.returncode:
            print(f"{name}: {run.stderr.strip().splitlines()[-1]}")
    print(results["lantern"].get("gpu", ""))
    print(f"{'ms per step':28}{'Lantern':>10}{'PyTorch':>10}{'ratio':>8}{'first':>10}")
    peers = results["torch"].get("times", {})
    for name, (first, usual) in results["lantern"].get("times", {}).items():
        peer = peers[name][1] if name in peers else float("nan")
        print(f"{name:28}{usual:10.2f}{peer:10.2f}{peer / usual:8.2f}{first:10.1f}")


if __name__ == "__main__":
    main()
