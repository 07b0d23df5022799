"""Exponential families, whose entropy follows from their normalizer."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from .distribution import Distribution


class ExponentialFamily(Distribution):
    """A family with the density exp(t(x) parameters - normalizer + carrier(x)).

    A subclass may name its natural parameters, their normalizer and the mean of the carrier; the
    entropy follows by a derivative (Nielsen and Nock 2010).
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        carrier = self._mean_carrier_measure
        parameters = [each.detach().requires_grad_() for each in self._natural_params]
        normalizer = self._log_normalizer(*parameters)
        means = lantern.autograd.grad(normalizer.sum(), parameters, create_graph=True)
        result = normalizer - carrier
        for parameter, mean in zip(parameters, means, strict=True):
            result = result - (parameter * mean).reshape(*self._batch_shape, -1).sum(-1)
        return result
