"""Data as the book takes it: made-up lines, Fashion-MNIST, and files of its data hub."""

from __future__ import annotations

import os
from typing import Any

import lantern
from lantern.utils import data

__all__ = [
    "FASHION_LABELS", "get_dataloader_workers", "get_fashion_mnist_labels", "load_array",
    "load_data_fashion_mnist", "synthetic_data",
]  # fmt: skip

FASHION_LABELS = (
    "t-shirt", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def synthetic_data(
    w: lantern.Tensor, b: float, num_examples: int
) -> tuple[lantern.Tensor, lantern.Tensor]:
    """Returns features `(num_examples, len(w))` and labels X w + b + noise, `(num_examples, 1)`.

    >>> import lantern
    >>> X, y = synthetic_data(lantern.tensor([2, -3.4]), 4.2, 5)
    >>> X.shape, y.shape
    (torch.Size([5, 2]), torch.Size([5, 1]))
    """
    X = lantern.normal(0, 1, (num_examples, len(w)))
    y = lantern.matmul(X, w) + b
    y += lantern.normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def load_array(data_arrays: Any, batch_size: int, is_train: bool = True) -> data.DataLoader:
    """Returns a loader over tensors, shuffled where it is for training."""
    return data.DataLoader(data.TensorDataset(*data_arrays), batch_size, shuffle=is_train)


def get_fashion_mnist_labels(labels: Any) -> list[str]:
    """Returns the words for labels of Fashion-MNIST.

    >>> get_fashion_mnist_labels([0, 9])
    ['t-shirt', 'ankle boot']
    """
    return [FASHION_LABELS[int(i)] for i in labels]


def get_dataloader_workers() -> int:
    """Returns how many processes read data: 4, as in the book."""
    return 4


def load_data_fashion_mnist(
    batch_size: int, resize: int | None = None
) -> tuple[data.DataLoader, data.DataLoader]:
    """Returns loaders over Fashion-MNIST for training and for testing, in `../data`.

    `LANTERN_DATA` names another folder. The files are downloaded where they are not there yet.
    """
    from lantern.vision import datasets, transforms

    steps: list[Any] = [transforms.ToTensor()]
    if resize:
        steps.insert(0, transforms.Resize(resize))  # type: ignore[operator]
    root = os.environ.get("LANTERN_DATA", os.path.join("..", "data"))
    train, test = (
        datasets.FashionMNIST(
            root=root, train=train, transform=transforms.Compose(steps), download=True
        )
        for train in (True, False)
    )
    workers = get_dataloader_workers()
    return (
        data.DataLoader(train, batch_size, shuffle=True, num_workers=workers),
        data.DataLoader(test, batch_size, shuffle=False, num_workers=workers),
    )
