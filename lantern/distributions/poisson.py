"""The Poisson distribution."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .exp_family import ExponentialFamily
from .utils import broadcast_all


class Poisson(ExponentialFamily):
    """The number of events of a rate.

    >>> import lantern
    >>> Poisson(4.0).log_prob(lantern.tensor(0.0))
    tensor(-4.)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None):
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.rate

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        with lantern.no_grad():
            return lantern.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def _log_density(self, value: Tensor) -> Tensor:
        rate, value = broadcast_all(self.rate, value)
        return lantern.xlogy(value, rate) - rate - (value + 1).lgamma()

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.rate.log(),)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return x.exp()
