"""Layers that take images apart into windows and put them together again."""

# What `forward` and `extra_repr` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

from lantern.nn import functional as F
from lantern.tensor import Tensor

from .module import Module

__all__ = ["Fold", "Unfold"]


class Fold(Module):
    """Adds windows `(N, C * K, L)` up to images `(N, C, *output_size)`.

    >>> import lantern
    >>> lantern.nn.Fold((3, 3), 2)(lantern.ones(1, 4, 4)).shape
    torch.Size([1, 1, 3, 3])
    """

    __constants__ = ["output_size", "kernel_size", "dilation", "padding", "stride"]

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.dilation, self.padding, self.stride)
        return F.fold(input, self.output_size, *how)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """The windows over images `(N, C, H, W)` as columns `(N, C * K, L)`.

    >>> import lantern
    >>> lantern.nn.Unfold(2)(lantern.ones(1, 1, 3, 3)).shape
    torch.Size([1, 4, 4])
    """

    __constants__ = ["kernel_size", "dilation", "padding", "stride"]

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, "
            f"stride={self.stride}"
        )
