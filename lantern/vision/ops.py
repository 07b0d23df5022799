"""Arithmetic of boxes, and a block of layers: names of `torchvision.ops`.

Boxes are rows `(left, top, right, bottom)` of a tensor `(N, 4)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lantern
from lantern import nn
from lantern.compat.missing import missing
from lantern.tensor import Tensor

__all__ = [
    "Conv2dNormActivation",
    "batched_nms",
    "box_area",
    "box_convert",
    "box_iou",
    "clip_boxes_to_image",
    "nms",
    "remove_small_boxes",
]


class Conv2dNormActivation(nn.Sequential):
    """A convolution that keeps the size but for its stride, a normalization, an activation.

    >>> Conv2dNormActivation(3, 8, stride=2)(lantern.zeros(1, 3, 6, 6)).shape
    torch.Size([1, 8, 3, 3])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str | None = None,
        groups: int = 1,
        norm_layer: Callable[..., nn.Module] | None = nn.BatchNorm2d,
        activation_layer: Callable[..., nn.Module] | None = nn.ReLU,
        dilation: int | tuple[int, int] = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        if padding is None:
            sizes, steps = [
                value if isinstance(value, tuple) else (value, value)
                for value in (kernel_size, dilation)
            ]
            pads = [(size - 1) // 2 * step for size, step in zip(sizes, steps, strict=True)]
            padding = pads[0] if pads[0] == pads[1] else (pads[0], pads[1])
        options: dict[str, Any] = {"dilation": dilation, "groups": groups}
        options["bias"] = norm_layer is None if bias is None else bias
        layers: list[nn.Module] = [
            nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, **options)
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels


def box_area(boxes: Tensor) -> Tensor:
    """The areas `(N,)` of boxes.

    >>> box_area(lantern.tensor([[0.0, 0.0, 2.0, 3.0]]))
    tensor([6.])
    """
    boxes = _wide(boxes)
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _wide(boxes: Tensor) -> Tensor:
    """Boxes in a type in which products do not overflow."""
    if boxes.is_floating_point():
        return boxes if boxes.dtype in (lantern.float32, lantern.float64) else boxes.float()
    return boxes if boxes.dtype in (lantern.int32, lantern.int64) else boxes.int()


def box_iou(boxes1: Tensor, boxes2: Tensor) -> Tensor:
    """The shares `(N, M)` that two boxes have in common of all that they cover.

    >>> box_iou(lantern.tensor([[0, 0, 2, 2]]), lantern.tensor([[1, 0, 3, 2], [5, 5, 6, 6]]))
    tensor([[0.3333, 0.0000]])
    """
    corner = lantern.maximum(boxes1[:, None, :2], boxes2[:, :2])
    opposite = lantern.minimum(boxes1[:, None, 2:], boxes2[:, 2:])
    edges = _wide(opposite - corner).clamp(min=0)
    common = edges[:, :, 0] * edges[:, :, 1]
    return common / (box_area(boxes1)[:, None] + box_area(boxes2) - common)


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """The places of boxes that no better box covers by more than `iou_threshold`, best first.

    >>> boxes = lantern.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 2.0, 1.9], [5.0, 5.0, 6.0, 6.0]])
    >>> nms(boxes, lantern.tensor([0.5, 0.9, 0.1]), 0.5)
    tensor([1, 2])
    """
    order = lantern.sort(scores, stable=True, descending=True)[1]
    covered = (box_iou(boxes[order], boxes[order]) > iou_threshold).tolist()
    kept: list[int] = []
    for place in range(len(order)):
        if not any(covered[better][place] for better in kept):
            kept.append(place)
    return order[lantern.tensor(kept, dtype=lantern.int64)]


def batched_nms(boxes: Tensor, scores: Tensor, idxs: Tensor, iou_threshold: float) -> Tensor:
    """`nms` among the boxes of each class of `idxs` `(N,)`, best first over all classes."""
    kept = [
        places[nms(boxes[places], scores[places], iou_threshold)]
        for places in (lantern.nonzero(idxs == number)[:, 0] for number in idxs.unique())
    ]
    if not kept:
        return lantern.empty(0, dtype=lantern.int64)
    joined = lantern.cat(kept)
    return joined[lantern.sort(scores[joined], descending=True)[1]]


def box_convert(boxes: Tensor, in_fmt: str, out_fmt: str) -> Tensor:
    """Boxes in another form: "xyxy", "xywh" (with width, height) or "cxcywh" (of the centre).

    Raises ValueError for another form.
    """
    for form in (in_fmt, out_fmt):
        if form not in ("xyxy", "xywh", "cxcywh"):
            raise ValueError(
                f"Unsupported Bounding Box Conversions for given in_fmt {in_fmt} and out_fmt "
                f"{out_fmt}"
            )
    if in_fmt == out_fmt:
        return boxes.clone()
    first, second, third, fourth = boxes.unbind(-1)
    if in_fmt == "cxcywh":
        first, second = first - 0.5 * third, second - 0.5 * fourth
    if in_fmt != "xyxy":
        third, fourth = first + third, second + fourth
    if out_fmt != "xyxy":
        third, fourth = third - first, fourth - second
    if out_fmt == "cxcywh":
        first, second = first + 0.5 * third, second + 0.5 * fourth
    return lantern.stack((first, second, third, fourth), dim=-1)


def clip_boxes_to_image(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Boxes cut off at the edges of an image of `size` `(height, width)`."""
    height, width = size
    across = boxes[..., 0::2].clamp(0, width)
    down = boxes[..., 1::2].clamp(0, height)
    return lantern.stack((across, down), dim=boxes.dim()).reshape(boxes.shape)


def remove_small_boxes(boxes: Tensor, min_size: float) -> Tensor:
    """The places of boxes of which both edges are at least `min_size`."""
    wide = boxes[:, 2] - boxes[:, 0] >= min_size
    high = boxes[:, 3] - boxes[:, 1] >= min_size
    return lantern.nonzero(wide & high)[:, 0]


__getattr__ = missing(__name__)
