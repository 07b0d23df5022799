"""Matrix products."""

from __future__ import annotations

from ..op import SAME, composite, op


def _swap(xp, x):
    return xp.permute(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _sizes(x):
    return "x".join(map(str, x.shape))


def _refuse_types(input, other, *rest):
    kinds = [each.dtype for each in (input, other) if each is not None]
    if kinds[0] is not kinds[1]:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {_c(kinds[0])} != {_c(kinds[1])}"
        )


_C_NAMES = {"float": "float", "Float": "float", "Double": "double", "Long": "long long"}
_C_NAMES |= {"Int": "int", "Half": "c10::Half", "BFloat16": "c10::BFloat16", "Bool": "bool"}
_C_NAMES |= {"Byte": "unsigned char", "Char": "signed char", "Short": "short"}


def _c(dtype):
    return _C_NAMES.get(dtype.legacy, dtype.legacy)


def _check_product(input, other):
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and "
            f"{other.ndim}D"
        )
    inner = other.shape[-2] if other.ndim > 1 else other.shape[0]
    if input.shape[-1] == inner:
        return
    if input.ndim == 1 and other.ndim == 1:
        raise RuntimeError(
            "inconsistent tensor size, expected tensor "
            f"[{input.shape[0]}] and src [{other.shape[0]}] to have the same number of elements, "
            f"but got {input.shape[0]} and {other.shape[0]} elements respectively"
        )
    if other.ndim == 1:
        rows = input.shape[0] if input.ndim == 2 else -1
        raise RuntimeError(
            f"size mismatch, got input ({rows}), mat ({_sizes(input)}), vec ({other.shape[0]})"
        )
    left = input.shape[-2] if input.ndim > 1 else 1
    for size in input.shape[:-2]:
        left *= size
    raise RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({left}x{input.shape[-1]} and "
        f"{inner}x{other.shape[-1]})"
    )


@op(promote=SAME, dunder="matmul rmatmul", check=("?", _refuse_types))
def matmul(xp, input, other):
    """The matrix product, batched over leading dimensions; a 1-d operand is a vector.

    >>> import lantern
    >>> lantern.matmul(lantern.ones(2, 3), lantern.ones(3))
    tensor([3., 3.])
    """
    _check_product(input, other)
    return xp.matmul(input, other)


def _matmul_input(xp, g, input_shape, other):
    if len(input_shape) == 1:
        if other.ndim == 1:
            return g * other
        return xp.matmul(other, xp.reshape(g, (*g.shape, 1)))[..., 0]
    if other.ndim == 1:
        return xp.reshape(g, (*g.shape, 1)) * other
    return xp.matmul(g, _swap(xp, other))


def _matmul_other(xp, g, input, other_shape):
    if len(other_shape) == 1:
        if input.ndim == 1:
            return g * input
        flat = xp.reshape(input, (-1, input.shape[-1])) if input.ndim > 2 else input
        return xp.matmul(_swap(xp, flat), xp.reshape(g, (flat.shape[0],)))
    if input.ndim == 1:
        return xp.reshape(input, (input.shape[0], 1)) * xp.reshape(
            g, (*g.shape[:-1], 1, g.shape[-1])
        )
    return xp.matmul(_swap(xp, input), g)


def _matmul_name(node):
    shapes = [value.shape if hasattr(value, "shape") else value for value in node.values]
    ranks = {len(shape) for shape in shapes}
    if ranks == {2}:
        return "MmBackward0"
    if ranks == {1}:
        return "DotBackward0"
    if ranks == {1, 2}:
        return "MvBackward0"
    return "UnsafeViewBackward0" if ranks == {3, 2} else "BmmBackward0"


matmul.vjp(input=_matmul_input, other=_matmul_other)
matmul._grad_name = _matmul_name


@op(promote=SAME, method=False, function=False, exact=True)
def linear(xp, input, weight, bias=None):
    """`input @ weight.T + bias` for a weight `(out, in)` and inputs `(*, in)`."""
    if input.shape[-1:] != weight.shape[-1:]:
        rows = 1
        for size in input.shape[:-1]:
            rows *= size
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({rows}x{input.shape[-1] if input.ndim else 0}"
            f" and {weight.shape[-1]}x{weight.shape[0]})"
        )
    return xp.linear(input, weight, bias)


def _rows(xp, x):
    return x if x.ndim == 2 else xp.reshape(x, (-1, x.shape[-1]))


linear.vjp(
    input=lambda xp, g, weight: xp.matmul(g, weight),
    weight=lambda xp, g, input: xp.matmul(_swap(xp, _rows(xp, g)), _rows(xp, input)),
    bias=lambda xp, g: xp.sum(_rows(xp, g), (0,), False),
)
linear._grad_name = "AddmmBackward0"


@composite
def mm(xp, input, mat2):
    """The product of two matrices.

    >>> import lantern
    >>> lantern.mm(lantern.ones(1, 2), lantern.ones(2, 1))
    tensor([[2.]])
    """
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    return matmul(input, mat2)


@composite
def mv(xp, input, vec):
    """The product of a matrix and a vector."""
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(
            f"vector + matrix @ vector expected, got {vec.ndim}, {input.ndim}, {vec.ndim}"
        )
    return matmul(input, vec)


@composite
def dot(xp, input, tensor):
    """The inner product of two vectors."""
    if input.ndim != 1 or tensor.ndim != 1:
        raise RuntimeError(
            f"1D tensors expected, but got {input.ndim}D and {tensor.ndim}D tensors"
        )
    return matmul(input, tensor)


@composite
def bmm(xp, input, mat2):
    """The products of two batches of matrices `(B, n, m)` and `(B, m, p)`."""
    if input.ndim != 3 or mat2.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor" if input.ndim != 3 else "batch2 must be a 3D tensor")
    return matmul(input, mat2)
