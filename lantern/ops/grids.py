"""Images sampled at places that a grid names, as spatial transformers do it.

Jaderberg et al., Spatial Transformer Networks, 2015.
"""

from __future__ import annotations

import itertools
import math
import warnings
from typing import Any

from .. import dtypes
from ..op import composite
from .creation import arange, full
from .join import stack
from .linalg import bmm
from .resampling import _cubic_share
from .slices import select
from .views import expand, reshape, transpose, unsqueeze

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")


@composite(method=False, function=False)
def affine_grid(xp, theta, size, align_corners=None):
    """The places `(N, H, W, 2)`, from -1 to 1, that affine maps `(N, 2, 3)` send an image's to.

    For volumes `(N, D, H, W, 3)` from `(N, 3, 4)`. Raises ValueError where shapes do not fit.

    >>> import lantern
    >>> same = lantern.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    >>> lantern.nn.functional.affine_grid(same, (1, 1, 1, 2), align_corners=False)
    tensor([[[[-0.5000,  0.0000],
              [ 0.5000,  0.0000]]]])
    """
    _warn_of_corners(align_corners)
    if theta.dtype.kind != "f":
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    size = tuple(size)
    if len(size) not in (4, 5):
        raise NotImplementedError(
            "affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, "
            f"respectively. Got size {size}."
        )
    ndim = len(size) - 2
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (ndim, ndim + 1):
        raise ValueError(
            f"Expected a batch of {ndim}D affine matrices of shape Nx{ndim}x{ndim + 1} for size "
            f"{size}. Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    batch, spatial = size[0], size[2:]
    if align_corners and min(spatial) == 1:
        warnings.warn(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when "
            "align_corners=True. This is not an intended use case of affine_grid. See the "
            "documentation of affine_grid for details.",
            stacklevel=3,
        )
    lines = []
    for dim, count in enumerate(spatial):
        line = _places(count, bool(align_corners), theta.dtype)
        line = reshape(line, (1,) * dim + (count,) + (1,) * (ndim - 1 - dim))
        lines.insert(0, expand(line, spatial))
    base = stack([*lines, full(spatial, 1, theta.dtype)], -1)
    count = math.prod(spatial)
    base = expand(reshape(base, (1, count, ndim + 1)), (batch, count, ndim + 1))
    return reshape(bmm(base, transpose(theta, 1, 2)), (batch, *spatial, ndim))


def _places(count: int, align_corners: bool, dtype: Any) -> Any:
    if count <= 1:
        return full((count,), 0, dtype)
    steps = arange(0, count, 1, dtype)
    places = steps * (2 / (count - 1)) - 1
    return places if align_corners else places * ((count - 1) / count)


@composite(method=False, function=False, tensors="grid")
def grid_sample(xp, input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """The image `(N, C, H, W)` at places `(N, I, J, 2)`: x and y, each from -1 to 1 in the image.

    `mode` is 'bilinear', 'nearest' or 'bicubic'; beyond the image are 'zeros', its 'border' or its
    'reflection'. Volumes `(N, C, D, H, W)` take places `(N, I, J, K, 3)`, but not 'bicubic'. Raises
    RuntimeError where shapes do not fit.

    >>> import lantern
    >>> image = lantern.tensor([[[[0.0, 2.0]]]])
    >>> lantern.nn.functional.grid_sample(image, lantern.zeros(1, 1, 1, 2), align_corners=True)
    tensor([[[[1.]]]])
    """
    _check_names(mode, padding_mode)
    _warn_of_corners(align_corners)
    _check_shapes(input, grid, mode)
    sizes = tuple(input.shape[2:])[::-1]  # x belongs to the last dimension
    places = []
    for i, size in enumerate(sizes):
        place = select(grid, -1, i)
        half = (place + 1) / 2
        place = half * (size - 1) if align_corners else half * size - 0.5
        if mode != "bicubic":
            place = _kept_inside(xp, place, size, padding_mode, bool(align_corners))
        places.append(place)
    if mode == "bicubic":
        how = (padding_mode, bool(align_corners))
        axes = [_cubic_axis(xp, p, n, *how) for p, n in zip(places, sizes, strict=True)]
    else:
        axis = _nearest_axis if mode == "nearest" else _linear_axis
        axes = [axis(xp, p, n) for p, n in zip(places, sizes, strict=True)]
    return _gathered(xp, input, axes)


def _warn_of_corners(align_corners: bool | None) -> None:
    if align_corners is None:
        warnings.warn(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since "
            "1.3.0. Please specify align_corners=True if the old behavior is desired. See the "
            "documentation of grid_sample for details.",
            stacklevel=4,
        )


def _check_names(mode: str, padding_mode: str) -> None:
    for given, name, known, listed in (
        (mode, "mode", MODES, "'bilinear', 'nearest' or 'bicubic'"),
        (padding_mode, "padding_mode", PADDINGS, "'zeros', 'border', or 'reflection'"),
    ):
        if given not in known:
            raise ValueError(
                f"nn.functional.grid_sample(): expected {name} to be {listed}, but got: '{given}'"
            )


def _check_shapes(input: Any, grid: Any, mode: str) -> None:
    shape, places = list(input.shape), list(grid.shape)
    if input.dtype is not grid.dtype:
        raise RuntimeError(
            f"expected scalar type {input.dtype.legacy} but found {grid.dtype.legacy}"
        )
    if not shape or not places:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if shape[0] != places[0]:
        raise RuntimeError(
            "grid_sampler(): expected grid and input to have same batch size, but got input with "
            f"sizes {shape} and grid with sizes {places}"
        )
    if places[-1] != input.ndim - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {input.ndim - 2} in last dimension, but "
            f"got grid with sizes {places}"
        )
    if input.ndim not in (4, 5) or grid.ndim != input.ndim:
        raise RuntimeError(
            "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but "
            f"got input with sizes {shape} and grid with sizes {places}"
        )
    for dim in range(2, input.ndim):
        if not shape[dim]:
            raise RuntimeError(
                "grid_sampler(): expected input to have non-empty spatial dimensions, but input "
                f"has sizes {shape} with dimension {dim} being empty"
            )
    if mode == "bicubic" and input.ndim == 5:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def _kept_inside(xp: Any, place: Any, size: int, padding: str, align_corners: bool) -> Any:
    if padding == "zeros":
        return place
    if padding == "reflection":
        low, high = (0, 2 * (size - 1)) if align_corners else (-1, 2 * size - 1)
        place = _reflected(xp, place, low / 2, (high - low) / 2)
    # At the edge itself the gradient is 0, as PyTorch has it.
    zero, last = full((), 0, place), full((), size - 1, place)
    place = xp.where(xp.gt(place, 0), place, zero)
    return xp.where(xp.lt(place, size - 1), place, last)


def _reflected(xp: Any, place: Any, low: float, span: float) -> Any:
    """Returns places thrown back at both ends until they are between them."""
    if not span:
        return place * 0.0
    away = xp.abs(place - low)
    turns = xp.floor(away.detach() / span)
    rest = away - turns * span
    odd = xp.eq(xp.remainder(turns, full((), 2, turns)), 1)
    return xp.where(odd, span - rest, rest) + low


def _nearest_axis(xp: Any, place: Any, size: int) -> list:
    found = xp.round(place.detach())
    return [(*_inside(xp, found, size), place * 0.0 + 1.0)]


def _linear_axis(xp: Any, place: Any, size: int) -> list:
    low = xp.floor(place.detach())
    share = place - low
    return [
        (*_inside(xp, low, size), 1 - share),
        (*_inside(xp, low + 1, size), share),
    ]


def _cubic_axis(xp: Any, place: Any, size: int, padding: str, align_corners: bool) -> list:
    low = xp.floor(place.detach())
    share = place - low
    taps = []
    for step, distance in ((-1, share + 1), (0, share), (1, 1 - share), (2, 2 - share)):
        found = _kept_inside(xp, low + step, size, padding, align_corners)
        weight = _cubic_share(distance, step in (0, 1), -0.75)
        taps.append((*_inside(xp, found, size), weight))
    return taps


def _inside(xp: Any, place: Any, size: int) -> tuple[Any, Any]:
    """Returns whole places that exist, and which of those asked for do."""
    inside = xp.logical_and(xp.ge(place, 0), xp.le(place, size - 1))
    return xp.cast(xp.where(inside, place, full((), 0, place)), dtypes.int64), inside


def _gathered(xp: Any, input: Any, axes: list) -> Any:
    """Returns the sum over all corners of what lies there times the product of its weights."""
    batch, channels, *spatial = input.shape
    flat = reshape(input, (batch, channels, math.prod(spatial)))
    total = None
    for corner in itertools.product(*axes):
        place, inside, weight, step = None, None, None, 1
        for (found, real, share), size in zip(corner, reversed(spatial), strict=True):
            place = found * step if place is None else place + found * step
            inside = real if inside is None else xp.logical_and(inside, real)
            weight = share if weight is None else weight * share
            step *= size
        shape = tuple(place.shape[1:])
        index = reshape(place, (batch, 1, math.prod(shape)))
        index = expand(index, (batch, channels, math.prod(shape)))
        shown = reshape(xp.gather(flat, 2, index), (batch, channels, *shape))
        shown = xp.where(unsqueeze(inside, 1), shown, full((), 0, shown)) * unsqueeze(weight, 1)
        total = shown if total is None else total + shown
    return total
