"""Layers that continue a tensor beyond its ends: with a constant, zeros or what is there."""

# What `forward` and `extra_repr` do, the docstring of the class says.

from __future__ import annotations

from typing import Any

from lantern.nn import functional as F
from lantern.tensor import Tensor

from .module import Module
from .utils import _ntuple

_DIMS = (1, 2, 3)
_KINDS = ("CircularPad", "ConstantPad", "ReflectionPad", "ReplicationPad", "ZeroPad")
__all__ = [f"{kind}{n}d" for kind in _KINDS for n in _DIMS]


class _Pad(Module):
    __constants__ = ["padding"]
    padding: tuple[int, ...]
    _ndim = 0
    _mode = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = _ntuple(2 * self._ndim)(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    __constants__ = ["padding", "value"]
    value: float

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        ndim = self._ndim
        if input.dim() not in (ndim + 1, ndim + 2):
            raise ValueError(
                f"expected {ndim + 1}D or {ndim + 2}D input (got {input.dim()}D input)"
            )
        return super().forward(input)


_BASES: dict[str, tuple[type, str, str]] = {
    "CircularPad": (_CircularPad, "circular", "the elements of the other end"),
    "ConstantPad": (_ConstantPad, "constant", "the number `value`"),
    "ReflectionPad": (_Pad, "reflect", "the elements that a mirror at the edge shows"),
    "ReplicationPad": (_Pad, "replicate", "the last element of each end"),
    "ZeroPad": (_ZeroPad, "constant", "zeros"),
}


def _declare(kind: str, ndim: int) -> None:
    base, mode, what = _BASES[kind]
    name = f"{kind}{ndim}d"
    axes = ("L", "H, W", "D, H, W")[ndim - 1]
    given = "1, 3.5" if kind == "ConstantPad" else "1"
    threes, fives = ", 3" * ndim, ", 5" * ndim
    doc = f"""Continues `(N, C, {axes})` or `(C, {axes})` with {what}.

    `padding` is one length for all ends, or one before and one after for each dimension from the
    last on.

    >>> import lantern
    >>> lantern.nn.{name}({given})(lantern.ones(1, 1{threes})).shape
    torch.Size([1, 1{fives}])
    """
    members = {"__doc__": doc, "__module__": __name__, "_ndim": ndim, "_mode": mode}
    globals()[name] = type(name, (base,), members)


for _kind in _BASES:
    for _n in _DIMS:
        _declare(_kind, _n)
