"""Transforms of a whole batch of images at once.

A transform may offer `batch(images)` beside its call for one image. It takes what its call takes,
N times: an `ImageBatch` in place of a PIL image, a tensor `(N, C, H, W)` in place of `(C, H, W)`.
It returns the N results the same way, bit for bit, or None where it cannot, before it draws a
random number. Without it, images are transformed one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lantern.data import stand_in
from lantern.tensor import Tensor


class ImageBatch:
    """N images that are not tensors yet: uint8 `(N, H, W)` or `(N, H, W, C)`, in own memory."""

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels

    def channels_first(self) -> Tensor:
        """The pixels `(N, C, H, W)`."""
        pixels = self.pixels
        return pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)


def is_lanterns_own(transform: Any) -> bool:
    """Whether a transform, and each that it is made of, is a class of Lantern's."""
    own = type(transform).__module__.startswith("lantern.") and not hasattr(transform, "lambd")
    return own and all(map(is_lanterns_own, getattr(transform, "transforms", ())))


def batch_method(transform: Any) -> Callable[[Any], Any] | None:
    """The `batch` of `transform`, or None where it does not stand for its call."""
    # A hook on a module sees every image: it has to be called for each.
    if any(getattr(transform, hooks, None) for hooks in ("_forward_hooks", "_forward_pre_hooks")):
        return None
    return stand_in(transform, "batch", ("__call__", "forward"))
