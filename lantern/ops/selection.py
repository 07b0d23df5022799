"""Choosing among operands: where, clamp, the larger and smaller of two, masks."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..binding import bind, refuse
from ..op import KEEP, SAME, Op, declare, op
from ..promotion import is_number
from ..tensor import Tensor
from .arithmetic import c_name
from .creation import full
from .index import nonzero_tuple
from .pointwise import cast


def kept(xp, g, condition):
    """Returns the gradient where a condition holds, elsewhere 0."""
    return xp.where(condition, g, xp.full((), 0, g))


class Where(Op):
    """`where` in its forms: the places of a condition, and a choice of tensors or numbers."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Tells the forms apart and brings the condition to bool."""
        if "out" in kwargs:
            return self._call_out(args, kwargs)
        if len(args) + len(kwargs) == 1:
            return nonzero_tuple(args[0] if args else kwargs["condition"])
        condition, input, other = bind(self, args, kwargs)
        if not isinstance(condition, Tensor):
            refuse(self, 0, condition)
        if condition.dtype is not dtypes.bool_:
            if condition.dtype is not dtypes.uint8:
                raise RuntimeError(
                    "where expected condition to be a boolean tensor, but got a tensor with dtype "
                    f"{condition.dtype.legacy}"
                )
            condition = cast(condition, dtypes.bool_)
        if is_number(input) and is_number(other):
            common = dtypes.promote_types(dtypes.of_number(input), dtypes.of_number(other))
            input = full((), input, common)
        return super().__call__(condition, input, other)


def where(xp, condition, input, other):
    """`input` where the condition holds, else `other`; with a condition alone, where it holds.

    >>> import lantern
    >>> x = lantern.tensor([1.0, -2.0])
    >>> lantern.where(x > 0, x, 0.0)
    tensor([1., 0.])
    >>> lantern.where(x > 0)
    (tensor([0]),)
    """
    return xp.where(condition, input, other)


where = declare(
    Where, where, {"promote": SAME, "numbers": "input other", "method": False, "fits": "wide"}
)
where.vjp(
    input=lambda xp, g, condition: xp.where(condition, g, xp.full((), 0, g)),
    other=lambda xp, g, condition: xp.where(condition, xp.full((), 0, g), g),
)


def _fill_label(input, mask, value):
    return f"MaskedFillBackward{int(isinstance(value, Tensor))}"


@op(packed="always", promote=KEEP, numbers="value", inplace=True, label=_fill_label)
def masked_fill(xp, input, mask, value):
    """`input` with one value written where the mask holds.

    >>> import lantern
    >>> lantern.tensor([1.0, 2.0]).masked_fill(lantern.tensor([True, False]), 9.0)
    tensor([9., 2.])
    """
    if xp.dtype_of(mask) is not dtypes.bool_:
        raise RuntimeError(
            "masked_fill_ only supports boolean masks, but got mask with dtype "
            f"{c_name(xp.dtype_of(mask))}"
        )
    if hasattr(value, "shape") and value.ndim:
        raise RuntimeError(
            "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension(s)."
        )
    if xp.dtype_of(input).char in "HIL":
        raise NotImplementedError(
            f"\"masked_fill\" not implemented for '{xp.dtype_of(input).legacy}'"
        )
    if not hasattr(value, "shape"):
        value = xp.full((), dtypes.number_as(value, xp.dtype_of(input)), input)
    return xp.where(mask, xp.cast(value, xp.dtype_of(input)), input)


masked_fill.vjp(
    input=lambda xp, g, mask: xp.where(mask, xp.full((), 0, g), g),
    value=lambda xp, g, mask, value_dtype: xp.cast(kept(xp, g, mask), value_dtype),
)


def _extreme(name: str, compare: str, text: str) -> Op:
    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    def formula_input(xp, g, input, other):
        return _share(xp, g, getattr(xp, compare)(input, other), xp.eq(input, other))

    def formula_other(xp, g, input, other):
        return _share(xp, g, getattr(xp, compare)(other, input), xp.eq(input, other))

    forward.__name__, forward.__doc__ = name, text
    declared = op(forward, promote=SAME, lacks=f"HIL {name}_cpu")
    return declared.vjp(input=formula_input, other=formula_other)


def _share(xp, g, loses, ties):
    """None of the gradient where this operand loses, half of it where both are equal."""
    return xp.where(ties, g * 0.5, xp.where(loses, xp.full((), 0, g), g))


maximum = _extreme("maximum", "lt", "The larger of each pair; NaN where either is.")
minimum = _extreme("minimum", "gt", "The smaller of each pair; NaN where either is.")


def _extreme_number(name: str, compare: str, kernel: str, text: str) -> Op:
    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    def wins(xp, input, other):
        return xp.logical_or(getattr(xp, compare)(input, other), xp.isnan(other))

    def formula_input(xp, g, input, other):
        return kept(xp, g, wins(xp, input, other))

    def formula_other(xp, g, input, other):
        return kept(xp, g, xp.logical_not(wins(xp, input, other)))

    forward.__name__, forward.__doc__ = name, text
    declared = op(forward, promote=SAME, lacks=f"HIL {kernel}")
    return declared.vjp(input=formula_input, other=formula_other)


fmax = _extreme_number("fmax", "ge", "maximum_cpu", "The larger of each pair, NaN left aside.")
fmin = _extreme_number("fmin", "le", "minimum_cpu", "The smaller of each pair, NaN left aside.")


def _clamp_kernel(dtype, input, min, max):
    """Returns the name of the kernel that lacks a dtype, "" where it does not."""
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        if min is not None and max is not None:
            return "clamp_cpu"
        name = "minimum_cpu" if min is None else "maximum_cpu"
        return "" if dtype.kind == "b" else name
    if min is None and max is None:
        return ""
    if min is None or max is None:
        return "clamp_max_scalar_cpu" if min is None else "clamp_min_scalar_cpu"
    return "clamp_scalar_cpu"


def _clamp_label(input, min, max):
    return f"ClampBackward{int(not (isinstance(min, Tensor) or isinstance(max, Tensor)))}"


@op(
    packed="as operands",
    promote=SAME,
    tensors="min max",
    numbers="min max",
    inplace=True,
    lacks=("?HIL", _clamp_kernel),
    fits="exact",
    aliases="clip",
    label=_clamp_label,
)
def clamp(xp, input, min=None, max=None):
    """Each element kept within `[min, max]`, either of which may be None, a number or a tensor.

    >>> import lantern
    >>> lantern.clamp(lantern.tensor([-1.0, 0.5, 3.0]), 0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if min is not None:
        input = xp.maximum(input, min)
    return input if max is None else xp.minimum(input, max)


def _clamp_input(xp, g, input, min, max):
    inside = None
    if min is not None:
        inside = xp.ge(input, min)
    if max is not None:
        below = xp.le(input, max)
        inside = below if inside is None else xp.logical_and(inside, below)
    return kept(xp, g, inside)


def _clamp_min(xp, g, input, min, max):
    at_end = xp.lt(input, min)
    return kept(xp, g, at_end if max is None else xp.logical_and(at_end, xp.lt(min, max)))


def _clamp_max(xp, g, input, min, max):
    at_end = xp.gt(input, max)
    return kept(xp, g, at_end if min is None else xp.logical_or(at_end, xp.lt(max, min)))


clamp.vjp(input=_clamp_input, min=_clamp_min, max=_clamp_max)


def _one_sided_label(name):
    def label(input, bound):
        return f"{name}Backward{int(isinstance(bound, Tensor))}"

    return label


@op(
    packed="as operands",
    promote=SAME,
    tensors="min",
    numbers="min",
    inplace=True,
    lacks="HIL maximum_cpu",
    fits="exact",
    label=_one_sided_label("ClampMin"),
)
def clamp_min(xp, input, min):
    """Each element, or `min` where that is larger."""
    return xp.maximum(input, min)


@op(
    packed="as operands",
    promote=SAME,
    tensors="max",
    numbers="max",
    inplace=True,
    lacks="HIL minimum_cpu",
    fits="exact",
    label=_one_sided_label("ClampMax"),
)
def clamp_max(xp, input, max):
    """Each element, or `max` where that is smaller."""
    return xp.minimum(input, max)


clamp_min.vjp(
    input=lambda xp, g, input, min: kept(xp, g, xp.ge(input, min)),
    min=lambda xp, g, input, min: kept(xp, g, xp.lt(input, min)),
)
clamp_max.vjp(
    input=lambda xp, g, input, max: kept(xp, g, xp.le(input, max)),
    max=lambda xp, g, input, max: kept(xp, g, xp.gt(input, max)),
)
