"""Resampling: images (lines, volumes) at another size, one dimension after the other.

A place of the output shows a few places of the input ("taps"), each times a weight. The gradient
of weighted taps is a product with the small matrix of their weights.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

from .. import dtypes
from ..op import FLOAT, KEEP, REGISTRY, composite, op
from .layout import at, laid_along

LINEAR = {3: "linear", 4: "bilinear", 5: "trilinear"}


class Along(NamedTuple):
    """How one dimension is resampled: `scale` is the step in the input per place of the output."""

    dim: int
    before: int
    after: int
    scale: float
    mode: str
    align_corners: bool
    antialias: bool


# --- by the nearest place
def _nearest(xp: Any, along: Along, dtype: Any) -> Any:
    """Returns which place of the input each place of the output shows."""
    places = xp.arange(0, along.after, 1, dtype)
    if along.mode == "nearest-exact":
        places = places + 0.5
    found = xp.cast(xp.floor(places * along.scale), dtypes.int64)
    return xp.minimum(found, xp.full((), along.before - 1, found))


def _is_repeat(along: Along) -> bool:
    """Says whether each element is just repeated."""
    return (
        bool(along.before)
        and along.scale * along.after == along.before
        and (along.after % along.before == 0)
    )


def _between(shape: tuple, dim: int, *sizes: int) -> tuple[int, ...]:
    return (*shape[:dim], *sizes, *shape[dim + 1 :])


@op(promote=KEEP, method=False, public=False, exact=True, label=lambda input, steps: _name(steps))
def show_nearest(xp, input, steps):
    """The input with each dimension of `steps` resampled by the nearest place."""
    precise = dtypes.float64 if input.dtype.char == "d" else dtypes.float32
    for along in steps:
        dim, shape = along.dim, input.shape
        if _is_repeat(along):
            factor = along.after // along.before
            wide = xp.reshape(input, _between(shape, dim, along.before, 1))
            wide = xp.expand(wide, _between(shape, dim, along.before, factor))
            input = xp.reshape(wide, _between(shape, dim, along.after))
        else:
            input = xp.pick(input, dim, _nearest(xp, along, precise))
    return input


def _nearest_back(xp, g, input_dtype, steps):
    precise = dtypes.float64 if input_dtype.char == "d" else dtypes.float32
    for along in reversed(steps):
        dim, shape = along.dim, g.shape
        if _is_repeat(along):
            factor = along.after // along.before
            g = xp.reshape(g, _between(shape, dim, along.before, factor))
            g = xp.sum(g, (dim + 1,), False)
        else:
            zeros = xp.full(_between(shape, dim, along.before), 0, g)
            g = xp.put_add(zeros, at(dim, _nearest(xp, along, precise)), g)
    return g


show_nearest.vjp(input=_nearest_back)


# --- by weights
def _linear(xp: Any, along: Along, dtype: Any) -> list[tuple[Any, Any]]:
    places = xp.arange(0, along.after, 1, dtype)
    if along.align_corners:
        source = places * along.scale
    else:
        source = (places + 0.5) * along.scale - 0.5
        source = xp.maximum(source, xp.full((), 0, source))
    last = along.before - 1
    low = xp.cast(xp.floor(source), dtypes.int64)
    low = xp.minimum(low, xp.full((), last, low))
    high = xp.minimum(low + 1, xp.full((), last, low))
    share = source - xp.cast(low, dtype)
    share = xp.minimum(share, xp.full((), 1, share))
    return [(low, 1 - share), (high, share)]


def _cubic(xp: Any, along: Along, dtype: Any) -> list[tuple[Any, Any]]:
    places = xp.arange(0, along.after, 1, dtype)
    shift = 0.0 if along.align_corners else 0.5
    source = (places + shift) * along.scale - shift
    floor = xp.floor(source)
    share, low = source - floor, xp.cast(floor, dtypes.int64)
    first, last = xp.full((), 0, low), xp.full((), along.before - 1, low)
    taps = []
    for step, distance in ((-1, share + 1), (0, share), (1, 1 - share), (2, 2 - share)):
        place = xp.maximum(xp.minimum(low + step, last), first)
        taps.append((place, _cubic_share(distance, step in (0, 1), -0.75)))
    return taps


def _cubic_share(x: Any, near: bool, a: float) -> Any:
    """Returns the weight of a tap at a distance below 1 (`near`) or between 1 and 2.

    Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981.
    """
    if near:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a


_REACH = {"linear": 1.0, "cubic": 2.0, "lanczos": 3.0}


def _filtered(xp: Any, kind: str, x: Any) -> Any:
    """Returns the weight at a distance, by the filters of the Pillow library."""
    size, zero = xp.abs(x), xp.full((), 0, x)
    if kind == "linear":
        return xp.maximum(1 - size, zero)
    if kind == "cubic":
        far = xp.where(xp.lt(size, 2), _cubic_share(size, False, -0.5), zero)
        return xp.where(xp.lt(size, 1), _cubic_share(size, True, -0.5), far)
    angle = xp.where(xp.eq(size, 0), xp.full((), 1, x), size) * math.pi
    shape = xp.sin(angle) / angle * xp.sin(angle / 3) / (angle / 3)
    shape = xp.where(xp.eq(size, 0), xp.full((), 1, x), shape)
    return xp.where(xp.lt(size, 3), shape, zero)


def _wide(xp: Any, along: Along, dtype: Any) -> list[tuple[Any, Any]]:
    """Returns taps that reach as far as the output's places lie apart."""
    kind = along.mode.removeprefix("bi")
    stretch = max(along.scale, 1.0)
    support = _REACH[kind] * stretch
    centre = (xp.arange(0, along.after, 1, dtype) + 0.5) * along.scale
    low = xp.cast(centre - support + 0.5, dtypes.int64)  # toward zero, as PyTorch has it
    low = xp.maximum(low, xp.full((), 0, low))
    high = xp.cast(centre + support + 0.5, dtypes.int64)
    high = xp.minimum(high, xp.full((), along.before, high))
    taps, total = [], None
    for step in range(math.ceil(support) * 2 + 1):
        place = low + step
        distance = (xp.cast(place, dtype) - centre + 0.5) * (1 / stretch)
        weight = _filtered(xp, kind, distance)
        weight = xp.where(xp.lt(place, high), weight, xp.full((), 0, weight))
        total = weight if total is None else total + weight
        taps.append((xp.minimum(place, xp.full((), along.before - 1, place)), weight))
    return [(place, weight / total) for place, weight in taps]


def _taps(xp: Any, along: Along, dtype: Any) -> list[tuple[Any, Any]]:
    if along.antialias:
        return _wide(xp, along, dtype)
    return (_cubic if along.mode == "bicubic" else _linear)(xp, along, dtype)


@op(promote=FLOAT, method=False, public=False, exact=True, label=lambda input, steps: _name(steps))
def show_weighted(xp, input, steps):
    """The input with each dimension of `steps` resampled by weighted taps."""
    for along in steps:
        total, ndim = None, input.ndim
        for place, weight in _taps(xp, along, xp.dtype_of(input)):
            shown = xp.pick(input, along.dim, place)
            weight = laid_along(xp, weight, along.dim, ndim)
            if along.antialias:  # what lies beyond the filter takes no part, not even an infinity
                shown = xp.where(xp.eq(weight, 0), xp.full((), 0, shown), shown)
            shown = shown * weight
            total = shown if total is None else total + shown
        input = total
    return input


def _weighted_back(xp, g, steps):
    for along in reversed(steps):
        places = xp.reshape(xp.arange(0, along.before, 1, dtypes.int64), (1, along.before))
        matrix = None
        for place, weight in _taps(xp, along, xp.dtype_of(g)):
            hit = xp.eq(xp.reshape(place, (along.after, 1)), places)
            part = xp.where(hit, xp.reshape(weight, (along.after, 1)), xp.full((), 0, weight))
            matrix = part if matrix is None else matrix + part
        order = list(range(g.ndim))
        order[along.dim], order[-1] = order[-1], order[along.dim]
        g = xp.permute(xp.matmul(xp.permute(g, tuple(order)), matrix), tuple(order))
    return xp.contiguous(g)


show_weighted.vjp(input=_weighted_back)


def _name(steps: tuple[Along, ...]) -> str:
    mode, ndim = steps[0].mode, len(steps)
    kind = {"nearest-exact": "NearestExact"}.get(mode, mode.capitalize())
    kind = kind if ndim > 1 or mode.startswith("nearest") else "Linear"
    return f"Upsample{kind}{ndim}D{'Aa' if steps[0].antialias else ''}Backward0"


# --- the function of users
@composite(method=False, function=False)
def interpolate(
    xp,
    input,
    size=None,
    scale_factor=None,
    mode="nearest",
    align_corners=None,
    recompute_scale_factor=None,
    antialias=False,
):
    """`(N, C, *)` resampled to a `size`, or by a `scale_factor`.

    The modes are 'nearest', 'nearest-exact', 'area', 'linear' (3-D inputs), 'bilinear' and
    'bicubic' (4-D), 'trilinear' (5-D); 'lanczos' goes with `antialias`, which 'bilinear' and
    'bicubic' may have, too. Raises ValueError for settings that contradict each other and
    NotImplementedError for a mode that an input of this rank does not have.

    >>> import lantern
    >>> line = lantern.tensor([[[0.0, 2.0]]])
    >>> lantern.nn.functional.interpolate(line, size=3, mode="linear", align_corners=True)
    tensor([[[0., 1., 2.]]])
    """
    _check_corners(mode, align_corners)
    spatial = tuple(input.shape[2:])
    sizes, factors = _sizes(spatial, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if recompute_scale_factor or mode == "area":
        factors = (None,) * len(spatial)
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and input.ndim == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires "
            "a 4-D tensor as input"
        )
    _check_mode(input.ndim, mode, antialias)
    if mode == "lanczos" and align_corners:
        raise ValueError("Lanczos mode does not support align_corners=True")
    if mode == "area":
        return _area(input, sizes)
    _check_sizes(input, sizes)
    steps = _steps(spatial, sizes, factors, mode, bool(align_corners), antialias)
    nearest = mode.startswith("nearest")
    if input.dtype.kind != "f" and not (nearest and input.dtype is dtypes.uint8):
        kind = "nearest" if nearest else "cubic" if mode == "bicubic" else "linear"
        raise NotImplementedError(
            f"\"compute_indices_weights_{kind}\" not implemented for '{input.dtype.legacy}'"
        )
    return show_nearest(input, steps) if nearest else show_weighted(input, steps)


def _sizes(spatial: tuple, size: Any, scale_factor: Any) -> tuple[tuple, tuple]:
    """Returns the sizes of the output, and the factors where they were given."""
    ndim = len(spatial)
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    given = size if size is not None else scale_factor
    several = isinstance(given, (list, tuple))
    if several and len(given) != ndim:
        what = "output size of" if size is not None else "scale_factor of shape"
        first = "output" if size is not None else "scale_factor"
        letter = "o" if size is not None else "s"
        form = f"{'output size' if size is not None else 'scale_factor'} in "
        form += f"({letter}1, {letter}2, ...,{letter}K)"
        raise ValueError(
            f"Input and {first} must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {list(spatial)} and {what} {given}. Please provide input "
            f"tensor in (N, C, d1, d2, ...,dK) format and {form} format."
        )
    given = tuple(given) if several else (given,) * ndim
    if size is None:
        factors = tuple(float(each) for each in given)
        pairs = zip(spatial, factors, strict=True)
        return tuple(math.floor(n * factor) for n, factor in pairs), factors
    if not all(hasattr(each, "__index__") for each in given):
        raise TypeError(
            "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, "
            f"int], but got size with types {[type(each) for each in given]}"
        )
    return tuple(each.__index__() for each in given), (None,) * ndim


def _check_corners(mode: str, align_corners: Any) -> None:
    if mode in ("nearest", "area", "nearest-exact") and align_corners is not None:
        raise ValueError(
            "align_corners option can only be set with the interpolating modes: linear | "
            "bilinear | bicubic | trilinear"
        )


def _check_mode(ndim: int, mode: str, antialias: bool) -> None:
    known = {"nearest", "nearest-exact", "area", LINEAR.get(ndim)}
    known |= {"bicubic", "lanczos"} if ndim == 4 else set()
    if ndim in LINEAR and mode in known:
        if mode == "lanczos" and not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
        return
    wanted = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4}.get(mode)
    if wanted and ndim in LINEAR and mode != "bicubic":
        raise NotImplementedError(f"Got {ndim}D input, but {mode} mode needs {wanted}D input")
    raise NotImplementedError(
        "Input Error: Only 3D, 4D and 5D input Tensors supported (got "
        f"{ndim}D) for the modes: nearest | linear | bilinear | bicubic | trilinear | lanczos | "
        f"area | nearest-exact (got {mode})"
    )


def _check_sizes(input: Any, sizes: tuple) -> None:
    spatial = tuple(input.shape[2:])
    if min(sizes) > 0 and min(spatial) > 0 and input.shape[1]:
        return
    names = ("W", "H, W", "D, H, W")[len(sizes) - 1].split(", ")
    if min(spatial) > 0 and min(sizes) > 0:
        raise RuntimeError(
            f"Non-empty {input.ndim}D data tensor expected but got a tensor with sizes "
            f"{list(input.shape)}"
        )
    before, after = (
        ", ".join(f"{c}: {n}" for c, n in zip(names, each, strict=True))
        for each in (spatial, sizes)
    )
    raise RuntimeError(
        "Input and output sizes should be greater than 0, but got input "
        f"({before}) {'and ' * (len(sizes) == 1)}output ({after})"
    )


def _steps(
    spatial: tuple, sizes: tuple, factors: tuple, mode: str, align_corners: bool, antialias: bool
) -> tuple[Along, ...]:
    found = []
    for i, (before, after, factor) in enumerate(zip(spatial, sizes, factors, strict=True)):
        if align_corners:
            scale = (before - 1) / (after - 1) if after > 1 else 0.0
        else:
            scale = 1 / factor if factor else before / after
        found.append(Along(2 + i, before, after, scale, mode, align_corners, antialias))
    return tuple(found)


def _area(input: Any, sizes: tuple) -> Any:
    return REGISTRY[f"adaptive_avg_pool{len(sizes)}d"](input, sizes)


def _renamed(old: str) -> None:
    warnings.warn(
        f"`nn.functional.{old}` is deprecated. Use `nn.functional.interpolate` instead.",
        stacklevel=5,
    )


@composite(method=False, function=False)
def upsample(xp, input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """The deprecated name of `interpolate`."""
    _renamed("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@composite(method=False, function=False)
def upsample_nearest(xp, input, size=None, scale_factor=None):
    """The deprecated name of `interpolate` with the mode 'nearest'."""
    _renamed("upsample_nearest")
    return interpolate(input, size, scale_factor)


@composite(method=False, function=False)
def upsample_bilinear(xp, input, size=None, scale_factor=None):
    """The deprecated name of `interpolate` with the mode 'bilinear', corners in place."""
    _renamed("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", True)
