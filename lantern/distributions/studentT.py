"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .chi2 import Chi2
from .distribution import Distribution
from .utils import broadcast_all, standard_normal


class StudentT(Distribution):
    """The t distribution of `df` degrees of freedom around `loc`.

    >>> StudentT(4.0).variance
    tensor(2.)
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ):
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.loc.where(self.df > 1, math.nan)

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The variance."""
        found = self.scale.pow(2) * self.df / (self.df - 2)
        return found.where(self.df > 2, math.inf).where(self.df > 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        noise = standard_normal(self._extended_shape(sample_shape), self.df.dtype)
        square = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * noise * lantern.rsqrt(square / self.df)

    def _log_density(self, value: Tensor) -> Tensor:
        distance = ((value - self.loc) / self.scale) ** 2.0
        half, more = 0.5 * self.df, 0.5 * (self.df + 1.0)
        scale = self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi)
        return -more * (distance / self.df).log1p() - scale - half.lgamma() + more.lgamma()

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        half, more = 0.5 * self.df, 0.5 * (self.df + 1)
        beta = half.lgamma() + math.lgamma(0.5) - more.lgamma()
        spread = more * (more.digamma() - half.digamma())
        return self.scale.log() + spread + 0.5 * self.df.log() + beta
