"""Pooling layers, and those that take windows apart and put them together."""

# What `forward` and `extra_repr` do, the docstring of the class says.

from __future__ import annotations

from typing import Any

from lantern.nn import functional as F
from lantern.tensor import Tensor

from .module import Module
from .utils import _ntuple, _single

_DIMS = (1, 2, 3)
_KINDS = ("MaxPool", "AvgPool", "LPPool", "AdaptiveAvgPool", "AdaptiveMaxPool", "MaxUnpool")
__all__ = [f"{kind}{n}d" for kind in _KINDS for n in _DIMS]
__all__ += [f"FractionalMaxPool{n}d" for n in (2, 3)]


class _MaxPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, self._function)  # type: ignore[arg-type]
        shape = (self.kernel_size, self.stride, self.padding, self.dilation)
        return pool(input, *shape, ceil_mode=self.ceil_mode, return_indices=self.return_indices)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class _AvgPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window over `(N, C, L)` or `(C, L)`.

    >>> import lantern
    >>> lantern.nn.AvgPool1d(2)(lantern.tensor([[1.0, 3.0, 5.0, 9.0]]))
    tensor([[2., 7.]])
    """

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = _single(stride if stride is not None else kernel_size)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return F.avg_pool1d(input, *how)


class _AvgPoolWide(_AvgPoolNd):
    __constants__ = [*_AvgPoolNd.__constants__, "divisor_override"]

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        pool = getattr(F, self._function)  # type: ignore[arg-type]
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return pool(input, *how, self.divisor_override)


class _LPPoolNd(Module):
    __constants__ = ["norm_type", "kernel_size", "stride", "ceil_mode"]

    def __init__(
        self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        pool = getattr(F, self._function)  # type: ignore[arg-type]
        kernel = self.kernel_size
        return pool(input, float(self.norm_type), kernel, self.stride, self.ceil_mode)

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class _AdaptiveAvgPoolNd(Module):
    __constants__ = ["output_size"]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, self._function)(input, self.output_size)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveMaxPoolNd(Module):
    __constants__ = ["output_size", "return_indices"]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, self._function)  # type: ignore[arg-type]
        return pool(input, self.output_size, self.return_indices)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _MaxUnpoolNd(Module):
    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        several = _ntuple(self._ndim)  # type: ignore[arg-type]
        self.kernel_size = several(kernel_size)
        self.stride = several(stride if stride is not None else kernel_size)
        self.padding = several(padding)

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        how = (self.kernel_size, self.stride, self.padding, output_size)
        return getattr(F, self._function)(input, indices, *how)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _FractionalMaxPoolNd(Module):
    __constants__ = ["kernel_size", "return_indices", "output_size", "output_ratio"]

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        several = _ntuple(self._ndim)  # type: ignore[arg-type]
        self.kernel_size = several(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = several(output_size) if output_size is not None else None
        self.output_ratio = several(output_ratio) if output_ratio is not None else None
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"{self._get_name()} requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < each < 1 for each in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def forward(self, input: Tensor) -> Any:
        pool = getattr(F, self._function)  # type: ignore[arg-type]
        how = (self.kernel_size, self.output_size, self.output_ratio, self.return_indices)
        return pool(input, *how, _random_samples=self._random_samples)


_BASES: dict[str, tuple[type, str, str]] = {
    "MaxPool": (_MaxPoolNd, "max_pool", "The largest element of each window"),
    "AvgPool": (_AvgPoolWide, "avg_pool", "The mean of each window"),
    "LPPool": (_LPPoolNd, "lp_pool", "The root of the sum of powers in each window"),
    "AdaptiveAvgPool": (
        _AdaptiveAvgPoolNd,
        "adaptive_avg_pool",
        "The mean of each of some windows",
    ),
    "AdaptiveMaxPool": (
        _AdaptiveMaxPoolNd,
        "adaptive_max_pool",
        "The largest of each of some windows",
    ),
    "MaxUnpool": (_MaxUnpoolNd, "max_unpool", "Puts maxima back where they came from,"),
    "FractionalMaxPool": (
        _FractionalMaxPoolNd,
        "fractional_max_pool",
        "The largest of each of some windows at random places",
    ),
}


def _declare(kind: str, ndim: int) -> None:
    base, function, what = _BASES[kind]
    name = f"{kind}{ndim}d"
    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    given = "2, 2" if kind == "LPPool" else "2"
    fours, twos = ", 4" * ndim, ", 2" * ndim
    given = "2, output_size=2" if kind == "FractionalMaxPool" else given
    call, first = f"lantern.nn.{name}({given})(lantern.ones(1, 1{fours})).shape", ""
    if kind == "MaxUnpool":
        first = f"""
    >>> pool = lantern.nn.MaxPool{ndim}d(2, return_indices=True)"""
        call, twos = f"lantern.nn.{name}(2)(*pool(lantern.ones(1, 1{fours}))).shape", fours
    doc = f"""{what} over `(N, C, {axes})` or `(C, {axes})`.

    >>> import lantern{first}
    >>> {call}
    torch.Size([1, 1{twos}])
    """
    members = {"__doc__": doc, "__module__": __name__, "_function": f"{function}{ndim}d"}
    members["_ndim"] = ndim
    globals()[name] = type(name, (base,), members)


for _kind in _BASES:
    for _ndim in _DIMS:
        if f"{_kind}{_ndim}d" in __all__ and f"{_kind}{_ndim}d" not in globals():
            _declare(_kind, _ndim)
