"""Transforms that move pixels: resize, crop, pad, flip, turn and bend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lantern
from lantern import nn
from lantern.data import stands_for
from lantern.tensor import Tensor

from . import functional
from .arguments import (
    check_scale_and_ratio,
    check_sequence,
    checked_fill,
    draw_integer,
    draw_uniform,
    fill_for,
    happens,
    pair,
    range_of_angles,
)
from .batch import chances, on_rows, size_of
from .functional import get_dimensions
from .geometry import borders
from .interpolation import InterpolationMode, as_mode

Size = int | Sequence[int]
ATTEMPTS = 10  # to draw a part that lies inside of the image


class Resize(nn.Module):
    """Resize to `size` `(height, width)`; for one number, its shorter edge, at most `max_size`."""

    def __init__(
        self,
        size: Size,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size = size
        self.max_size = max_size
        self.interpolation = as_mode(interpolation)
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        """Resize one image."""
        return functional.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, interpolation={self.interpolation.value}, "
            f"max_size={self.max_size}, antialias={self.antialias})"
        )


class CenterCrop(nn.Module):
    """Cut out the centre; an image that is smaller gets a black border."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> Any:
        """Crop one image."""
        return functional.center_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class Pad(nn.Module):
    """Add a border of one colour, or of pixels of the image."""

    def __init__(self, padding: Size, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        if not isinstance(padding, (int, float, tuple, list)):
            raise TypeError("Got inappropriate padding arg")
        if not isinstance(fill, (int, float, str, tuple, list)):
            raise TypeError("Got inappropriate fill arg")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
        if isinstance(padding, Sequence) and len(padding) not in (1, 2, 4):
            raise ValueError(
                "Padding must be an int or a 1, 2, or 4 element tuple, not a "
                f"{len(padding)} element tuple"
            )
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        """Pad one image."""
        return functional.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, "
            f"padding_mode={self.padding_mode})"
        )


class FiveCrop(nn.Module):
    """The four corners and the centre, in a tuple."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = pair(size)

    def forward(self, img: Any) -> tuple[Any, ...]:
        """Crop one image."""
        return functional.five_crop(img, self.size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class TenCrop(nn.Module):
    """The four corners and the centre of the image and of the flipped image, in a tuple."""

    def __init__(self, size: Size, vertical_flip: bool = False) -> None:
        super().__init__()
        self.size = pair(size)
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> tuple[Any, ...]:
        """Crop one image."""
        return functional.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"


class RandomCrop(nn.Module):
    """Cut out a part of `size` anywhere in the image, which may be padded first.

    Raises ValueError for an image that is smaller, unless `pad_if_needed`.
    """

    def __init__(
        self,
        size: Size,
        padding: Size | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(pair(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of the part."""
        _, height, width = get_dimensions(img)
        high, wide = output_size
        if height < high or width < wide:
            raise ValueError(
                f"Required crop size {(high, wide)} is larger than input image size "
                f"{(height, width)}"
            )
        if (height, width) == (high, wide):
            return 0, 0, height, width
        top = draw_integer(0, height - high + 1)
        return top, draw_integer(0, width - wide + 1), high, wide

    def forward(self, img: Any) -> Any:
        """Crop one image."""
        if self.padding is not None:
            img = functional.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = get_dimensions(img)
        if self.pad_if_needed and width < self.size[1]:
            missing = [self.size[1] - width, 0]
            img = functional.pad(img, missing, self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            missing = [0, self.size[0] - height]
            img = functional.pad(img, missing, self.fill, self.padding_mode)
        return functional.crop(img, *self.get_params(img, self.size))  # type: ignore[arg-type]

    def _border(self) -> tuple[int, int, int, int]:
        return (0, 0, 0, 0) if self.padding is None else borders(self.padding)

    def words_for(self, size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
        """How many words of the random stream an image takes, and its size afterwards."""
        left, top, right, bottom = self._border()
        padded = (size[0] + top + bottom, size[1] + left + right)
        return (0 if padded == self.size else 2), self.size  # type: ignore[return-value]

    @stands_for(forward, nn.Module.__call__)
    def batch(self, images: Any, words: Tensor | None) -> Any:
        """The same for N images: black borders, and parts of one size."""
        if self.fill != 0 or self.padding_mode != "constant" or self.pad_if_needed:
            return None
        left, top, right, bottom = self._border()
        if min(left, top, right, bottom) < 0 or not all(type(n) is int for n in self.size):
            return None
        height, width = size_of(images)
        spare_rows = height + top + bottom - self.size[0]
        spare_columns = width + left + right - self.size[1]
        if min(spare_rows, spare_columns) < 0 or type(self).get_params is not _CROP_PARAMETERS:
            return None

        def cut(pixels: Tensor) -> Tensor:
            behind = [0, 0] * (pixels.dim() - 3)
            padded = nn.functional.pad(pixels, [*behind, left, right, top, bottom])
            if words is None or words.shape[1] == 0:
                return padded
            rows = lantern.arange(self.size[0]) + words[:, :1] % (spare_rows + 1)
            columns = lantern.arange(self.size[1]) + words[:, 1:] % (spare_columns + 1)
            number = lantern.arange(len(pixels))[:, None, None]
            return padded[number, rows[:, :, None], columns[:, None, :]]

        return on_rows(images, cut)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


_CROP_PARAMETERS = RandomCrop.get_params


def _flipped(images: Any, words: Tensor, p: float, axis: int) -> Any:
    """The batch with some images turned around: those whose draw is below `p`."""
    chosen = chances(words[:, 0]) < p

    def turn(pixels: Tensor) -> Tensor:
        return lantern.where(chosen.view(-1, *[1] * (pixels.dim() - 1)), pixels.flip(axis), pixels)

    return on_rows(images, turn)


class RandomHorizontalFlip(nn.Module):
    """Exchange left and right with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        return functional.hflip(img) if happens(self.p) else img

    def words_for(self, size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
        """How many words of the random stream an image takes, and its size afterwards."""
        return 1, size

    @stands_for(forward, nn.Module.__call__)
    def batch(self, images: Any, words: Tensor) -> Any:
        """The same for N images."""
        return _flipped(images, words, self.p, 2)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomVerticalFlip(nn.Module):
    """Exchange top and bottom with probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        return functional.vflip(img) if happens(self.p) else img

    def words_for(self, size: tuple[int, int]) -> tuple[int, tuple[int, int]]:
        """How many words of the random stream an image takes, and its size afterwards."""
        return 1, size

    @stands_for(forward, nn.Module.__call__)
    def batch(self, images: Any, words: Tensor) -> Any:
        """The same for N images."""
        return _flipped(images, words, self.p, 1)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


def draw_area(area: int, scale: Sequence[float], ratio: Sequence[float]) -> tuple[float, float]:
    """Draw a part of `area` and a quotient of its edges, whose logarithm is uniform."""
    part = area * draw_uniform(scale[0], scale[1])
    low, high = lantern.log(lantern.tensor(ratio)).tolist()
    return part, lantern.exp(lantern.tensor(draw_uniform(low, high))).item()


class RandomResizedCrop(nn.Module):
    """Cut out a part of random size (`scale` of the area) and shape (`ratio`) and resize it."""

    def __init__(
        self,
        size: Size,
        scale: Sequence[float] = (0.08, 1.0),
        ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = pair(size)
        check_scale_and_ratio(scale, ratio)
        self.scale = scale
        self.ratio = ratio
        self.interpolation = as_mode(interpolation)
        self.antialias = antialias

    @staticmethod
    def get_params(
        img: Any, scale: Sequence[float], ratio: Sequence[float]
    ) -> tuple[int, int, int, int]:
        """Draw top, left, height and width of the part."""
        _, height, width = get_dimensions(img)
        for _ in range(ATTEMPTS):
            area, quotient = draw_area(height * width, scale, ratio)
            w = round(math.sqrt(area * quotient))
            h = round(math.sqrt(area / quotient))
            if 0 < w <= width and 0 < h <= height:
                top = draw_integer(0, height - h + 1)
                return top, draw_integer(0, width - w + 1), h, w
        # No part fitted: the largest in the middle whose shape is allowed.
        w, h = width, height
        if width / height < min(ratio):
            h = round(w / min(ratio))
        elif width / height > max(ratio):
            w = round(h * max(ratio))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Any) -> Any:
        """Crop and resize one image."""
        part = self.get_params(img, self.scale, self.ratio)
        return functional.resized_crop(
            img, *part, self.size, self.interpolation, antialias=self.antialias
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}"
            f", scale={tuple(round(s, 4) for s in self.scale)}"
            f", ratio={tuple(round(r, 4) for r in self.ratio)}"
            f", interpolation={self.interpolation.value}, antialias={self.antialias})"
        )


class RandomRotation(nn.Module):
    """Turn by an angle from `degrees`, a range or the bound of one around 0."""

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[int] | None = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = range_of_angles(degrees, "degrees")
        if center is not None:
            check_sequence(center, "center", (2,))
        self.center = center
        self.interpolation = as_mode(interpolation)
        self.expand = expand
        self.fill = checked_fill(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """Draw the angle."""
        return draw_uniform(float(degrees[0]), float(degrees[1]))

    def forward(self, img: Any) -> Any:
        """Turn one image."""
        fill = fill_for(img, self.fill, get_dimensions(img)[0])
        angle = self.get_params(self.degrees)
        return functional.rotate(img, angle, self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        center = "" if self.center is None else f", center={self.center}"
        return (
            f"{type(self).__name__}(degrees={self.degrees}, "
            f"interpolation={self.interpolation.value}, expand={self.expand}{center}, "
            f"fill={self.fill})"
        )


class RandomAffine(nn.Module):
    """Turn, move (by parts of the image), scale and shear, each by a random amount."""

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self.degrees = range_of_angles(degrees, "degrees")
        if translate is not None:
            check_sequence(translate, "translate", (2,))
            if any(not 0.0 <= part <= 1.0 for part in translate):
                raise ValueError("translation values should be between 0 and 1")
        self.translate = translate
        if scale is not None:
            check_sequence(scale, "scale", (2,))
            if any(factor <= 0 for factor in scale):
                raise ValueError("scale values should be positive")
        self.scale = scale
        self.shear = None if shear is None else range_of_angles(shear, "shear", (2, 4))
        self.interpolation = as_mode(interpolation)
        self.fill = checked_fill(fill)
        if center is not None:
            check_sequence(center, "center", (2,))
        self.center = center

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draw angle, translation (x, y), scale and shear (x, y)."""
        angle = draw_uniform(float(degrees[0]), float(degrees[1]))
        move_x = move_y = 0
        if translate is not None:
            most_x, most_y = translate[0] * img_size[0], translate[1] * img_size[1]
            move_x = round(draw_uniform(-most_x, most_x))
            move_y = round(draw_uniform(-most_y, most_y))
        scale = 1.0 if scale_ranges is None else draw_uniform(scale_ranges[0], scale_ranges[1])
        shear_x = shear_y = 0.0
        if shears is not None:
            shear_x = draw_uniform(shears[0], shears[1])
            if len(shears) == 4:
                shear_y = draw_uniform(shears[2], shears[3])
        return angle, (move_x, move_y), scale, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        channels, height, width = get_dimensions(img)
        fill = fill_for(img, self.fill, channels)
        drawn = self.get_params(
            self.degrees, self.translate, self.scale, self.shear, [width, height]
        )
        return functional.affine(
            img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center
        )

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [
            f"{name}={value}"
            for name, value in (
                ("translate", self.translate),
                ("scale", self.scale),
                ("shear", self.shear),
            )
            if value is not None
        ]
        if self.interpolation != InterpolationMode.NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            parts.append(f"fill={self.fill}")
        if self.center is not None:
            parts.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(nn.Module):
    """Move each corner inwards by up to `distortion_scale` halves, with probability `p`."""

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.p = p
        self.interpolation = as_mode(interpolation)
        self.distortion_scale = distortion_scale
        self.fill = checked_fill(fill)

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        channels, height, width = get_dimensions(img)
        fill = fill_for(img, self.fill, channels)
        if not happens(self.p):
            return img
        starts, ends = self.get_params(width, height, self.distortion_scale)
        return functional.perspective(img, starts, ends, self.interpolation, fill)

    @staticmethod
    def get_params(
        width: int, height: int, distortion_scale: float
    ) -> tuple[list[list[int]], list[list[int]]]:
        """The corners, and where they are drawn to go: clockwise from the top left."""
        wide = int(distortion_scale * (width // 2))
        high = int(distortion_scale * (height // 2))
        left, right = (0, wide + 1), (width - wide - 1, width)
        top, bottom = (0, high + 1), (height - high - 1, height)
        ends = [
            [draw_integer(*across), draw_integer(*down)]
            for across, down in ((left, top), (right, top), (right, bottom), (left, bottom))
        ]
        starts = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        return starts, ends

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class ElasticTransform(nn.Module):
    """Move every pixel a little, its neighbours alike: `alpha` is how far, `sigma` how smooth.

    From "Best Practices for Convolutional Neural Networks", P. Simard et al., ICDAR 2003.
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha = _two_floats(alpha, "alpha")
        self.sigma = _two_floats(sigma, "sigma")
        self.interpolation = as_mode(interpolation)
        if not isinstance(fill, (int, float, list, tuple)):
            raise TypeError(
                f"fill should be int or float or a list or tuple of them. Got {type(fill)}"
            )
        values = [fill] if isinstance(fill, (int, float)) else fill
        self.fill = [float(value) for value in values]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Tensor:
        """Draw the displacements `(1, H, W, 2)`."""
        directions = []
        for axis in (0, 1):
            moves = lantern.rand([1, 1, *size]) * 2 - 1
            if sigma[axis] > 0.0:
                width = int(8 * sigma[axis] + 1) | 1
                moves = functional.gaussian_blur(moves, [width, width], list(sigma))
            directions.append(moves * alpha[axis] / size[1 - axis])
        return lantern.cat(directions, 1).permute(0, 2, 3, 1)

    def forward(self, tensor: Any) -> Any:
        """Transform one image."""
        _, height, width = get_dimensions(tensor)
        moves = self.get_params(self.alpha, self.sigma, [height, width])
        return functional.elastic_transform(tensor, moves, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )


def _two_floats(value: Any, name: str) -> list[float]:
    if not isinstance(value, (float, Sequence)):
        raise TypeError(f"{name} should be float or a sequence of floats. Got {type(value)}")
    values = [value, value] if isinstance(value, float) else list(value)
    if len(values) != 2:
        raise ValueError(f"If {name} is a sequence its length should be 2. Got {len(values)}")
    for element in values:
        if not isinstance(element, float):
            raise TypeError(f"{name} should be a sequence of floats. Got {type(element)}")
    return values
