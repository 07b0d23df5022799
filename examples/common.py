"""What the examples share: where their data are, where their pictures go, and `--device cuda`.

Data that do not come with Lantern are looked for in the folder that LANTERN_DATA names, or in
../data; where they are not there, the example says what it takes instead.
"""

import os
import sys
from pathlib import Path

import lantern as torch
from lantern.vision import datasets

DATA = Path(os.environ.get("LANTERN_DATA", "../data"))


def device():
    """The device named by `--device cuda:0` on the command line; the CPU without one."""
    words = sys.argv[1:]
    return torch.device(words[words.index("--device") + 1] if "--device" in words else "cpu")


def picture(figure, name=None):
    """Writes a matplotlib figure beside the current folder's files, or to LANTERN_FIGURES."""
    folder = Path(os.environ.get("LANTERN_FIGURES", "."))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name or Path(sys.argv[0]).stem}.png"
    figure.savefig(path, bbox_inches="tight", dpi=110)
    print(f"picture: {path.name}")


class Digits28(datasets.Digits):
    """The digits that come with Lantern, 8x8 pixels, each grown to 3x3 and framed: 28x28."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        grown = self.data.repeat_interleave(3, 1).repeat_interleave(3, 2)
        self.data = torch.nn.functional.pad(grown, (2, 2, 2, 2))


def images(train, transform, name="MNIST"):
    """MNIST, FashionMNIST or KMNIST if its files are there, else the digits of Lantern."""
    kind = getattr(datasets, name)
    try:
        return kind(root=DATA, train=train, transform=transform, download=False)
    except RuntimeError:
        if train:
            print(f"{name} is not in {DATA.name}/: 1,437 digits that come with Lantern instead")
        return Digits28(train=train, transform=transform)


def table():
    """The diabetes table, `(759, 9)`: eight features in [-1, 1], then 0 or 1.

    Where `diabetes.csv.gz` is not there, a table of that shape is made up: its last column is 1
    where a noisy sum of products of the features is positive.
    """
    import numpy as np

    path = DATA / "diabetes.csv.gz"
    if path.exists():
        return np.loadtxt(path, delimiter=",", dtype=np.float32)
    print(f"diabetes.csv.gz is not in {DATA.name}/: a made-up table instead")
    random = np.random.RandomState(0)
    x = random.uniform(-1, 1, (759, 8))
    score = 3 * x[:, 0] - 2 * x[:, 1] + x[:, 2] * x[:, 3] + 0.3 * random.randn(759)
    return np.column_stack([x, score > 0]).astype(np.float32)
