"""Elements in other places: flips, rolls, repeats, triangles, diagonals."""

from __future__ import annotations

from ..autograd.mode import active
from ..autograd.views import geometry_of
from ..backends import NAMESPACES
from ..dtypes import int64
from ..op import KEEP, composite, op
from ..shape import as_sizes, wrap_dim, wrap_dims
from ..tensor import Tensor, wrap
from .index import index_select
from .join import cat as cat
from .memory import as_strided, copied, memory_view
from .slices import at, chunk, diagonal, select, slice_view, split
from .slices import laid_along as laid_along
from .slices import narrow as narrow
from .views import expand, flatten, numel_of, reshape, reshape_view, unsqueeze
from .views import permute as permute
from .views import squeeze as squeeze
from .views import transpose as transpose


def spread(xp, g, input_shape, dim, keepdim):
    """Returns a reduced value spread over the dimensions that were reduced.

    For a sum that is the gradient: the same for all that was added.
    """
    if not keepdim and g.ndim and g.shape != input_shape:
        dims = wrap_dims(dim, len(input_shape))
        g = xp.reshape(g, tuple(1 if i in dims else s for i, s in enumerate(input_shape)))
    return g if g.shape == input_shape else xp.expand(g, input_shape)


# --- another order
@op(promote=KEEP, variadic="dims")
def flip(xp, input, dims):
    """A copy with dimensions reversed.

    >>> import lantern
    >>> lantern.flip(lantern.tensor([[1, 2], [3, 4]]), (0, 1))
    tensor([[4, 3],
            [2, 1]])
    """
    return xp.flip(input, _flipped(dims, input.ndim))


def _flipped(dims, ndim):
    dims = as_sizes((dims,), "flip", "dims")
    return wrap_dims(dims, ndim) if dims else ()


flip.vjp(input=lambda xp, g, dims: xp.flip(g, _flipped(dims, g.ndim)))


@composite
def fliplr(xp, input):
    """A copy with the second dimension reversed."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, (1,))


@composite
def flipud(xp, input):
    """A copy with the first dimension reversed."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, (0,))


def _as_tuple(value):
    return (value.__index__(),) if hasattr(value, "__index__") else as_sizes((value,))


@op(promote=KEEP)
def roll(xp, input, shifts, dims=()):
    """A copy with elements moved on along `dims`; what falls out at the end comes in in front.

    Without `dims` the tensor is taken as one row.

    >>> import lantern
    >>> lantern.roll(lantern.arange(5), 2)
    tensor([3, 4, 0, 1, 2])
    """
    return _rolled(xp, xp.contiguous(input), *_checked_roll(shifts, dims))


def _checked_roll(shifts, dims):
    shifts, dims = _as_tuple(shifts), _as_tuple(() if dims is None else dims)
    if len(dims) != len(shifts) and (dims or len(shifts) != 1):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}"
        )
    return shifts, dims


def _rolled(xp, x, shifts, dims):
    shape = x.shape
    if not dims:
        return xp.reshape(_rolled(xp, xp.reshape(x, (numel_of(x),)), shifts, (0,)), shape)
    for shift, dim in zip(shifts, dims, strict=True):
        dim = wrap_dim(dim, len(shape))
        size = shape[dim] if shape else 1
        shift = shift % size if size else 0
        if shift:
            tail = xp.getitem(x, at(dim, slice(size - shift, None)))
            x = xp.cat([tail, xp.getitem(x, at(dim, slice(0, size - shift)))], dim)
    return x


def _roll_gradient(xp, g, shifts, dims):
    shifts, dims = _checked_roll(shifts, dims)
    return _rolled(xp, g, tuple([-each for each in shifts]), dims)


roll.vjp(input=_roll_gradient)


@op(promote=KEEP)
def rot90(xp, input, k=1, dims=(0, 1)):
    """A copy turned by 90 degrees `k` times in the plane of two dimensions.

    >>> import lantern
    >>> lantern.rot90(lantern.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
    return _turned(xp, input, k, _plane(dims, input.ndim))


def _plane(dims, ndim):
    dims = as_sizes((dims,), "rot90", "dims")
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {ndim}")
    first, second = (wrap_dim(each, ndim) for each in dims)
    if first == second:
        raise RuntimeError(
            f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}"
        )
    return first, second


def _turned(xp, x, k, dims):
    k %= 4
    if not k:
        return xp.clone(x)
    if k == 2:
        return xp.flip(x, dims)
    order = list(range(x.ndim))
    order[dims[0]], order[dims[1]] = dims[1], dims[0]
    return xp.permute(xp.flip(x, (dims[1] if k == 1 else dims[0],)), tuple(order))


rot90.vjp(input=lambda xp, g, k, dims: _turned(xp, g, -k, _plane(dims, g.ndim)))


# --- repeats
@op(promote=KEEP, variadic="repeats", function=False)
def repeat(xp, input, repeats):
    """The tensor laid side by side so many times along each dimension.

    >>> import lantern
    >>> lantern.tensor([1, 2]).repeat(2, 2)
    tensor([[1, 2, 1, 2],
            [1, 2, 1, 2]])
    """
    repeats, shape = _repeated(repeats, input.shape)
    if all(times == 1 for times in repeats):
        return xp.reshape(xp.contiguous(input), shape)
    apart = xp.reshape(input, tuple([part for size in shape for part in (1, size)]))
    pairs = list(zip(repeats, shape, strict=True))
    apart = xp.expand(apart, tuple([part for pair in pairs for part in pair]))
    return xp.reshape(xp.contiguous(apart), tuple([times * size for times, size in pairs]))


def _repeated(repeats, shape):
    repeats = as_sizes((repeats,), "repeat", "repeats")
    if len(repeats) < len(shape):
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of dimensions of "
            "tensor"
        )
    shape = (*(1,) * (len(repeats) - len(shape)), *shape)
    sizes = [times * size for times, size in zip(repeats, shape, strict=True)]
    for times, size in zip(repeats, sizes, strict=True):
        if times < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {size}: {sizes}")
    return repeats, shape


def _repeat_gradient(xp, g, input_shape, repeats):
    repeats, shape = _repeated(repeats, input_shape)
    if not numel_of(g):
        return xp.full(input_shape, 0, g)
    pairs = zip(repeats, shape, strict=True)
    apart = xp.reshape(g, tuple([part for pair in pairs for part in pair]))
    if repeats:
        apart = xp.sum(apart, tuple(range(0, 2 * len(repeats), 2)), False)
    return xp.reshape(apart, input_shape)


repeat.vjp(input=_repeat_gradient)


@composite(variadic="dims")
def tile(xp, input, dims):
    """As `repeat`, where missing leading dimensions are repeated once.

    >>> import lantern
    >>> lantern.tile(lantern.tensor([[1, 2]]), (2,))
    tensor([[1, 2, 1, 2]])
    """
    dims = as_sizes((dims,), "tile", "dims")
    return repeat(input, (*(1,) * (input.ndim - len(dims)), *dims))


@composite
def repeat_interleave(xp, input, repeats=None, dim=None, *, output_size=None):
    """Each slice along `dim` (without it: each element) repeated, as often as `repeats` says.

    >>> import lantern
    >>> lantern.repeat_interleave(lantern.tensor([1, 2]), 2)
    tensor([1, 1, 2, 2])
    >>> lantern.repeat_interleave(lantern.tensor([1, 2]), lantern.tensor([0, 3]))
    tensor([2, 2, 2])
    """
    if repeats is None:
        return _interleaved_places(input, output_size)
    if dim is None:
        input, dim = flatten(input), 0
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        input = reshape(input, (1,))
    if isinstance(repeats, Tensor):
        return _interleave_by(input, repeats, dim, output_size)
    if not hasattr(repeats, "__index__"):
        raise TypeError(
            "repeat_interleave(): argument 'repeats' (position 2) must be Tensor or int, not "
            f"{type(repeats).__name__}"
        )
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    shape = input.shape
    wide = expand(unsqueeze(input, dim + 1), (*shape[: dim + 1], repeats, *shape[dim + 1 :]))
    merged = (*shape[:dim], shape[dim] * repeats, *shape[dim + 1 :])
    return reshape_view.show(copied(wide), (merged,))


def _interleave_by(input, repeats, dim, output_size):
    size = input.shape[dim]
    if repeats.ndim > 1:
        raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
    if not repeats.ndim or (len(repeats) == 1 and size != 1):
        repeats = expand(reshape(repeats, (1,)), (size,))
    if len(repeats) != size:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got repeats.size(0) = "
            f"{len(repeats)} and input.size({dim}) = {size}"
        )
    return index_select(input, dim, _interleaved_places(repeats, output_size))


def _interleaved_places(repeats, output_size):
    if repeats.dtype.char not in "il":
        raise NotImplementedError(
            f"\"repeat_interleave_cpu\" not implemented for '{repeats.dtype.legacy}'"
        )
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    active.refuse("how long the result of repeat_interleave() with a tensor")
    array = repeats._array
    places = NAMESPACES[type(array)].repeat_places(array)
    if output_size is not None and output_size != places.size:
        raise RuntimeError("allocated size does not match required size")
    return wrap(places)


# --- triangles
def triangle(xp, x, diagonal, lower):
    """Returns matrices with the elements above (or, not `lower`, below) a diagonal put to 0."""
    rows, columns = x.shape[-2:]
    row = xp.reshape(xp.arange(0, rows, 1, int64) + diagonal, (rows, 1))
    column = xp.reshape(xp.arange(0, columns, 1, int64), (1, columns))
    kept = xp.ge(row, column) if lower else xp.le(row, column)
    return xp.where(kept, x, xp.full((), 0, x))


def _triangular(name, lower, text):
    def forward(xp, input, diagonal=0):
        if input.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        return triangle(xp, xp.contiguous(input), diagonal, lower)

    forward.__name__, forward.__doc__ = name, text
    made = op(forward, promote=KEEP, inplace=True, lacks=f"HIL {name}")
    return made.vjp(input=lambda xp, g, diagonal: triangle(xp, g, diagonal, lower))


tril = _triangular("tril", True, "The matrices with what is above a diagonal set to 0.")
triu = _triangular("triu", False, "The matrices with what is below a diagonal set to 0.")


# --- diagonals
@op(promote=KEEP)
def diag_embed(xp, input, offset=0, dim1=-2, dim2=-1):
    """Matrices with the last dimension of `input` on a diagonal and 0 elsewhere.

    >>> import lantern
    >>> lantern.diag_embed(lantern.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    """
    dims = _embedded(input.ndim, dim1, dim2)
    size = input.shape[-1] + abs(offset)
    rest = iter(input.shape[:-1])
    shape = tuple([size if i in dims else next(rest) for i in range(input.ndim + 1)])
    return diagonal.put(xp, xp.full(shape, 0, input), input, offset, *dims)


def _embedded(ndim, dim1, dim2):
    first, second = wrap_dim(dim1, ndim + 1), wrap_dim(dim2, ndim + 1)
    if not ndim:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got -2)")
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return first, second


diag_embed.vjp(
    input=lambda xp, g, offset, dim1, dim2: xp.diagonal(
        g, offset, *_embedded(g.ndim - 1, dim1, dim2)
    )
)


@composite
def diag(xp, input, diagonal=0):
    """The diagonal of a matrix, or the matrix with a vector on its diagonal.

    >>> import lantern
    >>> lantern.diag(lantern.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    return diagonal_copy(input, diagonal)


@op(promote=KEEP, method=False)
def diagonal_copy(xp, input, offset=0, dim1=0, dim2=1):
    """A copy of the diagonal of two dimensions."""
    return xp.contiguous(diagonal.forward(xp, input, *diagonal.prepare(input, offset, dim1, dim2)))


def _diagonal_gradient(xp, g, input_shape, offset, dim1, dim2):
    zeros = xp.full(input_shape, 0, g)
    return diagonal.put(xp, zeros, g, *diagonal.prepare(zeros, offset, dim1, dim2))


diagonal_copy.vjp(input=_diagonal_gradient)
diagonal_copy._grad_name = "DiagonalBackward0_copy"


@composite
def diagflat(xp, input, offset=0):
    """The matrix with all elements on a diagonal."""
    return diag_embed(flatten(input), offset)


# --- a part replaced
@op(
    promote=KEEP,
    method=False,
    public=False,
    label=lambda input, src, view, steps, name: name,
)
def replaced_part(xp, input, src, view, steps, name):
    """A copy in which what a view shows is replaced."""
    return view.put(xp, input, src, *steps)


replaced_part.vjp(
    input=lambda xp, g, src_shape, view, steps: view.put(xp, g, xp.full(src_shape, 0, g), *steps),
    src=lambda xp, g, view, steps: view.forward(xp, g, *steps),
)


def _replace(input, src, part, view, steps, name):
    if tuple(src.shape) != tuple(part.shape):
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src.shape)}, slice size = {list(part.shape)}"
        )
    if src.dtype is not input.dtype:
        src = NAMESPACES[Tensor].cast(src, input.dtype)
    return replaced_part(input, src, view, steps, name)


@composite(tensors="-index")
def select_scatter(xp, input, src, dim, index):
    """A copy in which `select(dim, index)` is replaced by `src`."""
    part = select(input, dim, index)
    steps = select.prepare(input._array, dim, index)
    return _replace(input, src, part, select, steps, "SelectScatterBackward0")


@composite(tensors="-end")
def slice_scatter(xp, input, src, dim=0, start=None, end=None, step=1):
    """A copy in which the slice `start:end:step` along `dim` is replaced by `src`."""
    if not input.ndim:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, input.ndim)
    steps = (at(dim, slice(*slice(start, end, step).indices(input.shape[dim]))),)
    part = slice_view.show(input, steps)
    return _replace(input, src, part, slice_view, steps, "SliceScatterBackward0")


@composite
def diagonal_scatter(xp, input, src, offset=0, dim1=0, dim2=1):
    """A copy in which `diagonal(offset, dim1, dim2)` is replaced by `src`."""
    steps = diagonal.prepare(input._array, offset, dim1, dim2)
    part = diagonal.show(input, steps)
    return _replace(input, src, part, diagonal, steps, "DiagonalScatterBackward0")


@composite
def as_strided_scatter(xp, input, src, size, stride, storage_offset=None):
    """A copy in which `as_strided(size, stride, storage_offset)` is replaced by `src`."""
    part = as_strided(input, size, stride, storage_offset)
    offset = input.storage_offset() if storage_offset is None else storage_offset
    place = as_sizes((size,)), as_sizes((stride,)), offset, geometry_of(input)
    return _replace(input, src, part, memory_view, place, "AsStridedScatterBackward0")


# --- parts that may be written in place
def _apart(pieces):
    for each in pieces:
        each._base, each._seen, each._made = None, None, ""
    return pieces


@composite(tensors="tensor")
def unsafe_split(xp, tensor, split_size, dim=0):
    """As `split`, but autograd takes the parts for tensors of their own."""
    return _apart(split(tensor, split_size, dim))


@composite
def unsafe_chunk(xp, input, chunks, dim=0):
    """As `chunk`, but autograd takes the parts for tensors of their own."""
    return _apart(chunk(input, chunks, dim))


@composite(function=False, variadic="size")
def sum_to_size(xp, input, size):
    """The sum over the dimensions along which `size` would be expanded to this tensor."""
    size = as_sizes((size,), "sum_to_size")
    shape, lead = tuple(input.shape), input.ndim - len(size)
    fits = lead >= 0 and all(
        want in (1, have) for want, have in zip(size, shape[lead:], strict=True)
    )
    if not fits:
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}.")
    if size == shape:
        return input
    dims = [i for i, have in enumerate(shape) if i < lead or (size[i - lead] == 1 != have)]
    total = xp.sum(input, tuple(dims), True)
    return reshape(total, size) if lead else total
