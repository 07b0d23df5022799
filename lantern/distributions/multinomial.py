"""The multinomial distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .binomial import Binomial
from .categorical import OverCategories
from .utils import broadcast_all


class Multinomial(OverCategories):
    """How often each class was drawn in `total_count` draws with weights `probs` `(..., K)`.

    >>> _ = lantern.manual_seed(0)
    >>> Multinomial(10, lantern.ones(6) / 6).sample()
    tensor([0., 2., 2., 2., 2., 2.])
    """

    arg_constraints = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._choose(probs, logits, validate_args)
        self._binomial = Binomial(total_count=total_count, probs=self.probs)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """The constraint of the values."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        drawn = self._categorical.sample((self.total_count, *sample_shape)).movedim(0, -1)
        counts = drawn.new_zeros(self._extended_shape(sample_shape))
        counts = counts.scatter_add(-1, drawn, lantern.ones_like(drawn))
        return counts.to(self.probs.dtype)

    def _log_density(self, value: Tensor) -> Tensor:
        logits, value = broadcast_all(self.logits, value)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        never = (value == 0) & (logits == -math.inf)
        return ways + (logits.masked_fill(never, 0) * value).sum(-1)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        each = self.total_count * self._categorical.entropy()
        counts = self._binomial.enumerate_support(expand=False)[1:]
        chances = self._binomial.log_prob(counts).exp()
        repeats = (chances * (counts + 1).lgamma()).sum((0, -1))
        return each - math.lgamma(self.total_count + 1) + repeats
