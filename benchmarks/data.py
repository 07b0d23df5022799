"""An epoch through DataLoader: Lantern beside PyTorch's loader, with torchvision where it is there.

Both get the same files (random ones in a temporary folder, or the real MNIST with `--data DIR`),
pipeline and seed; the sums over all batches have to agree before anything is timed. They take
turns, and the table gives the best of `--rounds` epochs and the ratio. Where torchvision cannot
be imported, PyTorch reads a dataset that does the arithmetic of its transforms and nothing else:
torchvision itself takes longer still.

    python benchmarks/data.py [--rounds 5] [--data DIR] [--only NAME]
"""

from __future__ import annotations

import argparse
import os
import pickle
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lantern
import lantern.vision

MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)


def write_mnist(root):
    """Random images in the files of MNIST."""
    folder = Path(root) / "MNIST" / "raw"
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    for split, count in (("train", 60000), ("t10k", 10000)):
        pixels = random.randint(0, 256, (count, 28, 28)).astype(np.uint8)
        head = struct.pack(">HBB3I", 0, 8, 3, *pixels.shape)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
        labels = random.randint(0, 10, count).astype(np.uint8)
        head = struct.pack(">HBBI", 0, 8, 1, count)
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())


def write_cifar(root):
    """Random images in the files of CIFAR-10, a fifth of its number."""
    folder = Path(root) / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    random = np.random.RandomState(0)
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        batch = {
            "data": random.randint(0, 256, (2000, 3072)).astype(np.uint8),
            "labels": random.randint(0, 10, 2000).tolist(),
        }
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))


def unchecked(kind):
    """CIFAR-10 that takes files of any content."""
    listed = {
        name: [[file, None] for file, _ in getattr(kind, name)]
        for name in ("train_list", "test_list")
    }
    return type(kind.__name__, (kind,), listed | {"meta": kind.meta | {"md5": None}})


def mnist(vision, root):
    """The digits, as tensors from -0.42 to 2.82."""
    T = vision.transforms
    both = T.Compose([T.ToTensor(), T.Normalize((0.1307,), (0.3081,))])
    return vision.datasets.MNIST(root, transform=both)


def cifar(vision, root):
    """Colour images, moved and mirrored at random."""
    T = vision.transforms
    steps = [T.RandomCrop(32, padding=4), T.RandomHorizontalFlip()]
    steps += [T.ToTensor(), T.Normalize(MEAN, STD)]
    return unchecked(vision.datasets.CIFAR10)(root, transform=T.Compose(steps))


def turned(vision, root):
    """Colour images, turned and with other colours: no transform for a whole batch."""
    T = vision.transforms
    steps = [T.RandomRotation(15), T.ColorJitter(0.2, 0.2, 0.2), T.ToTensor()]
    return unchecked(vision.datasets.CIFAR10)(root, transform=T.Compose(steps))


def plain_mnist(torch, root):
    """What PyTorch is given without torchvision."""
    raw = Path(root) / "MNIST" / "raw"
    pixels = np.fromfile(raw / "train-images-idx3-ubyte", np.uint8)[16:].reshape(-1, 28, 28)
    labels = np.fromfile(raw / "train-labels-idx1-ubyte", np.uint8)[8:]

    class Digits(torch.utils.data.Dataset):
        data, targets = torch.tensor(pixels), torch.tensor(labels.astype(np.int64))

        def __len__(self):
            return len(self.data)

        def __getitem__(self, index):
            image = self.data[index][None].float().div(255)
            return (image - 0.1307) / 0.3081, int(self.targets[index])

    return Digits()


def table(torch, root):
    """Two tensors of a million rows in all."""
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(200_000, 8, generator=generator)
    return torch.utils.data.TensorDataset(rows, rows.sum(1))


def from_files(torch, root):
    """Samples that take a while each, as if read from files: work for two workers."""

    class Slow(torch.utils.data.Dataset):
        def __len__(self):
            return 600

        def __getitem__(self, index):
            random = np.random.RandomState(index)
            image = random.rand(3, 96, 96).astype(np.float32)
            return torch.from_numpy(np.fft.ifft2(np.fft.fft2(image)).real.copy()), index

    return Slow()


def epoch(torch, dataset, options):
    """The sums over all batches, each with a weight that tells the order, and the seconds."""
    torch.manual_seed(1)
    start = time.perf_counter()
    sums = [0.0, 0.0]
    for number, (x, y) in enumerate(torch.utils.data.DataLoader(dataset, **options)):
        sums[0] += float(x[0].sum()) * (1 + number % 7)
        sums[1] += float(y[-1]) * (1 + number % 5)
    return sums, time.perf_counter() - start


def compare(name, theirs, ours, options, rounds):
    """Prints one row of the table."""
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        sums = []
        for (torch, dataset), found in zip((theirs, ours), times, strict=True):
            total, seconds = epoch(torch, dataset, options)
            sums.append(total)
            found.append(seconds)
        np.testing.assert_allclose(sums[1], sums[0], rtol=1e-5)
    a, b = (min(each) for each in times)
    print(f"| {name} | {a:.3f} | {b:.3f} | **{a / b:.1f}** |", flush=True)


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    parser.add_argument("--data")
    given = parser.parse_args()
    import torch
    import torch.utils.data

    try:
        import torchvision
    except ImportError:
        torchvision = None
    version = "no torchvision" if torchvision is None else f"torchvision {torchvision.__version__}"
    print(
        f"torch {torch.__version__}, {version}, lantern {lantern.__version__}, "
        f"numpy {np.__version__}, {os.cpu_count()} cores\n"
    )
    print("| one epoch | PyTorch s | Lantern s | ratio |")
    print("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        if given.data is None:
            write_mnist(folder)
        write_cifar(folder)
        digits = given.data or folder
        shuffled: dict[str, Any] = {"batch_size": 64, "shuffle": True}
        pictures: dict[str, tuple[Callable, str]] = {"MNIST, ToTensor + Normalize": (mnist, digits)}
        if torchvision is not None:
            pictures["CIFAR-10 (10,000), crop + flip"] = (cifar, folder)
            pictures["CIFAR-10 (10,000), rotation + colours"] = (turned, folder)
        for name, (build, root) in pictures.items():
            if given.only in name:
                twin = build(torchvision, root) if torchvision else plain_mnist(torch, root)
                ours = build(lantern.vision, root)
                compare(name, (torch, twin), (lantern, ours), shuffled, given.rounds)
        for name, build, options in (
            ("table of 200,000 rows, batch 256", table, {"batch_size": 256, "shuffle": True}),
            ("images that take work, 2 workers", from_files, {"batch_size": 32, "num_workers": 2}),
        ):
            if given.only in name:
                pair = [(each, build(each, folder)) for each in (torch, lantern)]
                compare(name, *pair, options, given.rounds)


if __name__ == "__main__":
    main()
