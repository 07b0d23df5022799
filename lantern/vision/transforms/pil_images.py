"""The transforms on PIL images: what Pillow has, called as torchvision calls it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import lantern
from lantern.tensor import Tensor

from .geometry import border_indices, borders, check_padding
from .interpolation import PILLOW_NUMBERS, InterpolationMode

Image = Any
Fill = float | Sequence[float] | None


@functools.cache
def _image_type() -> type:
    from PIL import Image

    return Image.Image


def is_image(value: Any) -> bool:
    """Whether `value` is a PIL image."""
    return isinstance(value, _image_type())


def check(value: Any) -> None:
    """Raise TypeError for anything but a PIL image."""
    if not is_image(value):
        raise TypeError(f"img should be PIL Image. Got {type(value)}")


def dimensions(img: Image) -> list[int]:
    """Channels, height and width."""
    if not is_image(img):
        raise TypeError(f"Unexpected type {type(img)}")
    width, height = img.size
    return [len(img.getbands()), height, width]


def pixels(image: Image, sixteen_bits: str = "int16") -> Tensor:
    """A copy of the pixels as a tensor `(H, W, C)`; black and white as 0 and 255."""
    wide_modes = {"I": "int32", "F": "float32", "I;16": sixteen_bits}
    if image.mode.startswith("I;16") and image.mode != "I;16":
        raise TypeError(f"PIL images of mode {image.mode} are not supported; convert to mode I")
    # Bits are packed in memory, bytes are not.
    source = image.convert("L") if image.mode == "1" else image
    dtype = getattr(lantern, wide_modes.get(image.mode, "uint8"))
    shape = (image.size[1], image.size[0], len(image.getbands()))
    content = bytearray(source.tobytes())
    if not content:
        return lantern.empty(shape, dtype=dtype)
    return lantern.frombuffer(content, dtype=dtype).view(shape)


def from_pixels(values: Tensor, mode: str) -> Image:
    """The image of `mode` whose pixels are `values` `(H, W, C)`."""
    from PIL import Image

    height, width = values.shape[:2]
    return Image.frombytes(mode, (width, height), values.contiguous().numpy().tobytes())


def fill_values(fill: Fill, img: Image) -> Any:
    """A filling as Pillow takes it: one number, or one for each channel."""
    channels = len(img.getbands())
    fill = 0 if fill is None else fill
    if isinstance(fill, (int, float)):
        values = [fill] * channels
    else:
        values = list(fill) * (channels if len(fill) == 1 else 1)
    if len(values) != channels:
        raise ValueError(
            "The number of elements in 'fill' does not match the number of channels of the image "
            f"({len(values)} != {channels})"
        )
    if img.mode != "F":
        values = [int(value) for value in values]
    return values[0] if channels == 1 else tuple(values)


def hflip(img: Image) -> Image:
    """Exchange left and right."""
    from PIL import Image

    return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img: Image) -> Image:
    """Exchange top and bottom."""
    from PIL import Image

    return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def crop(img: Image, top: int, left: int, height: int, width: int) -> Image:
    """A part; what lies outside of the image is black."""
    return img.crop((left, top, left + width, top + height))


def pad(img: Image, padding: Any, fill: Fill = 0, padding_mode: str = "constant") -> Image:
    """A border of one colour, or of pixels of the image."""
    from PIL import ImageOps

    left, top, right, bottom = borders(padding)
    if fill is not None and not isinstance(fill, (int, float, tuple, list)):
        raise TypeError(f"Got inappropriate fill arg {fill!r}")
    check_padding(padding_mode)
    palette = img.getpalette() if img.mode == "P" else None
    if padding_mode == "constant":
        colour = fill_values(fill, img)
        padded = ImageOps.expand(img, border=(left, top, right, bottom), fill=colour)
    else:
        cut = [max(0, -edge) for edge in (left, top, right, bottom)]
        if any(cut):
            img = img.crop((cut[0], cut[1], img.width - cut[2], img.height - cut[3]))
        values = pixels(img)
        rows = border_indices(img.height, max(0, top), max(0, bottom), padding_mode)
        columns = border_indices(img.width, max(0, left), max(0, right), padding_mode)
        padded = from_pixels(values[rows][:, columns], img.mode)
    if palette is not None:
        padded.putpalette(palette)
    return padded


def resize(img: Image, size: Sequence[int], interpolation: InterpolationMode) -> Image:
    """A new height and width."""
    height, width = size
    return img.resize((width, height), PILLOW_NUMBERS[interpolation])


def affine(
    img: Image, matrix: Sequence[float], interpolation: InterpolationMode, fill: Fill
) -> Image:
    """The image through an affine map of six numbers."""
    from PIL import Image

    return img.transform(
        img.size,
        Image.Transform.AFFINE,
        matrix,
        PILLOW_NUMBERS[interpolation],
        fillcolor=fill_values(fill, img),
    )


def rotate(
    img: Image,
    angle: float,
    interpolation: InterpolationMode,
    expand: bool,
    center: Sequence[int] | None,
    fill: Fill,
) -> Image:
    """The image turned counter-clockwise by `angle` degrees."""
    return img.rotate(
        angle, PILLOW_NUMBERS[interpolation], expand, center, fillcolor=fill_values(fill, img)
    )


def perspective(
    img: Image, coefficients: Sequence[float], interpolation: InterpolationMode, fill: Fill
) -> Image:
    """The image through a perspective map of eight numbers."""
    from PIL import Image

    return img.transform(
        img.size,
        Image.Transform.PERSPECTIVE,
        coefficients,
        PILLOW_NUMBERS[interpolation],
        fillcolor=fill_values(fill, img),
    )


def grayscale(img: Image, num_output_channels: int) -> Image:
    """Grey, in one or three channels."""
    from PIL import Image

    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    grey = img.convert("L")
    return grey if num_output_channels == 1 else Image.merge("RGB", [grey] * 3)


def adjust_brightness(img: Image, factor: float) -> Image:
    """Between black (0) and the image (1), and beyond."""
    from PIL import ImageEnhance

    return ImageEnhance.Brightness(img).enhance(factor)


def adjust_contrast(img: Image, factor: float) -> Image:
    """Between its mean grey (0) and the image (1), and beyond."""
    from PIL import ImageEnhance

    return ImageEnhance.Contrast(img).enhance(factor)


def adjust_saturation(img: Image, factor: float) -> Image:
    """Between the grey image (0) and the image (1), and beyond."""
    from PIL import ImageEnhance

    return ImageEnhance.Color(img).enhance(factor)


def adjust_sharpness(img: Image, factor: float) -> Image:
    """Between a smoothed image (0) and the image (1), and beyond."""
    from PIL import ImageEnhance

    return ImageEnhance.Sharpness(img).enhance(factor)


def adjust_hue(img: Image, factor: float) -> Image:
    """The colours moved along the circle of colours by `factor` of it."""
    from PIL import Image

    if img.mode in {"L", "1", "I", "F"}:
        return img
    hue, saturation, value = img.convert("HSV").split()
    moved = hue.point([(level + int(factor * 255)) % 256 for level in range(256)])
    return Image.merge("HSV", (moved, saturation, value)).convert(img.mode)


def adjust_gamma(img: Image, gamma: float, gain: float) -> Image:
    """255 * gain * (level / 255) ** gamma, for each level."""
    table = [int((255 + 1 - 1e-3) * gain * pow(level / 255.0, gamma)) for level in range(256)]
    return img.convert("RGB").point(table * 3).convert(img.mode)


def invert(img: Image) -> Image:
    """The negative."""
    from PIL import ImageOps

    return ImageOps.invert(img)


def posterize(img: Image, bits: int) -> Image:
    """Only the first bits of each level."""
    from PIL import ImageOps

    return ImageOps.posterize(img, bits)


def solarize(img: Image, threshold: float) -> Image:
    """The negative from `threshold` up."""
    from PIL import ImageOps

    return ImageOps.solarize(img, threshold)  # type: ignore[arg-type]


def autocontrast(img: Image) -> Image:
    """Each channel stretched to the full range."""
    from PIL import ImageOps

    return ImageOps.autocontrast(img)


def equalize(img: Image) -> Image:
    """Each channel with every level as often as any other."""
    from PIL import ImageOps

    return ImageOps.equalize(img)
