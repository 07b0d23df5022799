"""What the families share: arguments brought together, odds and chances, late attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from numbers import Number
from typing import Any

import lantern
from lantern import Tensor
from lantern.nn import functional as F

euler_constant = 0.5772156649015329


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Returns numbers and tensors as tensors of one shape; numbers take a tensor's dtype.

    Raises ValueError for what is neither.

    >>> broadcast_all(1.0, lantern.zeros(2))
    (tensor([1., 1.]), tensor([0., 0.]))
    """
    if not all(isinstance(each, (Tensor, Number)) for each in values):
        raise ValueError(
            "Input arguments must all be instances of Number, torch.Tensor or objects implementing "
            "__torch_function__."
        )
    tensors = [each for each in values if isinstance(each, Tensor)]
    dtype = tensors[0].dtype if tensors else lantern.get_default_dtype()
    made = [e if isinstance(e, Tensor) else lantern.tensor(e, dtype=dtype) for e in values]
    return tuple(lantern.broadcast_tensors(*made))


def sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """Returns the sum over the last `dim` dimensions."""
    return value.reshape(*value.shape[: value.ndim - dim], -1).sum(-1) if dim else value


def standard_normal(shape: Any, dtype: Any) -> Tensor:
    """Returns normal draws of mean 0 and deviation 1."""
    return lantern.empty(shape, dtype=dtype).normal_()


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Returns chances from log-odds, or from logarithms of weights in the last dimension."""
    return lantern.sigmoid(logits) if is_binary else F.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Returns chances kept apart from 0 and 1."""
    eps = lantern.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Returns log-odds of chances, or the logarithms of chances."""
    inside = clamp_probs(probs)
    return inside.log() - (-inside).log1p() if is_binary else inside.log()


def exclusive(probs: Any, logits: Any) -> str:
    """Returns which of two is given; raises ValueError unless it is one."""
    if (probs is None) == (logits is None):
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return "logits" if probs is None else "probs"


class lazy_property:
    """An attribute that is computed when it is first asked for, and kept."""

    def __init__(self, wrapped: Callable[[Any], Any]):
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with lantern.enable_grad():
            value = self.wrapped(instance)
        vars(instance)[self.wrapped.__name__] = value
        return value


def _below(n: int, diag: int) -> Tensor:
    places = lantern.arange(n)
    return places < places.view(-1, 1) + (diag + 1)


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """Returns the elements up to a diagonal, row by row: `(..., D, D)` to `(..., N)`.

    Raises ValueError for a diagonal outside of the matrix.
    """
    n = mat.shape[-1]
    if diag < -n or diag >= n:
        raise ValueError(f"diag ({diag}) provided is outside [{-n}, {n - 1}].")
    return mat[..., _below(n, diag)]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """Returns the lower triangular matrix of such elements: `(..., N)` to `(..., D, D)`.

    Raises ValueError for a number of elements that fits no matrix.
    """
    count = vec.shape[-1]
    n = next((n for n in range(count + 2 + abs(diag)) if _size(n, diag) >= count), 0)
    if _size(n, diag) != count:
        raise ValueError(
            f"The size of last dimension is {count} which cannot be expressed as the lower "
            "triangular part of a square D x D matrix."
        )
    places = _below(n, diag)
    rows, columns = places.nonzero(as_tuple=True)
    flat = vec.new_zeros((*vec.shape[:-1], n * n))
    index = (rows * n + columns).expand(vec.shape)
    return flat.scatter(-1, index, vec).view(*vec.shape[:-1], n, n)


def _size(n: int, diag: int) -> int:
    return sum(min(max(row + diag + 1, 0), n) for row in range(n))


def matrix_vector(matrix: Tensor, vector: Tensor) -> Tensor:
    """Returns the products of matrices `(..., N, M)` and vectors `(..., M)`."""
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def log_diagonal(matrix: Tensor) -> Tensor:
    """Returns the sum of the logarithms on the diagonal."""
    return matrix.diagonal(dim1=-2, dim2=-1).log().sum(-1)
