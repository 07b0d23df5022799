"""Convolution layers."""

# What `forward` and `extra_repr` do, the docstring of the class says.

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern.nn import functional as F
from lantern.nn import init
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

from .module import Module
from .utils import _ntuple, _reverse_repeat_tuple

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

_MODES = {"zeros", "reflect", "replicate", "circular"}


class _ConvNd(Module):
    __constants__ = [
        "stride",
        "padding",
        "dilation",
        "groups",
        "padding_mode",
        "output_padding",
        "in_channels",
        "out_channels",
        "kernel_size",
    ]
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: tuple[int, ...],
        stride: tuple[int, ...],
        padding: Any,
        dilation: tuple[int, ...],
        transposed: bool,
        output_padding: tuple[int, ...],
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        _check(in_channels, out_channels, groups, padding, stride, padding_mode)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        self._reversed_padding_repeated_twice = self._frame()
        pair = (in_channels, out_channels) if transposed else (out_channels, in_channels)
        shape = (pair[0], pair[1] // groups, *kernel_size)
        place = {"device": device, "dtype": dtype}
        self.weight = Parameter(lantern.empty(shape, **place))
        if bias:
            self.bias = Parameter(lantern.empty(out_channels, **place))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _frame(self) -> list[int]:
        """Returns the padding in the order in which `pad` takes it."""
        if not isinstance(self.padding, str):
            return list(_reverse_repeat_tuple(self.padding, 2))
        result: list[int] = []
        for size, dilation in zip(
            reversed(self.kernel_size), reversed(self.dilation), strict=False
        ):
            total = dilation * (size - 1) if self.padding == "same" else 0
            result += [total // 2, total - total // 2]
        return result

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        # With a = sqrt(5) the bound of `kaiming_uniform_` is 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def _convolve(
        self, function: Any, input: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
            padding = (0,) * len(self.kernel_size)
        return function(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != (0,) * len(self.padding):
            text += f", padding={self.padding}"
        if self.dilation != (1,) * len(self.dilation):
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * len(self.output_padding):
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text

    def __setstate__(self, state: dict) -> None:
        super().__setstate__(state)
        if not hasattr(self, "padding_mode"):
            self.padding_mode = "zeros"


def _check(
    in_channels: int, out_channels: int, groups: int, padding: Any, stride: tuple, mode: str
) -> None:
    if groups <= 0:
        raise ValueError("groups must be a positive integer")
    if in_channels % groups != 0:
        raise ValueError("in_channels must be divisible by groups")
    if out_channels % groups != 0:
        raise ValueError("out_channels must be divisible by groups")
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}"
            )
        if padding == "same" and any(each != 1 for each in stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
    if mode not in _MODES:
        raise ValueError(f"padding_mode must be one of {_MODES}, but got padding_mode='{mode}'")


def _conv(ndim: int) -> type:
    """Makes the layer over so many dimensions."""
    each = _ntuple(ndim)
    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    function = getattr(F, f"conv{ndim}d")

    class Conv(_ConvNd):
        def __init__(
            self,
            in_channels: int,
            out_channels: int,
            kernel_size: Any,
            stride: Any = 1,
            padding: Any = 0,
            dilation: Any = 1,
            groups: int = 1,
            bias: bool = True,
            padding_mode: str = "zeros",
            device: Any = None,
            dtype: Any = None,
        ) -> None:
            padding = padding if isinstance(padding, str) else each(padding)
            how = (each(kernel_size), each(stride), padding, each(dilation), False, each(0), groups)
            super().__init__(in_channels, out_channels, *how, bias, padding_mode, device, dtype)

        def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            return self._convolve(function, input, weight, bias)

        def forward(self, input: Tensor) -> Tensor:
            return self._conv_forward(input, self.weight, self.bias)

    fives, threes = ", 5" * ndim, ", 3" * ndim
    Conv.__doc__ = f"""Slides `out_channels` learned kernels over `(N, C, {axes})` or `(C, {axes})`.

    `weight` is `(out, in / groups, *kernel_size)`. Raises ValueError for channels that `groups`
    does not divide.

    >>> import lantern
    >>> lantern.nn.Conv{ndim}d(1, 2, 3)(lantern.ones(1, 1{fives})).shape
    torch.Size([1, 2{threes}])
    """
    return _named(Conv, f"Conv{ndim}d")


def _named(layer: type, name: str) -> type:
    for each in (layer, layer.__init__, layer.forward):  # type: ignore[attr-defined,misc]
        each.__qualname__ = name + each.__qualname__.partition(layer.__name__)[2]
    layer.__name__ = layer.__qualname__ = name
    return layer


class _ConvTransposeNd(_ConvNd):
    def _output_padding(self, input: Tensor, output_size: Any, ndim: int) -> Any:
        """Returns what must be added so that the result has the sizes `output_size`."""
        if output_size is None:
            return self.output_padding
        lead = input.dim() - ndim
        if len(output_size) == ndim + lead:
            output_size = output_size[lead:]
        if len(output_size) != ndim:
            raise ValueError(
                f"ConvTranspose{ndim}D: for {input.dim()}D input, output_size must have {ndim} or "
                f"{ndim + lead} elements (got {len(output_size)})"
            )
        least = [
            (input.size(d + lead) - 1) * self.stride[d]
            - 2 * self.padding[d]
            + self.dilation[d] * (self.kernel_size[d] - 1)
            + 1
            for d in range(ndim)
        ]
        most = [low + stride - 1 for low, stride in zip(least, self.stride, strict=True)]
        for size, low, high in zip(output_size, least, most, strict=True):
            if not low <= size <= high:
                raise ValueError(
                    f"requested an output size of {output_size}, but valid sizes range from "
                    f"{least} to {most} (for an input of {input.size()[2:]})"
                )
        return [size - low for size, low in zip(output_size, least, strict=True)]


def _transpose(ndim: int) -> type:
    """Makes the transposed layer over so many dimensions."""
    each = _ntuple(ndim)
    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    function = getattr(F, f"conv_transpose{ndim}d")

    class ConvTranspose(_ConvTransposeNd):
        def __init__(
            self,
            in_channels: int,
            out_channels: int,
            kernel_size: Any,
            stride: Any = 1,
            padding: Any = 0,
            output_padding: Any = 0,
            groups: int = 1,
            bias: bool = True,
            dilation: Any = 1,
            padding_mode: str = "zeros",
            device: Any = None,
            dtype: Any = None,
        ) -> None:
            if padding_mode != "zeros":
                raise ValueError(
                    f'Only "zeros" padding mode is supported for {type(self).__name__}'
                )
            how = (each(kernel_size), each(stride), each(padding), each(dilation))
            how = (*how, True, each(output_padding), groups)
            super().__init__(in_channels, out_channels, *how, bias, padding_mode, device, dtype)

        def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
            more = self._output_padding(input, output_size, ndim)
            how = (self.stride, self.padding, more, self.groups, self.dilation)
            return function(input, self.weight, self.bias, *how)

    ones, threes = ", 1" * ndim, ", 3" * ndim
    ConvTranspose.__doc__ = f"""Spreads values of `(N, C, {axes})` over windows by learned kernels.

    `weight` is `(in, out / groups, *kernel_size)`; `output_size` chooses among the sizes that a
    stride leaves open. Raises ValueError for a size that cannot be.

    >>> import lantern
    >>> lantern.nn.ConvTranspose{ndim}d(1, 2, 3)(lantern.ones(1, 1{ones})).shape
    torch.Size([1, 2{threes}])
    """
    return _named(ConvTranspose, f"ConvTranspose{ndim}d")


Conv1d, Conv2d, Conv3d = _conv(1), _conv(2), _conv(3)
ConvTranspose1d, ConvTranspose2d, ConvTranspose3d = _transpose(1), _transpose(2), _transpose(3)
