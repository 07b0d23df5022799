"""What distributions have in common that are symmetric around `loc` and highest there."""

from __future__ import annotations

from lantern import Tensor


class Symmetric:
    """Part of a distribution whose mean and most probable value is its parameter `loc`."""

    loc: Tensor

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return self.loc
