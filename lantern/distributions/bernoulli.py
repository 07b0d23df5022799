"""The Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor
from lantern.nn.functional import binary_cross_entropy_with_logits, softplus

from . import constraints
from .chances import ByChance
from .exp_family import ExponentialFamily
from .utils import broadcast_all


class Bernoulli(ByChance, ExponentialFamily):
    """1 with chance `probs`, else 0.

    >>> _ = lantern.manual_seed(0)
    >>> Bernoulli(0.3).sample((6,))
    tensor([0., 0., 1., 1., 0., 0.])
    """

    arg_constraints = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._give(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The more probable value, NaN where both are alike."""
        return (self.probs >= 0.5).to(self.probs.dtype).where(self.probs != 0.5, math.nan)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        with lantern.no_grad():
            return lantern.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def _log_density(self, value: Tensor) -> Tensor:
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Returns 0 and 1."""
        return self._spread(lantern.arange(2, dtype=self._param.dtype), expand)

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (lantern.logit(self.probs),)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return softplus(x)
