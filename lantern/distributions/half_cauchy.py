"""The distribution of absolute values of Cauchy numbers."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .cauchy import Cauchy
from .transformed_distribution import TransformedDistribution
from .transforms import AbsTransform


class HalfCauchy(TransformedDistribution):
    """The distribution of |x| for Cauchy x around 0 of width `scale`.

    >>> import lantern
    >>> HalfCauchy(1.0).cdf(lantern.tensor(1.0))
    tensor(0.5000)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None):
        cauchy = Cauchy(0, scale, validate_args=False)
        super().__init__(cauchy, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """The width of the Cauchy numbers."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """Infinity."""
        return lantern.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return lantern.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        """Infinity."""
        return self.base_dist.variance

    def _log_density(self, value: Tensor) -> Tensor:
        value = lantern.as_tensor(value, dtype=self.scale.dtype)
        density = self.base_dist.log_prob(value) + math.log(2)
        return lantern.where(value >= 0, density, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """Returns the chance of a value up to this one."""
        if self._checks:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Tensor) -> Tensor:
        """Returns the value up to which the chance is `prob`."""
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return self.base_dist.entropy() - math.log(2)
