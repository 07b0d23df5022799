"""Transforms that chain others, and those between images, arrays and tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lantern
from lantern import nn
from lantern.data import stands_for
from lantern.tensor import Tensor

from . import functional
from .batch import ImageBatch, batch_method


class Compose:
    """Apply `transforms` one after the other.

    >>> Compose([ToTensor(), Normalize(0.1307, 0.3081)])
    Compose(
        ToTensor()
        Normalize(mean=0.1307, std=0.3081)
    )
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        """Transform one image."""
        for transform in self.transforms:
            img = transform(img)
        return img

    def chained(self) -> Sequence[Callable[[Any], Any]]:
        """The transforms, for those who run them on batches."""
        return self.transforms

    @stands_for(__call__)
    def batch(self, images: Any) -> Any:
        """The same for N images, where every transform can take them at once."""
        method = batch_method(self)
        return None if method is None else method(images)

    def __repr__(self) -> str:
        lines = "".join(f"\n    {transform}" for transform in self.transforms)
        return f"{type(self).__name__}({lines}\n)"


class ToTensor:
    """Turn a PIL image or array `(H, W)`, `(H, W, C)` into a tensor `(C, H, W)`.

    Values of eight bits become floats from 0 to 1; others keep their type and value.
    Raises TypeError for anything else, tensors included.
    """

    def __call__(self, pic: Any) -> Tensor:
        """Transform one image."""
        return functional.to_tensor(pic)

    @stands_for(__call__)
    def batch(self, images: Any) -> Tensor | None:
        """The same for N images: a tensor `(N, C, H, W)`."""
        if not isinstance(images, ImageBatch):
            return None
        pixels = images.channels_first().contiguous()
        return pixels.to(lantern.get_default_dtype()).div(255)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """Turn a PIL image into a tensor `(C, H, W)` of the same type and values.

    Raises TypeError for anything else.
    """

    def __call__(self, pic: Any) -> Tensor:
        """Transform one image."""
        return functional.pil_to_tensor(pic)

    @stands_for(__call__)
    def batch(self, images: Any) -> Tensor | None:
        """The same for N images: a tensor `(N, C, H, W)`."""
        if not isinstance(images, ImageBatch):
            return None
        # Collated one by one, the result is packed.
        return images.channels_first().contiguous()

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ToPILImage:
    """Turn a tensor `(C, H, W)` or array `(H, W, C)` into a PIL image of `mode`, or a fitting one.

    Raises TypeError or ValueError for a type, dimensions or a mode that do not fit.
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        """Transform one image."""
        return functional.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class ConvertImageDtype(nn.Module):
    """Convert a tensor image to `dtype`, scaled so that the full range stays the full range.

    Raises RuntimeError for a float type whose numbers cannot count through an integer `dtype`.
    """

    def __init__(self, dtype: lantern.dtype) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Tensor) -> Tensor:
        """Convert a tensor image of any shape."""
        return functional.convert_image_dtype(image, self.dtype)

    @stands_for(forward, nn.Module.__call__)
    def batch(self, images: Any) -> Tensor | None:
        """The same for N images."""
        return self.forward(images) if isinstance(images, Tensor) else None


class Normalize(nn.Module):
    """Subtract `mean` from a tensor image `(..., C, H, W)` and divide by `std`.

    Both are one number, or one per channel. Raises TypeError for an image that is no float
    tensor, ValueError for fewer than three dimensions or a `std` of zero.

    >>> Normalize(0.5, 0.5)(lantern.tensor([[[0.0, 0.5, 1.0]]]))
    tensor([[[-1.,  0.,  1.]]])
    """

    def __init__(
        self, mean: float | Sequence[float], std: float | Sequence[float], inplace: bool = False
    ) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Tensor) -> Tensor:
        """Normalize one tensor image."""
        return functional.normalize(tensor, self.mean, self.std, self.inplace)

    @stands_for(forward, nn.Module.__call__)
    def batch(self, images: Any) -> Tensor | None:
        """The same for N images."""
        # A mean with an axis for each pixel, or more, could meet the axis N of the batch.
        if not (isinstance(images, Tensor) and _per_channel(self.mean) and _per_channel(self.std)):
            return None
        if not images.is_floating_point() or images.dim() < 4 or not images.is_cpu:
            return functional.normalize(images, self.mean, self.std)
        key = repr((self.mean, self.std)), images.dtype
        made = self.__dict__.get("_prepared")  # an object from an older file has none
        if made is None or made[0] != key:
            made = self._prepared = key, functional.shift_and_scale(self.mean, self.std, images)
        shift, scale = made[1]
        result = (images - shift) / scale
        if result.shape != images.shape:  # more means than channels: this raises
            return functional.normalize(images, self.mean, self.std)
        return result

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(nn.Module):
    """Subtract `mean_vector` `(D,)` from an image of D numbers, multiply by a matrix `(D, D)`.

    Whitening, for one. Raises ValueError for sizes and types that do not fit.
    """

    def __init__(self, transformation_matrix: Tensor, mean_vector: Tensor) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(
                "transformation_matrix should be square. Got "
                f"{tuple(transformation_matrix.shape)} rectangular matrix."
            )
        if len(mean_vector) != rows:
            raise ValueError(
                f"mean_vector should have the same length {len(mean_vector)} as any one of the "
                f"dimensions of the transformation_matrix [{tuple(transformation_matrix.shape)}]"
            )
        if transformation_matrix.dtype != mean_vector.dtype:
            raise ValueError(
                "Input tensors should have the same dtype. Got "
                f"{transformation_matrix.dtype} and {mean_vector.dtype}"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Tensor) -> Tensor:
        """Transform a tensor image `(..., C, H, W)`."""
        channels, height, width = tensor.shape[-3:]
        count = channels * height * width
        if count != len(self.transformation_matrix):
            raise ValueError(
                "Input tensor and transformation matrix have incompatible shape."
                f"[{channels} x {height} x {width}] != {len(self.transformation_matrix)}"
            )
        flat = tensor.reshape(-1, count) - self.mean_vector
        return lantern.mm(flat, self.transformation_matrix.to(flat.dtype)).view(tensor.shape)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(transformation_matrix={self.transformation_matrix.tolist()}, "
            f"mean_vector={self.mean_vector.tolist()})"
        )


class Lambda:
    """Apply the function `lambd`. Raises TypeError where it cannot be called.

    >>> Lambda(lambda image: image * 2)(3)
    6
    """

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        """Transform one image."""
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _per_channel(value: Any) -> bool:
    numbers = value if isinstance(value, (list, tuple)) else [value]
    return all(isinstance(number, (int, float)) for number in numbers)
