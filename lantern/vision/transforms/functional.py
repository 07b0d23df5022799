"""The arithmetic of the transforms, on single images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lantern
from lantern.data.collate import NumPyValue
from lantern.tensor import Tensor


def to_tensor(pic: Any) -> Tensor:
    """Turn a PIL image or array `(H, W)`, `(H, W, C)` into a tensor `(C, H, W)`.

    Values of eight bits become floats from 0 to 1; others keep their type and value.
    Raises TypeError for anything else, ValueError for an array of other dimensions.
    """
    if isinstance(pic, NumPyValue):
        image = _array_pixels(pic)
    elif _is_pil_image(pic):
        image = _pil_pixels(pic)
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    image = image.permute(2, 0, 1).contiguous()
    if image.dtype != lantern.uint8:
        return image
    return image.to(lantern.get_default_dtype()).div(255)


def pil_to_tensor(pic: Any) -> Tensor:
    """Turn a PIL image into a tensor `(C, H, W)` of the same type and values.

    Raises TypeError for anything else.
    """
    if not _is_pil_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    image = _pil_pixels(pic, sixteen_bits="uint16").permute(2, 0, 1)
    return image != 0 if pic.mode == "1" else image


def normalize(
    tensor: Tensor,
    mean: float | Sequence[float],
    std: float | Sequence[float],
    inplace: bool = False,
) -> Tensor:
    """Subtract `mean` from a tensor image `(..., C, H, W)` and divide by `std`, per channel.

    Raises TypeError for anything but a float tensor, ValueError for fewer than three dimensions
    or a `std` of zero.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if tensor.dim() < 2:
        raise TypeError("Tensor is not a torch image.")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.dim() < 3:
        raise ValueError(
            "Expected tensor to be a tensor image of size (..., C, H, W). "
            f"Got tensor.size() = {tensor.size()}"
        )
    shift = _per_channel(mean, tensor)
    scale = _per_channel(std, tensor)
    if (scale == 0).any():
        raise ValueError(
            f"std evaluated to zero after conversion to {tensor.dtype}, "
            "leading to division by zero."
        )
    if inplace:
        return tensor.sub_(shift).div_(scale)
    result = (tensor - shift) / scale
    # With more means than channels the image would grow: that is refused as in place.
    return result if result.shape == tensor.shape else tensor.clone().sub_(shift)


def convert_image_dtype(image: Tensor, dtype: lantern.dtype | None = None) -> Tensor:
    """Convert a tensor image to `dtype` (float32), scaled so that full range stays full range.

    Raises TypeError for anything but a tensor, RuntimeError for a float type whose numbers cannot
    count through an integer `dtype`.

    >>> convert_image_dtype(lantern.tensor([0.0, 0.5, 1.0]), lantern.uint8)
    tensor([  0, 127, 255], dtype=torch.uint8)
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    dtype = lantern.float32 if dtype is None else dtype
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        return image.to(dtype) if dtype.is_floating_point else _float_to_integer(image, dtype)
    top = _largest(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / top
    # Integer ranges are powers of two: whole factors, the largest value is not mapped exactly.
    if top > _largest(dtype):
        factor = (top + 1) // (_largest(dtype) + 1)
        return image.div(factor, rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((_largest(dtype) + 1) // (top + 1))


def _float_to_integer(image: Tensor, dtype: lantern.dtype) -> Tensor:
    unsafe = {
        lantern.float32: (lantern.int32, lantern.int64),
        lantern.float64: (lantern.int64,),
    }
    if dtype in unsafe.get(image.dtype, ()):
        raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
    # Just below one more than the largest value: every integer gets an equal share of 0..1.
    return image.mul(_largest(dtype) + 1.0 - 1e-3).to(dtype)


def _largest(dtype: lantern.dtype) -> int:
    return 1 if dtype == lantern.bool else lantern.iinfo(dtype).max


def _per_channel(value: Any, tensor: Tensor) -> Tensor:
    numbers = lantern.as_tensor(value, dtype=tensor.dtype, device=tensor.device)
    return numbers.view(-1, 1, 1) if numbers.dim() == 1 else numbers


def _is_pil_image(value: Any) -> bool:
    from PIL import Image

    return isinstance(value, Image.Image)


def _array_pixels(array: Any) -> Tensor:
    """An array as a tensor `(H, W, C)` in the same memory."""
    if array.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    pixels = lantern.from_numpy(array)
    return pixels.unsqueeze(2) if array.ndim == 2 else pixels


def _pil_pixels(image: Any, sixteen_bits: str = "int16") -> Tensor:
    """A copy of the pixels of a PIL image as a tensor `(H, W, C)`; black and white as 0 and 255."""
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
