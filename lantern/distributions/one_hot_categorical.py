"""The categorical distribution of one-hot vectors."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor
from lantern.nn.functional import one_hot

from . import constraints
from .categorical import OverCategories


class OneHotCategorical(OverCategories):
    """One-hot vectors of a class drawn with weights `probs` `(..., K)` or their logarithms.

    >>> import lantern
    >>> OneHotCategorical(lantern.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        self._choose(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The vector of the most probable class."""
        return one_hot(self._categorical.mode, self.probs.shape[-1]).to(self.probs.dtype)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        drawn = self._categorical.sample(sample_shape)
        return one_hot(drawn, self._categorical._num_events).to(self.probs.dtype)

    def _log_density(self, value: Tensor) -> Tensor:
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Returns the vectors of all classes."""
        return self._spread(lantern.eye(self._event_shape[0], dtype=self._param.dtype), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors whose gradient is that of the chances (Bengio et al. 2013).

    >>> import lantern
    >>> OneHotCategoricalStraightThrough(lantern.tensor([0.0, 1.0])).rsample()
    tensor([0., 1.])
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws with the gradient of the chances."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())
