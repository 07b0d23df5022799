"""Products summed over chosen dimensions: inner, outer, `tensordot`, Kronecker, chains, powers."""

from __future__ import annotations

from math import prod

from ..autograd.plan import sum_to
from ..dtypes import int64
from ..op import INT_TO_LONG, SAME, composite, op
from ..shape import wrap_dim
from ..tensor import Tensor
from .arithmetic import mul
from .join import several
from .linalg import C_NAMES, dot, matmul, mm
from .pointwise import clone
from .views import permute, reshape, reshape_view


@composite(tensors="vec2", aliases="ger")
def outer(xp, input, vec2):
    """The products of all pairs of elements of two vectors.

    >>> import lantern
    >>> lantern.outer(lantern.tensor([1, 2]), lantern.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    for name, each in (("self", input), ("vec2", vec2)):
        if each.ndim != 1:
            raise RuntimeError(f"outer: Expected 1-D argument {name}, but got {each.ndim}-D")
    return mul(reshape(input, (input.shape[0], 1)), vec2)


@composite
def inner(xp, input, other):
    """The sums of products along the last dimensions.

    >>> import lantern
    >>> lantern.inner(lantern.ones(2, 3), lantern.ones(4, 3)).shape
    torch.Size([2, 4])
    """
    if not input.ndim or not other.ndim:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ((-1,), (-1,)))


# --- tensordot
def _contracted(a, b, dims):
    """Returns the dimensions of both operands that `dims` names."""
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.numel() > 1 else int(dims.item())
    if isinstance(dims, (list, tuple)):
        for place, each in enumerate(dims, 3):
            if not isinstance(each, (list, tuple)):
                name = ("dims_self", "dims_other")[place - 3]
                raise TypeError(
                    f"tensordot(): argument '{name}' (position {place}) must be tuple of ints, not "
                    f"{type(each).__name__}"
                )
        return tuple(map(tuple, dims))
    if dims < 0:
        raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
    if dims > min(a.ndim, b.ndim):
        raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
    return tuple(range(-dims, 0)), tuple(range(dims))


def _distinct(dims, ndim):
    wrapped = [wrap_dim(each, ndim) for each in dims]
    for each in wrapped:
        if wrapped.count(each) > 1:
            raise RuntimeError(f"dim {each} appears multiple times in the list of dims")
    return wrapped


@composite(tensors="a b", method=False)
def tensordot(xp, a, b, dims=2):
    """The sums of products over several dimensions of two tensors.

    `dims` is how many of the last of `a` meet the first of `b`, or a list of them for each.

    >>> import lantern
    >>> lantern.tensordot(lantern.ones(2, 3, 4), lantern.ones(4, 3, 5), ([1, 2], [1, 0])).shape
    torch.Size([2, 5])
    """
    mine, theirs = _contracted(a, b, dims)
    if len(mine) != len(theirs):
        raise RuntimeError("both dimension lists should have same length")
    if a.dtype is not b.dtype:
        raise RuntimeError("both inputs should have same dtype")
    left, right = _distinct(mine, a.ndim), _distinct(theirs, b.ndim)
    for i, (x, y) in enumerate(zip(left, right, strict=True)):
        if a.shape[x] == 1 != b.shape[y]:
            b = xp.cast(xp.sum(b, y, True), b.dtype)
        elif b.shape[y] == 1 != a.shape[x]:
            a = xp.cast(xp.sum(a, x, True), a.dtype)
        elif a.shape[x] != b.shape[y]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[x]} in dim "
                f"{mine[i]} and second has size {b.shape[y]} in dim {theirs[i]}"
            )
    rows = [i for i in range(a.ndim) if i not in left]
    columns = [i for i in range(b.ndim) if i not in right]
    shape = (*[a.shape[i] for i in rows], *[b.shape[i] for i in columns])
    length = prod([a.shape[i] for i in left])
    a = reshape(permute(a, (*rows, *left)), (prod([a.shape[i] for i in rows]), length))
    b = reshape(permute(b, (*right, *columns)), (length, prod([b.shape[i] for i in columns])))
    if not shape:
        return reshape_view.show(dot(reshape(a, (length,)), reshape(b, (length,))), ((),))
    return reshape_view.show(mm(a, b), (shape,))


# --- Kronecker's product
def _interleaved(mine, theirs):
    """Returns the shapes in which two operands are multiplied, and that of their product."""
    ndim = max(len(mine), len(theirs))
    mine = (1,) * (ndim - len(mine)) + tuple(mine)
    theirs = (1,) * (ndim - len(theirs)) + tuple(theirs)
    pairs = list(zip(mine, theirs, strict=True))
    left = tuple([size for x, _ in pairs for size in (x, 1)])
    right = tuple([size for _, y in pairs for size in (1, y)])
    return left, right, tuple([x * y for x, y in pairs])


@op(packed="always", promote=SAME, grad_name="UnsafeViewBackward0")
def kron(xp, input, other):
    """Each element of `input` times the whole of `other`, side by side.

    >>> import lantern
    >>> lantern.kron(lantern.tensor([1, 10]), lantern.tensor([1, 2, 3]))
    tensor([ 1,  2,  3, 10, 20, 30])
    """
    left, right, shape = _interleaved(input.shape, other.shape)
    return xp.reshape(xp.mul(xp.reshape(input, left), xp.reshape(other, right)), shape)


def _kron_gradient(xp, g, shape, factor, first):
    left, right, _ = _interleaved(*(shape, factor.shape)[:: 1 if first else -1])
    full = tuple([x * y for x, y in zip(left, right, strict=True)])
    mine, theirs = (left, right) if first else (right, left)
    return xp.reshape(sum_to(xp, xp.reshape(g, full) * xp.reshape(factor, theirs), mine), shape)


kron.vjp(
    input=lambda xp, g, input_shape, other: _kron_gradient(xp, g, input_shape, other, True),
    other=lambda xp, g, input, other_shape: _kron_gradient(xp, g, other_shape, input, False),
)


# --- the product of vectors in space
def _check_cross(input, other, dim):
    if not isinstance(input, Tensor) or not isinstance(other, Tensor):
        return
    if input.dtype is not other.dtype:
        raise RuntimeError(
            f"expected scalar type {input.dtype.legacy} but found {other.dtype.legacy}"
        )
    if input.dtype.char in "?HIL":
        raise NotImplementedError(f"\"cross\" not implemented for '{input.dtype.legacy}'")


@op(
    promote=SAME,
    method=False,
    function=False,
    steps=True,
    check=("?HIL", _check_cross),
    grad_name="LinalgCrossBackward0",
)
def linalg_cross(xp, input, other, *, dim=-1):
    """The vectors at right angles to two vectors of length 3 along `dim`."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if not input.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    place = wrap_dim(dim, input.ndim)
    sizes = input.shape[place], other.shape[place]
    if sizes != (3, 3):
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {sizes[0]} and "
            f"{sizes[1]}"
        )
    return crossed(xp, input, other, place)


def crossed(xp, x, y, dim):
    """Returns the cross product along a dimension counted from the front."""
    return _turned(xp, x, dim, 1) * _turned(xp, y, dim, 2) - _turned(xp, x, dim, 2) * _turned(
        xp, y, dim, 1
    )


def _turned(xp, x, dim, start):
    before = (slice(None),) * dim
    parts = [xp.getitem(x, (*before, slice(*part))) for part in ((start, 3), (0, start))]
    return xp.cat(parts, dim)


linalg_cross.vjp(
    input=lambda xp, g, other, dim: crossed(xp, other, g, wrap_dim(dim, g.ndim)),
    other=lambda xp, g, input, dim: crossed(xp, g, input, wrap_dim(dim, g.ndim)),
)


@composite
def cross(xp, input, other, dim=None):
    """The vectors at right angles to two vectors; `dim` is by default the first of size 3.

    >>> import lantern
    >>> lantern.cross(lantern.tensor([1, 0, 0]), lantern.tensor([0, 1, 0]), 0)
    tensor([0, 0, 1])
    """
    if dim is None:
        if 3 not in input.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = input.shape.index(3)
    return linalg_cross(input, other, dim=dim)


# --- square matrices
@op(promote=INT_TO_LONG, lacks="?HIL trace")
def trace(xp, input):
    """The sum of the diagonal of a matrix.

    >>> import lantern
    >>> lantern.trace(lantern.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.ndim}")
    return xp.sum(xp.diagonal(input, 0, 0, 1), (0,), False)


@trace.vjp_together("input")
def _(xp, g, input_shape):
    places = xp.arange(0, min(input_shape), 1, int64)
    spread = xp.expand(g, places.shape)
    return (xp.put(xp.full(input_shape, 0, g), (places, places), spread),)


def check_square(name, matrices):
    """Raises RuntimeError for what are no square matrices."""
    if matrices.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor A must have at least 2 dimensions.")
    rows, columns = matrices.shape[-2:]
    if rows != columns:
        raise RuntimeError(
            f"{name}: A must be batches of square matrices, but they are {rows} by {columns} "
            "matrices"
        )


def identity_like(xp, matrices):
    """Returns identity matrices in the shape of square matrices."""
    size = matrices.shape[-1]
    places = xp.arange(0, size, 1, int64)
    zeros = xp.full((size, size), 0, matrices)
    eye = xp.put(zeros, (places, places), xp.full((size,), 1, matrices))
    return xp.expand(eye, matrices.shape)


@composite
def matrix_power(xp, input, n):
    """The product of `n` times the same square matrix.

    >>> import lantern
    >>> lantern.matrix_power(lantern.tensor([[1, 1], [1, 0]]), 10)
    tensor([[89, 55],
            [55, 34]])
    """
    if not hasattr(n, "__index__"):
        raise TypeError(
            f"matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}"
        )
    check_square("linalg.matrix_power", input)
    if not n:
        return clone(identity_like(xp, input))
    if n < 0:
        input, n = xp.inv(input), -n
        if n == 1:
            return input
    if n == 1:
        return clone(input)
    if n == 3:  # in PyTorch's order, which rounds otherwise
        return matmul(matmul(input, input), input)
    result, square = None, input
    while n:
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    return result


# --- chains of matrices
def best_order(sizes):
    """Returns, for each run of matrices, where to cut it for the fewest multiplications.

    `sizes` are those of the rows of all matrices, and of the columns of the last.
    """
    count = len(sizes) - 1
    cost = [[0] * count for _ in range(count)]
    cut = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for first in range(count - length):
            last = first + length
            options = [
                (
                    cost[first][k]
                    + cost[k + 1][last]
                    + sizes[first] * sizes[k + 1] * sizes[last + 1],
                    k,
                )
                for k in range(first, last)
            ]
            cost[first][last], cut[first][last] = min(options)
    return cut


def _chained(matrices, cut, first, last):
    if first == last:
        return matrices[first]
    k = cut[first][last]
    return mm(_chained(matrices, cut, first, k), _chained(matrices, cut, k + 1, last))


def _check_chain(tensors):
    count = len(tensors)
    if count < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {count}")
    for place, name in ((0, "first"), (-1, "last")):
        if tensors[place].ndim not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): the {name} tensor must be 1D or 2D but got {tensors[place].ndim}D"
            )
    for i, each in enumerate(tensors):
        if each.ndim != 2 and 0 < i < count - 1:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {each.ndim}D")
        if each.dtype is not tensors[0].dtype:
            raise RuntimeError(
                "multi_dot(): all tensors must have be the same dtype but tensor 0 is "
                f"{C_NAMES[tensors[0].dtype.legacy]} and tensor {i} {C_NAMES[each.dtype.legacy]}"
            )


@composite(method=False, function=False)
def multi_dot(xp, tensors):
    """The product of several matrices, in the order that needs the fewest multiplications.

    The first and the last may be vectors.

    >>> import lantern
    >>> lantern.linalg.multi_dot([lantern.ones(2, 3), lantern.ones(3, 4), lantern.ones(4)])
    tensor([12., 12.])
    """
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            "linalg_multi_dot(): argument 'tensors' (position 1) must be tuple of Tensors, not "
            f"{type(tensors).__name__}"
        )
    _check_chain(tensors)
    first, last = tensors[0], tensors[-1]
    shape = (*first.shape[:-1], *last.shape[1:])
    matrices = [
        reshape(first, (1, first.shape[0])) if first.ndim == 1 else first,
        *tensors[1:-1],
        reshape(last, (last.shape[0], 1)) if last.ndim == 1 else last,
    ]
    for i, (x, y) in enumerate(zip(matrices, matrices[1:], strict=False)):
        if x.shape[1] != y.shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(tensors[i].shape)} and "
                f"{list(tensors[i + 1].shape)} cannot be multiplied"
            )
    sizes = [each.shape[0] for each in matrices] + [matrices[-1].shape[1]]
    product = _chained(matrices, best_order(sizes), 0, len(matrices) - 1)
    return reshape_view.show(product, (shape,))


@several
def chain_matmul(xp, matrices, *, out=None):
    """The product of several matrices; `linalg.multi_dot` is its newer name.

    >>> import lantern
    >>> lantern.chain_matmul(lantern.ones(2, 3), lantern.ones(3, 4), lantern.ones(4, 1)).shape
    torch.Size([2, 1])
    """
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for each in matrices:
        if each.ndim != 2:
            raise RuntimeError(f"Tensor dimension is {each.ndim}, expected 2 instead.")
    if len(matrices) == 1:
        return clone(matrices[0], out=out)
    return multi_dot(matrices, out=out)
