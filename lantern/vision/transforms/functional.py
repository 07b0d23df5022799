"""The transforms as functions, on PIL images and tensors: `torchvision.transforms.functional`.

A function checks its arguments and hands the image to `pil_images.py` or `tensor_images.py`.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import lantern
from lantern.data.collate import NumPyValue
from lantern.tensor import Tensor

from . import pil_images, tensor_images
from .geometry import inverse_affine_matrix, perspective_coefficients, resized_size
from .interpolation import InterpolationMode, as_mode

Image = Any
Fill = float | Sequence[float] | None


def _kind(img: Image) -> Any:
    """The file that has the functions for `img`."""
    if isinstance(img, Tensor):
        return tensor_images
    pil_images.check(img)
    return pil_images


def _pair(size: Any, message: str = "Please provide only two dimensions (h, w) for size.") -> list:
    """Height and width of a size that is one number, or one or two in a sequence."""
    if isinstance(size, (int, float)):
        return [int(size), int(size)]
    if len(size) not in (1, 2):
        raise ValueError(message)
    return [size[0], size[-1]]


def get_dimensions(img: Image) -> list[int]:
    """Channels, height and width of an image."""
    kind = tensor_images if isinstance(img, Tensor) else pil_images
    return kind.dimensions(img)


def get_image_size(img: Image) -> list[int]:
    """Width and height of an image."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Image) -> int:
    """Number of channels of an image."""
    return get_dimensions(img)[0]


def to_tensor(pic: Any) -> Tensor:
    """Turn a PIL image or array `(H, W)`, `(H, W, C)` into a tensor `(C, H, W)`.

    Values of eight bits become floats from 0 to 1; others keep their type and value.
    Raises TypeError for anything else, ValueError for an array of other dimensions.
    """
    if isinstance(pic, NumPyValue):
        image = _array_pixels(pic)
    elif pil_images.is_image(pic):
        image = pil_images.pixels(pic)
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    image = image.permute(2, 0, 1).contiguous()
    if image.dtype != lantern.uint8:
        return image
    return image.to(lantern.get_default_dtype()).div(255)


def _array_pixels(array: Any) -> Tensor:
    """An array as a tensor `(H, W, C)` in the same memory."""
    if array.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
    pixels = lantern.from_numpy(array)
    return pixels.unsqueeze(2) if array.ndim == 2 else pixels


def pil_to_tensor(pic: Any) -> Tensor:
    """Turn a PIL image into a tensor `(C, H, W)` of the same type and values.

    Raises TypeError for anything else.
    """
    if not pil_images.is_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    image = pil_images.pixels(pic, sixteen_bits="uint16").permute(2, 0, 1)
    return image != 0 if pic.mode == "1" else image


# The modes for a number of channels; the first is meant where none is given.
_MODES = {2: ["LA"], 3: ["RGB", "YCbCr", "HSV"], 4: ["RGBA", "CMYK", "RGBX"]}


def to_pil_image(pic: Any, mode: str | None = None) -> Image:
    """Turn a tensor `(C, H, W)` or array `(H, W, C)`, or `(H, W)`, into a PIL image.

    Floats are taken as 0 to 1, unless `mode` is "F". Raises TypeError for anything else or a type
    that no image has, ValueError for other dimensions or a mode that does not fit.

    >>> to_pil_image(lantern.zeros(3, 4, 5)).size
    (5, 4)
    """
    if isinstance(pic, Tensor):
        pixels = pic.detach().permute(1, 2, 0) if pic.dim() == 3 else pic.detach()
    elif isinstance(pic, NumPyValue):
        pixels = lantern.as_tensor(pic)
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    pixels = pixels.unsqueeze(2) if pixels.dim() == 2 else pixels
    if pixels.dim() != 3:
        raise ValueError(f"pic should be 2/3 dimensional. Got {pixels.dim()} dimensions.")
    channels = pixels.shape[-1]
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if pixels.is_floating_point() and mode != "F":
        pixels = (pixels * 255).to(lantern.uint8)
    return pil_images.from_pixels(pixels, _checked_mode(mode, channels, pixels.dtype))


def _checked_mode(mode: str | None, channels: int, dtype: lantern.dtype) -> str:
    if channels == 1:
        single = {
            lantern.uint8: "L",
            lantern.int16: "I;16",
            lantern.int32: "I",
            lantern.float32: "F",
        }
        fitting = single.get(dtype)
        if mode is not None and mode != fitting:
            raise ValueError(
                f"Incorrect mode ({mode}) supplied for input type {dtype}. Should be {fitting}"
            )
        mode = fitting
    elif mode is not None and mode not in _MODES[channels]:
        raise ValueError(
            f"Only modes {_MODES[channels]} are supported for {channels}D inputs, got {mode!r}"
        )
    elif mode is None and dtype == lantern.uint8:
        mode = _MODES[channels][0]
    if mode is None or (channels > 1 and dtype != lantern.uint8):
        raise TypeError(f"Input type {dtype} is not supported")
    return mode


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
    shift, scale = shift_and_scale(mean, std, tensor)
    if inplace:
        return tensor.sub_(shift).div_(scale)
    result = (tensor - shift) / scale
    # With more means than channels the image would grow: that is refused as in place.
    return result if result.shape == tensor.shape else tensor.clone().sub_(shift)


def shift_and_scale(mean: Any, std: Any, tensor: Tensor) -> tuple[Tensor, Tensor]:
    """`mean` and `std` as tensors for images like `tensor`; ValueError for a `std` of zero."""
    shift, scale = _per_channel(mean, tensor), _per_channel(std, tensor)
    if (scale == 0).any():
        raise ValueError(
            f"std evaluated to zero after conversion to {tensor.dtype}, "
            "leading to division by zero."
        )
    return shift, scale


def _per_channel(value: Any, tensor: Tensor) -> Tensor:
    numbers = lantern.as_tensor(value, dtype=tensor.dtype, device=tensor.device)
    return numbers.view(-1, 1, 1) if numbers.dim() == 1 else numbers


def convert_image_dtype(image: Tensor, dtype: lantern.dtype = lantern.float32) -> Tensor:
    """Convert a tensor image to `dtype`, scaled so that full range stays full range.

    Raises TypeError for anything but a tensor, RuntimeError for a float type whose numbers cannot
    count through an integer `dtype`.

    >>> convert_image_dtype(lantern.tensor([0.0, 0.5, 1.0]), lantern.uint8)
    tensor([  0, 127, 255], dtype=torch.uint8)
    """
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    return tensor_images.convert_dtype(image, dtype)


def resize(
    img: Image,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Image:
    """Resize to `(height, width)`, or so that the shorter edge is `size` and the longer fits.

    PIL images are always smoothed. Raises TypeError or ValueError for a size that is none.
    """
    mode = as_mode(interpolation)
    if not isinstance(size, (int, list, tuple)):
        raise TypeError(f"Size should be int or sequence. Got {type(size)}")
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) not in (1, 2):
        raise ValueError(
            f"Size must be an int or a 1 or 2 element tuple/list, not a {len(sizes)} element "
            "tuple/list"
        )
    if max_size is not None and len(sizes) != 1:
        raise ValueError(
            "max_size should only be passed if size specifies the length of the smaller edge, "
            "i.e. size should be an int or a sequence of length 1 in torchscript mode."
        )
    _, height, width = get_dimensions(img)
    target = resized_size(height, width, sizes, max_size)
    if [height, width] == target:
        return img
    if isinstance(img, Tensor):
        return tensor_images.resize(img, target, mode.value, antialias)
    if antialias is False:
        warnings.warn(
            "Anti-alias option is always applied for PIL Image input. Argument antialias is "
            "ignored.",
            stacklevel=2,
        )
    return pil_images.resize(img, target, mode)


def pad(
    img: Image,
    padding: int | Sequence[int],
    fill: Any = 0,
    padding_mode: str = "constant",
) -> Image:
    """Add a border: on all sides, left/right and top/bottom, or left, top, right and bottom.

    `padding_mode` is "constant" (`fill`), "edge", "reflect" or "symmetric".
    Raises TypeError or ValueError for arguments that are none of these.
    """
    return _kind(img).pad(img, padding, fill, padding_mode)


def crop(img: Image, top: int, left: int, height: int, width: int) -> Image:
    """Cut out a part; what lies outside of the image is black."""
    return _kind(img).crop(img, top, left, height, width)


def center_crop(img: Image, output_size: int | Sequence[int]) -> Image:
    """Cut out the centre; an image that is smaller gets a black border."""
    crop_height, crop_width = _pair(output_size)
    _, height, width = get_dimensions(img)
    if crop_width > width or crop_height > height:
        wide, high = max(crop_width - width, 0), max(crop_height - height, 0)
        img = pad(img, [wide // 2, high // 2, (wide + 1) // 2, (high + 1) // 2], fill=0)
        _, height, width = get_dimensions(img)
    if (crop_height, crop_width) == (height, width):
        return img
    top = round((height - crop_height) / 2.0)
    left = round((width - crop_width) / 2.0)
    return crop(img, top, left, crop_height, crop_width)


def resized_crop(
    img: Image,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Image:
    """Cut out a part and resize it."""
    part = crop(img, top, left, height, width)
    return resize(part, size, interpolation, antialias=antialias)


def five_crop(img: Image, size: int | Sequence[int]) -> tuple[Image, ...]:
    """The four corners and the centre. Raises ValueError for a size above that of the image."""
    crop_height, crop_width = _pair(size)
    _, height, width = get_dimensions(img)
    if crop_width > width or crop_height > height:
        raise ValueError(f"Requested crop size {size} is bigger than input size {(height, width)}")
    corners = [
        crop(img, top, left, crop_height, crop_width)
        for top in (0, height - crop_height)
        for left in (0, width - crop_width)
    ]
    return (*corners, center_crop(img, [crop_height, crop_width]))


def ten_crop(
    img: Image, size: int | Sequence[int], vertical_flip: bool = False
) -> tuple[Image, ...]:
    """The five crops of the image and those of the flipped image."""
    flipped = vflip(img) if vertical_flip else hflip(img)
    return five_crop(img, size) + five_crop(flipped, size)


def hflip(img: Image) -> Image:
    """Exchange left and right."""
    return _kind(img).hflip(img)


def vflip(img: Image) -> Image:
    """Exchange top and bottom."""
    return _kind(img).vflip(img)


def _check_affine(angle: Any, center: Any) -> None:
    if not isinstance(angle, (int, float)):
        raise TypeError(f"Argument angle should be int or float, got {angle!r}")
    if center is not None and not isinstance(center, (list, tuple)):
        raise TypeError(f"Argument center should be a sequence, got {center!r}")


def _from_middle(img: Tensor, center: Sequence[float] | None) -> list[float]:
    """`center`, counted from the middle of a tensor image instead of its corner."""
    if center is None:
        return [0.0, 0.0]
    _, height, width = get_dimensions(img)
    return [center[0] - width * 0.5, center[1] - height * 0.5]


def rotate(
    img: Image,
    angle: float,
    interpolation: InterpolationMode = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[int] | None = None,
    fill: Fill = None,
) -> Image:
    """Turn counter-clockwise by `angle` degrees around `center` `(x, y)`, or the middle.

    With `expand` the result is large enough for the whole image.
    """
    mode = as_mode(interpolation)
    _check_affine(angle, center)
    if not isinstance(img, Tensor):
        pil_images.check(img)
        return pil_images.rotate(img, angle, mode, expand, center, fill)
    middle = _from_middle(img, center)
    matrix = inverse_affine_matrix(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return tensor_images.rotate(img, matrix, mode.value, expand, fill)


def affine(
    img: Image,
    angle: float,
    translate: Sequence[int],
    scale: float,
    shear: float | Sequence[float],
    interpolation: InterpolationMode = InterpolationMode.NEAREST,
    fill: Fill = None,
    center: Sequence[int] | None = None,
) -> Image:
    """Turn clockwise by `angle`, move by `translate` pixels, `scale` and `shear` (in degrees).

    Raises TypeError or ValueError for arguments of another kind.
    """
    mode = as_mode(interpolation)
    _check_affine(angle, center)
    if not isinstance(translate, (list, tuple)):
        raise TypeError(f"Argument translate should be a sequence, got {translate!r}")
    if len(translate) != 2:
        raise ValueError(f"Argument translate should be a sequence of length 2, got {translate!r}")
    if scale <= 0.0:
        raise ValueError(f"Argument scale should be positive, got {scale}")
    if not isinstance(shear, (int, float, list, tuple)):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    shears = [shear, 0.0] if isinstance(shear, (int, float)) else list(shear)
    shears = shears * 2 if len(shears) == 1 else shears
    if len(shears) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    _, height, width = get_dimensions(img)
    if not isinstance(img, Tensor):
        middle = [width * 0.5, height * 0.5] if center is None else center
        matrix = inverse_affine_matrix(middle, angle, translate, scale, shears)
        return pil_images.affine(img, matrix, mode, fill)
    matrix = inverse_affine_matrix(_from_middle(img, center), angle, translate, scale, shears)
    return tensor_images.affine(img, matrix, mode.value, fill)


def perspective(
    img: Image,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Image:
    """Move the four corners `startpoints` `(x, y)` to `endpoints`, as a turned plane looks."""
    coefficients = perspective_coefficients(startpoints, endpoints)
    mode = as_mode(interpolation)
    if not isinstance(img, Tensor):
        pil_images.check(img)
        return pil_images.perspective(img, coefficients, mode, fill)
    return tensor_images.perspective(img, coefficients, mode.value, fill)


def elastic_transform(
    img: Image,
    displacement: Tensor,
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    fill: Fill = None,
) -> Image:
    """Take every pixel from a place `displacement` `(1, H, W, 2)` away, in halves of the image."""
    mode = as_mode(interpolation)
    if not isinstance(displacement, Tensor):
        raise TypeError(f"Argument displacement should be a Tensor, got {type(displacement)}")
    _, height, width = get_dimensions(img)
    if displacement.shape != (1, height, width, 2):
        raise ValueError(
            f"Argument displacement shape should be {(1, height, width, 2)}, "
            f"but given {displacement.shape}"
        )
    pixels = img if isinstance(img, Tensor) else pil_to_tensor(img)
    result = tensor_images.elastic(pixels, displacement, mode.value, fill)
    return result if isinstance(img, Tensor) else to_pil_image(result, mode=img.mode)


def to_grayscale(img: Image, num_output_channels: int = 1) -> Image:
    """Turn a PIL image grey, in one or three channels. Raises TypeError for anything else."""
    if not pil_images.is_image(img):
        raise TypeError("Input should be PIL Image")
    return pil_images.grayscale(img, num_output_channels)


def rgb_to_grayscale(img: Image, num_output_channels: int = 1) -> Image:
    """Turn an image grey, in one or three channels."""
    return _kind(img).grayscale(img, num_output_channels)


def _check_factor(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def adjust_brightness(img: Image, brightness_factor: float) -> Image:
    """Brightness: 0 is black, 1 the image, 2 twice as bright."""
    if isinstance(img, Tensor):
        _check_factor("brightness_factor", brightness_factor)
    return _kind(img).adjust_brightness(img, brightness_factor)


def adjust_contrast(img: Image, contrast_factor: float) -> Image:
    """Contrast: 0 is one grey, 1 the image."""
    if isinstance(img, Tensor):
        _check_factor("contrast_factor", contrast_factor)
    return _kind(img).adjust_contrast(img, contrast_factor)


def adjust_saturation(img: Image, saturation_factor: float) -> Image:
    """Saturation of the colours: 0 is grey, 1 the image."""
    if isinstance(img, Tensor):
        _check_factor("saturation_factor", saturation_factor)
    return _kind(img).adjust_saturation(img, saturation_factor)


def adjust_sharpness(img: Image, sharpness_factor: float) -> Image:
    """Sharpness: 0 is smoothed, 1 the image, 2 sharper."""
    if isinstance(img, Tensor):
        _check_factor("sharpness_factor", sharpness_factor)
    return _kind(img).adjust_sharpness(img, sharpness_factor)


def adjust_hue(img: Image, hue_factor: float) -> Image:
    """Move the colours along the circle of colours; ±0.5 is its other side.

    Raises ValueError for a factor outside of that.
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return _kind(img).adjust_hue(img, hue_factor)


def adjust_gamma(img: Image, gamma: float, gain: float = 1) -> Image:
    """`gain * level ** gamma`, for levels from 0 to 1. Raises ValueError for a negative gamma."""
    if gamma < 0:
        raise ValueError(f"Gamma should be a non-negative real number, got {gamma}")
    return _kind(img).adjust_gamma(img, gamma, gain)


def gaussian_blur(
    img: Image, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None
) -> Image:
    """Blur with a bell of `kernel_size` `(x, y)` pixels, both odd, and of the width `sigma`.

    Raises TypeError or ValueError for sizes and widths that are none.
    """
    if not isinstance(kernel_size, (int, list, tuple)):
        raise TypeError(
            f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}"
        )
    sizes = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(sizes) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(sizes)}")
    if any(size % 2 == 0 or size < 0 for size in sizes):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {sizes}")
    if sigma is None:
        sigma = [size * 0.15 + 0.35 for size in sizes]
    if not isinstance(sigma, (int, float, list, tuple)):
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    widths = [float(sigma)] if isinstance(sigma, (int, float)) else list(sigma)
    widths = widths * 2 if len(widths) == 1 else widths
    if len(widths) != 2:
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(widths)}")
    if any(width <= 0.0 for width in widths):
        raise ValueError(f"sigma should have positive values. Got {widths}")
    if isinstance(img, Tensor):
        return tensor_images.gaussian_blur(img, sizes, widths)
    if not pil_images.is_image(img):
        raise TypeError(f"img should be PIL Image or Tensor. Got {type(img)}")
    blurred = tensor_images.gaussian_blur(pil_to_tensor(img), sizes, widths)
    return to_pil_image(blurred, mode=img.mode)


def invert(img: Image) -> Image:
    """The negative of an image."""
    return _kind(img).invert(img)


def posterize(img: Image, bits: int) -> Image:
    """Keep the first `bits` bits of each level. Raises ValueError for more than eight."""
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    return _kind(img).posterize(img, bits)


def solarize(img: Image, threshold: float) -> Image:
    """The negative of all levels from `threshold` up."""
    return _kind(img).solarize(img, threshold)


def autocontrast(img: Image) -> Image:
    """Stretch each channel to the full range."""
    return _kind(img).autocontrast(img)


def equalize(img: Image) -> Image:
    """Make every level of a channel as frequent as any other, as near as it goes."""
    return _kind(img).equalize(img)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """Put `v` in place of the rectangle of a tensor image from row `i` and column `j` on."""
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    return tensor_images.erase(img, i, j, h, w, v, inplace)
