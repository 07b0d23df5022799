"""Comparisons, logic and bits, and the functions that compare whole tensors."""

from __future__ import annotations

from .. import dtypes
from ..op import BOOL, SAME, Op, composite, op
from ..tensor import Tensor
from .pointwise import abs, cast, isfinite, isnan, refusing
from .reduce import all as all_of


def comparison(name: str, text: str, lacks: str = "", aliases: str = "") -> Op:
    """Declares a comparison: bool, no gradient."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    forward.__name__, forward.__doc__ = name, text
    return op(
        forward,
        promote=BOOL,
        numbers="input other",
        differentiable=False,
        dunder=name,
        inplace=True,
        lacks=lacks,
        aliases=aliases,
    )


eq = comparison("eq", "Where elements are equal.")
ne = comparison("ne", "Where elements differ.", aliases="not_equal")
lt = comparison("lt", "Where `input` is less.", "HIL lt_cpu", "less")
le = comparison("le", "Where `input` is less or equal.", "HIL le_cpu", "less_equal")
gt = comparison("gt", "Where `input` is greater.", "HIL gt_cpu", "greater")
ge = comparison("ge", "Where `input` is greater or equal.", "HIL ge_cpu", "greater_equal")


def logical(name: str, text: str) -> Op:
    """Declares a logical function of two tensors: what is not zero counts as true."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    forward.__name__, forward.__doc__ = name, text
    return op(forward, promote=BOOL, differentiable=False, inplace=True, lacks=f"HIL {name}_cpu")


logical_and = logical("logical_and", "Where both are not zero.")
logical_or = logical("logical_or", "Where either is not zero.")
logical_xor = logical("logical_xor", "Where one of the two is not zero.")


def bitwise(name: str, dunder: str, lacks: str, text: str) -> Op:
    """Declares a function of the bits of two integer (or bool) tensors."""

    def forward(xp, input, other):
        return getattr(xp, name)(input, other)

    forward.__name__, forward.__doc__ = name, text
    return op(
        forward,
        promote=SAME,
        lacks=lacks,
        numbers="input other",
        differentiable=False,
        dunder=f"{dunder} r{dunder}",
        inplace=True,
    )


bitwise_and = bitwise("bitwise_and", "and", "eEfd bitwise_and_cpu", "The bits set in both.")
bitwise_or = bitwise("bitwise_or", "or", "eEfd bitwise_or_cpu", "The bits set in either.")
bitwise_xor = bitwise("bitwise_xor", "xor", "eEfd bitwise_xor_cpu", "The bits set in one of both.")
bitwise_left_shift = bitwise(
    "bitwise_left_shift", "lshift", "?HILeEfd lshift_cpu", "The bits moved to higher places."
)
bitwise_right_shift = bitwise(
    "bitwise_right_shift", "rshift", "?HILeEfd rshift_cpu", "The bits moved to lower places."
)


@composite
def isclose(xp, input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where `|input - other| <= atol + rtol * |other|`; infinities are close to themselves only.

    >>> import lantern
    >>> lantern.isclose(lantern.tensor([1.0, 2.0]), lantern.tensor([1.0 + 1e-6, 2.1]))
    tensor([ True, False])
    """
    if input.dtype is not other.dtype:
        raise RuntimeError(f"{input.dtype.legacy} did not match {other.dtype.legacy}")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {value:g}")
    close = eq(input, other)
    if equal_nan and input.dtype.kind == "f":
        close = logical_or(close, logical_and(isnan(input), isnan(other)))
    if rtol == 0 and atol == 0:
        return close
    if input.dtype.kind != "f":
        default = dtypes.get_default_dtype()
        input, other = cast(input, default), cast(other, default)
    difference = abs(input - other)
    near = le(difference, abs(other * rtol) + atol)
    return logical_or(close, logical_and(isfinite(difference), near))


@composite
def allclose(xp, input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close, as `isclose` has it; a Python bool.

    >>> import lantern
    >>> lantern.allclose(lantern.tensor([1.0]), lantern.tensor([1.1]), atol=0.2)
    True
    """
    return bool(all_of(isclose(input, other, rtol, atol, equal_nan)).item())


@composite
def equal(xp, input, other):
    """Whether two tensors have the same shape and elements; a Python bool.

    >>> import lantern
    >>> lantern.equal(lantern.tensor([1, 2]), lantern.tensor([1, 2]))
    True
    """
    if input.shape != other.shape:
        return False
    return bool(all_of(eq(input, other)).item())


@composite(numbers="elements test_elements", tensors="elements test_elements")
def isin(xp, elements, test_elements, *, assume_unique=False, invert=False):
    """Where elements are among the test elements.

    >>> import lantern
    >>> lantern.isin(lantern.tensor([1, 2, 3]), lantern.tensor([2, 9]))
    tensor([False,  True, False])
    """
    if not isinstance(elements, Tensor):
        elements = xp.full((), elements, test_elements)
    if not isinstance(test_elements, Tensor):
        test_elements = xp.full((1,), test_elements, elements)
    flat = xp.reshape(test_elements, (-1,))
    found = xp.any(eq(xp.reshape(elements, (*elements.shape, 1)), flat), (elements.ndim,), False)
    return xp.logical_not(found) if invert else found


@op(promote=SAME, tensors="values", inplace=True, lacks="HIL heaviside_cpu")
def heaviside(xp, input, values):
    """0 below 0, 1 above, and `values` at 0."""
    one = xp.cast(xp.gt(input, 0), xp.dtype_of(input))
    return xp.where(xp.eq(input, 0), values, one)


refusing("heaviside", "input", "values")(heaviside)
