"""The multivariate normal distribution."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Size, Tensor

from . import constraints
from .distribution import Distribution
from .symmetric import Symmetric
from .utils import lazy_property, log_diagonal, matrix_vector, standard_normal


class ByMatrix:
    """Part of a distribution that is given one of three matrices, each of which gives the others.

    `_factor` is the Cholesky factor of the covariance.
    """

    _factor: Tensor
    _batch_shape: Size

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The Cholesky factor of the covariance."""
        return self._whole(self._factor)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance."""
        return self._whole(self._factor @ self._factor.mT)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        return self._whole(lantern.linalg.inv(self._factor @ self._factor.mT))

    def _whole(self, matrix: Tensor) -> Tensor:
        return matrix.expand(*self._batch_shape, *matrix.shape[-2:])


class MultivariateNormal(ByMatrix, Symmetric, Distribution):
    """The normal distribution of vectors `(..., N)`, with one of three matrices `(..., N, N)`.

    Raises ValueError unless exactly one is given.

    >>> _ = lantern.manual_seed(0)
    >>> MultivariateNormal(lantern.zeros(2), lantern.eye(2)).sample()
    tensor([ 1.5410, -0.2934])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        if loc.ndim < 1:
            raise ValueError("loc must be at least one-dimensional.")
        name, matrix = only_matrix(covariance_matrix, precision_matrix, scale_tril, ValueError)
        if matrix.ndim < 2:
            what = "scale_tril matrix" if name == "scale_tril" else name
            raise ValueError(
                f"{what} must be at least two-dimensional, with optional leading batch dimensions"
            )
        batch = lantern.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1])
        vars(self)[name] = matrix.expand(*batch, -1, -1)
        self.loc = loc.expand(*batch, -1)
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        self._factor = factor_of(name, matrix)

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        found = self._factor.pow(2).sum(-1)
        return found.expand(*self._batch_shape, *self._event_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws that move with the parameters."""
        noise = standard_normal(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + matrix_vector(self._factor, noise)

    def _log_density(self, value: Tensor) -> Tensor:
        distance = mahalanobis(self._factor, value - self.loc)
        size = self._event_shape[0] * math.log(2 * math.pi)
        return -0.5 * (size + distance) - log_diagonal(self._factor)

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        found = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi))
        return (found + log_diagonal(self._factor)).expand(self._batch_shape)


def only_matrix(
    covariance: Any, precision: Any, scale_tril: Any, error: type[Exception]
) -> tuple[str, Tensor]:
    """Returns the name and the one that is given of three matrices."""
    found = {
        "covariance_matrix": covariance,
        "precision_matrix": precision,
        "scale_tril": scale_tril,
    }
    given = [(name, each) for name, each in found.items() if each is not None]
    if len(given) != 1:
        raise error(
            "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified."
        )
    return given[0]


def factor_of(name: str, matrix: Tensor) -> Tensor:
    """Returns the Cholesky factor of the covariance that a matrix describes."""
    if name == "scale_tril":
        return matrix
    if name == "covariance_matrix":
        return lantern.linalg.cholesky(matrix)
    # With U the upper factor that P = U U' has, the covariance is U'^-1 U^-1.
    turned = lantern.linalg.cholesky(matrix.flip((-2, -1)))
    return lantern.linalg.inv(turned.flip((-2, -1)).mT)


def mahalanobis(factor: Tensor, distance: Tensor) -> Tensor:
    """Returns the squared lengths of L^-1 d for factors L and vectors d."""
    batch = lantern.broadcast_shapes(factor.shape[:-2], distance.shape[:-1])
    factor = factor.tril().expand(*batch, *factor.shape[-2:])
    column = distance.expand(*batch, distance.shape[-1]).unsqueeze(-1)
    return lantern.linalg.solve(factor, column).squeeze(-1).pow(2).sum(-1)
