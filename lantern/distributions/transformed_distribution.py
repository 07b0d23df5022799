"""Draws of one distribution sent through transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lantern
from lantern import Size, Tensor

from . import constraints
from .distribution import Distribution
from .independent import Independent
from .transforms import ComposeTransform, Transform
from .utils import sum_rightmost


class TransformedDistribution(Distribution):
    """The distribution of `f(x)` for draws x of another and a list of transforms.

    Raises ValueError for what is no transform.

    >>> normal = lantern.distributions.Normal(0.0, 1.0)
    >>> positive = TransformedDistribution(normal, lantern.distributions.ExpTransform())
    >>> positive.log_prob(lantern.tensor(1.0))
    tensor(-0.9189)
    """

    arg_constraints: dict[str, Any] = {}  # type: ignore[assignment]

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | list[Transform],
        validate_args: bool | None = None,
    ):
        self.transforms = _listed(transforms)
        base_shape = Size((*base_distribution.batch_shape, *base_distribution.event_shape))
        base_event_dim = len(base_distribution.event_shape)
        whole = ComposeTransform(self.transforms)
        if len(base_shape) < whole.domain.event_dim:
            raise ValueError(
                "base_distribution needs to have shape with size at least "
                f"{whole.domain.event_dim}, but got {base_shape}."
            )
        shape = whole.forward_shape(base_shape)
        needed = whole.inverse_shape(shape)
        if base_shape != needed:
            base_distribution = base_distribution.expand(needed[: len(needed) - base_event_dim])
        more = whole.domain.event_dim - base_event_dim
        self.base_dist = Independent(base_distribution, more) if more > 0 else base_distribution
        change = whole.codomain.event_dim - whole.domain.event_dim
        cut = len(shape) - max(whole.codomain.event_dim, base_event_dim + change)
        super().__init__(shape[:cut], shape[cut:], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """Returns this distribution for a larger batch."""
        new = super().expand(batch_shape, _instance)
        shape = Size((*batch_shape, *self.event_shape))
        for each in reversed(self.transforms):
            shape = each.inverse_shape(shape)
        cut = len(shape) - len(self.base_dist.event_shape)
        new.base_dist = self.base_dist.expand(shape[:cut])
        return new

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        """The constraint of the values."""
        if not self.transforms:
            return self.base_dist.support
        found = self.transforms[-1].codomain
        more = len(self.event_shape) - found.event_dim
        return constraints.independent(found, more) if more > 0 else found

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether draws move with the parameters."""
        return self.base_dist.has_rsample

    def _through(self, x: Tensor) -> Tensor:
        for each in self.transforms:
            x = each(x)
        return x

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        with lantern.no_grad():
            return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        return self._through(self.base_dist.rsample(sample_shape))

    def _log_density(self, value: Tensor) -> Tensor:
        dims, total = len(self.event_shape), 0.0
        for each in reversed(self.transforms):
            x = each.inv(value)
            dims += each.domain.event_dim - each.codomain.event_dim
            jacobian = each.log_abs_det_jacobian(x, value)
            total = total - sum_rightmost(jacobian, dims - each.domain.event_dim)
            value = x
        inner = self.base_dist.log_prob(value)
        return total + sum_rightmost(inner, dims - len(self.base_dist.event_shape))

    def _rising(self, chance: Tensor) -> Tensor:
        """Returns a chance counted from the other end where the transforms turn the order."""
        sign: Any = 1
        for each in self.transforms:
            sign = sign * each.sign
        return chance if isinstance(sign, int) and sign == 1 else sign * (chance - 0.5) + 0.5

    def cdf(self, value: Tensor) -> Tensor:
        """Returns the chance of a value up to this one."""
        for each in reversed(self.transforms):
            value = each.inv(value)
        return self._rising(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """Returns the value up to which the chance is `value`."""
        return self._through(self.base_dist.icdf(self._rising(value)))


def _listed(transforms: Any) -> list[Transform]:
    if isinstance(transforms, Transform):
        return [transforms]
    if not isinstance(transforms, list):
        raise ValueError(f"transforms must be a Transform or list, but was {transforms}")
    if not all(isinstance(each, Transform) for each in transforms):
        raise ValueError("transforms must be a Transform or a list of Transforms")
    return transforms
