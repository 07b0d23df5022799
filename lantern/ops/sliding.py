"""Sliding windows and what is made of them: `unfold`, `fold`, and pixels moved to channels."""

from __future__ import annotations

from typing import Any

from ..op import KEEP, op
from ..shape import window_counts


# --- the primitives over tensors
@op(promote=KEEP, method=False, public=False, exact=True)
def windows(xp, x, size, stride, dilation):
    """The windows `(*, *size, *counts)` over the last dimensions of `x`."""
    return xp.clone(xp.windows(x, size, stride, dilation))


@op(promote=KEEP, method=False, public=False, exact=True)
def windows_add(xp, y, input_shape, size, stride, dilation):
    """Windows `(*, *size, *counts)` added up where they were taken from."""
    return xp.windows_add(y, input_shape, size, stride, dilation)


windows.vjp(
    x=lambda xp, g, x_shape, size, stride, dilation: xp.windows_add(
        g, x_shape, size, stride, dilation
    )
)
windows_add.vjp(y=lambda xp, g, size, stride, dilation: xp.windows(g, size, stride, dilation))


def framed(xp, x, low, high, value):
    """Returns `x` with `low` and `high` places of one value around its last dimensions."""
    if not any(low) and not any(high):
        return x
    lead = x.ndim - len(low)
    sizes = x.shape[lead:]
    wide = tuple(a + n + b for a, n, b in zip(low, sizes, high, strict=True))
    index = (..., *(slice(a, a + n) for a, n in zip(low, sizes, strict=True)))
    whole = (slice(None),) * lead + index[1:]
    return xp.put(xp.full((*x.shape[:lead], *wide), value, x), whole, x)


def unframed(xp, x, low, sizes):
    """Returns the inner part of what `framed` gave."""
    lead = x.ndim - len(low)
    if tuple(x.shape[lead:]) == tuple(sizes):
        return x
    inner = tuple(slice(a, a + n) for a, n in zip(low, sizes, strict=True))
    return xp.getitem(x, (slice(None),) * lead + inner)


# --- arguments
def whole_numbers(function: str, name: str, value: Any) -> tuple[int, ...]:
    """Returns a whole number or several as a tuple."""
    numbers = (value,) if hasattr(value, "__index__") else value
    if isinstance(numbers, str) or not isinstance(numbers, (list, tuple)):
        raise TypeError(
            f"{function}(): argument '{name}' must be tuple of ints, not {type(value).__name__}"
        )
    for place, each in enumerate(numbers):
        if not hasattr(each, "__index__"):
            raise TypeError(
                f"{function}(): argument '{name}' must be tuple of ints, but found element of type "
                f"{type(each).__name__} at pos {place}"
            )
    return tuple([each.__index__() for each in numbers])


def _pair(function: str, name: str, value: Any) -> tuple[int, int]:
    found = whole_numbers(function, name, value)
    if len(found) not in (1, 2):
        raise RuntimeError(f"It is expected {name} equals to 2, but got size {len(found)}")
    return (found[0], found[-1])


def _check_block(kernel: tuple, dilation: tuple, padding: tuple, stride: tuple) -> None:
    for name, short, values, least in (
        ("kernel size", "kernel", kernel, 1),
        ("dilation", "dilation", dilation, 1),
        ("padding", "pad", padding, 0),
        ("stride", "stride", stride, 1),
    ):
        if min(values) < least:
            want = "greater than zero" if least else "non-negative"
            raise RuntimeError(
                f"{name} should be {want}, but got {short}_height: {values[0]} {short}_width: "
                f"{values[1]}"
            )


def refuse_dimension(input: Any, dim: int) -> None:
    """Raises IndexError for a dimension that an input lacks."""
    ndim = input.ndim
    if not ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    raise IndexError(
        f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})"
    )


def _refuse_integers(kernel: str, dtype: Any) -> None:
    if dtype.kind in "iu":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}'")


# --- windows as columns
def _to_columns(xp, x, kernel, dilation, padding, stride):
    wide = framed(xp, x, padding, padding, 0)
    shown = xp.windows(wide, kernel, stride, dilation)
    lead, (rows, columns) = shown.shape[:-5], shown.shape[-2:]
    return xp.reshape(shown, (*lead, shown.shape[-5] * kernel[0] * kernel[1], rows * columns))


def _from_columns(xp, columns, sizes, kernel, dilation, padding, stride):
    wide = tuple(n + 2 * p for n, p in zip(sizes, padding, strict=True))
    counts = window_counts(wide, kernel, stride, dilation)
    lead = (*columns.shape[:-2], columns.shape[-2] // (kernel[0] * kernel[1]))
    shown = xp.reshape(columns, (*lead, *kernel, *counts))
    total = xp.windows_add(shown, (*lead, *wide), kernel, stride, dilation)
    return xp.contiguous(unframed(xp, total, padding, sizes))


@op(promote=KEEP, method=False, function=False)
def im2col(xp, input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows over `(N, C, H, W)` as columns `(N, C * K, L)`; `(C, H, W)` is one sample.

    Raises RuntimeError where no window fits.

    >>> import lantern
    >>> lantern.nn.functional.unfold(lantern.ones(1, 2, 4, 4), 3).shape
    torch.Size([1, 18, 4])
    """
    how = _block(kernel_size, dilation, padding, stride)
    _check_image(input, *how)
    _refuse_integers("im2col_out_cpu", xp.dtype_of(input))
    return _to_columns(xp, input, *how)


def _block(kernel_size, dilation, padding, stride, function="im2col"):
    kernel = _pair(function, "kernel_size", kernel_size)
    dilation = _pair(function, "dilation", dilation)
    padding, stride = _pair(function, "padding", padding), _pair(function, "stride", stride)
    _check_block(kernel, dilation, padding, stride)
    return kernel, dilation, padding, stride


def _check_image(input, kernel, dilation, padding, stride):
    shape = tuple(input.shape)
    if input.ndim not in (3, 4) or not all(shape[-3:]):
        if input.ndim < 3:
            refuse_dimension(input, 2 if input.ndim else -1)
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
            f"dimensions for input, but got: {list(shape)}"
        )
    wide = [n + 2 * p for n, p in zip(shape[-2:], padding, strict=True)]
    spans = zip(wide, kernel, stride, dilation, strict=True)
    counts = tuple((n - d * (k - 1) - 1) // s + 1 for n, k, s, d in spans)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size {shape[-2:]}, kernel_size={kernel}, "
            f"dilation={dilation}, padding={padding}, calculated shape of the array of sliding "
            f"blocks as {counts}, but its components must be at least one."
        )


@op(promote=KEEP, method=False, function=False)
def col2im(xp, input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """Columns `(N, C * K, L)` added up to images `(N, C, H, W)`, where `unfold` took them from.

    Raises RuntimeError where the number of columns is not that of the windows.

    >>> import lantern
    >>> lantern.nn.functional.fold(lantern.ones(1, 4, 4), (3, 3), 2)[0, 0]
    tensor([[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]])
    """
    sizes = _pair("col2im", "output_size", output_size)
    how = _block(kernel_size, dilation, padding, stride, "col2im")
    _check_columns(input, sizes, *how)
    _refuse_integers("col2im_out_cpu", xp.dtype_of(input))
    return _from_columns(xp, input, sizes, *how)


def _check_columns(input, sizes, kernel, dilation, padding, stride):
    shape = list(input.shape)
    if input.ndim not in (2, 3) or not all(shape[-2:]):
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and "
            f"non-zero dimensions for input, but got: {shape}"
        )
    channels = input.ndim - 2
    if shape[-2] % (kernel[0] * kernel[1]):
        raise RuntimeError(
            f"Expected size of input's dimension {channels} to be divisible by the product of "
            f"kernel_size, but got input.size({channels})={shape[-2]} and kernel_size={kernel}."
        )
    wide = tuple(n + 2 * p for n, p in zip(sizes, padding, strict=True))
    rows, columns = window_counts(wide, kernel, stride, dilation)
    if rows * columns != shape[-1]:
        raise RuntimeError(
            f"Given output_size={sizes}, kernel_size={kernel}, dilation={dilation}, "
            f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match "
            f"the calculated number of sliding blocks {rows} * {columns} = {rows * columns}, but "
            f"got input.size(2)={shape[-1]}."
        )


def _im2col_gradient(xp, g, input_shape, kernel_size, dilation, padding, stride):
    how = _block(kernel_size, dilation, padding, stride)
    return _from_columns(xp, g, tuple(input_shape[-2:]), *how)


def _col2im_gradient(xp, g, kernel_size, dilation, padding, stride):
    return _to_columns(xp, g, *_block(kernel_size, dilation, padding, stride))


im2col.vjp(input=_im2col_gradient)
col2im.vjp(input=_col2im_gradient)
im2col._grad_name, col2im._grad_name = "Im2ColBackward0", "Col2ImBackward0"


# --- pixels
def _shuffled(xp, x, factor):
    *lead, channels, height, width = x.shape
    kept = channels // factor**2
    n = len(lead)
    blocks = xp.reshape(x, (*lead, kept, factor, factor, height, width))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return xp.reshape(xp.permute(blocks, order), (*lead, kept, height * factor, width * factor))


def _unshuffled(xp, x, factor):
    *lead, channels, height, width = x.shape
    n = len(lead)
    rows, columns = height // factor, width // factor
    blocks = xp.reshape(x, (*lead, channels, rows, factor, columns, factor))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return xp.reshape(xp.permute(blocks, order), (*lead, channels * factor**2, rows, columns))


def _check_pixels(name, input, factor, direction):
    if input.ndim < 3:
        raise RuntimeError(
            f"{name} expects input to have at least 3 dimensions, but got input with {input.ndim} "
            "dimension(s)"
        )
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {direction}_factor, but got {factor}")


@op(promote=KEEP, method=False, exact=True)
def pixel_shuffle(xp, input, upscale_factor):
    """Channels moved into the image: `(*, C * r * r, H, W)` becomes `(*, C, H * r, W * r)`.

    >>> import lantern
    >>> lantern.pixel_shuffle(lantern.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    _check_pixels("pixel_shuffle", input, upscale_factor, "upscale")
    if input.shape[-3] % upscale_factor**2:
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square "
            f"of upscale_factor, but input.size(-3)={input.shape[-3]} is not divisible by "
            f"{upscale_factor**2}"
        )
    return xp.clone(_shuffled(xp, input, upscale_factor))


@op(promote=KEEP, method=False, exact=True)
def pixel_unshuffle(xp, input, downscale_factor):
    """The image moved into channels: `(*, C, H * r, W * r)` becomes `(*, C * r * r, H, W)`.

    >>> import lantern
    >>> lantern.pixel_unshuffle(lantern.ones(1, 4, 6), 2).shape
    torch.Size([4, 2, 3])
    """
    _check_pixels("pixel_unshuffle", input, downscale_factor, "downscale")
    for place, name in ((-2, "height"), (-1, "width")):
        if input.shape[place] % downscale_factor:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but "
                f"input.size({place})={input.shape[place]} is not divisible by {downscale_factor}"
            )
    if 0 in input.shape:
        return xp.clone(input)  # as PyTorch does, which leaves what is empty as it is
    return xp.clone(_unshuffled(xp, input, downscale_factor))


pixel_shuffle.vjp(input=lambda xp, g, upscale_factor: _unshuffled(xp, g, upscale_factor))
pixel_unshuffle.vjp(
    input=lambda xp, g, input_shape, downscale_factor: (
        xp.clone(g) if 0 in input_shape else _shuffled(xp, g, downscale_factor)
    )
)


@op(promote=KEEP, method=False, exact=True)
def channel_shuffle(xp, input, groups):
    """The channels of `(N, C, *)`, which lie in `groups`, dealt out in turn.

    Raises RuntimeError where the groups do not divide the channels.

    >>> import lantern
    >>> lantern.channel_shuffle(lantern.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3:
        raise RuntimeError(
            "channel_shuffle expects input with > 2 dims, but got input with sizes "
            f"{list(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError(
            f"Number of groups to divide channels in must be positive. Value of groups:{groups}"
        )
    channels = input.shape[1]
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} "
            "groups."
        )
    return _dealt(xp, input, groups)


def _dealt(xp, x, groups):
    batch, channels, *rest = x.shape
    blocks = xp.reshape(x, (batch, groups, channels // groups, *rest))
    order = (0, 2, 1, *range(3, len(rest) + 3))
    return xp.reshape(xp.contiguous(xp.permute(blocks, order)), (batch, channels, *rest))


channel_shuffle.vjp(input=lambda xp, g, groups: _dealt(xp, g, g.shape[1] // groups))
channel_shuffle._grad_name = "ChannelShuffleBackward0"
