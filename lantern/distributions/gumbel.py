"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .transformed_distribution import TransformedDistribution
from .transforms import AffineTransform, ExpTransform
from .uniform import Uniform
from .utils import broadcast_all, euler_constant


class Gumbel(TransformedDistribution):
    """The distribution of the largest of many values, around `loc`.

    >>> Gumbel(1.0, 2.0).mean
    tensor(2.1544)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        info = lantern.finfo(self.loc.dtype)
        low = lantern.full_like(self.loc, info.tiny)
        high = lantern.full_like(self.loc, 1 - info.eps)
        turn = AffineTransform(0, -lantern.ones_like(self.scale))
        steps = [ExpTransform().inv, turn, ExpTransform().inv, AffineTransform(loc, -self.scale)]
        uniform = Uniform(low, high, validate_args=validate_args)
        super().__init__(uniform, steps, validate_args=validate_args)

    def _log_density(self, value: Tensor) -> Tensor:
        y = (self.loc - value) / self.scale
        return y - y.exp() - self.scale.log()

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.stddev.pow(2)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return self.scale.log() + (1 + euler_constant)
