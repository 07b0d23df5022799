"""The transforms on tensor images `(..., C, H, W)`, in tensor arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lantern
from lantern.nn import functional
from lantern.tensor import Tensor

from .geometry import border_indices, borders, check_padding

Fill = float | Sequence[float] | None


def check(img: Tensor) -> None:
    """Raise TypeError for a tensor that is no image."""
    if img.ndim < 2:
        raise TypeError("Tensor is not a torch image.")


def dimensions(img: Tensor) -> list[int]:
    """Channels, height and width."""
    check(img)
    return [1 if img.ndim == 2 else img.shape[-3], *img.shape[-2:]]


def largest(dtype: lantern.dtype) -> int:
    """The value of white."""
    if dtype.is_floating_point or dtype == lantern.bool:
        return 1
    return lantern.iinfo(dtype).max


def _check_channels(img: Tensor, least_dimensions: int = 2, permitted: Any = (1, 3)) -> None:
    check(img)
    if img.ndim < least_dimensions:
        raise TypeError(
            f"Input image tensor should have at least {least_dimensions} dimensions, "
            f"but found {img.ndim}"
        )
    found = dimensions(img)[0]
    if found not in permitted:
        raise TypeError(
            f"Input image tensor permitted channel values are {list(permitted)}, but found {found}"
        )


def _float_type(img: Tensor) -> lantern.dtype:
    return img.dtype if img.is_floating_point() else lantern.float32


def _as_batch(img: Tensor, *kept: lantern.dtype) -> Tensor:
    """The image as `(N, C, H, W)` in a floating type, float32 unless it is one of `kept`."""
    img = img.unsqueeze(0) if img.ndim < 4 else img
    return img if img.dtype in kept else img.to(kept[0])


def _as_it_was(result: Tensor, img: Tensor) -> Tensor:
    """Undo `_as_batch`: the dimensions and the type of `img`, integers rounded."""
    result = result.squeeze(0) if img.ndim < 4 else result
    if result.dtype == img.dtype:
        return result
    return (result if img.is_floating_point() else lantern.round(result)).to(img.dtype)


def hflip(img: Tensor) -> Tensor:
    """Exchange left and right."""
    check(img)
    return img.flip(-1)


def vflip(img: Tensor) -> Tensor:
    """Exchange top and bottom."""
    check(img)
    return img.flip(-2)


def crop(img: Tensor, top: int, left: int, height: int, width: int) -> Tensor:
    """A part; what lies outside of the image is black."""
    _, high, wide = dimensions(img)
    right, bottom = left + width, top + height
    part = img[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if left >= 0 and top >= 0 and right <= wide and bottom <= high:
        return part
    missing = [
        max(-left + min(0, right), 0),
        max(-top + min(0, bottom), 0),
        max(right - max(wide, left), 0),
        max(bottom - max(high, top), 0),
    ]
    return pad(part, missing)


def pad(img: Tensor, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Tensor:
    """A border of one value, or of pixels of the image."""
    check(img)
    left, top, right, bottom = borders(padding)
    fill = 0 if fill is None else fill
    if not isinstance(fill, (int, float)):
        raise TypeError(f"Got inappropriate fill arg {fill!r}")
    check_padding(padding_mode)
    if padding_mode == "constant":
        return functional.pad(img, [left, right, top, bottom], value=float(fill))
    _, height, width = dimensions(img)
    if padding_mode == "reflect":
        _check_reflection((left, right), width)
        _check_reflection((top, bottom), height)
    rows = border_indices(height, top, bottom, padding_mode)
    columns = border_indices(width, left, right, padding_mode)
    return img[..., rows, :][..., columns]


def _check_reflection(edges: tuple[int, int], length: int) -> None:
    if max(edges) >= length:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, "
            f"but got: padding {edges} at a dimension of {length}"
        )


def resize(img: Tensor, size: Sequence[int], interpolation: str, antialias: bool | None) -> Tensor:
    """A new height and width."""
    check(img)
    smooth = interpolation in ("bilinear", "bicubic")
    options: dict[str, Any] = {"mode": interpolation}
    if smooth:
        options.update(align_corners=False, antialias=bool(antialias))
    batch = _as_batch(img, lantern.float32, lantern.float64)
    result = functional.interpolate(batch, size=list(size), **options)
    if interpolation == "bicubic" and img.dtype == lantern.uint8:
        result = result.clamp(0, 255)
    return _as_it_was(result, img)


def affine(img: Tensor, matrix: Sequence[float], interpolation: str, fill: Fill) -> Tensor:
    """The image through an affine map of six numbers, whose origin is the centre."""
    _, height, width = dimensions(img)
    grid = _affine_grid(img, matrix, height, width)
    return _sample(img, grid, interpolation, fill)


def rotate(
    img: Tensor, matrix: Sequence[float], interpolation: str, expand: bool, fill: Fill
) -> Tensor:
    """The same with an output that, if `expand`, is large enough for the whole image."""
    _, height, width = dimensions(img)
    if expand:
        height, width = _expanded(matrix, height, width)
    return _sample(img, _affine_grid(img, matrix, height, width), interpolation, fill)


def _expanded(matrix: Sequence[float], height: int, width: int) -> tuple[int, int]:
    """Height and width of the box around the image after the map."""
    half = lantern.tensor([width * 0.5, height * 0.5])
    corners = lantern.tensor([[-1.0, -1, 1], [-1, 1, 1], [1, 1, 1], [1, -1, 1]])
    corners[:, :2] *= half
    moved = corners @ lantern.tensor(matrix, dtype=lantern.float32).view(2, 3).T
    # What is off by rounding only does not count for a whole pixel.
    lowest = lantern.floor(((moved.amin(0) + half) / 1e-4).trunc() * 1e-4)
    highest = lantern.ceil(((moved.amax(0) + half) / 1e-4).trunc() * 1e-4)
    wide, high = (highest - lowest).tolist()
    return int(high), int(wide)


def _places(count: int, start: float, dtype: lantern.dtype) -> Tensor:
    return lantern.linspace(start, start + count - 1, steps=count).to(dtype)


def _grid_of_places(height: int, width: int, top: float, left: float, dtype: Any) -> Tensor:
    """The places `(x, y, 1)` of all pixels `(1, H * W, 3)`."""
    base = lantern.ones(1, height, width, 3, dtype=dtype)
    base[..., 0] = _places(width, left, dtype)
    base[..., 1] = _places(height, top, dtype).unsqueeze(-1)
    return base.view(1, height * width, 3)


def _affine_grid(img: Tensor, matrix: Sequence[float], height: int, width: int) -> Tensor:
    dtype = _float_type(img)
    theta = lantern.tensor(matrix, dtype=dtype).reshape(1, 2, 3)
    half = lantern.tensor([0.5 * img.shape[-1], 0.5 * img.shape[-2]], dtype=dtype)
    base = _grid_of_places(height, width, 0.5 - height * 0.5, 0.5 - width * 0.5, dtype)
    return base.bmm(theta.transpose(1, 2) / half).view(1, height, width, 2)


def perspective(
    img: Tensor, coefficients: Sequence[float], interpolation: str, fill: Fill
) -> Tensor:
    """The image through a perspective map of eight numbers."""
    _, height, width = dimensions(img)
    dtype = _float_type(img)
    a, b, c, d, e, f, g, h = coefficients
    top = lantern.tensor([[[a, b, c], [d, e, f]]], dtype=dtype).transpose(1, 2)
    below = lantern.tensor([[[g, h, 1.0], [g, h, 1.0]]], dtype=dtype).transpose(1, 2)
    half = lantern.tensor([0.5 * width, 0.5 * height], dtype=dtype)
    base = _grid_of_places(height, width, 0.5, 0.5, dtype)
    grid = base.bmm(top / half) / base.bmm(below) - 1.0
    return _sample(img, grid.view(1, height, width, 2), interpolation, fill)


def elastic(img: Tensor, displacement: Tensor, interpolation: str, fill: Fill) -> Tensor:
    """Every pixel taken from a place `displacement` `(1, H, W, 2)` away."""
    _, height, width = dimensions(img)
    rows = lantern.linspace((-height + 1) / height, (height - 1) / height, height)
    columns = lantern.linspace((-width + 1) / width, (width - 1) / width, width)
    grid_y, grid_x = lantern.meshgrid(rows, columns, indexing="ij")
    identity = lantern.stack([grid_x, grid_y], -1).unsqueeze(0)
    return _sample(img, identity + displacement, interpolation, fill)


def _sample(img: Tensor, grid: Tensor, interpolation: str, fill: Fill) -> Tensor:
    """The image at the places of `grid`, which count from -1 to 1; `fill` outside of it."""
    if interpolation not in ("nearest", "bilinear"):
        raise ValueError(f"Interpolation mode '{interpolation}' is unsupported with Tensor input")
    channels = dimensions(img)[0]
    if isinstance(fill, (tuple, list)) and len(fill) not in (1, channels):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of channels of "
            f"the image ({len(fill)} != {channels})"
        )
    batch = _as_batch(img, grid.dtype)
    grid = grid.expand(len(batch), *grid.shape[1:])
    if fill is not None:  # one more channel tells what part of a pixel is from the image
        batch = lantern.cat([batch, lantern.ones_like(batch[:, :1])], dim=1)
    result = functional.grid_sample(
        batch, grid, mode=interpolation, padding_mode="zeros", align_corners=False
    )
    if fill is not None:
        inside = result[:, -1:]
        result = result[:, :-1]
        values = fill if isinstance(fill, (tuple, list)) else [fill]
        colour = lantern.tensor([float(v) for v in values], dtype=result.dtype).view(1, -1, 1, 1)
        if interpolation == "nearest":
            result = lantern.where(inside < 0.5, colour, result)
        else:
            result = result * inside + (1.0 - inside) * colour
    return _as_it_was(result, img)


def grayscale(img: Tensor, num_output_channels: int) -> Tensor:
    """Grey by the weights of ITU-R 601-2, in one or three channels."""
    _check_channels(img, 3)
    if num_output_channels not in (1, 3):
        raise ValueError(f"num_output_channels should be either 1 or 3, got {num_output_channels}")
    if img.shape[-3] == 3:
        red, green, blue = img.unbind(-3)
        grey = (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(-3)
    else:
        grey = img.clone()
    return grey.expand(img.shape) if num_output_channels == 3 else grey


def _blend(img: Tensor, other: Tensor, ratio: float) -> Tensor:
    mixed = float(ratio) * img + (1.0 - float(ratio)) * other
    return mixed.clamp(0, largest(img.dtype)).to(img.dtype)


def adjust_brightness(img: Tensor, factor: float) -> Tensor:
    """Between black (0) and the image (1), and beyond."""
    _check_channels(img)
    return _blend(img, lantern.zeros_like(img), factor)


def adjust_contrast(img: Tensor, factor: float) -> Tensor:
    """Between its mean grey (0) and the image (1), and beyond."""
    _check_channels(img, permitted=(3, 1))
    grey = grayscale(img, 1) if dimensions(img)[0] == 3 else img
    mean = lantern.mean(grey.to(_float_type(img)), dim=(-3, -2, -1), keepdim=True)
    return _blend(img, mean, factor)


def adjust_saturation(img: Tensor, factor: float) -> Tensor:
    """Between the grey image (0) and the image (1), and beyond."""
    _check_channels(img)
    return img if dimensions(img)[0] == 1 else _blend(img, grayscale(img, 1), factor)


def adjust_sharpness(img: Tensor, factor: float) -> Tensor:
    """Between a smoothed image (0) and the image (1), and beyond."""
    _check_channels(img)
    if img.shape[-1] <= 2 or img.shape[-2] <= 2:
        return img
    dtype = _float_type(img)
    kernel = lantern.ones(3, 3, dtype=dtype)
    kernel[1, 1] = 5.0
    kernel = (kernel / kernel.sum()).expand(img.shape[-3], 1, 3, 3)
    batch = _as_batch(img, dtype)
    inner = functional.conv2d(batch, kernel, groups=batch.shape[-3])
    smoothed = img.clone()  # the outermost pixels stay
    smoothed[..., 1:-1, 1:-1] = _as_it_was(inner, img)
    return _blend(img, smoothed, factor)


def adjust_gamma(img: Tensor, gamma: float, gain: float) -> Tensor:
    """`gain * level ** gamma`, for levels from 0 to 1."""
    _check_channels(img)
    result = (gain * convert_dtype(img, _float_type(img)).pow(gamma)).clamp(0, 1)
    return convert_dtype(result, img.dtype)


def adjust_hue(img: Tensor, factor: float) -> Tensor:
    """The colours moved along the circle of colours by `factor` of it."""
    _check_channels(img)
    if dimensions(img)[0] == 1:
        return img
    hue, saturation, value = _hue_saturation_value(convert_dtype(img, lantern.float32))
    moved = _red_green_blue((hue + factor) % 1.0, saturation, value)
    return convert_dtype(moved, img.dtype)


def _hue_saturation_value(img: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    red, green, blue = img.unbind(-3)
    most, least = img.amax(-3), img.amin(-3)
    grey = most == least
    range_ = most - least
    one = lantern.ones_like(most)
    saturation = range_ / lantern.where(grey, one, most)
    divisor = lantern.where(grey, one, range_)
    r, g, b = (most - red) / divisor, (most - green) / divisor, (most - blue) / divisor
    hue = (
        (most == red) * (b - g)
        + ((most == green) & (most != red)) * (2.0 + r - b)
        + ((most != green) & (most != red)) * (4.0 + g - r)
    )
    return lantern.fmod(hue / 6.0 + 1.0, 1.0), saturation, most


def _red_green_blue(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    sector = lantern.floor(hue * 6.0)
    rest = hue * 6.0 - sector
    p = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    q = (value * (1.0 - saturation * rest)).clamp(0.0, 1.0)
    t = (value * (1.0 - saturation * (1.0 - rest))).clamp(0.0, 1.0)
    v = value
    number = sector.to(lantern.int64).unsqueeze(-3) % 6
    channels = [(v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q)]
    return lantern.cat(
        [lantern.stack(choices, -3).gather(-3, number) for choices in channels], dim=-3
    )


def gaussian_blur(img: Tensor, kernel_size: Sequence[int], sigma: Sequence[float]) -> Tensor:
    """Weighted means of neighbours; the border is reflected."""
    check(img)
    dtype = _float_type(img)
    across, down = (
        _bell(size, width, dtype) for size, width in zip(kernel_size, sigma, strict=True)
    )
    kernel = lantern.mm(down[:, None], across[None, :])
    batch = _as_batch(img, dtype)
    kernel = kernel.expand(batch.shape[-3], 1, *kernel.shape)
    x, y = kernel_size[0] // 2, kernel_size[1] // 2
    padded = functional.pad(batch, [x, x, y, y], mode="reflect")
    return _as_it_was(functional.conv2d(padded, kernel, groups=batch.shape[-3]), img)


def _bell(size: int, sigma: float, dtype: lantern.dtype) -> Tensor:
    half = (size - 1) * 0.5
    places = lantern.linspace(-half, half, steps=size, dtype=dtype)
    density = lantern.exp(-0.5 * (places / sigma).pow(2))
    return density / density.sum()


def invert(img: Tensor) -> Tensor:
    """The negative."""
    _check_channels(img, 3)
    return largest(img.dtype) - img


def posterize(img: Tensor, bits: int) -> Tensor:
    """Only the first bits of each level."""
    _check_eight_bits(img)
    return img & -int(2 ** (8 - bits)) % 256


def solarize(img: Tensor, threshold: float) -> Tensor:
    """The negative from `threshold` up."""
    _check_channels(img, 3)
    if threshold > largest(img.dtype):
        raise TypeError(f"Threshold should be less than bound of img. Got {threshold}")
    return lantern.where(img >= threshold, invert(img), img)


def autocontrast(img: Tensor) -> Tensor:
    """Each channel stretched to the full range."""
    _check_channels(img, 3)
    white, dtype = largest(img.dtype), _float_type(img)
    least = img.amin(dim=(-2, -1), keepdim=True).to(dtype)
    most = img.amax(dim=(-2, -1), keepdim=True).to(dtype)
    scale = white / (most - least)
    flat = ~lantern.isfinite(scale)
    least, scale = least.masked_fill(flat, 0), scale.masked_fill(flat, 1)
    return ((img - least) * scale).clamp(0, white).to(img.dtype)


def equalize(img: Tensor) -> Tensor:
    """Each channel with every level as often as any other, as near as it goes."""
    _check_eight_bits(img)
    channels = img.reshape(-1, *img.shape[-2:])
    return lantern.stack([_equalized(channel) for channel in channels]).view(img.shape)


def _equalized(channel: Tensor) -> Tensor:
    counts = lantern.bincount(channel.reshape(-1).to(lantern.int64), minlength=256)
    used = counts[counts != 0]
    step = int(used[:-1].sum()) // 255
    if step == 0:
        return channel
    levels = (lantern.cumsum(counts, 0) + step // 2) // step
    table = lantern.cat([levels.new_zeros(1), levels[:-1]]).clamp(0, 255)
    return table[channel.to(lantern.int64)].to(lantern.uint8)


def _check_eight_bits(img: Tensor) -> None:
    _check_channels(img, 3)
    if img.dtype != lantern.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")


def erase(
    img: Tensor, top: int, left: int, height: int, width: int, value: Any, inplace: bool
) -> Tensor:
    """`value` in place of a rectangle."""
    check(img)
    img = img if inplace else img.clone()
    img[..., top : top + height, left : left + width] = value
    return img


def convert_dtype(image: Tensor, dtype: lantern.dtype) -> Tensor:
    """The same image in `dtype`: the full range stays the full range."""
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        return image.to(dtype) if dtype.is_floating_point else _float_to_integer(image, dtype)
    top = largest(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / top
    # Integer ranges are powers of two: whole factors, the largest value is not mapped exactly.
    if top > largest(dtype):
        factor = (top + 1) // (largest(dtype) + 1)
        return image.div(factor, rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((largest(dtype) + 1) // (top + 1))


def _float_to_integer(image: Tensor, dtype: lantern.dtype) -> Tensor:
    unsafe = {
        lantern.float32: (lantern.int32, lantern.int64),
        lantern.float64: (lantern.int64,),
    }
    if dtype in unsafe.get(image.dtype, ()):
        raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
    # Just below one more than the largest value: every integer gets an equal share of 0..1.
    return image.mul(largest(dtype) + 1.0 - 1e-3).to(dtype)
