"""Dropout and its kin: noise drawn as PyTorch draws it, times the input."""

from __future__ import annotations

import math
import warnings
from typing import Any

from ..op import composite
from ..tensor import Tensor
from .creation import full
from .sampling import draw, draw_like
from .views import squeeze, unsqueeze

# The value that `selu` sends minus infinity to, without its sign.
ALPHA = 1.7580993408473766


def _check(p: float) -> None:
    if p < 0 or p > 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")


def _noise(input: Any, p: float, feature: bool) -> Any:
    """Returns ones with probability `1 - p`, else zeros: per element or per channel."""
    if not feature:
        return draw_like(input, "bernoulli", input.dtype, None, 1 - p)
    if input.ndim < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = (*input.shape[:2], *(1 for _ in input.shape[2:]))
    return draw("bernoulli", shape, input.dtype, None, 1 - p)


def _dropped(input: Any, p: float, train: bool, feature: bool = False) -> Any:
    _check(p)
    if p == 0 or not train or not input.numel():
        return input
    if p == 1:
        return input * full((), 0, input)
    _refuse_integers(input)
    return input * (_noise(input, p, feature) / (1 - p))


def _alpha_dropped(input: Any, p: float, train: bool, feature: bool = False) -> Any:
    _check(p)
    if p == 0 or not train or not input.numel():
        return input
    if p == 1:
        return input * full((), 0, input)
    _refuse_integers(input)
    noise = _noise(input, p, feature)
    scale = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    shift = (noise - 1) * (ALPHA * scale) + ALPHA * scale * p
    return input * (noise * scale) + shift


def _refuse_integers(input: Tensor) -> None:
    if not input.is_floating_point():
        raise RuntimeError(
            f"result type Float can't be cast to the desired output type {input.dtype.legacy}"
        )


@composite(method=False)
def dropout(xp, input, p, train):
    """While training: zero with probability `p`, otherwise the element divided by `1 - p`.

    Raises RuntimeError for a probability outside of 0 to 1.

    >>> import lantern
    >>> _ = lantern.manual_seed(0)
    >>> lantern.dropout(lantern.ones(5), 0.5, True)
    tensor([0., 0., 2., 0., 0.])
    """
    return _dropped(input, p, train)


@composite(method=False)
def alpha_dropout(xp, input, p, train):
    """Dropout that keeps mean 0 and variance 1; it belongs to `selu`."""
    return _alpha_dropped(input, p, train)


@composite(method=False)
def feature_dropout(xp, input, p, train):
    """`dropout` of whole channels of `(N, C, *)`."""
    return _dropped(input, p, train, True)


@composite(method=False)
def feature_alpha_dropout(xp, input, p, train):
    """`alpha_dropout` of whole channels of `(N, C, *)`."""
    return _alpha_dropped(input, p, train, True)


@composite(method=False, function=False)
def dropout1d(xp, input, p, train):
    """Dropout of whole channels of `(N, C, L)` or `(C, L)`; raises RuntimeError for others."""
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. Note that "
            "dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, "
            "a channel dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _one_sample(input, p, train) if input.ndim == 2 else _dropped(input, p, train, True)


@composite(method=False, function=False)
def dropout2d(xp, input, p, train):
    """Dropout of whole channels of `(N, C, H, W)`."""
    _warn_dimensions("dropout2d", input.ndim, 2)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D "
            "dropout behavior is desired - input is interpreted as shape (N, C, L), where C is "
            "the channel dim. This behavior will change in a future release to interpret the "
            "input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D "
            "channel-wise dropout behavior, please switch to using dropout1d instead.",
            stacklevel=5,
        )
    return _dropped(input, p, train, True)


@composite(method=False, function=False)
def dropout3d(xp, input, p, train):
    """Dropout of whole channels of `(N, C, D, H, W)` or `(C, D, H, W)`."""
    _warn_dimensions("dropout3d", input.ndim, 3)
    return _dropped(input, p, train, True) if input.ndim == 5 else _one_sample(input, p, train)


def _one_sample(input: Any, p: float, train: bool) -> Any:
    return squeeze(_dropped(unsqueeze(input, 0), p, train, True), 0)


def _warn_dimensions(name: str, ndim: int, spatial: int) -> None:
    if ndim in (spatial + 1, spatial + 2):
        return
    warnings.warn(
        f"{name}: Received a {ndim}-D input to {name}, which is deprecated and will result in an "
        "error in a future release. To retain the behavior and silence this warning, please use "
        f"dropout instead. Note that {name} exists to provide channel-wise dropout on inputs with "
        f"{spatial} spatial dimensions, a channel dimension, and an optional batch dimension "
        f"(i.e. {spatial + 1}D or {spatial + 2}D inputs).",
        stacklevel=6,
    )
