"""The distribution of correlation matrices of Lewandowski, Kurowicka and Joe (2009)."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern import Tensor

from . import constraints
from .beta import Beta
from .distribution import Distribution
from .utils import broadcast_all


class LKJCholesky(Distribution):
    """The distribution of Cholesky factors of correlation matrices `(dim, dim)`.

    `concentration` 1 draws all correlation matrices alike. Raises ValueError for less than two
    dimensions.

    >>> LKJCholesky(3, 0.5).sample().shape
    torch.Size([3, 3])
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None):
        if dim < 2:
            raise ValueError(
                f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}."
            )
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        marginal = self.concentration + 0.5 * (dim - 2)
        offset = lantern.arange(dim - 1, dtype=self.concentration.dtype)
        offset = lantern.cat([offset.new_zeros(1), offset])
        self._beta = Beta(offset + 0.5, marginal.unsqueeze(-1) - 0.5 * offset)
        super().__init__(self.concentration.shape, (dim, dim), validate_args)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Returns draws without a gradient, row by row on spheres (the onion method)."""
        share = self._beta.sample(sample_shape).unsqueeze(-1)
        noise = lantern.randn(self._extended_shape(sample_shape), dtype=share.dtype).tril(-1)
        length = noise.square().sum(-1, True).sqrt()
        direction = lantern.where(length > 0, noise / length, 0.0)
        factor = share.sqrt() * direction
        tiny = lantern.finfo(factor.dtype).tiny
        return factor + (1 - factor.square().sum(-1)).clamp(min=tiny).sqrt().diag_embed()

    def _log_density(self, value: Tensor) -> Tensor:
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim
        order = order - lantern.arange(2, self.dim + 1)
        inner, n = (order * diagonal.log()).sum(-1), self.dim - 1
        alpha = self.concentration + 0.5 * n
        scale = lantern.mvlgamma(alpha - 0.5, n) - alpha.lgamma() * n
        return inner - 0.5 * n * math.log(math.pi) - scale
