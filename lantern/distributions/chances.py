"""What families have in common whose parameter is a chance or its log-odds."""

from __future__ import annotations

from typing import Any

from lantern import Size, Tensor

from .distribution import Distribution
from .utils import broadcast_all, exclusive, lazy_property, logits_to_probs, probs_to_logits


class ByChance(Distribution):
    """Has `probs`, chances, or `logits`, their log-odds; the other follows when asked for."""

    _given: str

    @lazy_property
    def logits(self) -> Tensor:
        """The log-odds."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The chances."""
        return logits_to_probs(self.logits, is_binary=True)

    def _give(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        """Keeps the parameter given; returns the others in its shape."""
        self._given = exclusive(probs, logits)
        *rest, given = broadcast_all(*others, logits if probs is None else probs)
        vars(self)[self._given] = given
        return tuple(each.type_as(given) for each in rest)

    @property
    def _param(self) -> Tensor:
        return getattr(self, self._given)

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter given."""
        return self._param.size()
