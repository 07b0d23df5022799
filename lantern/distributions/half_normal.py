"""The distribution of absolute values of normal numbers."""

from __future__ import annotations

import math
from typing import Any

from lantern import Tensor

from .folded import Folded
from .normal import Normal


class HalfNormal(Folded):
    """The distribution of |x| for normal x of mean 0 and deviation `scale`.

    >>> HalfNormal(1.0).mean
    tensor(0.7979)
    """

    def __init__(self, scale: Any, validate_args: bool | None = None):
        super().__init__(Normal(0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale.pow(2) * (1 - 2 / math.pi)
