"""Square brackets: `x[...]` and `x[...] = value`, with everything that PyTorch takes between them.

An index is first cut into a part that only views (ints, slices, None, Ellipsis) and the index
tensors that are left; the first becomes views, the second one gather or put. The most common forms
take short cuts that give the same.
"""

from __future__ import annotations

import warnings
from typing import Any

from . import creation, dtypes, ops
from .autograd.mode import active, mode
from .autograd.views import assign, check_apart, check_single, check_writable
from .backends import NAMESPACES, gpu
from .moving import brought
from .naming import type_name
from .op import Op
from .ops.index import nonzero_tuple
from .ops.memory import alias
from .ops.slices import select, select_view, slice_view
from .ops.views import unsqueeze
from .tensor import Tensor, current_node

FULL = slice(None)
LONGEST_TUPLE = 32  # a list of at least as many entries is an index tensor, whatever they are


def getitem(self: Tensor, index: Any) -> Tensor:
    """Returns a view for ints, slices, None and Ellipsis; a copy where tensors index."""
    kind = type(index)
    if kind is int:
        shape = self._array.shape
        if not shape or not -shape[0] <= index < shape[0]:
            _refuse_int(shape, index, 0)
        return select.show(self, (0, index))
    if kind is slice and self._array.ndim:
        part = _slice(index, self._array.shape[0])
        return slice_view.show(self, ((part,),) if part is not FULL else ((),))
    if kind is Tensor and index._array.ndim and index._array.dtype.char in "li":
        if self._array.ndim:
            return _take(self, (index,))
    inserted, items, places = parse(self, index)
    shown = _show(self, inserted, items, kind)
    return shown if places is None else _take(shown, places)


def _take(self: Tensor, places: tuple) -> Tensor:
    if gpu.kind is not None:
        places = tuple([brought(each, self) for each in places])
    if not (active.recording and active.trace) and not (
        mode.enabled and current_node(self) is not None
    ):
        array = self._array
        raw = tuple([each._array if isinstance(each, Tensor) else each for each in places])
        return Op.__call__(ops.getitem, self, raw) if array.ndim else ops.getitem(self, places)
    return ops.getitem(self, places)


def _show(self: Tensor, inserted: list, items: list, kind: type = tuple) -> Tensor:
    """Returns the view of an index without tensors."""
    shown = self
    for place in inserted:
        shown = unsqueeze.show(shown, (place,))
    last = len(items)
    while last and items[last - 1] is FULL:
        last -= 1
    if last:
        chain = select_view if type(items[last - 1]) is int else slice_view
        return chain.show(shown, (tuple(items[:last]),))
    if inserted:
        return shown
    return slice_view.show(self, ((),)) if kind is slice else alias.show(self, ())


def parse(self: Tensor, index: Any) -> tuple[list, list, tuple | None]:
    """Cuts an index into three: where dimensions are put in, ints and slices, index tensors.

    The ints and slices are for the tensor with the new dimensions; the index tensors (None if there
    are none) for what these show of it.
    """
    entries = _entries(index)
    shape = self._array.shape
    ndim = len(shape)
    inserted: list[int] = []
    items: list[Any] = []
    places: list[Any] = []
    advanced = False
    dim = 0
    for i, each in enumerate(entries):
        kind = type(each)
        if kind is int:
            if dim >= ndim or not -shape[dim] <= each < shape[dim]:
                _refuse_int(shape, each, dim, entries)
            items.append(each if each >= 0 else each + shape[dim])
            dim += 1
        elif kind is slice:
            if dim >= ndim:
                _refuse_many(ndim)
            items.append(_slice(each, shape[dim]))
            places.append(FULL)
            dim += 1
        elif each is None:
            inserted.append(len(items))
            items.append(FULL)
            places.append(FULL)
        elif each is Ellipsis:
            left = ndim - dim - sum([_width(later) for later in entries[i + 1 :]])
            items += [FULL] * left
            places += [FULL] * left
            dim += max(left, 0)
        else:
            advanced = True
            dim = _place(self, each, inserted, items, places, dim, entries)
    if not advanced:
        return inserted, items, None
    while places and places[-1] is FULL:
        places.pop()
    return inserted, items, tuple(places)


def _entries(index: Any) -> Any:
    """Returns the entries of an index, as ints, slices, None, Ellipsis, bools and tensors."""
    if type(index) is tuple:
        for each in index:
            kind = type(each)
            if kind is not int and kind is not slice and each is not None and each is not Ellipsis:
                break
        else:
            return index
    else:
        if type(index) in (slice, int) or index is None or index is Ellipsis:
            return [index]
        if isinstance(index, tuple) or _is_like_a_tuple(index):
            index = tuple(index)
        else:
            return [_entry(index)]
    return [
        each if type(each) in (int, slice) or each is None or each is Ellipsis else _entry(each)
        for each in index
    ]


def _is_like_a_tuple(index: Any) -> bool:
    """Says whether a list is an old spelling of a tuple: one that holds slices, tensors, lists."""
    if not isinstance(index, (list, str)) or len(index) >= LONGEST_TUPLE:
        return False
    nested = (list, tuple, slice, Tensor, str)
    if not any(each is None or each is Ellipsis or isinstance(each, nested) for each in index):
        return False
    warnings.warn(
        "Using a non-tuple sequence for multidimensional indexing is deprecated and will be "
        "changed in pytorch 2.9; use x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be "
        "interpreted as tensor index, x[torch.tensor(seq)], which will result either in an error "
        "or a different result",
        UserWarning,
        stacklevel=5,
    )
    if isinstance(index, str) or any(isinstance(each, str) for each in index):
        raise TypeError("new(): invalid data type 'str'")
    return True


def _entry(each: Any) -> Any:
    """Returns one entry in the form that the parts of this file know."""
    if isinstance(each, bool):
        return each
    if isinstance(each, Tensor):
        if not each._array.ndim and each._array.dtype.char not in "?B":
            return _integer_of(each)
        return each
    if isinstance(each, slice):
        return each
    if hasattr(type(each), "__index__") and not getattr(each, "ndim", 0):
        kind = getattr(each, "dtype", None)
        if kind is None or kind != bool:  # noqa: E721 - a dtype of NumPy equals the type
            return _int64(each.__index__())
    if isinstance(each, (list, tuple, range)) or _is_array(each):
        found = creation.as_tensor(list(each) if isinstance(each, range) else each)
        if found.dtype.kind == "f" and not _is_array(each):
            found = found.long()  # an empty list, or one of floating point numbers
        return found
    if isinstance(each, str):
        raise TypeError("new(): invalid data type 'str'")
    raise _refuse(each)


def _is_array(value: Any) -> bool:
    return NAMESPACES[_Array].is_array(value)


_Array = next(iter(NAMESPACES))


def _refuse(each: Any) -> IndexError:
    name = type(each).__name__
    module = type(each).__module__
    name = f"numpy.{name}" if module == "numpy" else name
    return IndexError(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid "
        f"indices (got {name})"
    )


def _integer_of(index: Tensor) -> Any:
    if index.dtype.kind == "f":
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return index if (active.recording and active.trace) else int(index._array.item())


def _int64(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError("Overflow when unpacking long long")
    return value


def _refuse_int(shape: tuple, index: int, dim: int, entries: Any = ()) -> None:
    _int64(index)
    if not shape and len(entries) < 2:
        raise IndexError(
            "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` "
            "in C++ to convert a 0-dim tensor to a number"
        )
    if dim >= len(shape):
        _refuse_many(len(shape))
    raise IndexError(f"index {index} is out of bounds for dimension {dim} with size {shape[dim]}")


def _refuse_many(ndim: int) -> None:
    raise IndexError(f"too many indices for tensor of dimension {ndim}")


def _width(each: Any) -> int:
    """Returns how many dimensions an entry takes up."""
    if each is None or each is Ellipsis or isinstance(each, bool):
        return 0
    if isinstance(each, Tensor) and each.dtype in (dtypes.bool_, dtypes.uint8):
        return each.ndim
    return 1


def _slice(each: slice, size: int) -> slice:
    start, stop, step = each.start, each.stop, each.step
    if start is None and stop is None and step is None:
        return FULL
    try:
        start, stop, step = each.indices(size)
    except TypeError:
        for bound in (start, stop, step):
            if isinstance(bound, Tensor):
                bound.__index__()  # says what is wrong with it
        raise
    if step < 0:
        raise ValueError("step must be greater than zero")
    if start == 0 and stop >= size and step == 1:
        return FULL
    return slice(start, max(start, stop), step)


def _place(
    self: Tensor, each: Any, inserted: list, items: list, places: list, dim: int, entries: list
) -> int:
    """Sorts a bool or a tensor into the lists of `parse`; returns the next dimension."""
    shape = self._array.shape
    if isinstance(each, bool):
        inserted.append(len(items))
        items.append(FULL)
        places.append(creation.zeros(int(each), dtype=dtypes.int64))
        return dim
    masks = each.dtype in (dtypes.bool_, dtypes.uint8)
    if masks and each.dtype is dtypes.uint8 and each.ndim:
        warnings.warn(
            "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool "
            "instead.",
            UserWarning,
            stacklevel=4,
        )
    if masks and not each.ndim:
        active.refuse("nonzero or a boolean mask")
        inserted.append(len(items))
        items.append(FULL)
        places.append(creation.zeros(int(bool(each)), dtype=dtypes.int64))
        return dim
    width = each.ndim if masks else 1
    if dim + width > len(shape):
        _refuse_many(len(shape))
    items += [FULL] * width
    if not masks:
        places.append(_checked(each))
        return dim + 1
    for i, size in enumerate(each.shape):
        if size != shape[dim + i]:
            raise IndexError(
                f"The shape of the mask {list(each.shape)} at index {i} does not match the shape "
                f"of the indexed tensor {list(shape)} at index {dim + i}"
            )
    places += nonzero_tuple(each)
    return dim + width


def _checked(index: Tensor) -> Tensor:
    if index._array.dtype.char not in "li" and index.dtype not in (dtypes.int64, dtypes.int32):
        raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return index


# --- writing
def setitem(self: Tensor, index: Any, value: Any) -> None:
    """Writes a value, cast and broadcast, where the index points."""
    kind = type(value)
    if type(index) is tuple and len(index) == 1:
        index = index[0]
    if kind is int or kind is float:
        if not (active.recording and active.trace) and not _is_tracked(self):
            _write_number(self, index, value)
            return
    elif not isinstance(value, (Tensor, bool, complex)) and (
        not hasattr(value, "__index__") or _is_array(value)
    ):
        raise TypeError(f"can't assign a {_type_name(value)} to a {self.type()}")
    if index is False:
        return
    if isinstance(index, Tensor) and _masks_all_with_one(self, index, value):
        _write_mask(self, index, value)
        return
    inserted, items, places = parse(self, index)
    simple = not inserted and all(each is FULL for each in items)
    target = self if simple else _show(self, inserted, items)
    if places is None:
        _write_part(target, value)
    else:
        _write_places(target, places, _as_value(value, self))


def _type_name(value: Any) -> str:
    name, module = type(value).__name__, type(value).__module__
    return name if module == "builtins" else f"{module}.{name}"


def _is_tracked(tensor: Tensor) -> bool:
    if not mode.enabled:
        return False
    base = tensor._base
    return tensor._node is not None or (base is not None and base._node is not None)


def _write_number(self: Tensor, index: Any, value: Any) -> None:
    """Writes one number straight into the memory."""
    array = self._array
    number = _number(value, self.dtype)
    if type(index) is int:
        shape = array.shape
        if not shape or not -shape[0] <= index < shape[0]:
            _refuse_int(shape, index, 0)
        array[index] = number
    elif isinstance(index, Tensor) and index.dtype is dtypes.bool_ and index.ndim:
        _mask_fits(self, index)
        array[(brought(index, self) if gpu.kind is not None else index)._array] = number
    else:
        inserted, items, places = parse(self, index)
        target = (
            array[(*items, ...)] if items and not inserted else _show(self, inserted, items)._array
        )
        NAMESPACES[type(array)].write(target, _raw_places(places, self), number)
    if not self._silent:
        self._storage.version += 1


def _raw_places(places: tuple | None, target: Tensor) -> tuple:
    if places is None:
        return ()
    if gpu.kind is not None:
        places = tuple([brought(each, target) for each in places])
    return tuple([each._array if isinstance(each, Tensor) else each for each in places])


def _number(value: Any, dtype: dtypes.dtype) -> Any:
    if isinstance(value, int):
        _int64(value)
    return dtypes.number_as(value, dtype, strict=False)


def _mask_fits(self: Tensor, mask: Tensor) -> None:
    shape = self._array.shape
    if mask.ndim > len(shape):
        _refuse_many(len(shape))
    for i, size in enumerate(mask._array.shape):
        if size != shape[i]:
            raise IndexError(
                f"The shape of the mask {list(mask.shape)} at index {i} does not match the shape "
                f"of the indexed tensor {list(shape)} at index {i}"
            )


def _masks_all_with_one(self: Tensor, index: Tensor, value: Any) -> bool:
    """Says whether one value is written under a mask, which needs no places."""
    ndim: int = getattr(value, "ndim", 0)
    if index.dtype is not dtypes.bool_ or not index.ndim or ndim:
        return False
    _mask_fits(self, index)
    return True


def _write_mask(self: Tensor, mask: Tensor, value: Any) -> None:
    number = _as_value(value, self)
    if number.dtype is not self.dtype:
        number = ops.cast(number, self.dtype)
    if mask.ndim < self.ndim:
        mask = ops.reshape(mask, (*mask.shape, *(1,) * (self.ndim - mask.ndim)))
    self.masked_fill_(mask, number)  # type: ignore[attr-defined]


def _as_value(value: Any, like: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        return value
    return ops.full((), _number(value, like.dtype), like)


def _write_part(target: Tensor, value: Any) -> None:
    if not isinstance(value, Tensor):
        target.fill_(_number(value, target.dtype))  # type: ignore[attr-defined]
        return
    shape = target._array.shape
    extra = value.ndim - len(shape)
    if extra > 0 and all(size == 1 for size in value.shape[:extra]):
        value = ops.reshape(value, value.shape[extra:])
    if value.shape != shape:
        value = ops.expand(value, shape)
    target.copy_(value)  # type: ignore[attr-defined]


def _write_places(target: Tensor, places: tuple, value: Tensor, accumulate: bool = False) -> None:
    if value.dtype is not target.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{target.dtype.legacy} for the destination and {value.dtype.legacy} for the source."
        )
    shape = _result_shape(target, places)
    extra = value.ndim - len(shape)
    if extra > 0 and all(size == 1 for size in value.shape[:extra]):
        value = ops.reshape(value, value.shape[extra:])
    fits = value.ndim <= len(shape) and all(
        have in (1, want)
        for have, want in zip(reversed(value.shape), reversed(shape), strict=False)
    )
    if not fits:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to "
            f"indexing result of shape {list(shape)}"
        )
    tracked = mode.enabled and (target.requires_grad or value.requires_grad)
    check_writable(target, tracked)
    check_apart(target, value)
    if not (active.recording and active.trace) and not tracked:
        array = target._array
        if 0 in array.strides and 0 not in array.shape:
            _warn_expanded(target)
        raw, new = _raw_places(places, target), value._array
        if gpu.kind is not None:
            new = brought(value, target)._array
        NAMESPACES[type(array)].write(array, raw, new, accumulate)
        if not target._silent:
            target._storage.version += 1
        return
    check_single(target)
    put = ops.put_add if accumulate else ops.put
    assign(target, put(ops.clone(target), places, value))


def _warn_expanded(target: Tensor) -> None:
    try:
        check_single(target)
    except RuntimeError:
        warnings.warn(
            "Use of index_put_ on expanded tensors is deprecated. Please clone() the tensor before "
            "performing this operation. This also applies to advanced indexing e.g. "
            "tensor[indices] = tensor",
            UserWarning,
            stacklevel=4,
        )


def _result_shape(target: Tensor, places: tuple) -> tuple:
    """Returns the shape of what an index tuple takes."""
    from .backends.vocabulary import indexed_shape

    try:
        return indexed_shape(target._array.shape, places)
    except RuntimeError:
        shapes = ", ".join(str(list(each.shape)) for each in places if isinstance(each, Tensor))
        raise IndexError(
            f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}"
        ) from None


def index_put_(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Writes `values` at the places that a tuple of index tensors names, or adds them there.

    >>> import lantern
    >>> x, i = lantern.zeros(3), lantern.tensor([0, 0, 2])
    >>> x.index_put_((i,), lantern.ones(3), accumulate=True)
    tensor([2., 0., 1.])
    """
    if isinstance(indices, Tensor) or not isinstance(indices, (tuple, list)):
        raise TypeError(
            "index_put_(): argument 'indices' (position 1) must be tuple of Tensors, not "
            f"{type(indices).__name__}"
        )
    for i, each in enumerate(indices):
        if not isinstance(each, Tensor):
            raise TypeError(
                f"expected Tensor as element {i} in argument 0, but got {type_name(each)}"
            )
    if not isinstance(values, Tensor):
        raise TypeError(
            "index_put_(): argument 'values' (position 2) must be Tensor, not "
            f"{type(values).__name__}"
        )
    inserted, items, places = parse(self, tuple(indices))
    target = _show(self, inserted, items) if inserted else self
    _write_places(target, places or (), values, accumulate)
    return self


def index_put(self: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy with `values` written at (or added to) the places that index tensors name."""
    return index_put_(ops.clone(self), indices, values, accumulate)
