"""The geometric distribution."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import Tensor
from lantern.nn.functional import binary_cross_entropy_with_logits

from . import constraints
from .chances import ByChance
from .utils import broadcast_all


class Geometric(ByChance):
    """The number of failures before a success of chance `probs`.

    >>> Geometric(0.25).mean
    tensor(3.)
    """

    arg_constraints = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None):
        self._give(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._checks and probs is not None and not bool((self.probs > 0).all()):
            value = self.probs
            raise ValueError(
                f"Expected parameter probs ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"of distribution {self!r} to be positive but found invalid values:\n"
                f"{value.detach()[~(value > 0)]}"
            )

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        return lantern.zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        """The variance."""
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        shape, dtype = self._extended_shape(sample_shape), self.probs.dtype
        with lantern.no_grad():
            u = lantern.empty(shape, dtype=dtype).uniform_(lantern.finfo(dtype).tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def _log_density(self, value: Tensor) -> Tensor:
        value, probs = broadcast_all(value, self.probs)
        failing = lantern.where((probs == 1) & (value == 0), 0.0, probs)
        return value * (-failing).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        bits = binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")
        return bits / self.probs
