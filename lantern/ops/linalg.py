"""Matrix products: `matmul`, its strict kin, and `linear`.

Unlike the operands of other ops, theirs must be of one dtype. What PyTorch says about shapes and
types depends on the kernel that it would take (dot, mv, mm or bmm), and so it does here.
"""

from __future__ import annotations

from math import prod

from ..autograd.plan import sum_to
from ..op import SAME, op
from ..shape import broadcast_shapes
from ..tensor import Tensor
from .views import expanded_size

# PyTorch's messages name some types as C++ does.
C_NAMES = {"Float": "float", "Double": "double", "Half": "c10::Half", "BFloat16": "c10::BFloat16"}
C_NAMES |= {"Byte": "unsigned char", "Char": "signed char", "Short": "short int", "Int": "int"}
C_NAMES |= {"Long": "long int", "UInt16": "short unsigned int", "UInt32": "unsigned int"}
C_NAMES |= {"UInt64": "long unsigned int", "Bool": "bool"}

KERNELS = {"dot": "dot", "mv": "addmv_impl_cpu", "mm": "addmm_impl_cpu_", "bmm": "bmm"}


def swapped(xp, x):
    """Returns matrices transposed."""
    ndim = x.ndim
    return xp.permute(x, (1, 0) if ndim == 2 else (*range(ndim - 2), ndim - 1, ndim - 2))


def rows_of(xp, x):
    """Returns the vectors along the last dimension as the rows of one matrix."""
    return x if x.ndim == 2 else xp.reshape(x, (prod(x.shape[:-1]), x.shape[-1]))


def column(xp, x):
    """Returns a vector (or several) as a matrix of one column."""
    return xp.reshape(x, (*x.shape, 1))


def row(xp, x):
    """Returns a vector (or several) as a matrix of one row."""
    return xp.reshape(x, (*x.shape[:-1], 1, x.shape[-1]))


# --- what is refused
def check_sizes(input, other):
    """Raises RuntimeError where operands of `matmul` do not fit together."""
    if not input.ndim or not other.ndim:
        raise RuntimeError(
            f"both arguments to matmul need to be at least 1D, but they are {input.ndim}D and "
            f"{other.ndim}D"
        )
    if other.ndim > 2:
        return _check_stacks(input, other)
    if input.shape[-1] == other.shape[0]:
        return
    if other.ndim == 2:
        refuse_sizes((prod(input.shape[:-1]), input.shape[-1]), other.shape)
    if input.ndim == 1:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{input.shape[0]}] and src "
            f"[{other.shape[0]}] to have the same number of elements, but got {input.shape[0]} and "
            f"{other.shape[0]} elements respectively"
        )
    count = prod(input.shape[:-1])
    raise RuntimeError(
        f"size mismatch, got input ({count}), mat ({count}x{input.shape[-1]}), vec "
        f"({other.shape[0]})"
    )


def _check_stacks(input, other):
    # Batches are compared first, from the left, as for any operands that are broadcast.
    mine, theirs = input.shape[:-2], other.shape[:-2]
    ndim = max(len(mine), len(theirs))
    for place in range(ndim):
        i, j = place - ndim + len(mine), place - ndim + len(theirs)
        if i >= 0 and j >= 0 and mine[i] != theirs[j] and 1 not in (mine[i], theirs[j]):
            raise RuntimeError(
                f"The size of tensor a ({mine[i]}) must match the size of tensor b ({theirs[j]}) "
                f"at non-singleton dimension {place}"
            )
    if input.shape[-1] != other.shape[-2]:
        mine, theirs = (1,) * (ndim - len(mine)) + mine, (1,) * (ndim - len(theirs)) + theirs
        batch = prod(a if b == 1 else b for a, b in zip(mine, theirs, strict=True))
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"[{batch}, {input.shape[-1]}] but got: [{batch}, {other.shape[-2]}]."
        )


def refuse_sizes(mine, theirs):
    """Raises for matrices that cannot be multiplied."""
    raise RuntimeError(
        f"mat1 and mat2 shapes cannot be multiplied ({mine[0]}x{mine[1]} and "
        f"{theirs[0]}x{theirs[1]})"
    )


def kind_of(input, other):
    """Returns the kernel that PyTorch multiplies operands of these ranks with."""
    if other.ndim > 2:
        return "bmm"
    if other.ndim == 2:
        return "mm"
    return "dot" if input.ndim == 1 else "mv"


def check_types(kind, input, other):
    """Raises where two operands differ in dtype or the kernel has none for theirs."""
    mine, theirs = input.dtype, other.dtype
    if mine is not theirs and not (kind == "bmm" and mine.char in "?HIL"):
        if kind == "mm":
            raise RuntimeError(
                "expected m1 and m2 to have the same dtype, but got: "
                f"{C_NAMES[mine.legacy]} != {C_NAMES[theirs.legacy]}"
            )
        if kind == "mv":
            refuse_vector_types(other, input, other)
        if kind == "dot":
            raise RuntimeError(
                "dot : expected both vectors to have same dtype, but found "
                f"{mine.legacy} and {theirs.legacy}"
            )
        raise RuntimeError(f"expected scalar type {mine.legacy} but found {theirs.legacy}")
    refuse_kernel(KERNELS[kind], mine)


def refuse_vector_types(*operands):
    """Raises for operands of `addmv` that differ in dtype."""
    kinds = [each.dtype.legacy for each in operands]
    raise RuntimeError(
        f"addmv input tensors must have the same dtype, but got {kinds[0]}, {kinds[1]}, and "
        f"{kinds[2]}"
    )


def refuse_kernel(kernel, dtype):
    """Raises NotImplementedError where products of a dtype are not computed."""
    if dtype.char in "?HIL":
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy}'")


def check_added_types(input, mat1, mat2):
    """Raises where the operands of `addmm` differ in dtype or it has no kernel for theirs."""
    for name, each in (("self", input), ("mat1", mat1)):
        if each.dtype is not mat2.dtype:
            raise RuntimeError(
                f"{name} and mat2 must have the same dtype, but got {each.dtype.legacy} and "
                f"{mat2.dtype.legacy}"
            )
    refuse_kernel("addmm_impl_cpu_", mat2.dtype)


def checking(sizes, types, count):
    """Returns the options of an op whose operands must be of one dtype.

    `sizes` and `types` look at its first `count` arguments, before anything is converted.
    """

    def check(*args):
        tensors = args[:count]
        if all(isinstance(each, Tensor) for each in tensors):
            sizes(*tensors)
            types(*tensors)

    return {"promote": SAME, "check": ("?HIL", check)}


# --- products of two
def _matmul_label(input, other):
    """Names the node as PyTorch does, which builds most products from smaller steps."""
    mine, theirs = input.ndim, other.ndim
    if mine == 2 and theirs <= 2:
        return "MmBackward0" if theirs == 2 else "MvBackward0"
    if mine == 1 and theirs <= 2:
        return "DotBackward0" if theirs == 1 else "SqueezeBackward4"
    alone = mine == 3 == theirs and input.shape[0] == 1 != other.shape[0]
    if theirs < 3 or not (mine == 2 or alone):
        return "UnsafeViewBackward0"
    # The larger operand comes first, and what comes out is transposed.
    rows, columns = input.shape[-2], other.shape[-1]
    batch = prod(other.shape[:-2])
    return "TransposeBackward0" if rows < 2 or columns < 2 or not batch else "CloneBackward0"


@op(
    dunder="matmul rmatmul",
    label=_matmul_label,
    **checking(check_sizes, lambda x, y: check_types(kind_of(x, y), x, y), 2),
)
def matmul(xp, input, other):
    """The matrix product, batched over leading dimensions; a 1-d operand is a vector.

    >>> import lantern
    >>> lantern.matmul(lantern.ones(2, 3), lantern.ones(3))
    tensor([3., 3.])
    """
    if not input.ndim == 2 == other.ndim or input.shape[1] != other.shape[0]:
        check_sizes(input, other)
    return xp.matmul(input, other)


def _input_gradient(xp, g, shape, other):
    if other.ndim == 1:
        return g * other if len(shape) == 1 else column(xp, g) * other
    if len(shape) > 1:
        return xp.matmul(g, swapped(xp, other))
    if other.ndim == 2:
        return xp.matmul(other, g)
    return xp.reshape(xp.matmul(other, column(xp, g)), other.shape[:-1])


def _other_gradient(xp, g, input, shape):
    if len(shape) == 1:
        if input.ndim == 1:
            return g * input
        return xp.matmul(swapped(xp, rows_of(xp, input)), xp.reshape(g, (prod(g.shape),)))
    if input.ndim == 1:
        return column(xp, input) * row(xp, g)
    if input.ndim > 2 and len(shape) == 2:
        return xp.matmul(swapped(xp, rows_of(xp, input)), rows_of(xp, g))
    return xp.matmul(swapped(xp, input), g)


def _differentiate(product):
    x, y = product.parameters
    product.formulas[x] = (_input_gradient, ("xp", "g", f"{x}_shape", y))
    product.formulas[y] = (_other_gradient, ("xp", "g", x, f"{y}_shape"))


def check_matrices(input, mat2):
    """Raises RuntimeError for what `mm` does not multiply."""
    if input.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    if input.shape[1] != mat2.shape[0]:
        refuse_sizes(input.shape, mat2.shape)


@op(**checking(check_matrices, lambda x, y: check_types("mm", x, y), 2))
def mm(xp, input, mat2):
    """The product of two matrices.

    >>> import lantern
    >>> lantern.mm(lantern.ones(1, 2), lantern.ones(2, 1))
    tensor([[2.]])
    """
    check_matrices(input, mat2)
    return xp.matmul(input, mat2)


def check_matrix_and_vector(input, vec):
    """Raises RuntimeError for what `mv` does not multiply."""
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    if input.ndim != 2 or vec.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got 1, {input.ndim}, {vec.ndim}")
    check_sizes(input, vec)


@op(**checking(check_matrix_and_vector, lambda x, y: check_types("mv", x, y), 2))
def mv(xp, input, vec):
    """The product of a matrix and a vector.

    >>> import lantern
    >>> lantern.mv(lantern.ones(2, 3), lantern.ones(3))
    tensor([3., 3.])
    """
    check_matrix_and_vector(input, vec)
    return xp.matmul(input, vec)


def check_vectors(input, other):
    """Raises RuntimeError for what has no inner product."""
    if input.ndim != 1 or other.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {input.ndim}D and {other.ndim}D tensors")
    check_sizes(input, other)


VECTORS = checking(check_vectors, lambda x, y: check_types("dot", x, y), 2)


@op(**VECTORS)
def dot(xp, input, tensor):
    """The inner product of two vectors.

    >>> import lantern
    >>> lantern.dot(lantern.tensor([2, 3]), lantern.tensor([2, 1]))
    tensor(7)
    """
    check_vectors(input, tensor)
    return xp.matmul(input, tensor)


@op(**VECTORS)
def vdot(xp, input, other):
    """The inner product of two vectors; of real numbers, as `dot`."""
    check_vectors(input, other)
    return xp.matmul(input, other)


def check_batches(input, mat2):
    """Raises RuntimeError for what `bmm` does not multiply."""
    for place, each in enumerate((input, mat2), 1):
        if each.ndim != 3:
            raise RuntimeError(f"batch{place} must be a 3D tensor")
    want, have = [input.shape[0], input.shape[2]], list(mat2.shape[:2])
    if want != have:
        raise RuntimeError(
            "Expected size for first two dimensions of batch2 tensor to be: "
            f"{want} but got: {have}."
        )


@op(**checking(check_batches, lambda x, y: check_types("bmm", x, y), 2))
def bmm(xp, input, mat2):
    """The products of two batches of matrices `(B, n, m)` and `(B, m, p)`.

    >>> import lantern
    >>> lantern.bmm(lantern.ones(5, 2, 3), lantern.ones(5, 3, 4)).shape
    torch.Size([5, 2, 4])
    """
    check_batches(input, mat2)
    return xp.matmul(input, mat2)


for _product in (matmul, mm, mv, dot, vdot, bmm):
    _differentiate(_product)


# --- a layer's product
def _check_layer(input, weight, bias):
    if not input.ndim or not weight.ndim:
        raise RuntimeError(
            f"both arguments to linear need to be at least 1D, but they are {input.ndim}D and "
            f"{weight.ndim}D"
        )
    if weight.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {weight.ndim}D")
    if weight.ndim == 1:
        if bias is not None:
            raise RuntimeError("mat2 must be a matrix, got 1-D tensor")
        return check_sizes(input, weight)
    rows, target = prod(input.shape[:-1]), (*input.shape[:-1], weight.shape[0])
    if input.shape[-1] != weight.shape[1]:
        refuse_sizes((rows, input.shape[-1]), weight.shape[::-1])
    if bias is None:
        return
    if _is_added_to_rows(input.ndim, bias.shape):
        expanded_size(bias, (rows, target[-1]))
        return
    joint = broadcast_shapes(target, bias.shape)
    if joint != target:
        raise RuntimeError(
            f"output with shape {list(target)} doesn't match the broadcast shape {list(joint)}"
        )


def _is_added_to_rows(ndim, bias_shape):
    # PyTorch makes inputs of more dimensions a matrix first where the bias looks like a vector.
    return ndim == 2 or len(bias_shape) == 1 or sum(size != 1 for size in bias_shape) == 1


def _check_layer_types(input, weight, bias):
    if isinstance(bias, Tensor):
        check_added_types(bias, input, weight)
    else:
        check_types("mm" if weight.ndim == 2 else kind_of(input, weight), input, weight)


def _check_layer_call(input, weight, bias):
    if isinstance(input, Tensor) and isinstance(weight, Tensor):
        if bias is None or isinstance(bias, Tensor):
            _check_layer(input, weight, bias)
            _check_layer_types(input, weight, bias)


def _layer_label(input, weight, bias):
    if bias is None:
        if weight.ndim == 1:
            return _matmul_label(input, weight)
        return ("SqueezeBackward4", "MmBackward0", "UnsafeViewBackward0")[min(input.ndim, 3) - 1]
    if input.ndim == 2:
        return "AddmmBackward0"
    return "ViewBackward0" if _is_added_to_rows(input.ndim, bias.shape) else "AddBackward0"


@op(promote=SAME, method=False, check=("?HIL", _check_layer_call), label=_layer_label, exact=True)
def linear(xp, input, weight, bias=None):
    """`input @ weight.T + bias` for a weight `(out, in)` and inputs `(*, in)`.

    >>> import lantern
    >>> lantern.nn.functional.linear(lantern.ones(3), lantern.ones(2, 3), lantern.ones(2))
    tensor([4., 4.])
    """
    sizes = weight.shape
    plain = len(sizes) == 2 and (bias is None or bias.shape == sizes[:1])
    if not plain or not input.ndim or input.shape[-1] != sizes[1]:
        _check_layer(input, weight, bias)
    if plain:
        return xp.linear(input, weight, bias)
    if weight.ndim == 1:
        return xp.matmul(input, weight)
    result = xp.linear(input, weight, None)
    if _is_added_to_rows(input.ndim, bias.shape):
        return xp.reshape(rows_of(xp, result) + bias, result.shape)
    return result + bias


def _layer_input(xp, g, weight):
    return column(xp, g) * weight if weight.ndim == 1 else xp.matmul(g, weight)


def _layer_weight(xp, g, input, weight_shape):
    if len(weight_shape) == 1:
        return _other_gradient(xp, g, input, weight_shape)
    if input.ndim == 1:
        return column(xp, g) * input
    if input.ndim == 2:
        return xp.matmul(xp.permute(g, (1, 0)), input)
    return xp.matmul(swapped(xp, rows_of(xp, g)), rows_of(xp, input))


def _layer_bias(xp, g, bias_shape):
    if bias_shape == g.shape[-1:]:
        return g if g.ndim == 1 else xp.sum(rows_of(xp, g), (0,), False)
    return sum_to(xp, rows_of(xp, g) if _is_added_to_rows(g.ndim, bias_shape) else g, bias_shape)


linear.vjp(input=_layer_input, weight=_layer_weight, bias=_layer_bias)
