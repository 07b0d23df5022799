"""One-hot vectors softened, so that draws have gradients (Jang et al. 2017)."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .categorical import OverCategories
from .relaxed_bernoulli import Relaxed
from .transforms import ExpTransform
from .utils import broadcast_all, clamp_probs


class ExpRelaxedCategorical(OverCategories):
    """The logarithms of softened one-hot vectors.

    >>> import lantern
    >>> ExpRelaxedCategorical(lantern.tensor(1.0), lantern.ones(3)).sample().exp().sum().round()
    tensor(1.)
    """

    arg_constraints = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        self.temperature = temperature
        self._choose(probs, logits, validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        shape = self._extended_shape(sample_shape)
        gumbel = -(-clamp_probs(lantern.rand(shape, dtype=self.logits.dtype)).log()).log()
        scores = (self.logits + gumbel) / self.temperature
        return scores - scores.logsumexp(dim=-1, keepdim=True)

    def _log_density(self, value: Tensor) -> Tensor:
        count = self._categorical._num_events
        logits, value = broadcast_all(self.logits, value)
        scores = logits - value * self.temperature
        scores = (scores - scores.logsumexp(dim=-1, keepdim=True)).sum(-1)
        return scores + math.lgamma(count) + self.temperature.log() * (count - 1)


class RelaxedOneHotCategorical(Relaxed):
    """Shares of 1, nearer to one-hot vectors the lower the temperature.

    >>> import lantern
    >>> RelaxedOneHotCategorical(lantern.tensor(1.0), lantern.ones(3)).sample().sum().round()
    tensor(1.)
    """

    arg_constraints = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    support = constraints.simplex
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        inner = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(inner, ExpTransform(), validate_args=validate_args)
