"""Shape without arithmetic: views, joins, flips.

Views share memory and strides as PyTorch's do. Each says how to look (`forward`) and how to replace
what it shows in the base (`putting`); its gradient and in-place writes through it follow from that.
"""

from __future__ import annotations

from ..op import KEEP, composite, op, sequence_op, view
from ..shape import as_sizes, infer_size, view_strides, wrap_dim, wrap_dims


def at(dim, index):
    """Returns the index that takes `index` along `dim` and all of the dimensions before it."""
    return (slice(None),) * dim + (index,)


def expand_as_reduced(xp, value, shape, dim, keepdim):
    """Returns a reduced value spread over the dimensions that were reduced."""
    if not keepdim and value.ndim and value.shape != shape:
        dims = wrap_dims(dim, len(shape))
        value = xp.reshape(value, tuple(1 if i in dims else s for i, s in enumerate(shape)))
    return value if value.shape == shape else xp.expand(value, shape)


@view(method=False, function=False)
def reshape_view(xp, input, shape):
    """The same memory in another shape."""
    return xp.reshape(input, shape)


@reshape_view.putting
def _(xp, base, value, shape):
    return xp.reshape(value, base.shape)


reshape_view.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))
reshape_view._grad_name = "ViewBackward0"


@view(variadic="dims")
def permute(xp, input, dims):
    """The dimensions in another order.

    >>> import lantern
    >>> lantern.permute(lantern.zeros(2, 3, 5), (2, 0, 1)).shape
    torch.Size([5, 2, 3])
    """
    dims = as_sizes((dims,))
    if len(dims) != input.ndim:
        raise RuntimeError(
            "permute(sparse_coo): number of dimensions in the tensor input does not match the "
            f"length of the desired ordering of dimensions i.e. input.dim() = {input.ndim} is not "
            f"equal to len(dims) = {len(dims)}"
        )
    return xp.permute(input, tuple(wrap_dims(dims, input.ndim)) if dims else ())


def _unpermute(xp, value, dims):
    dims = [each % len(dims) for each in as_sizes((dims,))]
    return xp.permute(value, tuple(dims.index(i) for i in range(len(dims))))


@permute.putting
def _(xp, base, value, dims):
    return _unpermute(xp, value, dims)


permute.vjp(input=lambda xp, g, dims: _unpermute(xp, g, dims))


@view
def transpose(xp, input, dim0, dim1):
    """Two dimensions exchanged.

    >>> import lantern
    >>> lantern.transpose(lantern.zeros(2, 3), 0, 1).shape
    torch.Size([3, 2])
    """
    return xp.permute(input, _exchanged(input.ndim, dim0, dim1))


def _exchanged(ndim, dim0, dim1):
    dims = list(range(ndim))
    dim0, dim1 = wrap_dim(dim0, ndim), wrap_dim(dim1, ndim)
    if ndim:
        dims[dim0], dims[dim1] = dim1, dim0
    return tuple(dims)


@transpose.putting
def _(xp, base, value, dim0, dim1):
    return xp.permute(value, _exchanged(value.ndim, dim0, dim1))


transpose.vjp(input=lambda xp, g, dim0, dim1: xp.permute(g, _exchanged(g.ndim, dim0, dim1)))


@view
def t(xp, input):
    """The transpose of a matrix; a vector or scalar as it is."""
    if input.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.ndim}D")
    return xp.permute(input, tuple(reversed(range(input.ndim))))


@t.putting
def _(xp, base, value):
    return xp.permute(value, tuple(reversed(range(value.ndim))))


t.vjp(input=lambda xp, g: xp.permute(g, tuple(reversed(range(g.ndim)))))
t._grad_name = "TBackward0"


@view(variadic="size")
def expand(xp, input, size):
    """A view in which dimensions of size 1 are repeated; -1 keeps a size.

    >>> import lantern
    >>> lantern.tensor([[1], [2]]).expand(2, 3)
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return xp.expand(input, expanded_size(input.shape, as_sizes((size,))))


def expanded_size(shape, size):
    """Returns the target of an expansion; raises RuntimeError with torch's sentences."""
    lead = len(size) - len(shape)
    if lead < 0:
        raise RuntimeError(
            f"expand(torch.FloatTensor{{{list(shape)}}}, size={list(size)}): the number of sizes "
            f"provided ({len(size)}) must be greater or equal to the number of dimensions in the "
            f"tensor ({len(shape)})"
        )
    result = []
    for i, want in enumerate(size):
        have = shape[i - lead] if i >= lead else 1
        if want == -1:
            if i < lead:
                raise RuntimeError(
                    f"The expanded size of the tensor ({want}) isn't allowed in a leading, "
                    f"non-existing dimension {i}"
                )
            want = have
        elif have not in (1, want):
            raise RuntimeError(
                f"The expanded size of the tensor ({want}) must match the existing size ({have}) "
                f"at non-singleton dimension {i}.  Target sizes: {list(size)}.  Tensor sizes: "
                f"{list(shape)}"
            )
        result.append(want)
    return tuple(result)


expand.vjp(input=lambda xp, g, input_shape: _sum_to(xp, g, input_shape))


def _sum_to(xp, g, shape):
    lead = len(g.shape) - len(shape)
    dims = [i for i, s in enumerate(g.shape) if i < lead or (shape[i - lead] == 1 and s != 1)]
    return xp.reshape(xp.sum(g, tuple(dims), False) if dims else g, shape)


@view
def select(xp, input, dim, index):
    """The slice at one place of `dim`, which goes away.

    >>> import lantern
    >>> lantern.select(lantern.tensor([[1, 2], [3, 4]]), 1, 0)
    tensor([1, 3])
    """
    if not input.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input.shape)} at "
            f"dimension {dim}"
        )
    return xp.getitem(input, at(dim, index))


@select.putting
def _(xp, base, value, dim, index):
    return xp.put(base, at(wrap_dim(dim, base.ndim), index), value)


@view(method=False, function=False)
def slice_view(xp, input, index):
    """The part that a tuple of ints, slices, None and Ellipsis shows."""
    return xp.getitem(input, index)


@slice_view.putting
def _(xp, base, value, index):
    return xp.put(base, index, value)


slice_view._grad_name = "SliceBackward0"


@view
def narrow(xp, input, dim, start, length):
    """`length` places of `dim` from `start`.

    >>> import lantern
    >>> lantern.narrow(lantern.arange(5), 0, 1, 3)
    tensor([1, 2, 3])
    """
    return xp.getitem(input, _narrow_index(input.shape, dim, start, length))


def _narrow_index(shape, dim, start, length):
    if not shape:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = wrap_dim(dim, len(shape))
    start = int(start)
    size = shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-size}, {size}], but got {start})"
        )
    start += size if start < 0 else 0
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return at(dim, slice(start, start + length))


@narrow.putting
def _(xp, base, value, dim, start, length):
    return xp.put(base, _narrow_index(base.shape, dim, start, length), value)


narrow._grad_name = "SliceBackward0"


@view(method=False, function=False)
def squeeze_dims(xp, input, dims):
    """The tensor without those of `dims` that have size 1."""
    return xp.reshape(input, tuple(s for i, s in enumerate(input.shape) if i not in dims or s != 1))


@squeeze_dims.putting
def _(xp, base, value, dims):
    return xp.reshape(value, base.shape)


squeeze_dims.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))
squeeze_dims._grad_name = lambda node: "SqueezeBackward0"


@composite(inplace=True)
def squeeze(xp, input, dim=None):
    """Without the dimensions of size 1: all of them, or those named.

    >>> import lantern
    >>> lantern.squeeze(lantern.zeros(1, 3, 1)).shape
    torch.Size([3])
    """
    return squeeze_dims(input, wrap_dims(dim, input.ndim) if dim != () else ())


@view(inplace=True)
def unsqueeze(xp, input, dim):
    """With a dimension of size 1 put in at `dim`.

    >>> import lantern
    >>> lantern.unsqueeze(lantern.zeros(3), 0).shape
    torch.Size([1, 3])
    """
    dim = wrap_dim(dim, input.ndim + 1)
    return xp.reshape(input, (*input.shape[:dim], 1, *input.shape[dim:]))


@unsqueeze.putting
def _(xp, base, value, dim):
    return xp.reshape(value, base.shape)


unsqueeze.vjp(input=lambda xp, g, input_shape: xp.reshape(g, input_shape))


@view
def diagonal(xp, input, offset=0, dim1=0, dim2=1):
    """The diagonal of two dimensions, as the last dimension of a view."""
    dim1, dim2 = wrap_dim(dim1, input.ndim), wrap_dim(dim2, input.ndim)
    if dim1 == dim2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return xp.diagonal(input, offset, dim1, dim2)


@diagonal.putting
def _(xp, base, value, offset, dim1, dim2):
    dim1, dim2 = wrap_dim(dim1, base.ndim), wrap_dim(dim2, base.ndim)
    length = value.shape[-1]
    order = [i for i in range(base.ndim) if i not in (dim1, dim2)] + [dim1, dim2]
    places = xp.arange(0, length, 1, _long())
    rows, columns = places + max(-offset, 0), places + max(offset, 0)
    front = xp.permute(base, tuple(order))
    new = xp.put(front, (*(slice(None),) * (base.ndim - 2), rows, columns), value)
    return xp.permute(new, tuple(order.index(i) for i in range(base.ndim)))


def _long():
    from .. import dtypes

    return dtypes.int64


@view(method=True)
def as_strided(xp, input, size, stride, storage_offset=None):
    """The storage of `input` seen with any shape and strides, in elements."""
    return xp.as_strided(input, as_sizes((size,)), as_sizes((stride,)), storage_offset or 0)


@view(method=False, function=False)
def alias(xp, input):
    """The same tensor once more."""
    return input


@alias.putting
def _(xp, base, value):
    return value


alias.vjp(input=lambda g: g)


@composite(variadic="shape", function=False)
def view_(xp, input, shape):
    """The same memory in another shape; raises RuntimeError where strides do not allow that.

    >>> import lantern
    >>> lantern.arange(6).view(2, -1)
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    target = infer_size(as_sizes((shape,)), input.numel())
    if view_strides(input.shape, input.stride(), target) is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return reshape_view(input, target)


@composite(variadic="shape")
def reshape(xp, input, shape):
    """The elements in another shape: a view where strides allow it, else a copy.

    >>> import lantern
    >>> lantern.reshape(lantern.arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    target = infer_size(as_sizes((shape,)), input.numel())
    if view_strides(input.shape, input.stride(), target) is None:
        input = copied(input)
    return reshape_view(input, target)


@op(promote=KEEP, method=False, function=False)
def copied(xp, input):
    """A row-major copy."""
    return xp.contiguous(input)


copied.vjp(input=lambda g: g)
copied._grad_name = "CloneBackward0"


@composite(function=False)
def contiguous(xp, input, memory_format=None):
    """The tensor itself if it is row-major, else a copy that is."""
    return input if input.is_contiguous() else copied(input)


@composite
def flatten(xp, input, start_dim=0, end_dim=-1):
    """Several dimensions as one.

    >>> import lantern
    >>> lantern.flatten(lantern.zeros(2, 3, 4), 1).shape
    torch.Size([2, 12])
    """
    if not input.ndim:
        return reshape(input, (1,))
    start, end = wrap_dim(start_dim, input.ndim), wrap_dim(end_dim, input.ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end:
        return input
    count = 1
    for size in input.shape[start : end + 1]:
        count *= size
    return reshape(input, (*input.shape[:start], count, *input.shape[end + 1 :]))


@sequence_op(method=False)
def cat(xp, tensors, dim=0):
    """Tensors joined along a dimension.

    >>> import lantern
    >>> lantern.cat([lantern.zeros(2), lantern.ones(1)])
    tensor([0., 0., 1.])
    """
    first = next((each for each in tensors if each.shape != (0,)), tensors[0])
    dim = wrap_dim(dim, first.ndim)
    if not first.ndim:
        raise RuntimeError("zero-dimensional tensor (at position 0) cannot be concatenated")
    tensors = [each for each in tensors if each.shape != (0,)] or tensors[:1]
    for i, each in enumerate(tensors):
        if each.ndim != first.ndim:
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {first.ndim} and {each.ndim}"
            )
        for d, (size, other) in enumerate(zip(first.shape, each.shape, strict=True)):
            if d != dim and size != other:
                raise RuntimeError(
                    f"Sizes of tensors must match except in dimension {dim}. Expected size {size} "
                    f"but got size {other} for tensor number {i} in the list."
                )
    return xp.cat(tensors, dim)


def _cat_gradients(xp, g, shapes, dim):
    dim = wrap_dim(dim, len(g.shape))
    grads, start = [], 0
    for shape in shapes:
        if shape == (0,):
            grads.append(xp.full((0,), 0, g))
            continue
        grads.append(xp.getitem(g, at(dim, slice(start, start + shape[dim]))))
        start += shape[dim]
    return grads


cat.formulas["tensors"] = (_cat_gradients, ())


@composite(method=False)
def stack(xp, tensors, dim=0):
    """Tensors of one shape side by side in a new dimension.

    >>> import lantern
    >>> lantern.stack([lantern.zeros(2), lantern.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    tensors = cat._check(tensors)
    shape = tensors[0].shape
    for i, each in enumerate(tensors):
        if each.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(each.shape)} at entry {i}"
            )
    dim = wrap_dim(dim, len(shape) + 1)
    return cat([unsqueeze(each, dim) for each in tensors], dim)


@op(promote=KEEP, variadic="dims")
def flip(xp, input, dims):
    """A copy with dimensions reversed."""
    return xp.flip(input, wrap_dims(as_sizes((dims,)), input.ndim))


flip.vjp(input=lambda xp, g, dims: xp.flip(g, wrap_dims(as_sizes((dims,)), g.ndim)))


@composite
def split(xp, tensor, split_size_or_sections, dim=0):
    """Views of consecutive parts: of one length, or of the lengths given.

    >>> import lantern
    >>> [len(part) for part in lantern.split(lantern.arange(5), 2)]
    [2, 2, 1]
    """
    dim = wrap_dim(dim, tensor.ndim)
    size = tensor.shape[dim]
    if hasattr(split_size_or_sections, "__index__"):
        step = split_size_or_sections
        if step < 0 or (step == 0 and size):
            raise RuntimeError(
                f"split expects split_size be non-negative, but got split_size={step}"
            )
        sections = [min(step, size - i) for i in range(0, size, step)] if size else [0]
    else:
        sections = list(split_size_or_sections)
        if sum(sections) != size:
            raise RuntimeError(
                "split_with_sizes expects split_sizes to sum exactly to "
                f"{size} (input tensor's size at dimension {dim}), but got split_sizes={sections}"
            )
    parts, start = [], 0
    for length in sections:
        parts.append(narrow(tensor, dim, start, length))
        start += length
    return tuple(parts)


@composite
def chunk(xp, input, chunks, dim=0):
    """At most `chunks` views of equal length (the last may be shorter)."""
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    size = input.shape[wrap_dim(dim, input.ndim)]
    if not size:
        return split(input, [0] * chunks, dim)
    return split(input, -(-size // chunks), dim)


@composite
def unbind(xp, input, dim=0):
    """The slices along a dimension, as views.

    >>> import lantern
    >>> lantern.unbind(lantern.tensor([[1, 2], [3, 4]]))
    (tensor([1, 2]), tensor([3, 4]))
    """
    dim = wrap_dim(dim, input.ndim)
    return tuple(select(input, dim, i) for i in range(input.shape[dim]))
