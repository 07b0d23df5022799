"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .categorical import Categorical
from .distribution import Distribution


class MixtureSameFamily(Distribution):
    """A mixture of the last batch dimension of a distribution, with a `Categorical` of weights.

    Raises ValueError where the two do not fit.

    >>> import lantern
    >>> from lantern.distributions import Categorical, Normal
    >>> parts = Normal(lantern.tensor([0.0, 4.0]), lantern.ones(2))
    >>> weights = Categorical(lantern.tensor([3.0, 1.0]))
    >>> MixtureSameFamily(weights, parts).mean
    tensor(1.)
    """

    arg_constraints: dict[str, Any] = {}  # type: ignore[assignment]
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                " The Mixture distribution needs to be an  instance of "
                "torch.distributions.Categorical"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of "
                "torch.distributions.Distribution"
            )
        weights, batch = mixture_distribution.batch_shape, component_distribution.batch_shape[:-1]
        for i, j in zip(reversed(weights), reversed(batch), strict=False):
            if i != j and 1 not in (i, j):
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({weights}) is not compatible with "
                    f"`component_distribution.batch_shape`({batch})"
                )
        count = mixture_distribution.logits.shape[-1]
        if count != component_distribution.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({count}) does not equal "
                "`component_distribution.batch_shape[-1]` "
                f"({component_distribution.batch_shape[-1]})"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        event = component_distribution.event_shape
        super().__init__(batch, event, validate_args=validate_args)

    @constraints.dependent_property
    def support(self) -> Any:
        """The constraint of the values."""
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the number of the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components, in the last batch dimension."""
        return self._component_distribution

    @property
    def _dim(self) -> int:
        return -1 - len(self._event_shape)

    def _averaged(self, values: Tensor) -> Tensor:
        weights = self._mixture_distribution.probs
        weights = weights.reshape(*weights.shape, *[1] * len(self._event_shape))
        return (weights * values).sum(self._dim)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self._averaged(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The variance: that within components and that of their means."""
        parts = self._component_distribution
        apart = (parts.mean - self.mean.unsqueeze(self._dim)).pow(2.0)
        return self._averaged(parts.variance) + self._averaged(apart)

    def cdf(self, x: Tensor) -> Tensor:
        """Returns the chance of a value up to this one."""
        chances = self._component_distribution.cdf(x.unsqueeze(self._dim))
        return (chances * self._mixture_distribution.probs).sum(-1)

    def _log_density(self, value: Tensor) -> Tensor:
        inner = self._component_distribution.log_prob(value.unsqueeze(self._dim))
        weights = lantern.log_softmax(self._mixture_distribution.logits, -1)
        return lantern.logsumexp(inner + weights, -1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        event = len(self._event_shape)
        with lantern.no_grad():
            place = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            dim = len(tuple(sample_shape)) + len(self._batch_shape)
            place = place.reshape(*place.shape, *[1] * (event + 1))
            place = place.expand(*drawn.shape[:dim], 1, *self._event_shape)
            return drawn.gather(dim, place).squeeze(dim)

    def __repr__(self) -> str:
        inside = f"\n  {self._mixture_distribution},\n  {self._component_distribution}"
        return f"MixtureSameFamily({inside})"
