"""The distribution of absolute values of Cauchy numbers."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from .cauchy import Cauchy
from .folded import Folded


class HalfCauchy(Folded):
    """The distribution of |x| for Cauchy x around 0 of width `scale`.

    >>> import lantern
    >>> HalfCauchy(1.0).cdf(lantern.tensor(1.0))
    tensor(0.5000)
    """

    def __init__(self, scale: Any, validate_args: bool | None = None):
        super().__init__(Cauchy(0, scale, validate_args=False), validate_args)

    @property
    def mean(self) -> Tensor:
        """Infinity."""
        return lantern.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def variance(self) -> Tensor:
        """Infinity."""
        return self.base_dist.variance
