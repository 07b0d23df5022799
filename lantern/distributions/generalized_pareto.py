"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .distribution import Distribution
from .utils import broadcast_all


class GeneralizedPareto(Distribution):
    """The distribution of what lies above a high threshold `loc`.

    >>> GeneralizedPareto(1.0, 2.0, 0.5).mean
    tensor(5.)
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: Any = None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        """The constraint of the values."""
        end = self.loc - self.scale / self.concentration
        return constraints.interval(self.loc, end.where(self.concentration < 0, math.inf))

    def _parted(self) -> tuple[Tensor, Tensor]:
        """Returns where the concentration is zero, and one that may be divided by."""
        zero = lantern.isclose(self.concentration, lantern.zeros_like(self.concentration))
        return zero, lantern.where(zero, lantern.ones_like(self.concentration), self.concentration)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        return self.icdf(lantern.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def _log_density(self, value: Tensor) -> Tensor:
        z, (zero, c) = (value - self.loc) / self.scale, self._parted()
        y = 1 / c + lantern.ones_like(z)
        fall = lantern.where(y == 0, y, y * (c * z).log1p())
        return -self.scale.log() - lantern.where(zero, z, fall)

    def log_survival_function(self, value: Tensor) -> Tensor:
        """Returns the logarithm of the chance of a larger value."""
        if self._checks:
            self._validate_sample(value)
        z, (zero, c) = (value - self.loc) / self.scale, self._parted()
        return lantern.where(zero, -z, -(c * z).log1p() / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """Returns the logarithm of the chance of a value up to this one."""
        return (-self.log_survival_function(value).exp()).log1p()

    def _below(self, value: Tensor) -> Tensor:
        return self.log_cdf(value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value up to which the chance is `value`."""
        above, (zero, c) = (-value).log1p(), self._parted()
        power = self.loc + self.scale / c * (-c * above).expm1()
        return lantern.where(zero, self.loc - self.scale * above, power)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        c = self.concentration.where(self.concentration < 1, math.nan)
        return self.loc + self.scale / (1 - c)

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The variance."""
        c = self.concentration.where(self.concentration < 0.5, math.nan)
        return self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c))

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return (self.scale.log() + self.concentration + 1).expand(self._batch_shape)
