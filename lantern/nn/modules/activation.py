"""Activation functions as layers; the functions themselves are in `lantern.nn.functional`."""

# What `forward` and `extra_repr` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

import warnings
from typing import Any

import lantern
from lantern.nn import functional as F
from lantern.nn import init
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

from .attention import MultiheadAttention as MultiheadAttention
from .module import Module

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Activation(Module):
    """A layer whose `repr` shows what `_shown` names, and `inplace` where it is set."""

    _shown: tuple[str, ...] = ()

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name in self._shown]
        if getattr(self, "inplace", False):
            shown.append("inplace=True")
        return ", ".join(shown)


# --- without parameters
class Sigmoid(Module):
    """`1 / (1 + exp(-x))`, element by element, between 0 and 1.

    >>> import lantern
    >>> lantern.nn.Sigmoid()(lantern.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return lantern.sigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent, element by element, between -1 and 1.

    >>> import lantern
    >>> lantern.nn.Tanh()(lantern.zeros(2))
    tensor([0., 0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return lantern.tanh(input)


class LogSigmoid(Module):
    """The logarithm of the sigmoid, computed without overflow."""

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Softsign(Module):
    """`x / (1 + |x|)`, element by element."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Tanhshrink(Module):
    """`x - tanh(x)`, element by element."""

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


# --- that may work in place
class _MayBeInplace(_Activation):
    __constants__ = ["inplace"]
    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace


class ReLU(_MayBeInplace):
    """`max(x, 0)`, element by element; NaN stays NaN. `inplace` writes over the input.

    >>> import lantern
    >>> lantern.nn.ReLU()(lantern.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, inplace=True) if self.inplace else lantern.relu(input)


class SELU(_MayBeInplace):
    """A scaled `ELU` whose outputs keep mean 0 and variance 1 through deep networks."""

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class SiLU(_MayBeInplace):
    """`x * sigmoid(x)`, element by element; also known as swish."""

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, inplace=self.inplace)


class Mish(_MayBeInplace):
    """`x * tanh(softplus(x))`, element by element."""

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, inplace=self.inplace)


class Hardsigmoid(_MayBeInplace):
    """`clamp(x / 6 + 1 / 2, 0, 1)`, element by element."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(_MayBeInplace):
    """`x * clamp(x / 6 + 1 / 2, 0, 1)`, element by element."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardtanh(_Activation):
    """`clamp(x, min_val, max_val)`, element by element.

    Raises AssertionError unless `max_val` is above `min_val`.

    >>> import lantern
    >>> lantern.nn.Hardtanh(-1.0, 2.0)(lantern.tensor([-3.0, 1.0, 5.0]))
    tensor([-1.,  1.,  2.])
    """

    __constants__ = ["min_val", "max_val", "inplace"]
    _shown: tuple[str, ...] = ("min_val", "max_val")
    min_val: float
    max_val: float
    inplace: bool

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        if min_value is not None:
            _warn_renamed("min_value", "min_val")
            min_val = min_value
        if max_value is not None:
            _warn_renamed("max_value", "max_val")
            max_val = max_value
        self.min_val = min_val
        self.max_val = max_val
        self.inplace = inplace
        if not self.max_val > self.min_val:
            raise AssertionError(f"max_val ({max_val}) must be greater than min_val ({min_val})")

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """`min(max(x, 0), 6)`, element by element."""

    _shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


def _warn_renamed(old: str, new: str) -> None:
    warnings.warn(
        f"keyword argument `{old}` is deprecated and renamed to `{new}`",
        FutureWarning,
        stacklevel=3,
    )


class Threshold(_Activation):
    """`x` where it is above `threshold`, elsewhere `value`."""

    __constants__ = ["threshold", "value", "inplace"]
    _shown = ("threshold", "value")
    threshold: float
    value: float
    inplace: bool

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)


class RReLU(_Activation):
    """A leaky ReLU whose negative slope is drawn between `lower` and `upper` while training."""

    __constants__ = ["lower", "upper", "inplace"]
    _shown = ("lower", "upper")
    lower: float
    upper: float
    inplace: bool

    def __init__(
        self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False
    ) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class LeakyReLU(_Activation):
    """`x` where it is positive, elsewhere `negative_slope * x`.

    >>> import lantern
    >>> lantern.nn.LeakyReLU(0.5)(lantern.tensor([-2.0, 2.0]))
    tensor([-1.,  2.])
    """

    __constants__ = ["inplace", "negative_slope"]
    _shown = ("negative_slope",)
    inplace: bool
    negative_slope: float

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class _Exponential(_Activation):
    __constants__ = ["alpha", "inplace"]
    _shown = ("alpha",)
    alpha: float
    inplace: bool

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace


class ELU(_Exponential):
    """`x` where it is positive, elsewhere `alpha * (exp(x) - 1)`."""

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Exponential):
    """`max(0, x) + min(0, alpha * (exp(x / alpha) - 1))`, element by element."""

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)


# --- with settings
class GELU(_Activation):
    """`x` times the normal distribution function of `x`; `approximate='tanh'` is the faster form.

    >>> import lantern
    >>> lantern.nn.GELU()(lantern.tensor([0.0, 100.0]))
    tensor([  0., 100.])
    """

    __constants__ = ["approximate"]
    _shown = ("approximate",)
    approximate: str

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, approximate=self.approximate)


class GLU(_Activation):
    """The first half along `dim` times the sigmoid of the second half."""

    __constants__ = ["dim"]
    _shown = ("dim",)
    dim: int

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)


class Softplus(_Activation):
    """`log(1 + exp(beta * x)) / beta`; `x` itself where `beta * x` is above `threshold`."""

    __constants__ = ["beta", "threshold"]
    _shown = ("beta", "threshold")
    beta: float
    threshold: float

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)


class _Shrink(Module):
    __constants__ = ["lambd"]
    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """`x` where its absolute value is above `lambd`, elsewhere 0."""

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """`x` brought nearer to 0 by `lambd`, and 0 where it is as near already."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)


class PReLU(_Activation):
    """A leaky ReLU whose slope is learnt: one for all, or one per channel (`num_parameters`).

    >>> import lantern
    >>> lantern.nn.PReLU()(lantern.tensor([-1.0, 1.0])).tolist()
    [-0.25, 1.0]
    """

    __constants__ = ["num_parameters"]
    _shown = ("num_parameters",)
    num_parameters: int

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(lantern.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Sets all slopes to the initial value again."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)


# --- over a dimension
class _Softmax(_Activation):
    __constants__ = ["dim"]
    _shown = ("dim",)
    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_Softmax):
    """`exp(x)` over its sum along `dim`: positive numbers that add up to 1.

    Without a `dim` one is guessed, with a warning.

    >>> import lantern
    >>> lantern.nn.Softmax(dim=0)(lantern.zeros(2))
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(_Softmax):
    """`Softmax` of the negated input."""

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(_Softmax):
    """The logarithm of `Softmax`, computed without overflow.

    >>> import lantern
    >>> lantern.nn.LogSoftmax(dim=0)(lantern.zeros(1))
    tensor([0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """`Softmax` over the channels of `(N, C, H, W)` or `(C, H, W)`; raises ValueError otherwise."""

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() not in (3, 4):
            raise ValueError(
                f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead"
            )
        return F.softmax(input, -3, _stacklevel=5)
