"""Normalisation of each channel of each sample."""

# What `forward` and `extra_repr` do, the docstring of the class says.

from __future__ import annotations

import warnings
from typing import Any

from lantern.nn import functional as F
from lantern.tensor import Tensor

from .batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    _ndim = 0  # spatial dimensions

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        settings = (num_features, eps, momentum, affine, track_running_stats, device, dtype)
        super().__init__(*settings, bias=bias)

    def _check_input_dim(self, input: Tensor) -> None:
        least, most = self._ndim + 1, self._ndim + 2
        if input.dim() not in (least, most):
            raise ValueError(f"expected {least}D or {most}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        dim = input.dim() - self._ndim - 1
        if input.size(dim) != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={dim} to match num_features "
                    f"({self.num_features}), but got: {input.size(dim)}."
                )
            warnings.warn(
                f"input's size at dim={dim} does not match num_features. You can silence this "
                "warning by not passing in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        if dim == 0:
            return self._normalised(input.unsqueeze(0)).squeeze(0)
        return self._normalised(input)

    def _normalised(self, input: Tensor) -> Tensor:
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of `(N, C, L)` or `(C, L)` less its mean, over its deviation.

    Raises ValueError for other ranks, and for channels of one value.

    >>> import lantern
    >>> lantern.nn.InstanceNorm1d(1)(lantern.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """

    _ndim = 1


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each sample of `(N, C, H, W)` or `(C, H, W)` normalised.

    >>> import lantern
    >>> lantern.nn.InstanceNorm2d(3)(lantern.ones(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])
    """

    _ndim = 2


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each sample of `(N, C, D, H, W)` or `(C, D, H, W)` normalised.

    >>> import lantern
    >>> lantern.nn.InstanceNorm3d(3)(lantern.ones(2, 3, 2, 2, 2)).shape
    torch.Size([2, 3, 2, 2, 2])
    """

    _ndim = 3
