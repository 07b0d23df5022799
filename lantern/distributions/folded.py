"""The absolute values of draws of a distribution that is symmetric around 0."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .distribution import Distribution
from .transformed_distribution import TransformedDistribution
from .transforms import AbsTransform


class Folded(TransformedDistribution):
    """The distribution of |x| for x of `base`, which has a `scale` and its peak at 0."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, base: Distribution, validate_args: bool | None):
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """The scale of the numbers before their signs are taken away."""
        return self.base_dist.scale

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return lantern.zeros_like(self.scale)

    def _log_density(self, value: Any) -> Tensor:
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
