"""The Laplace distribution."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .distribution import Distribution
from .symmetric import Symmetric
from .utils import broadcast_all


class Laplace(Symmetric, Distribution):
    """The distribution that falls on both sides of `loc` as an exponential of `scale`.

    >>> import lantern
    >>> Laplace(0.0, 1.0).log_prob(lantern.tensor(1.0))
    tensor(-1.6931)
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None):
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return 2**0.5 * self.scale

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        shape, dtype = self._extended_shape(sample_shape), self.loc.dtype
        u = lantern.empty(shape, dtype=dtype).uniform_(lantern.finfo(dtype).eps - 1, 1)
        return self.loc - self.scale * u.sign() * (-u.abs()).log1p()

    def _log_density(self, value: Tensor) -> Tensor:
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def _below(self, value: Tensor) -> Tensor:
        distance = value - self.loc
        return 0.5 - 0.5 * distance.sign() * (-distance.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value up to which the chance is `value`."""
        side = value - 0.5
        return self.loc - self.scale * side.sign() * (-2 * side.abs()).log1p()

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return 1 + (2 * self.scale).log()
