"""Inverses, determinants and linear systems of square matrices `(*, n, n)`.

Primitives that have several results give them end to end in one value, for a formula then sees all
of them at once; `unpacked` takes that apart.
"""

from __future__ import annotations

from math import prod

from ..matrices import packed_shapes
from ..op import KEEP, SAME, composite, op
from ..return_types import linalg_slogdet
from ..return_types import slogdet as SlogdetResult
from ..tensor import Tensor
from .comparison import eq
from .contraction import check_square
from .linalg import column, swapped
from .selection import where


# --- what is refused
def check_matrices(name, A, square=True, kernel=""):
    """Raises for what a function of matrices does not take; `kernel` has no half types."""
    if square:
        check_square(name, A)
    elif A.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    check_type(name, A, kernel)


def check_type(name, A, kernel=""):
    """Raises for matrices that are not of float32 or float64."""
    legacy = A.dtype.legacy
    if A.dtype.kind != "f":
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {legacy}"
        )
    if A.dtype.char in "eE":
        if kernel:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{legacy}'")
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {legacy}")


def floating(name, kernel="", square=True):
    """Returns the options of an op of matrices, which are checked before anything is converted."""

    def check(A, *rest):
        if isinstance(A, Tensor):
            check_matrices(name, A, square, kernel)

    return {"promote": SAME, "tensors": "A", "check": ("?bBhHiIlLeE", check)}


# --- inverse and determinant
@op(method=False, function=False, grad_name="LinalgInvExBackward0", **floating("linalg.inv"))
def inv(xp, A):
    """The inverse of square matrices; raises `LinAlgError` where there is none.

    >>> import lantern
    >>> lantern.linalg.inv(lantern.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    check_square("linalg.inv", A)
    return xp.inv(A)


def inverse_gradient(xp, g, out):
    """Returns the gradient of matrices whose inverses are `out`."""
    turned = swapped(xp, out)
    return -xp.matmul(turned, xp.matmul(g, turned))


inv.vjp(A=inverse_gradient)


@composite
def inverse(xp, input):
    """The inverse of square matrices; raises `linalg.LinAlgError` where there is none."""
    return inv(input)


@op(grad_name="LinalgDetBackward0", **floating("linalg.det", "lu_cpu"))
def det(xp, input):
    """The determinant of square matrices.

    >>> import lantern
    >>> lantern.det(lantern.tensor([[2.0, 2.0], [3.0, 5.0]]))
    tensor(4.)
    """
    check_square("linalg.det", input)
    return xp.det(input)


det.vjp(input=lambda xp, g, input: each_matrix(xp, g) * xp.cofactor(input))


def each_matrix(xp, numbers):
    """Returns numbers, one per matrix, in a shape that multiplies the matrices."""
    return xp.reshape(numbers, (*numbers.shape, 1, 1))


@op(promote=SAME, tensors="A", method=False, public=False)
def cofactor(xp, A):
    """The derivative of the determinant by each element."""
    return xp.cofactor(A)


@cofactor.vjp_together("A")
def _(xp, g, A):
    turned = swapped(xp, xp.inv(A))
    inside = xp.sum(g * turned, (g.ndim - 2, g.ndim - 1), True) * turned
    across = xp.matmul(turned, xp.matmul(swapped(xp, g), turned))
    return (each_matrix(xp, xp.det(A)) * (inside - across),)


@op(promote=KEEP, method=False, public=False, label=lambda packed, shapes, name: name)
def unpacked(xp, input, shapes, name):
    """The parts that lie end to end in the last dimension, each in its shape."""
    batch, start, parts = input.shape[:-1], 0, []
    for shape in shapes:
        stop = start + prod(shape)
        piece = xp.getitem(input, (*(slice(None),) * len(batch), slice(start, stop)))
        parts.append(xp.reshape(piece, (*batch, *shape)))
        start = stop
    return tuple(parts)


@unpacked.vjp_together("input")
def _(xp, g, shapes):
    known, shape = next((e, s) for e, s in zip(g, shapes, strict=True) if e is not None)
    batch = known.shape[: known.ndim - len(shape)]
    pieces = [
        xp.full((*batch, prod(shape)), 0, known)
        if each is None
        else xp.reshape(each, (*batch, prod(shape)))
        for each, shape in zip(g, shapes, strict=True)
    ]
    return (xp.cat(pieces, len(batch)),)


def parts(xp, packed, shapes):
    """Returns the parts of a value that was packed, without a node of their own."""
    return unpacked.forward(xp, packed, shapes, "")


@op(promote=SAME, tensors="A", method=False, public=False)
def slogdet_packed(xp, A):
    """The sign and the logarithm of the determinant, end to end."""
    return xp.slogdet_packed(A)


@slogdet_packed.vjp_together("A")
def _(xp, g, A):
    _, slope = parts(xp, g, packed_shapes("slogdet_packed", *A.shape[-2:]))
    return (each_matrix(xp, slope) * swapped(xp, xp.inv(A)),)


def _slogdet(name, A):
    check_matrices(name, A)
    shapes = packed_shapes("slogdet_packed", *A.shape[-2:])
    return unpacked(slogdet_packed(A), shapes, "LinalgSlogdetBackward0")


@composite
def slogdet(xp, input):
    """The sign of the determinant, and the logarithm of its size.

    >>> import lantern
    >>> lantern.slogdet(lantern.tensor([[0.0, 1.0], [1.0, 0.0]])).sign
    tensor(-1.)
    """
    return SlogdetResult(_slogdet("linalg.slogdet", input))


@composite(tensors="A", method=False, function=False)
def linalg_slogdet_(xp, A):
    """The sign of the determinant, and the logarithm of its size."""
    return linalg_slogdet(_slogdet("linalg.slogdet", A))


@composite
def logdet(xp, input):
    """The logarithm of the determinant; NaN where that is negative."""
    sign, size = _slogdet("logdet", input)
    return where(eq(sign, -1.0), float("nan"), size)


# --- linear systems
def _is_vector(A_shape, B_shape):
    return len(B_shape) == 1 or len(B_shape) == len(A_shape) - 1 and B_shape == A_shape[:-1]


def _check_system(A, B, left=True):
    if not isinstance(A, Tensor) or not isinstance(B, Tensor):
        return
    check_type("linalg.solve", A, "lu_cpu" if A.dtype is B.dtype else "")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            "linalg.solve: Expected A and B to have the same dtype, but found A of type "
            f"{A.dtype.legacy} and B of type {B.dtype.legacy} instead"
        )


@op(promote=SAME, method=False, public=False)
def solve(xp, input, other):
    """The matrices that `input` times gives `other`."""
    return xp.solve(input, other)


@solve.vjp_together("input", "other")
def _(xp, g, out, needs, input):
    other = xp.solve(swapped(xp, input), g)
    return (-xp.matmul(other, swapped(xp, out)) if needs[0] else None), other


def _as_columns(xp, x, vector, left):
    """Returns right sides as matrices whose columns are solved for."""
    return column(xp, x) if vector else x if left else swapped(xp, x)


@op(
    promote=SAME,
    tensors="A B",
    method=False,
    function=False,
    check=("?bBhHiIlLeE", _check_system),
    grad_name="LinalgSolveExBackward0",
)
def linalg_solve(xp, A, B, *, left=True):
    """The solution of `A @ X = B` (or `X @ A = B` where not `left`).

    `B` holds matrices `(*, n, k)` or vectors `(*, n)`. Raises `LinAlgError` where `A` is singular.

    >>> import lantern
    >>> lantern.linalg.solve(lantern.tensor([[2.0, 0.0], [0.0, 4.0]]), lantern.tensor([2.0, 2.0]))
    tensor([1.0000, 0.5000])
    """
    check_square("linalg.solve", A)
    if not B.ndim:
        raise RuntimeError("linalg.solve: The input tensor B must have at least 2 dimensions.")
    vector = _is_vector(A.shape, B.shape)
    columns = _as_columns(xp, B, vector, left)
    if columns.shape[-2] != A.shape[-1]:
        sign = "AX" if left else "XA"
        mine, theirs = (f"{x.shape[-2]}x{x.shape[-1]}" for x in (A, columns if vector else B))
        raise RuntimeError(
            "linalg.solve: Incompatible shapes of A and B for the equation "
            f"{sign} = B ({mine} and {theirs})"
        )
    found = xp.solve(A if left or vector else swapped(xp, A), columns)
    if vector:
        return xp.reshape(found, found.shape[:-1])
    return found if left else swapped(xp, found)


@linalg_solve.vjp_together("A", "B")
def _(xp, g, out, needs, A, B_shape, left):
    vector = _is_vector(A.shape, B_shape)
    left = left or vector
    g, found = _as_columns(xp, g, vector, left), _as_columns(xp, out, vector, left)
    other = xp.solve(swapped(xp, A) if left else A, g)
    by_A = None
    if needs[0]:
        by_A = -(
            xp.matmul(other, swapped(xp, found)) if left else xp.matmul(found, swapped(xp, other))
        )
    by_B = xp.reshape(other, other.shape[:-1]) if vector else other if left else swapped(xp, other)
    return by_A, by_B
