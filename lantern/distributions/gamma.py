"""The gamma distribution."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .exp_family import ExponentialFamily
from .utils import broadcast_all


class Gamma(ExponentialFamily):
    """The gamma distribution of shape `concentration` and a rate.

    >>> Gamma(3.0, 2.0).mean
    tensor(1.5000)
    """

    arg_constraints = {
        "concentration": constraints.positive,
        "rate": constraints.positive,
    }
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None):
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        shape = self._extended_shape(sample_shape)
        drawn = lantern._standard_gamma(self.concentration.expand(shape)) / self.rate.expand(shape)
        tiny = lantern.finfo(drawn.dtype).tiny
        return lantern.where(drawn < tiny, drawn - drawn.detach() + tiny, drawn)

    def _log_density(self, value: Tensor) -> Tensor:
        value = lantern.as_tensor(value, dtype=self.rate.dtype)
        power = lantern.xlogy(self.concentration - 1, value)
        scale = lantern.xlogy(self.concentration, self.rate)
        return scale + power - self.rate * value - self.concentration.lgamma()

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:
        return (x + 1).lgamma() + (x + 1) * (-y.reciprocal()).log()

    def _below(self, value: Tensor) -> Tensor:
        return lantern.special.gammainc(self.concentration, self.rate * value)
