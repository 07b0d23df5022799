"""Transforms that choose among others. They draw from Python's `random`, where torchvision does."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from lantern import nn

from .arguments import draw

Transform = Callable[[Any], Any]


def _listed(name: str, lines: Sequence[Any]) -> str:
    return name + "(" + "".join(f"\n    {line}" for line in lines) + "\n)"


class RandomApply(nn.Module):
    """Apply all of `transforms` with probability `p`, else none."""

    def __init__(self, transforms: Sequence[Transform], p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        if self.p < draw():
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, [f"p={self.p}", *self.transforms])


class RandomTransforms:
    """Base of transforms that choose among `transforms`.

    Raises TypeError for anything but a sequence.
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Transform one image."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class RandomOrder(RandomTransforms):
    """Apply all of `transforms` in random order."""

    def __call__(self, img: Any) -> Any:
        """Transform one image."""
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for place in order:
            img = self.transforms[place](img)
        return img


class RandomChoice(RandomTransforms):
    """Apply one of `transforms`, drawn with the weights `p` or evenly."""

    def __init__(self, transforms: Sequence[Transform], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        """Transform one image."""
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"
