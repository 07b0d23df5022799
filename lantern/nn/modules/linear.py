"""Layers that multiply by a matrix of weights."""

# What `forward` and `extra_repr` do, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern.nn import functional as F
from lantern.nn import init
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

from .module import Module

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Returns its input; takes any arguments, so that it can stand for another layer.

    >>> import lantern
    >>> lantern.nn.Identity(54, unused=True)(lantern.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return input


class Linear(Module):
    """An affine map `input @ weight.T + bias`, from `(N, *, in)` to `(N, *, out)`.

    `weight` has shape `(out, in)`, `bias` shape `(out,)`. Both are drawn uniformly within
    `1 / sqrt(in)` of zero. Raises RuntimeError when the last dimension of the input is not `in`.

    >>> import lantern
    >>> lantern.nn.Linear(3, 2)(lantern.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    __constants__ = ["in_features", "out_features"]
    in_features: int
    out_features: int
    weight: Tensor

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        place = {"device": device, "dtype": dtype}
        self.weight = Parameter(lantern.empty((out_features, in_features), **place))
        if bias:
            self.bias = Parameter(lantern.empty(out_features, **place))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        # With a = sqrt(5) the bound of `kaiming_uniform_` is 1 / sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        # The table is looked at first: a failed attribute lookup before `__getattr__` costs more
        # than the rest of the call. A weight that a reparametrisation moved is found by name.
        held = self._parameters
        if "weight" in held and "bias" in held:
            return F.linear(input, held["weight"], held["bias"])
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class NonDynamicallyQuantizableLinear(Linear):
    """A `Linear` under the name that attention has for its last layer."""


class Bilinear(Module):
    """`x1 @ weight[k] @ x2 + bias[k]` for every output `k`, from inputs `(*, in1)` and `(*, in2)`.

    `weight` has shape `(out, in1, in2)`. Raises ValueError for `in1_features` below 1.

    >>> import lantern
    >>> lantern.nn.Bilinear(3, 4, 2).weight.shape
    torch.Size([2, 3, 4])
    """

    __constants__ = ["in1_features", "in2_features", "out_features"]
    in1_features: int
    in2_features: int
    out_features: int
    weight: Tensor

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        place = {"device": device, "dtype": dtype}
        self.weight = Parameter(lantern.empty((out_features, in1_features, in2_features), **place))
        if bias:
            self.bias = Parameter(lantern.empty(out_features, **place))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        bound = 1 / math.sqrt(self.weight.size(1))
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input1: Tensor, input2: Tensor) -> Tensor:
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in1_features={self.in1_features}, in2_features={self.in2_features}, "
            f"out_features={self.out_features}, bias={self.bias is not None}"
        )
