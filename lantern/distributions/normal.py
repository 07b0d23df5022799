"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .exp_family import ExponentialFamily
from .symmetric import Symmetric
from .utils import broadcast_all, standard_normal


class Normal(Symmetric, ExponentialFamily):
    """The normal distribution of mean `loc` and deviation `scale`.

    >>> _ = lantern.manual_seed(0)
    >>> Normal(10.0, 2.0).sample((3,))
    tensor([13.0820,  9.4131,  5.6424])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.stddev.pow(2)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        shape = self._extended_shape(sample_shape)
        with lantern.no_grad():
            return lantern.normal(self.loc.expand(shape), self.scale.expand(shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        noise = standard_normal(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + noise * self.scale

    def _log_density(self, value: Tensor) -> Tensor:
        distance = (value - self.loc) ** 2 / (2 * self.scale**2)
        return -distance - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def _below(self, value: Tensor) -> Tensor:
        return 0.5 * (1 + lantern.erf((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)))

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value up to which the chance is `value`."""
        return self.loc + self.scale * lantern.erfinv(2 * value - 1) * math.sqrt(2)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        precision = self.scale.pow(2).reciprocal()
        return self.loc * precision, -0.5 * precision

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:
        return -0.25 * x.pow(2) / y + 0.5 * (-math.pi / y).log()
