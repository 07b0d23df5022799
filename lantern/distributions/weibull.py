"""The Weibull distribution."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .exponential import Exponential
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, PowerTransform
from .utils import broadcast_all, euler_constant


class Weibull(TransformedDistribution):
    """The distribution of exponential numbers to the power 1 / `concentration`, times `scale`.

    >>> Weibull(2.0, 1.0).mean
    tensor(2.)
    """

    arg_constraints = {
        "scale": constraints.positive,
        "concentration": constraints.positive,
    }
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None):
        self.scale, self.concentration = broadcast_all(scale, concentration)
        exponential = Exponential(lantern.ones_like(self.scale), validate_args=validate_args)
        steps = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        super().__init__(exponential, steps, validate_args=validate_args)

    @property
    def concentration_reciprocal(self) -> Tensor:
        """1 / `concentration`."""
        return self.concentration.reciprocal()

    def _moment(self, n: int) -> Tensor:
        return (1 + n * self.concentration_reciprocal).lgamma()

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.scale * self._moment(1).exp()

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        k = self.concentration
        return self.scale * ((k - 1) / k) ** k.reciprocal()

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.scale.pow(2) * (self._moment(2).exp() - (2 * self._moment(1)).exp())

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        part = self.concentration_reciprocal
        return euler_constant * (1 - part) + (self.scale * part).log() + 1
