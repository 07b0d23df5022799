"""Methods that change or reinterpret a tensor itself: `t_`, `resize_`, `view(dtype)`, `copy_`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from . import dtypes, indexing, ops
from .autograd.mode import active, flags, mode
from .autograd.views import (
    check_apart,
    check_single,
    check_writable,
    copy_into,
    geometry_of,
    write_inplace,
)
from .backends import NAMESPACES
from .op import REGISTRY
from .ops.memory import alias, as_strided, bitcast, fill, memory_view
from .ops.views import expand, permute, reshaped, viewed
from .shape import as_sizes, broadcast_shapes, contiguous_strides, infer_size, offsets_range
from .tensor import Tensor, share


def _view(self: Tensor, *size: Any, dtype: Any = None, **named: Any) -> Tensor:
    """The same memory in another shape, or its bits as another dtype.

    Raises RuntimeError where strides do not allow that.

    >>> import lantern
    >>> lantern.arange(6).view(2, -1).shape
    torch.Size([2, 3])
    >>> lantern.tensor([1.0]).view(lantern.int32)
    tensor([1065353216], dtype=torch.int32)
    """
    if dtype is not None or (len(size) == 1 and isinstance(size[0], dtypes.dtype)):
        if size and dtype is not None:
            raise TypeError("view() takes either a shape or a dtype")
        return _view_dtype(self, size[0] if dtype is None else dtype)
    if named:
        size = (named.pop("size"),) if "size" in named and not size else ()
    if named or not size:
        raise TypeError(
            "view() received an invalid combination of arguments, but expected one of:\n"
            " * (torch.dtype dtype)\n * (tuple of ints size)\n"
        )
    shown = viewed(self, infer_size(as_sizes(size, "view"), self._array.size))
    if shown is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one "
            "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
        )
    return shown


def _reshape(self: Tensor, *shape: Any, **named: Any) -> Tensor:
    """The elements in another shape: a view where strides allow it, else a copy."""
    if named or not shape:
        return ops.reshape(self, *shape, **named)
    return reshaped(self, as_sizes(shape, "reshape", "shape"))


def _permute(self: Tensor, *dims: Any, **named: Any) -> Tensor:
    """The dimensions in another order."""
    if named or not dims:
        return ops.permute(self, *dims, **named)
    return permute.show(self, permute.prepare(self._array, dims if len(dims) > 1 else dims[0]))


def _expand(self: Tensor, *size: Any, **named: Any) -> Tensor:
    """A view in which dimensions of size 1 are repeated; -1 keeps a size."""
    named.pop("implicit", None)
    if named or not size:
        return ops.expand(self, *size, **named)
    return expand.show(self, expand.prepare(self._array, size if len(size) > 1 else size[0]))


def _iter(self: Tensor) -> Iterator[Tensor]:
    if not self._array.ndim:
        raise TypeError("iteration over a 0-d tensor")
    return iter(ops.unbind(self, 0))


def _reversed(self: Tensor) -> Tensor:
    return ops.flip(self, (0,)) if self.ndim else self


def _view_dtype(self: Tensor, dtype: Any) -> Tensor:
    if not isinstance(dtype, dtypes.dtype):
        raise TypeError(f"view(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    if dtype is self.dtype:
        return alias(self)
    ratio = dtype.itemsize // self.dtype.itemsize
    if ratio > 1 and self.storage_offset() % ratio:
        raise RuntimeError(
            f"self.storage_offset() must be divisible by {ratio} to view {self.dtype.legacy} as "
            f"{dtype.legacy} (different element sizes), but got {self.storage_offset()}"
        )
    return bitcast(self, dtype)


def _split(self: Tensor, split_size: Any, dim: int = 0) -> tuple:
    """Views of consecutive parts: of one length, or of the lengths given."""
    return ops.split(self, split_size, dim)


# --- other views under an attribute's name
_warned: set[str] = set()


def _warn_once(text: str) -> None:
    if text not in _warned:
        _warned.add(text)
        warnings.warn(text, UserWarning, stacklevel=4)


def _warn_scalar(name: str, advice: str) -> None:
    _warn_once(f"Tensor.{name} is deprecated on 0-D tensors. {advice}")


def _reversed_dims(self: Tensor) -> Tensor:
    if self.ndim == 0:
        _warn_scalar("T", "This function is the identity in these cases.")
    elif self.ndim != 2:
        _warn_once(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is "
            "deprecated and it will throw an error in a future release. Consider `x.mT` to "
            "transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to "
            "reverse the dimensions of a tensor."
        )
    return ops.permute.show(self, (tuple(reversed(range(self.ndim))),))


def _matrices(name: str, conjugate: bool) -> Callable[[Tensor], Tensor]:
    def transposed(self: Tensor) -> Tensor:
        if self.ndim == 0:
            advice = (
                "Consider using x.conj()."
                if conjugate
                else ("This function is the identity in these cases.")
            )
            _warn_scalar(name, advice)
            return self
        if self.ndim == 1:
            raise RuntimeError(
                f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D "
                "tensor."
            )
        return ops.transpose(self, -2, -1)

    return transposed


def _h(self: Tensor) -> Tensor:
    if self.ndim == 0:
        _warn_scalar("H", "Consider using x.conj().")
        return self
    if self.ndim != 2:
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor."
            + (" For batches of matrices, consider using tensor.mH" if self.ndim > 2 else "")
        )
    return ops.transpose(self, 0, 1)


# --- in place
def _in_place(name: str, suffix: str = "1") -> Callable[..., Tensor]:
    view = REGISTRY[name]

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        check_writable(self)
        shown = view(self, *args, **kwargs)
        if shown._node is not None and mode.enabled:
            shown._node.label = shown._node.name().removesuffix("0") + suffix
        return _become(self, shown)

    method.__name__, method.__doc__ = f"{name}_", f"`{name}`, done to the tensor itself."
    return method


def _become(self: Tensor, shown: Tensor) -> Tensor:
    """Makes a tensor look at its memory as its view `shown` does."""
    self._array, self._layout = shown._array, shown._layout
    if mode.enabled:
        self._node, self._index = shown._node, shown._index
        if self._base is not None:
            self._seen = self._base._node
    if not self._silent:
        self._storage.version += 1
    return self


def _resize_(self: Tensor, *size: Any, memory_format: Any = None) -> Tensor:
    """Gives the tensor other sizes; memory is added where there is not enough.

    Raises RuntimeError for tensors that require gradients. New elements are 0.

    >>> import lantern
    >>> lantern.arange(6).resize_(2, 2)
    tensor([[0, 1],
            [2, 3]])
    """
    size = as_sizes(size, "resize_")
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    if any(each < 0 for each in size):
        raise RuntimeError("numel: integer multiplication overflow")
    if size == self.shape:
        return self
    active.refuse("resize_()")
    offset, stride = self.storage_offset(), contiguous_strides(size)
    storage = self._storage
    namespace = NAMESPACES[type(storage.array)]
    have, need = offsets_range(*namespace.extent(storage.array)), offsets_range(size, stride)
    if need and offset + need > have:
        storage.array = namespace.extended(storage.array, offset + need)
    self._array = namespace.window(storage.array, size, stride, offset)
    root = share(Tensor, self)
    root._array, root._layout = storage.array, ()
    self._layout = ((memory_view, (size, stride, offset, geometry_of(root))),)
    storage.version += 1
    return self


def _resize_as_(self: Tensor, the_template: Tensor, *, memory_format: Any = None) -> Tensor:
    """Gives the tensor the sizes of another."""
    return _resize_(self, tuple(the_template.shape))


def _set_(self: Tensor, source: Any = None, *rest: Any) -> Tensor:
    """Makes the tensor look at the memory of another."""
    if source is None:
        source = Tensor._make_subclass(Tensor, ops.full((0,), 0, self.dtype))
    if not isinstance(source, Tensor) or rest:
        raise NotImplementedError("Tensor.set_ of a storage is not in Lantern yet")
    if source.dtype is not self.dtype:
        raise RuntimeError(
            f"Could not set tensor of type {source.dtype.legacy} to a tensor of type "
            f"{self.dtype.legacy}"
        )
    check_writable(self)
    active.refuse("what else looks at the memory given to set_()")
    flags.version += 1
    self._storage, self._array, self._layout = source._storage, source._array, source._layout
    return self


def _as_strided_(self: Tensor, size: Any, stride: Any, storage_offset: Any = None) -> Tensor:
    """`as_strided`, done to the tensor itself."""
    check_writable(self)
    return _become(self, as_strided(self, size, stride, storage_offset))


def _is_plain(tensor: Tensor) -> bool:
    """Says whether a write concerns memory only: no gradient, nothing recorded."""
    if active.recording and active.trace:
        return False
    return not mode.enabled or not tensor.requires_grad


def _copy_(self: Tensor, src: Any, non_blocking: bool = False) -> Tensor:
    """Writes `src`, cast and broadcast, into this tensor.

    >>> import lantern
    >>> lantern.zeros(2).copy_(lantern.tensor([1, 2]))
    tensor([1., 2.])
    """
    if not isinstance(src, Tensor):
        if not isinstance(src, (int, float)):
            raise TypeError(
                "copy_(): argument 'other' (position 1) must be Tensor, not "
                f"{type(src).__module__}.{type(src).__name__}".replace("builtins.", "")
            )
        return _fill_(self, src)
    shape = self._array.shape
    if src._array.shape != shape:
        joint = broadcast_shapes(shape, src._array.shape)
        if joint != tuple(shape):
            raise RuntimeError(
                f"output with shape {list(shape)} doesn't match the broadcast shape {list(joint)}"
            )
    if not (_is_plain(self) and _is_plain(src)):
        return write_inplace(ops.copy, self, (src,), {})
    check_writable(self)
    check_single(self)
    if src._storage is self._storage:
        check_apart(self, src)
    copy_into(self._array, src._array)
    if not self._silent:
        self._storage.version += 1
    return self


def _fill_(self: Tensor, value: Any) -> Tensor:
    """Writes one value everywhere.

    >>> import lantern
    >>> lantern.zeros(2).fill_(3)
    tensor([3., 3.])
    """
    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} "
                "dimensions."
            )
        check_writable(self, self.requires_grad or value.requires_grad)
        check_single(self)
    elif isinstance(value, (int, float, complex)) or hasattr(value, "__float__"):
        value = dtypes.number_as(value, self.dtype)
        if _is_plain(self):
            check_writable(self)
            self._array.fill(value)
            if not self._silent:
                self._storage.version += 1
            return self
    else:
        raise TypeError(
            "fill_() received an invalid combination of arguments - got "
            f"({type(value).__name__}), but expected one of:\n * (Tensor value)\n"
            " * (Number value)\n"
        )
    return write_inplace(fill, self, (value,), {})


def _zero_(self: Tensor) -> Tensor:
    """Writes 0 everywhere."""
    return _fill_(self, 0)


def _fill_diagonal_(self: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Writes one value on the diagonal of all dimensions.

    `wrap` goes on after the end of the diagonal of a tall matrix.

    >>> import lantern
    >>> lantern.zeros(2, 2).fill_diagonal_(1)
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = self.shape
    if len(shape) < 2:
        raise RuntimeError("dimensions must larger than 1")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    step, length = sum(self.stride()), min(shape)
    _fill_(as_strided(self, (length,), (step,), self.storage_offset()), fill_value)
    if wrap and len(shape) == 2 and shape[0] > shape[1] + 1:
        start = self.storage_offset() + self.stride(0) * (shape[1] + 1)
        rest = (self.numel() - shape[1] * (shape[1] + 1) + shape[1]) // (shape[1] + 1)
        _fill_(as_strided(self, (rest,), (step,), start), fill_value)
    return self


def _put(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with elements replaced at places of the tensor taken as one row."""
    return ops.put_in_row(self, index, source, accumulate)


def _put_(self: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """Writes elements at places of the tensor taken as one row."""
    return write_inplace(ops.put_in_row, self, (index, source, accumulate), {})


def _apply_(self: Tensor, callable: Callable[[Any], Any]) -> Tensor:
    """Replaces each element by what a Python function makes of it."""
    flat = [callable(each) for each in ops.reshape(self.detach(), (-1,)).tolist()]
    return _from_list(self, flat)


def _map_(self: Tensor, tensor: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Replaces each element by what a Python function makes of it and of one of `tensor`."""
    other = ops.reshape(ops.expand(tensor.detach(), self.shape), (-1,)).tolist()
    mine = ops.reshape(self.detach(), (-1,)).tolist()
    return _from_list(self, [callable(a, b) for a, b in zip(mine, other, strict=True)])


def _from_list(self: Tensor, flat: list) -> Tensor:
    if self.requires_grad:
        raise TypeError("Can't call a Python function on a tensor that requires grad")
    from .creation import tensor

    return _copy_(self, ops.reshape(tensor(flat, dtype=self.dtype), self.shape))


def _is_set_to(self: Tensor, tensor: Tensor) -> bool:
    """Says whether another tensor looks at the same memory in the same way."""
    same = self._storage is tensor._storage and self.storage_offset() == tensor.storage_offset()
    return same and self.shape == tensor.shape and self.stride() == tensor.stride()


def _dim_order(self: Tensor, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The dimensions from the outermost in memory to the innermost."""
    strides = self.stride()
    return tuple(sorted(range(self.ndim), key=lambda d: -strides[d]))


def _delitem(self: Tensor, index: Any) -> None:
    raise TypeError("Tensor does not support deleting items")


METHODS: dict[str, Any] = {
    "view": _view,
    "reshape": _reshape,
    "permute": _permute,
    "expand": _expand,
    "__iter__": _iter,
    "__reversed__": _reversed,
    "split": _split,
    "T": property(_reversed_dims),
    "mT": property(_matrices("mT", False)),
    "mH": property(_matrices("mH", True)),
    "H": property(_h),
    "t_": _in_place("t"),
    "transpose_": _in_place("transpose"),
    "swapaxes_": _in_place("swapaxes"),
    "swapdims_": _in_place("swapdims"),
    "squeeze_": _in_place("squeeze", "3"),
    "unsqueeze_": _in_place("unsqueeze"),
    "as_strided_": _as_strided_,
    "resize_": _resize_,
    "resize_as_": _resize_as_,
    "set_": _set_,
    "copy_": _copy_,
    "fill_": _fill_,
    "zero_": _zero_,
    "fill_diagonal_": _fill_diagonal_,
    "put": _put,
    "put_": _put_,
    "index_put": indexing.index_put,
    "index_put_": indexing.index_put_,
    "apply_": _apply_,
    "map_": _map_,
    "is_set_to": _is_set_to,
    "dim_order": _dim_order,
    "__getitem__": indexing.getitem,
    "__setitem__": indexing.setitem,
    "__delitem__": _delitem,
}
