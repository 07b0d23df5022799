"""Products added to something, as BLAS has them: `beta * input + alpha * product`."""

from __future__ import annotations

from math import prod

from ..op import SAME, op
from .linalg import (
    C_NAMES,
    check_added_types,
    check_batches,
    check_types,
    checking,
    column,
    refuse_kernel,
    refuse_sizes,
    refuse_vector_types,
    swapped,
)
from .views import expanded_size


def blend(xp, input, product, beta, alpha):
    """Returns `beta * input + alpha * product`; a `beta` of 0 leaves `input` out, NaN and all."""
    kind = xp.dtype_of(product).kind
    if kind != "f":
        beta, alpha = int(beta), int(alpha)
    if alpha != 1:
        product = product * xp.full((), alpha, product)
    if not beta:
        return product
    return (input if beta == 1 else input * xp.full((), beta, input)) + product


def check_added(input, mat1, mat2):
    """Raises RuntimeError for operands of `addmm` that do not fit together."""
    for name, each in (("mat1", mat1), ("mat2", mat2)):
        if each.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {each.ndim}-D tensor")
    if mat1.shape[1] != mat2.shape[0]:
        refuse_sizes(mat1.shape, mat2.shape)
    expanded_size(input, (mat1.shape[0], mat2.shape[1]))


@op(inplace=True, **checking(check_added, check_added_types, 3))
def addmm(xp, input, mat1, mat2, *, beta=1, alpha=1):
    """`beta * input + alpha * mat1 @ mat2`.

    >>> import lantern
    >>> lantern.addmm(lantern.zeros(2), lantern.ones(1, 3), lantern.ones(3, 2), alpha=2)
    tensor([[6., 6.]])
    """
    check_added(input, mat1, mat2)
    if not alpha:  # then the product takes no part, not even with its NaN
        product = xp.full((mat1.shape[0], mat2.shape[1]), 0, mat1)
    else:
        product = xp.matmul(mat1, mat2)
    return blend(xp, input, product, beta, alpha)


def times(g, number):
    """Returns a gradient times the factor of what it belongs to."""
    return g if number == 1 else g * number


addmm.vjp(
    input=lambda g, beta: times(g, beta),
    mat1=lambda xp, g, mat2, alpha: times(xp.matmul(g, swapped(xp, mat2)), alpha),
    mat2=lambda xp, g, mat1, alpha: times(xp.matmul(swapped(xp, mat1), g), alpha),
)


def check_added_vector(input, mat, vec):
    """Raises RuntimeError for operands of `addmv` that do not fit together."""
    if input.ndim > 1 or mat.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got {input.ndim}, {mat.ndim}, {vec.ndim}"
        )
    if mat.shape[1] != vec.shape[0] or prod(input.shape) not in (1, mat.shape[0]):
        raise RuntimeError(
            f"size mismatch, got input ({prod(input.shape)}), mat "
            f"({mat.shape[0]}x{mat.shape[1]}), vec ({vec.shape[0]})"
        )


def _check_vector_types(input, mat, vec):
    if not input.dtype is mat.dtype is vec.dtype:
        refuse_vector_types(input, mat, vec)
    refuse_kernel("addmv_impl_cpu", mat.dtype)


@op(inplace=True, rounds="alpha beta", **checking(check_added_vector, _check_vector_types, 3))
def addmv(xp, input, mat, vec, *, beta=1, alpha=1):
    """`beta * input + alpha * mat @ vec`.

    >>> import lantern
    >>> lantern.addmv(lantern.zeros(2), lantern.ones(2, 3), lantern.ones(3))
    tensor([3., 3.])
    """
    check_added_vector(input, mat, vec)
    product = xp.matmul(mat, vec) if alpha else xp.full(mat.shape[:1], 0, mat)
    return blend(xp, input, product, beta, alpha)


addmv.vjp(
    input=lambda g, beta: times(g, beta),
    mat=lambda xp, g, vec, alpha: times(column(xp, g) * vec, alpha),
    vec=lambda xp, g, mat, alpha: times(xp.matmul(swapped(xp, mat), g), alpha),
)


@op(promote=SAME, inplace=True, steps=True)
def addr(xp, input, vec1, vec2, *, beta=1, alpha=1):
    """`beta * input` plus `alpha` times the outer product of two vectors.

    >>> import lantern
    >>> lantern.addr(lantern.zeros(1, 2), lantern.tensor([3.0]), lantern.tensor([1.0, 2.0]))
    tensor([[3., 6.]])
    """
    for name, each in (("vec1", vec1), ("vec2", vec2)):
        if each.ndim != 1:
            raise RuntimeError(f"addr: Expected 1-D argument {name}, but got {each.ndim}-D")
    expanded_size(input, (*vec1.shape, *vec2.shape))
    kind = xp.dtype_of(vec1).kind
    for name, number in (("beta", beta), ("alpha", alpha)):
        if isinstance(number, bool) and kind != "b":
            raise RuntimeError(f"Boolean {name} only supported for Boolean results.")
        if isinstance(number, float) and kind != "f":
            raise RuntimeError(
                f"For integral input tensors, argument {name} must not be a floating point number."
            )
    if kind != "b":
        scaled = vec1 if alpha == 1 else vec1 * xp.full((), alpha, vec1)
        return blend(xp, input, column(xp, scaled) * vec2, beta, 1)
    product = column(xp, vec1) * vec2
    product = product if alpha else xp.full(product.shape, False, product)
    return xp.logical_or(input, product) if beta else product


addr.vjp(
    input=lambda g, beta: times(g, beta),
    vec1=lambda xp, g, vec2, alpha: times(xp.matmul(g, vec2), alpha),
    vec2=lambda xp, g, vec1, alpha: times(xp.matmul(swapped(xp, g), vec1), alpha),
)


def check_added_batches(input, batch1, batch2):
    """Raises RuntimeError for operands of `baddbmm` that do not fit together."""
    check_batches(batch1, batch2)
    expanded_size(input, (*batch1.shape[:2], batch2.shape[2]))


def _check_batch_types(input, batch1, batch2):
    names = [C_NAMES[each.dtype.legacy] for each in (input, batch1, batch2)]
    if names[0] != names[1]:
        raise RuntimeError(
            f"Input dtypes must be the same, got: input {names[0]}, batch1: {names[1]}, batch2: "
            f"{names[2]}"
        )
    refuse_kernel("baddbmm", batch1.dtype)
    if batch1.dtype is not batch2.dtype:
        check_types("bmm", batch1, batch2)


@op(inplace=True, **checking(check_added_batches, _check_batch_types, 3))
def baddbmm(xp, input, batch1, batch2, *, beta=1, alpha=1):
    """`beta * input + alpha * batch1 @ batch2` for batches `(B, n, m)` and `(B, m, p)`.

    >>> import lantern
    >>> lantern.baddbmm(lantern.ones(4), lantern.ones(5, 2, 3), lantern.ones(5, 3, 4)).shape
    torch.Size([5, 2, 4])
    """
    check_added_batches(input, batch1, batch2)
    return blend(xp, input, xp.matmul(batch1, batch2), beta, alpha)


baddbmm.vjp(
    input=lambda g, beta: times(g, beta),
    batch1=lambda xp, g, batch2, alpha: times(xp.matmul(g, swapped(xp, batch2)), alpha),
    batch2=lambda xp, g, batch1, alpha: times(xp.matmul(swapped(xp, batch1), g), alpha),
)


def _check_summed(input, batch1, batch2):
    for name, each in (("batch1", batch1), ("batch2", batch2)):
        if each.ndim != 3:
            raise RuntimeError(f"{name} must be a 3D tensor")
    if batch1.shape[0] != batch2.shape[0]:
        raise RuntimeError(
            f"batch1 and batch2 must have same number of batches, got {batch1.shape[0]} and "
            f"{batch2.shape[0]}"
        )
    if batch1.shape[2] != batch2.shape[1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for bmm ({batch1.shape[1]}x{batch1.shape[2]} and "
            f"{batch2.shape[1]}x{batch2.shape[2]})"
        )
    expanded_size(input, (batch1.shape[1], batch2.shape[2]))


@op(inplace=True, **checking(_check_summed, check_added_types, 3))
def addbmm(xp, input, batch1, batch2, *, beta=1, alpha=1):
    """`beta * input` plus `alpha` times the sum of the products of two batches of matrices.

    >>> import lantern
    >>> lantern.addbmm(lantern.zeros(2), lantern.ones(5, 1, 3), lantern.ones(5, 3, 2))
    tensor([[15., 15.]])
    """
    _check_summed(input, batch1, batch2)
    batch, rows, inner = batch1.shape
    # Side by side and on top of each other, the batches are two matrices.
    wide = xp.reshape(xp.permute(batch1, (1, 0, 2)), (rows, batch * inner))
    tall = xp.reshape(batch2, (batch * inner, batch2.shape[2]))
    return blend(xp, input, xp.matmul(wide, tall), beta, alpha)


addbmm.vjp(
    input=lambda g, beta: times(g, beta),
    batch1=lambda xp, g, batch2, alpha: times(xp.matmul(g, swapped(xp, batch2)), alpha),
    batch2=lambda xp, g, batch1, alpha: times(xp.matmul(swapped(xp, batch1), g), alpha),
)
