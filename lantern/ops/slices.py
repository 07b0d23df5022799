"""Views of a part of a tensor: slices, splits, diagonals and windows.

Each says how to look (its forward), how to replace what it shows in the base (`putting`), and how
its arguments are checked (`preparing`); gradients and in-place writes through it follow.
"""

from __future__ import annotations

from ..autograd.mode import active
from ..dtypes import int64
from ..op import composite
from ..shape import as_sizes, contiguous_strides, wrap_dim
from ..tensor import Tensor
from ..view_op import parts, view, window
from .memory import copied
from .views import inverse_order


def at(dim, index):
    """Returns the index that takes `index` along `dim` and all of the dimensions before it."""
    return (slice(None),) * dim + (index,)


def laid_along(xp, row, dim, ndim):
    """Returns a row of numbers along one of `ndim` dimensions, to be broadcast over the others."""
    return xp.reshape(row, tuple(row.shape[0] if i == dim else 1 for i in range(ndim)))


@view
def select(xp, input, dim, index):
    """The slice at one place of `dim`, which goes away.

    >>> import lantern
    >>> lantern.select(lantern.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    return xp.getitem(input, at(dim, index))


@select.preparing
def _(input, dim, index):
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim, index = wrap_dim(dim, input.ndim), _integer("select", "index", 2, index)
    size = input.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at "
            f"dimension {dim}"
        )
    return dim, index


def _integer(name, parameter, position, value):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(
            f"{name}(): argument '{parameter}' (position {position}) must be int, not "
            f"{type(value).__name__}"
        )
    return value.__index__()


select.putting(lambda xp, base, value, dim, index: xp.put(base, at(dim, index), value))


def _slicing(name, grad_name):
    def forward(xp, input, index):
        """The part that a tuple of ints and slices shows."""
        return xp.getitem(input, index)

    forward.__name__ = name
    made = view(forward, method=False, function=False)
    made.putting(lambda xp, base, value, index: xp.put(base, index, value))
    made._grad_name = grad_name
    return made


# The node of several ints and slices at once bears the name of the last.
slice_view = _slicing("slice_view", "SliceBackward0")
select_view = _slicing("select_view", "SelectBackward0")


@composite
def narrow(xp, input, dim, start, length):
    """`length` places of `dim` from `start`.

    >>> import lantern
    >>> lantern.narrow(lantern.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    shape = input.shape
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    if isinstance(start, Tensor) and start.ndim:
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    start = _integer("narrow", "start", 2, start)
    length = _integer("narrow", "length", 3, length)
    size = shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return slice_view.show(input, (at(dim, slice(start, start + length)),))


@composite
def narrow_copy(xp, input, dim, start, length):
    """A copy of `length` places of `dim` from `start`."""
    return copied(narrow(input, dim, start, length))


@parts(slicing=select_view)
def unbind(xp, input, dim=0):
    """The slices along a dimension, as views.

    >>> import lantern
    >>> lantern.unbind(lantern.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    dim = wrap_dim(dim, input.ndim)
    if not input.ndim:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    return dim, list(range(input.shape[dim]))


def _consecutive(sections):
    places, start = [], 0
    for length in sections:
        places.append(slice(start, start + length))
        start += length
    return places


@parts(slicing=slice_view, method=False, function=False)
def split_evenly(xp, input, split_size, dim):
    """Views of consecutive parts of one length; the last may be shorter."""
    if not input.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if split_size < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={split_size}"
        )
    if not split_size and size:
        raise RuntimeError(
            f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}"
        )
    lengths = [min(split_size, size - i) for i in range(0, size, split_size)] if size else [0]
    return dim, _consecutive(lengths)


@parts(slicing=slice_view)
def split_with_sizes(xp, input, split_sizes, dim=0):
    """Views of consecutive parts of the lengths given."""
    if not input.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    dim = wrap_dim(dim, input.ndim)
    sections = list(as_sizes((split_sizes,), "split_with_sizes", "split_sizes"))
    for length in sections:
        if length < 0:
            raise RuntimeError(
                f"split_with_sizes expects split_sizes have only non-negative entries, but got "
                f"split_sizes={sections}"
            )
    if sum(sections) != input.shape[dim]:
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {input.shape[dim]} (input "
            f"tensor's size at dimension {dim}), but got split_sizes={sections}"
        )
    return dim, _consecutive(sections)


split_evenly._grad_name = "SplitBackward0"


@composite
def split(xp, tensor, split_size_or_sections, dim=0):
    """Views of consecutive parts: of one length, or of the lengths given.

    >>> import lantern
    >>> [len(part) for part in lantern.split(lantern.arange(5), 2)]
    [2, 2, 1]
    """
    if hasattr(split_size_or_sections, "__index__"):
        return split_evenly(tensor, split_size_or_sections.__index__(), dim)
    if not isinstance(split_size_or_sections, (tuple, list)):
        raise TypeError(
            "split_with_sizes(): argument 'split_sizes' (position 2) must be tuple of ints, not "
            f"{type(split_size_or_sections).__name__}"
        )
    return split_with_sizes(tensor, split_size_or_sections, dim)


@composite
def chunk(xp, input, chunks, dim=0):
    """At most `chunks` views of equal length (the last may be shorter).

    >>> import lantern
    >>> [len(part) for part in lantern.chunk(lantern.arange(5), 3)]
    [2, 2, 1]
    """
    if not input.ndim:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.shape[wrap_dim(dim, input.ndim)]
    if not size:
        return split_with_sizes(input, [0] * chunks, dim)
    return split_evenly(input, -(-size // chunks), dim)


@composite(tensors="-indices")
def tensor_split(xp, input, indices_or_sections=None, dim=0, *, indices=None, sections=None):
    """Views of parts: so many of nearly equal length, or cut at the places given.

    >>> import lantern
    >>> [part.tolist() for part in lantern.tensor_split(lantern.arange(5), (1, 3))]
    [[0], [1, 2], [3, 4]]
    """
    given = [each for each in (indices_or_sections, indices, sections) if each is not None]
    if len(given) != 1:
        raise TypeError("tensor_split() takes one of `indices_or_sections`, `indices`, `sections`")
    return _tensor_split(input, _listed(given[0]), dim)


def _listed(value):
    # The values of a tensor decide the shapes of the parts.
    if not isinstance(value, Tensor):
        return value
    if value.dtype is not int64:
        raise RuntimeError(
            "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
            f"{value.dtype.legacy}"
        )
    active.refuse("where tensor_split() cuts")
    return value.tolist()


def _tensor_split(input, where, dim):
    if not input.ndim:
        raise RuntimeError(
            "tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims"
        )
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if hasattr(where, "__index__"):
        count = where.__index__()
        if count <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {count}")
        base, longer = divmod(size, count)
        cuts = [0]
        for i in range(count):
            cuts.append(cuts[-1] + base + (i < longer))
        bounds = list(zip(cuts, cuts[1:], strict=False))
    else:
        places = [0, *as_sizes((where,), "tensor_split", "indices"), size]
        bounds = list(zip(places, places[1:], strict=False))
    result = []
    for start, stop in bounds:
        start, stop, _ = slice(start, stop).indices(size)
        result.append(slice_view.show(input, (at(dim, slice(start, max(start, stop))),)))
    return tuple(result)


def _split_at(name, least, dim_of):
    def forward(xp, input, indices_or_sections=None, *, indices=None, sections=None):
        given = [each for each in (indices_or_sections, indices, sections) if each is not None]
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor "
                f"with {input.ndim} dimensions!"
            )
        if len(given) != 1:
            raise TypeError(f"{name}() takes one of `indices_or_sections`, `indices`, `sections`")
        where, dim = given[0], dim_of(input)
        if hasattr(where, "__index__"):
            count, size = where.__index__(), input.shape[dim]
            if count <= 0 or size % count:
                raise RuntimeError(
                    f"torch.{name} attempted to split along dimension {dim}, but the size of the "
                    f"dimension {size} is not divisible by the split_size {count}!"
                )
        return _tensor_split(input, where, dim)

    forward.__name__ = name
    forward.__doc__ = f"Views of parts along dimension {least - 1}, as `tensor_split` makes them."
    return composite(forward, tensors="-indices")


hsplit = _split_at("hsplit", 1, lambda input: 0 if input.ndim == 1 else 1)
vsplit = _split_at("vsplit", 2, lambda input: 0)
dsplit = _split_at("dsplit", 3, lambda input: 2)


@view
def diagonal(xp, input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dimensions, as the last dimension of a view.

    >>> import lantern
    >>> lantern.diagonal(lantern.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return xp.diagonal(input, offset, dim1, dim2)


@diagonal.preparing
def _(input, offset, dim1, dim2):
    dim1, dim2 = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return offset, dim1, dim2


@diagonal.putting
def _(xp, base, value, offset, dim1, dim2):
    order = [i for i in range(base.ndim) if i not in (dim1, dim2)] + [dim1, dim2]
    places = xp.arange(0, value.shape[-1], 1, int64)
    rows, columns = places + max(-offset, 0), places + max(offset, 0)
    index = (*(slice(None),) * (base.ndim - 2), rows, columns)
    new = xp.put(xp.permute(base, tuple(order)), index, value)
    return xp.permute(new, inverse_order(order))


@window(function=False)
def unfold(xp, input, dimension, size, step):
    """Windows of `size` places along a dimension, `step` apart, in a new last dimension.

    >>> import lantern
    >>> lantern.arange(5).unfold(0, 3, 2)
    tensor([[0, 1, 2],
            [2, 3, 4]])
    """
    place = unfold.geometry(input.shape, contiguous_strides(input.shape), 0, dimension, size, step)
    return xp.as_strided(input, *place)


def _windows(xp, shape, dim, size, step):
    count = (shape[dim] - size) // step + 1
    starts = xp.reshape(xp.arange(0, count, 1, int64) * step, (count, 1))
    return at(dim, starts + xp.reshape(xp.arange(0, size, 1, int64), (1, size)))


def _gathered(xp, value, dim):
    """Returns windows in the last dimension with them behind their dimension."""
    last = value.ndim - 1
    return xp.permute(value, (*range(dim + 1), last, *range(dim + 1, last)))


@unfold.preparing
def _(input, dimension, size, step):
    dimension = wrap_dim(dimension, input.ndim)
    limit = input.shape[dimension] if input.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > limit:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dimension} is {limit} but size is {size}"
        )
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return dimension, size, step


@unfold.placed
def _(shape, strides, offset, dimension, size, step):
    if not shape:
        return (size,), (1,), offset
    count = (shape[dimension] - size) // step + 1
    rest = dimension + 1
    return (
        (*shape[:dimension], count, *shape[rest:], size),
        (*strides[:dimension], strides[dimension] * step, *strides[rest:], strides[dimension]),
        offset,
    )


@unfold.putting
def _(xp, base, value, dimension, size, step):
    if not base.ndim:
        return xp.reshape(value, ()) if size else base
    index = _windows(xp, base.shape, dimension, size, step)
    return xp.put(base, index, _gathered(xp, value, dimension))


def _unfold_gradient(xp, g, input_shape, dimension, size, step):
    if not input_shape:
        return xp.reshape(g, ()) if size else xp.full((), 0, g)
    index = _windows(xp, input_shape, dimension, size, step)
    return xp.put_add(xp.full(input_shape, 0, g), index, _gathered(xp, g, dimension))


unfold.overlaps = True
unfold.vjp(input=_unfold_gradient)
