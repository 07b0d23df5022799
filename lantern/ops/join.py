"""Several tensors as one, and several tensors brought to one shape."""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable
from typing import Any

from ..backends import NAMESPACES, default, here
from ..dtypes import int64
from ..naming import type_name
from ..op import Composite, composite, declare
from ..sequence_op import sequence_op
from ..shape import broadcast_shapes, wrap_dim
from ..tensor import Tensor, wrap
from .slices import at
from .views import expand, reshape, unsqueeze


@sequence_op(method=False, aliases="concat concatenate")
def cat(xp, tensors, dim=0):
    """Tensors joined along a dimension.

    Raises RuntimeError where other sizes differ. Tensors of shape (0,) are left out.

    >>> import lantern
    >>> lantern.cat([lantern.zeros(2), lantern.ones(1)])
    tensor([0., 0., 1.])
    """
    first = next((each for each in tensors if each.shape != (0,)), None)
    if first is None:
        return xp.full((0,), 0, tensors[0])
    dim = wrap_dim(dim, first.ndim)
    for i, each in enumerate(tensors):
        if not each.ndim:
            raise RuntimeError(f"zero-dimensional tensor (at position {i}) cannot be concatenated")
    found = []
    for i, each in enumerate(tensors):
        if each.shape == (0,):
            continue
        if each.shape != first.shape:
            _check_joined(first.shape, each.shape, dim, i)
        found.append(each)
    return xp.cat(found, dim)


def _check_joined(first, shape, dim, place):
    if len(shape) != len(first):
        raise RuntimeError(
            f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        )
    for i, (size, other) in enumerate(zip(first, shape, strict=True)):
        if i != dim and size != other:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {dim}. Expected size {size} "
                f"but got size {other} for tensor number {place} in the list."
            )


def _cat_gradients(xp, g, shapes, dim):
    if all(shape == (0,) for shape in shapes):
        return [g] * len(shapes)
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
cat.empty = ValueError, "torch.cat(): expected a non-empty list of Tensors"


@sequence_op(method=False)
def stack(xp, tensors, dim=0):
    """Tensors of one shape side by side in a new dimension.

    >>> import lantern
    >>> lantern.stack([lantern.zeros(2), lantern.ones(2)])
    tensor([[0., 0.],
            [1., 1.]])
    """
    shape = tensors[0].shape
    dim = wrap_dim(dim, len(shape) + 1)
    for i, each in enumerate(tensors):
        if each.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at entry 0 and "
                f"{list(each.shape)} at entry {i}"
            )
    thick = (*shape[:dim], 1, *shape[dim:])
    return xp.cat([xp.reshape(each, thick) for each in tensors], dim)


def _stack_gradients(xp, g, shapes, dim):
    dim = wrap_dim(dim, len(g.shape))
    return [xp.getitem(g, at(dim, i)) for i in range(len(shapes))]


stack.formulas["tensors"] = (_stack_gradients, ())
stack.empty = RuntimeError, "stack expects a non-empty TensorList"


class Several(Composite):
    """An op that takes its tensors one by one: `meshgrid(a, b, indexing="ij")`."""

    def __init__(self, forward: Callable[..., Any], listed: bool = False, **options: Any):
        super().__init__(forward, method=False, **options)
        self.listed = listed  # one list of tensors will do as well
        first, *rest = self.__signature__.parameters.values()
        self.__signature__ = inspect.Signature(
            [first.replace(kind=inspect.Parameter.VAR_POSITIONAL), *rest]
        )

    def __call__(self, *tensors: Any, **kwargs: Any) -> Any:
        """Runs the op over tensors; raises TypeError for what is none."""
        if self.listed and len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
            tensors = tuple(tensors[0])
        for i, each in enumerate(tensors):
            if not isinstance(each, Tensor):
                raise TypeError(
                    f"expected Tensor as element {i} in argument 0, but got {type_name(each)}"
                )
        return self.forward(NAMESPACES[Tensor], tensors, **{**self.defaults, **kwargs})


def several(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares a function of `*tensors`."""
    return declare(Several, forward, options)


def _at_least(ndim, text, grown):
    def forward(xp, tensors):
        found = [each if each.ndim >= ndim else grown(each) for each in tensors]
        return tuple(found) if len(found) != 1 else found[0]

    forward.__name__, forward.__doc__ = f"atleast_{ndim}d", text

    class AtLeast(Several):
        """A list of tensors gives a tuple, also where it holds but one."""

        def __call__(self, *tensors: Any) -> Any:
            """Runs the op over tensors."""
            if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
                found = super().__call__(*tensors[0])
                return found if isinstance(found, tuple) else (found,)
            return super().__call__(*tensors)

    return declare(AtLeast, forward, {})


def _grown_to_3d(x):
    if x.ndim == 2:
        return unsqueeze(x, -1)
    return unsqueeze(unsqueeze(x, 0), -1) if x.ndim else reshape(x, (1, 1, 1))


atleast_1d = _at_least(1, "0-d tensors with one dimension.", lambda x: reshape(x, (1,)))
atleast_2d = _at_least(
    2,
    "Tensors with two dimensions at least; new ones come in front.",
    lambda x: unsqueeze(x, 0) if x.ndim else reshape(x, (1, 1)),
)
atleast_3d = _at_least(
    3, "Tensors with three dimensions at least; vectors become (1, N, 1).", _grown_to_3d
)


def _nonempty(name, tensors):
    if isinstance(tensors, (list, tuple)) and not tensors:
        raise RuntimeError(f"{name} expects a non-empty TensorList")
    return cat._check(tensors)


@composite(method=False)
def hstack(xp, tensors):
    """Tensors joined along the second dimension, vectors along their only one."""
    tensors = [atleast_1d(each) for each in _nonempty("hstack", tensors)]
    return cat(tensors, 0 if tensors[0].ndim == 1 else 1)


@composite(method=False, aliases="row_stack")
def vstack(xp, tensors):
    """Tensors joined along the first dimension, vectors as rows."""
    return cat([atleast_2d(each) for each in _nonempty("vstack", tensors)], 0)


@composite(method=False)
def dstack(xp, tensors):
    """Tensors joined along the third dimension."""
    return cat([atleast_3d(each) for each in _nonempty("dstack", tensors)], 2)


@composite(method=False)
def column_stack(xp, tensors):
    """Tensors joined along the second dimension, vectors as columns."""
    tensors = _nonempty("column_stack", tensors)
    return cat([reshape(x, (x.numel(), 1)) if x.ndim < 2 else x for x in tensors], 1)


@several
def block_diag(xp, tensors):
    """The matrix with the given matrices on its diagonal and 0 elsewhere.

    >>> import lantern
    >>> lantern.block_diag(lantern.ones(1, 1), lantern.ones(1, 2))
    tensor([[1., 0., 0.],
            [0., 1., 1.]])
    """
    for i, each in enumerate(tensors):
        if each.ndim > 2:
            raise RuntimeError(
                "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input "
                f"{i} has {each.ndim} dimensions"
            )
    if not tensors:
        from ..dtypes import get_default_dtype

        return xp.full((1, 0), 0, get_default_dtype())
    blocks = [atleast_2d(each) for each in tensors]
    width, before, rows = sum(each.shape[1] for each in blocks), 0, []
    for each in blocks:
        height, own = each.shape
        after = width - before - own
        sides = [xp.full((height, side), 0, each) for side in (before, after)]
        rows.append(cat([sides[0], each, sides[1]], 1))
        before += own
    return cat(rows, 0)


@several(listed=True)
def meshgrid(xp, tensors, *, indexing=None):
    """The coordinates of a grid: one tensor per axis, in the shape of the grid.

    >>> import lantern
    >>> x, y = lantern.meshgrid(lantern.arange(2), lantern.arange(3), indexing="ij")
    >>> x.shape, y[0].tolist()
    (torch.Size([2, 3]), [0, 1, 2])
    """
    if indexing is None:
        warnings.warn(
            "torch.meshgrid: in an upcoming release, it will be required to pass the indexing "
            "argument.",
            UserWarning,
            stacklevel=3,
        )
        indexing = "ij"
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if any(each.dtype is not tensors[0].dtype for each in tensors):
        raise RuntimeError("meshgrid expects all tensors to have the same dtype")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}'
        )
    for each in tensors:
        if each.ndim > 1:
            raise RuntimeError(
                f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {each}"
            )
    swap = indexing == "xy" and len(tensors) > 1
    if swap:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    shape = tuple([each.numel() for each in tensors])
    grids = []
    for i, each in enumerate(tensors):
        row = reshape(each, tuple([size if i == j else 1 for j, size in enumerate(shape)]))
        grids.append(expand(row, shape))
    if swap:
        grids[:2] = grids[1], grids[0]
    return tuple(grids)


@several
def cartesian_prod(xp, tensors):
    """Every combination of one element from each vector, as the rows of a matrix.

    >>> import lantern
    >>> lantern.cartesian_prod(lantern.tensor([1, 2]), lantern.tensor([3, 4])).tolist()
    [[1, 3], [1, 4], [2, 3], [2, 4]]
    """
    for each in tensors:
        if each.ndim != 1:
            raise RuntimeError(f"Expect a 1D vector, but got shape {list(each.shape)}")
    if len(tensors) == 1:
        return tensors[0]
    grids = meshgrid(*tensors, indexing="ij")
    return stack([reshape(each, (each.numel(),)) for each in grids], 1)


@composite(method=False)
def combinations(xp, input, r=2, with_replacement=False):
    """Every choice of `r` elements of a vector, as the rows of a matrix.

    >>> import lantern
    >>> lantern.combinations(lantern.tensor([1, 2, 3])).tolist()
    [[1, 2], [1, 3], [2, 3]]
    """
    if input.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(input.shape)}")
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return xp.full((0,), 0, input)
    choose = itertools.combinations_with_replacement if with_replacement else itertools.combinations
    flat = [place for row in choose(range(input.numel()), r) for place in row]
    library = here.namespace or default()  # these places are constants of a recording
    places = library.reshape(library.asarray(flat, int64), (len(flat) // r, r))
    return xp.getitem(input, (wrap(places),))


@several
def broadcast_tensors(xp, tensors):
    """The tensors expanded to their common shape."""
    if not tensors:
        return ()
    shape = broadcast_shapes(*(each.shape for each in tensors))
    return tuple([each if each.shape == shape else expand(each, shape) for each in tensors])
