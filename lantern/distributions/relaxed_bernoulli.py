"""Bernoulli numbers softened, so that draws have gradients (Maddison et al. 2017)."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .chances import ByChance
from .transformed_distribution import TransformedDistribution
from .transforms import SigmoidTransform
from .utils import broadcast_all, clamp_probs


class LogitRelaxedBernoulli(ByChance):
    """The log-odds of softened Bernoulli numbers.

    >>> LogitRelaxedBernoulli(lantern.tensor(1.0), 0.5).sample().shape
    torch.Size([])
    """

    arg_constraints = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.real

    def __init__(
        self,
        temperature: Tensor,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ):
        self.temperature = temperature
        self._give(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        shape = self._extended_shape(sample_shape)
        p = clamp_probs(self.probs.expand(shape))
        u = clamp_probs(lantern.rand(shape, dtype=p.dtype))
        return (u.log() - (-u).log1p() + p.log() - (-p).log1p()) / self.temperature

    def _log_density(self, value: Tensor) -> Tensor:
        logits, value = broadcast_all(self.logits, value)
        distance = logits - value * self.temperature
        return self.temperature.log() + distance - 2 * distance.exp().log1p()


class Relaxed(TransformedDistribution):
    """Softened draws, made of those of a distribution with a temperature."""

    @property
    def temperature(self) -> Tensor:
        """The temperature."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The log-odds, or logarithms of the chances."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The chances."""
        return self.base_dist.probs


class RelaxedBernoulli(Relaxed):
    """Softened Bernoulli numbers between 0 and 1; nearer to these the lower the temperature.

    >>> import lantern
    >>> RelaxedBernoulli(lantern.tensor(0.1), lantern.tensor([0.2, 0.8])).sample().shape
    torch.Size([2])
    """

    arg_constraints = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ):
        inner = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(inner, SigmoidTransform(), validate_args=validate_args)
