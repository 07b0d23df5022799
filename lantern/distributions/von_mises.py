"""The von Mises distribution, the normal one of angles."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .distribution import Distribution
from .symmetric import Symmetric
from .utils import broadcast_all, lazy_property


class VonMises(Symmetric, Distribution):
    """The distribution of angles around `loc`; draws are made by rejection (Best and Fisher 1979).

    Its draws cannot be compiled: how often they are repeated depends on their values.

    >>> VonMises(1.0, 2.0).mean
    tensor(1.)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @staticmethod
    def _log_bessel(order: int, x: Tensor) -> Tensor:
        """Returns the logarithm of the modified Bessel function of order 0 or 1."""
        scaled = lantern.special.i1e(x) if order else lantern.special.i0e(x)
        return scaled.log() + x

    def _log_density(self, value: Tensor) -> Tensor:
        k = self.concentration
        return k * (value - self.loc).cos() - math.log(2 * math.pi) - self._log_bessel(0, k)

    @lazy_property
    def _proposal(self) -> Tensor:
        k = self.concentration.double()
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        return lantern.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient."""
        shape = self._extended_shape(sample_shape)
        with lantern.no_grad():
            loc, k, r = self.loc.double(), self.concentration.double(), self._proposal
            x = lantern.zeros(shape, dtype=lantern.float64)
            done = lantern.zeros(shape, dtype=lantern.bool)
            while not bool(done.all()):
                u1, u2, u3 = lantern.rand((3, *shape), dtype=lantern.float64).unbind()
                z = (math.pi * u1).cos()
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accept = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = lantern.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accept
            turned = (x + math.pi + loc) % (2 * math.pi) - math.pi
            return turned.to(self.loc.dtype)

    @property
    def variance(self) -> Tensor:
        """The circular variance."""
        k = self.concentration
        return 1 - (self._log_bessel(1, k) - self._log_bessel(0, k)).exp()
