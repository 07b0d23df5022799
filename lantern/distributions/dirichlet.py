"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .exp_family import ExponentialFamily


class Dirichlet(ExponentialFamily):
    """The distribution of shares of 1 with the parameters `concentration` `(..., K)`.

    >>> import lantern
    >>> Dirichlet(lantern.tensor([1.0, 1.0, 2.0])).mean
    tensor([0.2500, 0.2500, 0.5000])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None):
        if concentration.ndim < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        above = (self.concentration - 1).clamp(min=0.0)
        inner = above / above.sum(-1, True)
        corner = lantern.nn.functional.one_hot(inner.argmax(-1), above.shape[-1]).to(inner.dtype)
        return lantern.where((self.concentration < 1).all(-1, keepdim=True), corner, inner)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        a, total = self.concentration, self.concentration.sum(-1, True)
        return a * (total - a) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        return lantern._sample_dirichlet(
            self.concentration.expand(self._extended_shape(sample_shape))
        )

    def _log_density(self, value: Tensor) -> Tensor:
        a = self.concentration
        return lantern.xlogy(a - 1.0, value).sum(-1) + a.sum(-1).lgamma() - a.lgamma().sum(-1)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        a, total, k = self.concentration, self.concentration.sum(-1), self._event_shape[0]
        inner = ((a - 1.0) * a.digamma()).sum(-1)
        return a.lgamma().sum(-1) - total.lgamma() - (k - total) * total.digamma() - inner

    @property
    def _natural_params(self) -> tuple[Tensor]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
