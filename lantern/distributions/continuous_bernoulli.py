"""The continuous Bernoulli distribution (Loaiza-Ganem and Cunningham 2019)."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor
from lantern.nn.functional import binary_cross_entropy_with_logits

from . import constraints
from .chances import ByChance
from .exp_family import ExponentialFamily
from .utils import broadcast_all, clamp_probs


class ContinuousBernoulli(ByChance, ExponentialFamily):
    """The distribution over [0, 1] with a density like the chances of Bernoulli's.

    Between the chances `lims` formulas that divide by nothing are replaced by their series.

    >>> ContinuousBernoulli(0.8).mean
    tensor(0.6120)
    """

    arg_constraints = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.unit_interval
    _mean_carrier_measure = 0
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ):
        self._give(probs, logits)
        if probs is not None:
            checks = validate_args is not None
            if checks and not self.arg_constraints["probs"].check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(self._param.shape, validate_args=validate_args)

    def _apart(self) -> Tensor:
        """Says where chances are far enough from one half."""
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut(self) -> Tensor:
        """Returns chances that are far enough from one half."""
        return lantern.where(self._apart(), self.probs, self._lims[0])

    def _cont_bern_log_norm(self) -> Tensor:
        """Returns the logarithm of what the density is multiplied by."""
        p, x = self._cut(), (self.probs - 0.5) ** 2
        low = (-2.0 * lantern.where(p <= 0.5, p, 0.0)).log1p()
        high = (2.0 * lantern.where(p >= 0.5, p, 1.0) - 1.0).log()
        exact = ((-p).log1p() - p.log()).abs().log() - lantern.where(p <= 0.5, low, high)
        return lantern.where(self._apart(), exact, math.log(2.0) + (4 / 3 + 104 / 45 * x) * x)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        p, x = self._cut(), self.probs - 0.5
        exact = p / (2.0 * p - 1.0) + 1.0 / ((-p).log1p() - p.log())
        return lantern.where(self._apart(), exact, 0.5 + (1 / 3 + 16 / 45 * x**2) * x)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        p, x = self._cut(), (self.probs - 0.5) ** 2
        exact = p * (p - 1.0) / (1.0 - 2.0 * p) ** 2 + 1.0 / ((-p).log1p() - p.log()) ** 2
        return lantern.where(self._apart(), exact, 1 / 12 - (1 / 15 - 128 / 945 * x) * x)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        with lantern.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        return self.icdf(lantern.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def _log_density(self, value: Tensor) -> Tensor:
        logits, value = broadcast_all(self.logits, value)
        inner = binary_cross_entropy_with_logits(logits, value, reduction="none")
        return -inner + self._cont_bern_log_norm()

    def _below(self, value: Tensor) -> Tensor:
        p = self._cut()
        exact = (p**value * (1.0 - p) ** (1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        found = lantern.where(self._apart(), exact, value)
        return found.where(value > 0, 0.0).where(value < 1, 1.0)

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value up to which the chance is `value`."""
        p = self._cut()
        exact = (-p + value * (2.0 * p - 1.0)).log1p() - (-p).log1p()
        return lantern.where(self._apart(), exact / (p.log() - (-p).log1p()), value)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        down, up = (-self.probs).log1p(), self.probs.log()
        return self.mean * (down - up) - self._cont_bern_log_norm() - down

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        apart = (x <= self._lims[0] - 0.5) | (x > self._lims[1] - 0.5)
        cut = lantern.where(apart, x, self._lims[0] - 0.5)
        exact = (cut.exp() - 1.0).abs().log() - cut.abs().log()
        return lantern.where(apart, exact, 0.5 * x + x**2 / 24.0 - x**4 / 2880.0)
