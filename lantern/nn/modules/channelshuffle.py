"""A layer that mixes the channels of groups."""

# What `forward` and `extra_repr` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

from lantern.nn import functional as F
from lantern.tensor import Tensor

from .module import Module

__all__ = ["ChannelShuffle"]


class ChannelShuffle(Module):
    """Deals the channels of `(N, C, *)`, which lie in `groups`, out in turn.

    Zhang et al., ShuffleNet, 2018.

    >>> import lantern
    >>> lantern.nn.ChannelShuffle(2)(lantern.arange(4.0).reshape(1, 4, 1)).flatten()
    tensor([0., 2., 1., 3.])
    """

    __constants__ = ["groups"]
    groups: int

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
