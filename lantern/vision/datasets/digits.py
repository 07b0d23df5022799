"""Real handwritten digits that come with Lantern: a first network needs no download."""

from __future__ import annotations

import os

import lantern

from .idx import read_idx
from .mnist import MNIST
from .vision import GreyImages, Transform

TRAIN_IMAGES = 1437


class Digits(GreyImages):
    """1,797 handwritten digits of 8 x 8: 1,437 to train on and 360 held out, every class in both.

    From "Optical Recognition of Handwritten Digits", E. Alpaydin, C. Kaynak, UCI Machine Learning
    Repository 1998, doi 10.24432/C50P49, licence CC BY 4.0. The 17 levels of grey are scaled to
    0..255. `root` is not read; it is there so that datasets can be exchanged.

    >>> digits = Digits(train=False)
    >>> (digits.data.shape, digits.targets[:5])
    (torch.Size([360, 8, 8]), tensor([1, 4, 8, 6, 5]))
    """

    classes = MNIST.classes

    def __init__(
        self,
        root: str | os.PathLike | None = None,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        folder = os.path.dirname(__file__)
        images = read_idx(os.path.join(folder, "digits-images-idx3-ubyte.gz"))
        labels = read_idx(os.path.join(folder, "digits-labels-idx1-ubyte.gz"))
        part = slice(None, TRAIN_IMAGES) if train else slice(TRAIN_IMAGES, None)
        self.data = images[part].clone()
        self.targets = labels[part].to(lantern.int64)
