"""The two demos: what is learnt, by which network, with which optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lantern import nn, optim
from lantern.vision import datasets, transforms

_MNIST_FILES = """\
train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte"""

Images = datasets.Digits | datasets.MNIST


class DemoError(Exception):
    """What stops a demo, in a sentence for the one who started it."""


@dataclass(frozen=True)
class Task:
    """A classification task with its images, its network and its way of training."""

    title: str
    train: Images
    held_out: Images
    model: Callable[[], nn.Module]
    optimizer: Callable[[Iterable[nn.Parameter]], optim.Optimizer]
    batch_size: int
    epochs: int


def digits() -> Task:
    """The UCI handwritten digits, 8x8 pixels, which come with Lantern."""
    scaled = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.3054, 0.3760)])
    return Task(
        title="handwritten digits (UCI, 8x8 pixels)",
        train=datasets.Digits(train=True, transform=scaled),
        held_out=datasets.Digits(train=False, transform=scaled),
        model=lambda: _classifier(64, 128, 64, 10),
        optimizer=lambda parameters: optim.AdamW(parameters, lr=2e-3, weight_decay=0.1),
        batch_size=32,
        epochs=30,
    )


def mnist(folder: str) -> Task:
    """MNIST from `folder/MNIST/raw`; raises `DemoError` when the files are not there."""
    scaled = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
    try:
        train = datasets.MNIST(root=folder, train=True, transform=scaled)
        held_out = datasets.MNIST(root=folder, train=False, transform=scaled)
    except (RuntimeError, OSError, ValueError) as error:
        raise DemoError(
            f"{error}\nput MNIST's four unpacked files ({_MNIST_FILES}) into {folder}/MNIST/raw, "
            "or name the folder above MNIST with --data; "
            "they are at https://ossci-datasets.s3.amazonaws.com/mnist/"
        ) from error
    return Task(
        title="MNIST (28x28 pixels)",
        train=train,
        held_out=held_out,
        model=lambda: _classifier(784, 512, 256, 128, 64, 10),
        optimizer=lambda parameters: optim.SGD(parameters, lr=0.01, momentum=0.5),
        batch_size=64,
        epochs=5,
    )


def _classifier(*widths: int) -> nn.Module:
    """Linear layers of these widths, with a ReLU between each and the next."""
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in, fan_out in zip(widths, widths[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
