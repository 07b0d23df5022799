"""Images in files, read and written by Pillow: the names of `torchvision.io`."""

from __future__ import annotations

import io as _io
import os
from enum import Enum
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.tensor import Tensor

from .transforms.functional import pil_to_tensor, to_pil_image

__all__ = [
    "ImageReadMode",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]


class ImageReadMode(Enum):
    """The channels that an image is read as."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_PILLOW_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGB_ALPHA: "RGBA",
}


def read_file(path: str | os.PathLike) -> Tensor:
    """The bytes of a file as a uint8 tensor `(N,)`."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    if not content:
        return lantern.empty(0, dtype=lantern.uint8)
    return lantern.frombuffer(content, dtype=lantern.uint8)


def write_file(filename: str | os.PathLike, data: Tensor) -> None:
    """Write a uint8 tensor `(N,)` to a file, byte by byte."""
    if data.dtype != lantern.uint8 or data.dim() != 1:
        raise RuntimeError(
            f"Input data should be a one-dimensional torch.uint8 tensor, got {data.dtype} with "
            f"{data.dim()} dimensions"
        )
    with open(filename, "wb") as file:
        file.write(data.contiguous().numpy().tobytes())


def decode_image(
    input: Tensor | str | os.PathLike,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Tensor:
    """The image `(C, H, W)` in the bytes `(N,)` of a file, or in the file of that name.

    Raises RuntimeError for bytes that are no image.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    content: Any = input
    if isinstance(input, Tensor):
        content = _io.BytesIO(input.contiguous().numpy().tobytes())
    try:
        with Image.open(content) as image:
            image.load()
            turned = ImageOps.exif_transpose(image) if apply_exif_orientation else image
            return _pixels(turned, mode)
    except (UnidentifiedImageError, SyntaxError) as error:
        raise RuntimeError(f"{error}: the bytes are not those of an image") from error


def _pixels(image: Any, mode: ImageReadMode | str) -> Tensor:
    wanted = ImageReadMode[mode.upper()] if isinstance(mode, str) else mode
    if wanted is not ImageReadMode.UNCHANGED:
        image = image.convert(_PILLOW_MODES[wanted])
    elif image.mode == "P":  # numbers of colours mean nothing without their table
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    return pil_to_tensor(image).contiguous()


def read_image(
    path: str | os.PathLike,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Tensor:
    """The image `(C, H, W)` in a file. Raises RuntimeError for a file that is no image."""
    return decode_image(path, mode, apply_exif_orientation)


def decode_png(input: Tensor, mode: ImageReadMode = ImageReadMode.UNCHANGED) -> Tensor:
    """The image `(C, H, W)` in the bytes `(N,)` of a PNG file."""
    return decode_image(input, mode)


def decode_jpeg(input: Tensor, mode: ImageReadMode = ImageReadMode.UNCHANGED) -> Tensor:
    """The image `(C, H, W)` in the bytes `(N,)` of a JPEG file."""
    return decode_image(input, mode)


def _encoded(input: Tensor, format: str, **options: Any) -> Tensor:
    if input.dtype != lantern.uint8:
        raise RuntimeError(f"Input tensor dtype should be uint8, got {input.dtype}")
    if input.dim() != 3 or input.shape[0] not in (1, 3):
        raise RuntimeError(
            "The number of channels should be 1 or 3, in a tensor (C, H, W); got "
            f"{tuple(input.shape)}"
        )
    stream = _io.BytesIO()
    to_pil_image(input).save(stream, format=format, **options)
    return lantern.frombuffer(bytearray(stream.getvalue()), dtype=lantern.uint8)


def encode_png(input: Tensor, compression_level: int = 6) -> Tensor:
    """The bytes `(N,)` of a PNG file of a uint8 image `(C, H, W)`."""
    return _encoded(input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Tensor, quality: int = 75) -> Tensor:
    """The bytes `(N,)` of a JPEG file of a uint8 image `(C, H, W)`."""
    return _encoded(input, "JPEG", quality=quality)


def write_png(input: Tensor, filename: str | os.PathLike, compression_level: int = 6) -> None:
    """Write a uint8 image `(C, H, W)` to a PNG file."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: str | os.PathLike, quality: int = 75) -> None:
    """Write a uint8 image `(C, H, W)` to a JPEG file."""
    write_file(filename, encode_jpeg(input, quality))


__getattr__ = missing(__name__)
