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
    """N images that are not tensors yet: pixels `(N, H, W)` uint8, in memory of their own."""

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels


def batch_method(transform: Any) -> Callable[[Any], Any] | None:
    """The `batch` of `transform`, or None where it does not stand for its call."""
    # A hook on a module sees every image: it has to be called for each.
    if any(getattr(transform, hooks, None) for hooks in ("_forward_hooks", "_forward_pre_hooks")):
        return None
    return stand_in(transform, "batch", ("__call__", "forward"))
