"""The Wishart distribution of positive definite matrices."""

from __future__ import annotations

import math
import warnings
from typing import Any

import lantern
from lantern import Tensor
from lantern.autograd.mode import active

from . import constraints
from .chi2 import Chi2
from .exp_family import ExponentialFamily
from .multivariate_normal import ByMatrix, factor_of, only_matrix
from .utils import log_diagonal, vec_to_tril_matrix


class Wishart(ByMatrix, ExponentialFamily):
    """The distribution of the sum of outer products of `df` normal vectors.

    One of three matrices `(..., N, N)` describes the vectors. Raises AssertionError unless exactly
    one is given, ValueError for too few degrees of freedom.

    >>> import lantern
    >>> Wishart(3.0, covariance_matrix=lantern.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0

    @property
    def arg_constraints(self) -> dict[str, Any]:
        """The constraint of each parameter, by name."""
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ):
        name, matrix = only_matrix(covariance_matrix, precision_matrix, scale_tril, AssertionError)
        if matrix.ndim < 2:
            raise ValueError(
                "scale_tril must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        n = matrix.shape[-1]
        count = df if isinstance(df, Tensor) else lantern.tensor(df, dtype=matrix.dtype)
        batch = lantern.broadcast_shapes(matrix.shape[:-2], count.shape)
        self.df = count.expand(batch) if isinstance(df, Tensor) else count
        if active.trace is None and bool((self.df <= n - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        if active.trace is None and bool((self.df < n).any()):
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for "
                "ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        vars(self)[name] = matrix.expand(*batch, -1, -1)
        super().__init__(batch, matrix.shape[-2:], validate_args=validate_args)
        self._factor = factor_of(name, matrix)
        steps = lantern.arange(n, dtype=matrix.dtype)
        self._squares = Chi2(self.df.unsqueeze(-1) - steps.expand(*batch, n))

    def _counts(self, count: Tensor) -> Tensor:
        return count.unsqueeze(-1).unsqueeze(-1)

    @property
    def mean(self) -> Tensor:
        """The mean."""
        return self._counts(self.df) * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """The most probable value, NaN where there is none."""
        factor = self.df - self._event_shape[-1] - 1
        return self._counts(factor.where(factor > 0, math.nan)) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        """The variance of each element."""
        matrix = self.covariance_matrix
        diagonal = matrix.diagonal(dim1=-2, dim2=-1)
        outer = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self._counts(self.df) * (matrix.pow(2) + outer)

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Tensor:
        """Returns draws that move with the parameters, by Bartlett's factors."""
        n = self._event_shape[-1]
        lengths = self._squares.rsample(sample_shape).sqrt()
        lengths = lengths.clamp(min=lantern.finfo(lengths.dtype).eps)
        count = n * (n - 1) // 2
        noise = lantern.randn((*sample_shape, *self._batch_shape, count), dtype=lengths.dtype)
        lower = vec_to_tril_matrix(noise, diag=-1) if count else 0
        factor = self._factor @ (lengths.diag_embed() + lower)
        return factor @ factor.mT

    def _log_density(self, value: Tensor) -> Tensor:
        n, p = self.df, self._event_shape[-1]
        scale = n * (p * math.log(2) / 2 + log_diagonal(self._factor)) + lantern.mvlgamma(n / 2, p)
        shape = lantern.broadcast_shapes(self._factor.shape, value.shape)
        inner = lantern.linalg.solve((self._factor @ self._factor.mT).expand(shape), value)
        trace = inner.diagonal(dim1=-2, dim2=-1).sum(-1)
        return (n - p - 1) / 2 * lantern.linalg.slogdet(value).logabsdet - trace / 2 - scale

    def entropy(self) -> Tensor:
        """Returns the entropy in nats."""
        n, p = self.df, self._event_shape[-1]
        steps = n.unsqueeze(-1) / 2 - lantern.arange(p, dtype=n.dtype) / 2
        spread = (n - p - 1) / 2 * steps.digamma().sum(-1)
        size = (p + 1) * (p * math.log(2) / 2 + log_diagonal(self._factor))
        return size + lantern.mvlgamma(n / 2, p) - spread + n * p / 2

    @property
    def _natural_params(self) -> tuple[Tensor, Tensor]:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:
        p = self._event_shape[-1]
        half = y + (p + 1) / 2
        volume = -lantern.linalg.slogdet(-2 * x).logabsdet + math.log(2) * p
        return half * volume + lantern.mvlgamma(half, p)
