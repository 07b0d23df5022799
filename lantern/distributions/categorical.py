"""The categorical distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Size, Tensor

from . import constraints
from .distribution import Distribution
from .utils import exclusive, lazy_property, logits_to_probs, probs_to_logits


class Categorical(Distribution):
    """The number of a class, drawn with weights `probs` `(..., K)` or their logarithms.

    >>> _ = lantern.manual_seed(0)
    >>> Categorical(lantern.tensor([1.0, 1.0, 2.0])).sample((5,))
    tensor([2, 2, 1, 2, 2])
    """

    arg_constraints = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    has_enumerate_support = True

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        self._given = exclusive(probs, logits)
        given: Any = logits if probs is None else probs
        if given.ndim < 1:
            raise ValueError(f"`{self._given}` parameter must be at least one-dimensional.")
        if probs is not None:
            self.probs = probs / probs.sum(-1, keepdim=True)
        else:
            self.logits = given - given.logsumexp(dim=-1, keepdim=True)
        self._num_events = given.shape[-1]
        super().__init__(given.shape[:-1], validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """The constraint of the values."""
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the chances."""
        return probs_to_logits(self.probs)

    @lazy_property
    def probs(self) -> Tensor:
        """The chances."""
        return logits_to_probs(self.logits)

    @property
    def _param(self) -> Tensor:
        return getattr(self, self._given)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter given."""
        return self._param.size()

    @property
    def mean(self) -> Tensor:
        """NaN: classes have no mean."""
        return lantern.full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    @property
    def mode(self) -> Tensor:
        """The most probable class."""
        return self.probs.argmax(dim=-1)

    @property
    def variance(self) -> Tensor:
        """NaN: classes have no variance."""
        return lantern.full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        rows = self.probs.detach().reshape(-1, self._num_events)
        drawn = lantern.multinomial(rows, Size(sample_shape).numel(), True).T
        return drawn.reshape(self._extended_shape(sample_shape))

    def _log_density(self, value: Tensor) -> Tensor:
        value, chances = lantern.broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return chances.gather(-1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        chances = self.logits.clamp(min=lantern.finfo(self.logits.dtype).min)
        return -(chances * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Returns the numbers of all classes."""
        return self._spread(lantern.arange(self._num_events), expand)


class OverCategories(Distribution):
    """What families have in common that are made of one `Categorical`, `_categorical`."""

    _categorical: Categorical

    def _choose(self, probs: Tensor | None, logits: Tensor | None, validate: bool | None) -> None:
        self._categorical = Categorical(probs, logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate)

    @property
    def probs(self) -> Tensor:
        """The chances."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the chances."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter given."""
        return self._categorical.param_shape

    @property
    def _param(self) -> Tensor:
        return self._categorical._param
