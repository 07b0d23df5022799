"""Convolutions over one, two or three dimensions, and those that go the other way.

`conv` and its two adjoints are gradients of one another, so that every order exists. Paddings are
pairs `(before, after)` from here on down.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..op import composite, op
from ..tensor import Tensor
from .linalg import C_NAMES


# --- the primitives over tensors
@op(method=False, public=False, exact=True)
def conv(xp, x, weight, stride, padding, dilation, groups):
    """The correlation of `(N, C, *)` with `weight` `(O, C / groups, *)`."""
    return xp.conv(x, weight, stride, padding, dilation, groups)


@op(method=False, public=False, exact=True)
def conv_input(xp, y, weight, input_shape, stride, padding, dilation, groups):
    """The adjoint of `conv` in its input: takes what has the shape of its result."""
    return xp.conv_input(y, weight, input_shape, stride, padding, dilation, groups)


@op(method=False, public=False, exact=True)
def conv_weight(xp, y, x, weight_shape, stride, padding, dilation, groups):
    """The adjoint of `conv` in its weight."""
    return xp.conv_weight(y, x, weight_shape, stride, padding, dilation, groups)


@conv.vjp_together("x", "weight")
def _(xp, g, needs, x, weight, stride, padding, dilation, groups):
    how = (stride, padding, dilation, groups)
    return (
        xp.conv_input(g, weight, x.shape, *how) if needs[0] else None,
        xp.conv_weight(g, x, weight.shape, *how) if needs[1] else None,
    )


@conv_input.vjp_together("y", "weight")
def _(xp, g, needs, y, weight, stride, padding, dilation, groups):
    how = (stride, padding, dilation, groups)
    return (
        xp.conv(g, weight, *how) if needs[0] else None,
        xp.conv_weight(y, g, weight.shape, *how) if needs[1] else None,
    )


@conv_weight.vjp_together("y", "x")
def _(xp, g, needs, y, x, stride, padding, dilation, groups):
    how = (stride, padding, dilation, groups)
    return (
        xp.conv(x, g, *how) if needs[0] else None,
        xp.conv_input(y, g, x.shape, *how) if needs[1] else None,
    )


# --- with a bias, as one node
def _biased(xp, result, bias):
    if bias is None:
        return result
    return result + xp.reshape(bias, (bias.shape[0],) + (1,) * (result.ndim - 2))


def _bias_gradient(xp, g):
    return xp.sum(g, (0, *range(2, g.ndim)), False)


@op(method=False, public=False, exact=True)
def convolved(xp, input, weight, bias, stride, padding, dilation, groups):
    """A convolution and its bias."""
    return _biased(xp, xp.conv(input, weight, stride, padding, dilation, groups), bias)


@convolved.vjp_together("input", "weight", "bias")
def _(xp, g, needs, input, weight, stride, padding, dilation, groups):
    how = (stride, padding, dilation, groups)
    return (
        xp.conv_input(g, weight, input.shape, *how) if needs[0] else None,
        xp.conv_weight(g, input, weight.shape, *how) if needs[1] else None,
        _bias_gradient(xp, g) if needs[2] else None,
    )


@op(method=False, public=False, exact=True)
def convolved_back(xp, input, weight, bias, shape, stride, padding, dilation, groups):
    """A transposed convolution and its bias."""
    return _biased(xp, xp.conv_input(input, weight, shape, stride, padding, dilation, groups), bias)


@convolved_back.vjp_together("input", "weight", "bias")
def _(xp, g, needs, input, weight, stride, padding, dilation, groups):
    how = (stride, padding, dilation, groups)
    return (
        xp.conv(g, weight, *how) if needs[0] else None,
        xp.conv_weight(input, g, weight.shape, *how) if needs[1] else None,
        _bias_gradient(xp, g) if needs[2] else None,
    )


for _op in (conv, conv_input, conv_weight, convolved, convolved_back):
    _op._grad_name = "ConvolutionBackward0"


# --- arguments
def _whole(function: str, name: str, value: Any, ndim: int) -> tuple[int, ...]:
    """Returns one whole number per spatial dimension."""
    numbers = (value,) if hasattr(value, "__index__") else value
    if isinstance(numbers, str) or not isinstance(numbers, (list, tuple)):
        raise TypeError(
            f"{function}(): argument '{name}' must be tuple of ints, not {type(value).__name__}"
        )
    for each in numbers:
        if not hasattr(each, "__index__"):
            raise TypeError(
                f"{function}(): argument '{name}' must be tuple of ints, but found element of "
                f"type {type(each).__name__}"
            )
    found = tuple([each.__index__() for each in numbers])
    if len(found) == 1:
        return found * ndim
    if len(found) != ndim:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {ndim} values to match the "
            f"convolution dimensions, but got {name}={list(found)}"
        )
    return found


def _check_types(input: Tensor, weight: Tensor, bias: Tensor | None, kernel: str) -> None:
    mine, theirs = input.dtype, weight.dtype
    if mine is not theirs:
        if mine is dtypes.float32:
            raise RuntimeError(
                f"Input type (torch.{mine.legacy}Tensor) and weight type "
                f"(torch.{theirs.legacy}Tensor) should be the same or input should be a MKLDNN "
                "tensor and weight is a dense tensor"
            )
        raise RuntimeError(f"expected scalar type {mine.legacy} but found {theirs.legacy}")
    if bias is not None and bias.dtype is not mine:
        raise RuntimeError(
            f"Input type ({C_NAMES[mine.legacy]}) and bias type ({C_NAMES[bias.dtype.legacy]}) "
            "should be the same"
        )
    if mine.char in "?HIL":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{mine.legacy}'")


def _check_numbers(stride: tuple, padding: Any, dilation: tuple, groups: int) -> None:
    if padding is not None and min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError(f"dilation should be greater than zero, but got {list(dilation)}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")


def _check_rank(name: str, input: Tensor, weight: Tensor, ndim: int) -> bool:
    """Says whether the input is a batch; raises RuntimeError for the wrong rank."""
    if weight is None:
        raise TypeError(f"{name}(): argument 'weight' (position 2) must be Tensor, not NoneType")
    if input.ndim not in (ndim + 1, ndim + 2):
        raise RuntimeError(
            f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {name}, but got "
            f"input of size: {list(input.shape)}"
        )
    return input.ndim == ndim + 2


def _check_bias(weight: Tensor, bias: Tensor | None, channels: int, given: str) -> None:
    if bias is not None and tuple(bias.shape) != (channels,):
        raise RuntimeError(
            f"Given {given}weight of size {list(weight.shape)}, expected bias to be 1-dimensional "
            f"with {channels} elements, but got bias of size {list(bias.shape)} instead"
        )


def _check_weight(weight: Tensor, stride: tuple, groups: int) -> None:
    size = list(weight.shape)
    if weight.ndim != len(stride) + 2:
        raise RuntimeError(
            "expected stride to be a single integer value or a list of "
            f"{max(weight.ndim - 2, 0)} values to match the convolution dimensions, but got "
            f"stride={list(stride)}"
        )
    if size[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but "
            f"got weight of size {size} instead"
        )
    if size[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, "
            f"but got weight of size [{size}] instead"
        )


def _check_fit(shape: tuple, weight: Tensor, pads: tuple, dilation: tuple, groups: int) -> None:
    """Raises RuntimeError where channels or sizes of an input do not go with the weight."""
    size = list(weight.shape)
    if shape[1] != size[1] * groups:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {size}, expected input{list(shape)} to have "
            f"{size[1] * groups} channels, but got {shape[1]} channels instead"
        )
    wide = [n + low + high for n, (low, high) in zip(shape[2:], pads, strict=True)]
    kernel = [d * (k - 1) + 1 for k, d in zip(size[2:], dilation, strict=True)]
    if any(n < max(k, 1) for n, k in zip(wide, kernel, strict=True)):
        raise RuntimeError(
            f"Calculated padded input size per channel: ({' x '.join(map(str, wide))}). Kernel "
            f"size: ({' x '.join(map(str, kernel))}). Kernel size can't be greater than actual "
            "input size"
        )
    if min(size[2:]) < 1:
        raise RuntimeError(f"kernel size should be greater than zero, but got {size[2:]}")


def _pads(name: str, padding: Any, weight: Tensor, stride: tuple, dilation: tuple) -> tuple:
    """Returns the padding before and after, of each dimension."""
    ndim = len(stride)
    if not isinstance(padding, str):
        return tuple((each, each) for each in _whole(name, "padding", padding, ndim))
    if padding == "valid":
        return ((0, 0),) * ndim
    if padding != "same":
        raise RuntimeError(f"Invalid padding string: '{padding}'")
    if any(each != 1 for each in stride):
        raise RuntimeError("padding='same' is not supported for strided convolutions")
    totals = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    return tuple((each // 2, each - each // 2) for each in totals)


def _convolve(name, ndim, input, weight, bias, stride, padding, dilation, groups):
    batched = _check_rank(name, input, weight, ndim)
    stride = _whole(name, "stride", stride, ndim)
    dilation = _whole(name, "dilation", dilation, ndim)
    _check_numbers(stride, None, dilation, groups)
    _check_weight(weight, stride, groups)
    pads = _pads(name, padding, weight, stride, dilation)
    _check_numbers(stride, [low for low, _ in pads], dilation, groups)
    shape = tuple(input.shape) if batched else (1, *input.shape)
    _check_bias(weight, bias, weight.shape[0], "")
    _check_fit(shape, weight, pads, dilation, groups)
    _check_types(input, weight, bias, "slow_conv3d_cpu" if ndim == 3 else "slow_conv2d_cpu")
    batch = input if batched else input.unsqueeze(0)
    result = convolved(batch, weight, bias, stride, pads, dilation, groups)
    return result if batched else result.squeeze(0)


def _forward(ndim: int) -> None:
    """Declares the convolution over so many dimensions."""
    name = f"conv{ndim}d"
    example = {1: "1, 1, 5), lantern.ones(2, 1, 3", 2: "1, 1, 4, 4), lantern.ones(2, 1, 3, 3"}
    example[3] = "1, 1, 3, 3, 3), lantern.ones(2, 1, 3, 3, 3"
    shown = {1: "[1, 2, 3]", 2: "[1, 2, 2, 2]", 3: "[1, 2, 1, 1, 1]"}
    axes = ("L", "H, W", "D, H, W")[ndim - 1]

    def forward(xp, input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        return _convolve(name, ndim, input, weight, bias, stride, padding, dilation, groups)

    forward.__name__ = name
    forward.__doc__ = f"""Slides `weight` `(O, C/groups, *)` over `(N, C, {axes})` or `(C, {axes})`.

    `padding` may be 'same' or 'valid'. Raises RuntimeError where sizes or types do not fit.

    >>> import lantern
    >>> lantern.{name}(lantern.ones({example[ndim]})).shape
    torch.Size({shown[ndim]})
    """
    composite(forward, method=False)


# --- the other way
def _back_shape(shape, weight, stride, padding, output_padding, dilation, groups):
    """Returns the shape of the result of a transposed convolution."""
    spans = zip(shape[2:], weight.shape[2:], stride, padding, output_padding, dilation, strict=True)
    sizes = [(n - 1) * s - 2 * p + d * (k - 1) + o + 1 for n, k, s, p, o, d in spans]
    result = (shape[0], weight.shape[1] * groups, *sizes)
    if min(sizes) < 1 or min(shape[2:]) < 1:
        before, after = (" x ".join(map(str, each)) for each in (shape[2:], sizes))
        raise RuntimeError(
            f"Given input size per channel: ({before}). Calculated output size per channel: "
            f"({after}). Output size is too small"
        )
    return result


def _check_output_padding(output_padding: tuple, stride: tuple, dilation: tuple) -> None:
    if min(output_padding) < 0:
        raise RuntimeError("negative output_padding is not supported")
    spans = zip(output_padding, stride, dilation, strict=True)
    if all(o < s or o < d for o, s, d in spans):
        return
    axes = ("depth", "height", "width")[-len(stride) :] if len(stride) > 1 else ("height", "width")
    groups = {"output_padding": output_padding, "stride": stride, "dilation": dilation}
    if len(stride) == 1:  # a dimension of size 1 is put before it
        groups = {"output_padding": (0, *output_padding), "stride": (1, *stride)}
        groups["dilation"] = (1, *dilation)
    told = [
        f"{name}_{axis}: {each}"
        for name, values in groups.items()
        for axis, each in zip(axes, values, strict=True)
    ]
    raise RuntimeError(
        "output padding must be smaller than either stride or dilation, but got " + " ".join(told)
    )


def _convolve_back(
    name, ndim, input, weight, bias, stride, padding, output_padding, groups, dilation
):
    batched = _check_rank(name, input, weight, ndim)
    stride = _whole(name, "stride", stride, ndim)
    padding = _whole(name, "padding", padding, ndim)
    output_padding = _whole(name, "output_padding", output_padding, ndim)
    dilation = _whole(name, "dilation", dilation, ndim)
    _check_numbers(stride, padding, dilation, groups)
    shape = tuple(input.shape) if batched else (1, *input.shape)
    _check_weight(weight, stride, groups)
    if shape[1] != weight.shape[0]:
        raise RuntimeError(
            f"Given transposed=1, weight of size {list(weight.shape)}, expected input{list(shape)} "
            f"to have {weight.shape[0]} channels, but got {shape[1]} channels instead"
        )
    _check_bias(weight, bias, weight.shape[1] * groups, "transposed=1, ")
    _check_output_padding(output_padding, stride, dilation)
    target = _back_shape(shape, weight, stride, padding, output_padding, dilation, groups)
    kernel = "slow_conv_transpose3d_out_cpu" if ndim == 3 else "slow_conv_transpose2d_out_cpu"
    _check_types(input, weight, bias, kernel)
    batch = input if batched else input.unsqueeze(0)
    # With these paddings a convolution of the result has exactly the input's size.
    pads = tuple((p, p - o) for p, o in zip(padding, output_padding, strict=True))
    result = convolved_back(batch, weight, bias, target, stride, pads, dilation, groups)
    return result if batched else result.squeeze(0)


def _backward(ndim: int) -> None:
    """Declares the transposed convolution over so many dimensions."""
    name = f"conv_transpose{ndim}d"
    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    ones, shown = ", 1" * ndim, ", 3" * ndim

    def forward(
        xp, input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1
    ):
        how = (stride, padding, output_padding, groups, dilation)
        return _convolve_back(name, ndim, input, weight, bias, *how)

    forward.__name__ = name
    forward.__doc__ = f"""Spreads every element of `(N, C, {axes})` over a window, times `weight`.

    `weight` is `(C, O / groups, *)`; the gradient of a convolution by its input is computed so.
    Raises RuntimeError where sizes or types do not fit.

    >>> import lantern
    >>> lantern.{name}(lantern.ones(1, 1{ones}), lantern.ones(1, 2{shown})).shape
    torch.Size([1, 2{shown}])
    """
    composite(forward, method=False)


for _ndim in (1, 2, 3):
    _forward(_ndim)
    _backward(_ndim)
