"""Parametrizations that come ready made: orthogonal weights, weight norm and spectral norm."""

# What `forward` and `right_inverse` do, the docstring of the function says.

from __future__ import annotations

from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.nn import functional as F
from lantern.nn.modules.module import Module
from lantern.tensor import Tensor

from .norms import default_dim, norm_except, rows_of
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _weight_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Splits a weight into lengths (`original0`) and directions (`original1`), trained instead.

    Salimans and Kingma, Weight Normalization, 2016.

    >>> import lantern
    >>> layer = lantern.nn.utils.parametrizations.weight_norm(lantern.nn.Linear(2, 3))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([3, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def accept_older(state_dict: dict, prefix: str, *rest: Any) -> None:
        keys = [f"{prefix}{name}_{part}" for part in "gv"]
        if all(key in state_dict for key in keys):
            for i, key in enumerate(keys):
                new = f"{prefix}parametrizations.{name}.original{i}"
                state_dict[new] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(accept_older)
    return module


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        ndim = weight.dim()
        if not -ndim <= dim < ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got "
                f"{dim})"
            )
        if n_power_iterations <= 0:
            raise ValueError(
                "Expected n_power_iterations to be positive, but got "
                f"n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = rows_of(weight.detach(), self.dim)
            height, width = matrix.size()
            u = matrix.new_empty(height).normal_(0, 1)
            v = matrix.new_empty(width).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(matrix, 15)

    def _power_method(self, matrix: Tensor, steps: int) -> None:
        with lantern.no_grad():
            for _ in range(steps):
                u = F.normalize(lantern.mv(matrix, self._v), dim=0, eps=self.eps)
                self._u.copy_(u)
                self._v.copy_(F.normalize(lantern.mv(matrix.t(), u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = rows_of(weight, self.dim)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()
        return weight / lantern.dot(u, lantern.mv(matrix, v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divides a weight by an estimate of its largest singular value.

    Miyato et al., Spectral Normalization for Generative Adversarial Networks, 2018.

    >>> import lantern
    >>> layer = lantern.nn.utils.parametrizations.spectral_norm(lantern.nn.Linear(8, 8))
    >>> 0.5 < float(lantern.linalg.matrix_norm(layer.weight, 2)) < 1.5
    True
    """
    weight = _weight_of(module, name)
    dim = default_dim(module) if dim is None else dim
    made = _SpectralNorm(weight, n_power_iterations, dim, eps)
    return register_parametrization(module, name, made)


class _Orthogonal(Module):
    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = x.size(-2), x.size(-1)
        turned = rows < columns
        if turned:
            x, rows, columns = x.mT, columns, rows
        if self.orthogonal_map == "householder":
            q = _reflected(x)
        else:
            q = self._of_skew(x.tril())
            q = q if rows == columns else q[..., :columns]
        if "base" in self._buffers:
            q = self.base @ q
        return q.mT if turned else q

    def _of_skew(self, x: Tensor) -> Tensor:
        """Returns the orthogonal matrix that a map makes of a skew one."""
        rows, columns = x.size(-2), x.size(-1)
        if rows != columns:
            zeros = x.new_zeros(*x.shape[:-2], rows, rows - columns)
            x = lantern.cat([x, zeros], -1)
        skew = x - x.mT
        if self.orthogonal_map == "matrix_exp":
            return lantern.matrix_exp(skew)
        one = lantern.eye(rows, dtype=x.dtype, device=x.device)
        return lantern.linalg.solve(one - 0.5 * skew, one + 0.5 * skew)

    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                f"shape {q.shape}."
            )
        if "base" not in self._buffers:
            if self.orthogonal_map == "householder":
                raise NotImplementedError(
                    "orthogonal_map='householder' with use_trivialization=False is not in Lantern "
                    "yet: it needs torch.geqrf"
                )
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley "
                "parametrizations when use_trivialization=False."
            )
        start = -lantern.eye(*q.shape[-2:], dtype=q.dtype, device=q.device).expand(q.shape)
        with lantern.no_grad():
            tall = q.mT if q.size(-2) < q.size(-1) else q
            rows, columns = tall.size(-2), tall.size(-1)
            if rows != columns:
                size = (*tall.shape[:-2], rows, rows - columns)
                more = lantern.randn(size, dtype=q.dtype, device=q.device)
                tall = lantern.cat([tall, more], -1)
            self.base = _orthogonalised(tall)
        return start.clone()


def _reflected(x: Tensor) -> Tensor:
    """Returns the product of the reflections whose vectors lie below the diagonal."""
    below = x.tril(-1)
    scale = 2.0 / (1.0 + (below * below).sum(-2))
    q = lantern.linalg.householder_product(below, scale)
    return q * x.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)


def _orthogonalised(x: Tensor) -> Tensor:
    """Returns an orthogonal matrix near to `x`: itself, or the Q of its QR decomposition."""
    eps = lantern.finfo(x.dtype).eps
    one = lantern.eye(x.size(-1), dtype=x.dtype, device=x.device)
    if bool(((x.mT @ x - one).abs() < 10.0 * x.size(-1) * eps).all()):
        return x.clone()
    q, r = lantern.linalg.qr(x)
    return q * r.diagonal(0, -2, -1).sgn().unsqueeze(-2)


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keeps a weight orthogonal: it is the image of a free matrix under a map.

    The maps are 'matrix_exp' of a skew matrix A (usual for square weights), 'cayley', which is
    `(1 + A/2) / (1 - A/2)`, and 'householder', a product of reflections (usual for others).
    Lezcano-Casado, Trivializations for Gradient-Based Optimization on Manifolds, 2019.

    >>> import lantern
    >>> layer = lantern.nn.Linear(3, 3)
    >>> _ = lantern.nn.utils.parametrizations.orthogonal(layer)
    >>> lantern.allclose(layer.weight @ layer.weight.T, lantern.eye(3), atol=1e-5)
    True
    """
    weight = _weight_of(module, name)
    if weight.dim() < 2:
        raise ValueError(
            f"Expected a matrix or batch of matrices. Got a tensor of {weight.dim()} dimensions."
        )
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.size(-2) == weight.size(-1) else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
            f"Got: {orthogonal_map}"
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


__getattr__ = missing(__name__)
