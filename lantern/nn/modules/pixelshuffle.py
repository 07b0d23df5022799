"""Layers that move pixels between the image and its channels."""

# What `forward` and `extra_repr` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

from lantern.nn import functional as F
from lantern.tensor import Tensor

from .module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """`(*, C * r * r, H, W)` becomes `(*, C, H * r, W * r)`.

    >>> import lantern
    >>> lantern.nn.PixelShuffle(2)(lantern.ones(1, 4, 2, 2)).shape
    torch.Size([1, 1, 4, 4])
    """

    __constants__ = ["upscale_factor"]

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """`(*, C, H * r, W * r)` becomes `(*, C * r * r, H, W)`.

    >>> import lantern
    >>> lantern.nn.PixelUnshuffle(2)(lantern.ones(1, 1, 4, 4)).shape
    torch.Size([1, 4, 2, 2])
    """

    __constants__ = ["downscale_factor"]

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
