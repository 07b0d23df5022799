"""The multivariate normal distribution with a covariance of few directions."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .distribution import Distribution
from .multivariate_normal import mahalanobis
from .symmetric import Symmetric
from .utils import lazy_property, log_diagonal, matrix_vector, standard_normal


class LowRankMultivariateNormal(Symmetric, Distribution):
    """The normal distribution with the covariance W W' + D, `cov_factor` W and `cov_diag` D.

    >>> import lantern
    >>> factor, diagonal = lantern.ones(2, 1), lantern.ones(2)
    >>> LowRankMultivariateNormal(lantern.zeros(2), factor, diagonal).covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ):
        _check(loc, cov_factor, cov_diag)
        n = loc.shape[-1]
        try:
            batch = lantern.broadcast_shapes(
                loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]
            )
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {loc.shape}, cov_factor {cov_factor.shape}, "
                f"cov_diag {cov_diag.shape}"
            ) from error
        self.loc, self.cov_diag = loc.expand(*batch, n), cov_diag.expand(*batch, n)
        self.cov_factor = cov_factor.expand(*batch, *cov_factor.shape[-2:])
        super().__init__(batch, (n,), validate_args=validate_args)

    @lazy_property
    def _capacitance(self) -> Tensor:
        """The Cholesky factor of I + W' D^-1 W."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        inner = scaled @ self.cov_factor
        return lantern.linalg.cholesky(inner + lantern.eye(inner.shape[-1], dtype=inner.dtype))

    @property
    def _log_det(self) -> Tensor:
        return 2 * log_diagonal(self._capacitance) + self.cov_diag.log().sum(-1)

    @lazy_property
    def variance(self) -> Tensor:
        """The variance of each element."""
        return self.cov_factor.pow(2).sum(-1) + self.cov_diag

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return lantern.linalg.cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance, by the small matrix (Woodbury)."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        inner = lantern.linalg.solve(self._capacitance, scaled)
        return self.cov_diag.reciprocal().diag_embed() - inner.mT @ inner

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        shape = self._extended_shape(sample_shape)
        few = standard_normal((*shape[:-1], self.cov_factor.shape[-1]), self.loc.dtype)
        many = standard_normal(shape, self.loc.dtype)
        return self.loc + matrix_vector(self.cov_factor, few) + self.cov_diag.sqrt() * many

    def _distance(self, distance: Tensor) -> Tensor:
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        inner = mahalanobis(self._capacitance, matrix_vector(scaled, distance))
        return (distance.pow(2) / self.cov_diag).sum(-1) - inner

    def _log_density(self, value: Tensor) -> Tensor:
        size = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (size + self._log_det + self._distance(value - self.loc))

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        size = self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        return 0.5 * (size + self._log_det)


def _check(loc: Tensor, cov_factor: Tensor, cov_diag: Tensor) -> None:
    if loc.ndim < 1:
        raise ValueError("loc must be at least one-dimensional.")
    event = loc.shape[-1:]
    if cov_factor.ndim < 2:
        raise ValueError(
            "cov_factor must be at least two-dimensional, with optional leading batch dimensions"
        )
    if cov_factor.shape[-2:-1] != event:
        raise ValueError(f"cov_factor must be a batch of matrices with shape {event[0]} x m")
    if cov_diag.shape[-1:] != event:
        raise ValueError(f"cov_diag must be a batch of vectors with shape {event}")
