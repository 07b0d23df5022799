"""Pictures of tensors: the names of `torchvision.utils`."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.tensor import Tensor

from .transforms.functional import convert_image_dtype, pil_to_tensor, to_pil_image

__all__ = [
    "draw_bounding_boxes",
    "draw_keypoints",
    "draw_segmentation_masks",
    "make_grid",
    "save_image",
]

Colour = str | tuple[int, int, int]


@lantern.no_grad()
def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """One picture `(C, H, W)` of images `(N, C, H, W)`, `nrow` in each row.

    `normalize` brings values from `value_range`, or from their least to their largest (of each
    image if `scale_each`), to 0..1. Raises TypeError for anything but tensors, or a `value_range`
    that is no tuple.

    >>> make_grid(lantern.zeros(5, 1, 4, 6), nrow=3).shape
    torch.Size([3, 14, 26])
    """
    images = _stacked(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError(
                "value_range has to be a tuple (min, max) if specified. min and max are numbers"
            )
        images = images.clone()
        for part in images if scale_each else [images]:
            low, high = value_range or (float(part.min()), float(part.max()))
            part.clamp_(low, high).sub_(low).div_(max(high - low, 1e-5))
    count = len(images)
    if count == 1:
        return images.squeeze(0)
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    channels, high, wide = images.shape[1], images.shape[2], images.shape[3]
    size = (channels, (high + padding) * rows + padding, (wide + padding) * columns + padding)
    grid = images.new_full(size, pad_value)
    for place, image in enumerate(images):
        top = place // columns * (high + padding) + padding
        left = place % columns * (wide + padding) + padding
        grid[:, top : top + high, left : left + wide] = image
    return grid


def _stacked(tensor: Any) -> Tensor:
    """Images `(N, C, H, W)`, of three channels where there was one."""
    if isinstance(tensor, list):
        for each in tensor:
            if not isinstance(each, Tensor):
                raise TypeError(
                    f"tensor or list of tensors expected, got a list containing {type(each)}"
                )
        images = lantern.stack(tensor, dim=0)
    elif isinstance(tensor, Tensor):
        images = tensor
    else:
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if images.dim() == 2:
        images = images.unsqueeze(0)
    if images.dim() == 3:
        images = images.unsqueeze(0)
    if images.dim() == 4 and images.shape[1] == 1:
        images = lantern.cat([images] * 3, 1)
    return images


@lantern.no_grad()
def save_image(
    tensor: Tensor | Sequence[Tensor],
    fp: str | os.PathLike | Any,
    format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write images with values from 0 to 1 to a file; several, as a grid (see `make_grid`)."""
    grid = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add_(0.5).clamp_(0, 255).to(lantern.uint8)
    to_pil_image(pixels).save(fp, format=format)


def _checked_image(image: Any, channels: tuple[int, ...]) -> None:
    if not isinstance(image, Tensor):
        raise TypeError(f"Tensor expected, got {type(image)}")
    if not (image.dtype == lantern.uint8 or image.is_floating_point()):
        raise ValueError(f"The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3:
        raise ValueError("Pass individual images, not batches")
    if image.shape[0] not in channels:
        raise ValueError("Only grayscale and RGB images are supported")


def _colours(colors: Any, count: int) -> list[tuple[int, int, int]]:
    """A colour for each of `count` things, as numbers from 0 to 255."""
    from PIL import ImageColor

    if colors is None:
        # The palette of Pascal VOC: far apart for neighbouring numbers.
        palette = (2**25 - 1, 2**15 - 1, 2**21 - 1)
        return [tuple(number * part % 255 for part in palette) for number in range(count)]
    if isinstance(colors, list):
        if len(colors) < count:
            raise ValueError(
                f"Number of colors must be equal or larger than the number of objects, but got "
                f"{len(colors)} < {count}"
            )
        chosen = colors[:count]
    else:
        chosen = [colors] * count
    return [ImageColor.getrgb(colour) if isinstance(colour, str) else colour for colour in chosen]


@lantern.no_grad()
def draw_bounding_boxes(
    image: Tensor,
    boxes: Tensor,
    labels: list[str] | None = None,
    colors: list[Colour] | Colour | None = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: list[Colour] | Colour | None = None,
    label_background_colors: list[Colour] | Colour | None = None,
    fill_labels: bool = False,
) -> Tensor:
    """A copy of `image` `(C, H, W)` with `boxes` `(N, 4)` of left, top, right, bottom.

    Raises TypeError or ValueError for an image, boxes, labels or colours that do not fit.
    """
    from PIL import ImageDraw, ImageFont

    _checked_image(image, (1, 3))
    _check_boxes(boxes, labels)
    count = len(boxes)
    if count == 0:
        warnings.warn("boxes doesn't contain any box. No box was drawn", stacklevel=3)
        return image
    outlines = _colours(colors, count)
    texts = _colours(label_colors or "black", count) if label_colors or fill_labels else outlines
    behind = _colours(label_background_colors, count) if label_background_colors else outlines
    picture = _picture(image)
    draw = ImageDraw.Draw(picture, "RGBA" if fill else None)
    letters: Any = ImageFont.truetype(font, font_size or 10) if font else ImageFont.load_default()
    for number, place in enumerate(boxes.to(lantern.int64).tolist()):
        colour = outlines[number]
        inside = (*colour, 100) if fill else None
        draw.rectangle(place, width=width, outline=colour, fill=inside)
        if labels is None or labels[number] is None:
            continue
        corner = (place[0] + width + 1, place[1] + width + 1)
        if fill_labels:
            left, top, right, bottom = draw.textbbox(corner, labels[number], font=letters)
            draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), fill=behind[number])
        draw.text(corner, labels[number], fill=texts[number], font=letters)
    return convert_image_dtype(pil_to_tensor(picture), image.dtype)


def _check_boxes(boxes: Tensor, labels: list[str] | None) -> None:
    if (boxes[:, 0] > boxes[:, 2]).any() or (boxes[:, 1] > boxes[:, 3]).any():
        raise ValueError(
            "Boxes need to be in (xmin, ymin, xmax, ymax) format. Use torchvision.ops.box_convert "
            "to convert them"
        )
    if labels is not None and len(labels) != len(boxes):
        raise ValueError(
            f"Number of boxes ({len(boxes)}) and labels ({len(labels)}) mismatch. Please specify "
            "labels for each box."
        )


def _picture(image: Tensor) -> Any:
    """A PIL image in RGB to draw on."""
    pixels = image.expand(3, -1, -1) if image.shape[0] == 1 else image
    return to_pil_image(convert_image_dtype(pixels, lantern.uint8))


@lantern.no_grad()
def draw_segmentation_masks(
    image: Tensor,
    masks: Tensor,
    alpha: float = 0.8,
    colors: list[Colour] | Colour | None = None,
) -> Tensor:
    """A copy of `image` `(3, H, W)` with `masks` `(N, H, W)` of bools in colour, `alpha` opaque.

    Raises TypeError or ValueError for an image, masks or colours that do not fit.
    """
    _checked_image(image, (3,))
    masks = masks.unsqueeze(0) if masks.dim() == 2 else masks
    if masks.dim() != 3:
        raise ValueError("masks must be of shape (H, W) or (batch_size, H, W)")
    if masks.dtype != lantern.bool:
        raise ValueError(f"The masks must be of dtype bool. Got {masks.dtype}")
    if masks.shape[-2:] != image.shape[-2:]:
        raise ValueError("The image and the masks must have the same height and width")
    painted = image.clone()
    scale = 1.0 / 255 if image.is_floating_point() else 1
    for mask, colour in zip(masks, _colours(colors, len(masks)), strict=True):
        value = (lantern.tensor(colour) * scale).to(image.dtype)[:, None, None]
        painted = lantern.where(mask, value, painted)
    painted = painted.masked_fill(masks.sum(0) > 1, 0)
    return (image * (1 - alpha) + painted * alpha).to(image.dtype)


@lantern.no_grad()
def draw_keypoints(
    image: Tensor,
    keypoints: Tensor,
    connectivity: list[tuple[int, int]] | None = None,
    colors: Colour | None = None,
    radius: int = 2,
    width: int = 3,
    visibility: Tensor | None = None,
) -> Tensor:
    """A copy of `image` `(3, H, W)` with `keypoints` `(N, K, 2)` `(x, y)`, joined by lines.

    Raises TypeError or ValueError for an image, points or a visibility that do not fit.
    """
    from PIL import ImageDraw

    _checked_image(image, (3,))
    if keypoints.dim() != 3:
        raise ValueError("keypoints must be of shape (num_instances, K, 2)")
    seen = lantern.ones(keypoints.shape[:-1]) if visibility is None else visibility
    seen = seen.squeeze(-1) if seen.dim() == 3 else seen
    if seen.shape != keypoints.shape[:-1]:
        raise ValueError(
            "keypoints and visibility must have the same dimensionality for num_instances and K. "
            f"Got visibility.shape={tuple(seen.shape)} and "
            f"keypoints.shape={tuple(keypoints.shape)}"
        )
    picture = _picture(image)
    draw = ImageDraw.Draw(picture)
    for points, visible in zip(
        keypoints.to(lantern.int64).tolist(), seen.to(lantern.bool).tolist(), strict=True
    ):
        for (x, y), shown in zip(points, visible, strict=True):
            if shown:
                circle = (x - radius, y - radius, x + radius, y + radius)
                draw.ellipse(circle, fill=colors, outline=None, width=0)
        for start, end in connectivity or ():
            if visible[start] and visible[end]:
                draw.line((*points[start], *points[end]), width=width)
    return convert_image_dtype(pil_to_tensor(picture), image.dtype)


__getattr__ = missing(__name__)
