"""What image datasets have in common: root, transforms, `repr`, and images held in one tensor."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import lantern
from lantern.data import Dataset, default_collate, stands_for
from lantern.data.collate import NumPyValue
from lantern.tensor import Tensor

from ..transforms.batch import ImageBatch, batch_method, draws, is_lanterns_own

Transform = Callable[[Any], Any]


class VisionDataset(Dataset):
    """Base of image datasets: keeps `root` and the transforms, and shows them in its `repr`.

    Raises ValueError for `transforms` (of image and target together) beside one of the others.
    """

    _repr_indent = 4

    def __init__(
        self,
        root: str | os.PathLike | None = None,
        transforms: Callable[[Any, Any], Any] | None = None,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError(
                "Only transforms or transform/target_transform can be passed as argument"
            )
        self.transform = transform
        self.target_transform = target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def __len__(self) -> int:
        raise NotImplementedError

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))
        indent = " " * self._repr_indent
        return "\n".join([f"Dataset {type(self).__name__}"] + [indent + line for line in body])

    def extra_repr(self) -> str:
        """Lines that a subclass adds to the `repr`."""
        return ""


class StandardTransform:
    """A transform of the image and one of the target, applied as a pair."""

    def __init__(
        self, transform: Transform | None = None, target_transform: Transform | None = None
    ) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        """Transform an image and its target."""
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        lines = [type(self).__name__]
        for head, transform in (
            ("Transform: ", self.transform),
            ("Target transform: ", self.target_transform),
        ):
            if transform is not None:
                first, *rest = repr(transform).splitlines()
                lines += [head + first] + [" " * len(head) + line for line in rest]
        return "\n".join(lines)


class HeldImages(VisionDataset):
    """Images of eight bits that are all held in memory, in a form that a subclass knows.

    A sample is a PIL image and an int, each after its transform. A loader reads whole batches at
    once where every step of `transform` can take one.
    """

    train: bool
    classes: list[str]

    def _sample(self, index: Any) -> tuple[Any, Any]:
        """The array `(H, W)` or `(H, W, C)` of one image, and its target."""
        raise NotImplementedError

    def _batch(self, indices: Tensor) -> tuple[Tensor, Tensor] | None:
        """The same for many: `(B, H, W)` or `(B, H, W, C)` and int64 `(B,)`, in fresh memory.

        None where scripts have put something else in place of what was read.
        """
        raise NotImplementedError

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from PIL import Image

        pixels, target = self._sample(index)
        image: Any = Image.fromarray(pixels)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    @stands_for(__getitem__)
    def __gather__(self, indices: Tensor) -> list[Any] | None:
        transform = batch_method(self.transform)
        # One by one, the target's transform draws its numbers between those for two images.
        if transform is None or (self.target_transform is not None and draws(self.transform)):
            return None
        found = self._batch(indices)
        if found is None:
            return None
        images = transform(ImageBatch(found[0]))
        if not isinstance(images, Tensor):
            return None
        targets: Any = found[1]
        if self.target_transform is not None:
            targets = default_collate([self.target_transform(t) for t in targets.tolist()])
        return [images, targets]

    def gathers_plainly(self) -> bool:
        """Whether a gathered batch runs nothing of the user's and draws no random numbers."""
        plain = is_lanterns_own(self.transform) and not draws(self.transform)
        return plain and self.target_transform is None

    def extra_repr(self) -> str:
        """Which split this is."""
        return f"Split: {'Train' if self.train is True else 'Test'}"


class GreyImages(HeldImages):
    """Grey images `data` `(N, H, W)` uint8 with class numbers `targets` `(N,)`."""

    data: Tensor
    targets: Tensor

    def _sample(self, index: Any) -> tuple[Any, Any]:
        return self.data[index].numpy(), int(self.targets[index])

    def _batch(self, indices: Tensor) -> tuple[Tensor, Tensor] | None:
        data, targets = self.data, self.targets
        if (
            type(data) is Tensor
            and type(targets) is Tensor
            and data.dtype == lantern.uint8
            and data.dim() == 3
            and targets.dtype == lantern.int64
            and targets.dim() == 1
        ):
            return data[indices], targets[indices]
        return None

    def __len__(self) -> int:
        return len(self.data)

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class name."""
        return {name: number for number, name in enumerate(self.classes)}


class ColourImages(HeldImages):
    """Colour images `data`, a NumPy array `(N, H, W, 3)` uint8, with a list `targets` of ints."""

    data: Any
    targets: list[int]

    def _sample(self, index: Any) -> tuple[Any, Any]:
        return self.data[index], self.targets[index]

    def _batch(self, indices: Tensor) -> tuple[Tensor, Tensor] | None:
        data, targets = self.data, self.targets
        if not isinstance(data, NumPyValue) or data.dtype.name != "uint8" or data.ndim != 4:
            return None
        if type(targets) is not list:
            return None
        chosen = [targets[index] for index in indices.tolist()]
        if any(type(target) is not int for target in chosen):
            return None
        return lantern.from_numpy(data)[indices], lantern.tensor(chosen)

    def __len__(self) -> int:
        return len(self.data)
