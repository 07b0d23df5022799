"""Random images, to try a program without data."""

from __future__ import annotations

from typing import Any

import lantern

from ..transforms.functional import to_pil_image
from .vision import Transform, VisionDataset


class FakeData(VisionDataset):
    """`size` images of noise `image_size` `(C, H, W)` with random classes, the same each time.

    >>> image, target = FakeData(size=2, image_size=(3, 4, 5))[0]
    >>> image.size, target
    ((5, 4), 9)
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        generator = lantern.Generator().manual_seed(index + self.random_offset)
        noise = lantern.randn(*self.image_size, generator=generator)
        target: Any = int(lantern.randint(0, self.num_classes, (1,), generator=generator))
        image = to_pil_image(noise)
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __len__(self) -> int:
        return self.size
