"""Methods that turn a tensor into another dtype, another object or bytes: `to`, `type`, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import creation, dtypes, factories, ops
from .autograd.views import geometry_of
from .backends import NAMESPACES, gpu
from .device import as_device, device
from .moving import count, moved, placed
from .ops.memory import alias, check_format, copied, copied_as, copy_as, memory_view
from .shape import contiguous_format, memory_format, preserve_format
from .storage import Storage
from .tensor import Tensor, share, wrap

PYTHON_TYPES = (bool, int, float)


def _to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """The tensor in another dtype, on another device or laid out otherwise.

    It is the tensor itself where it is that already, unless `copy` is asked for.

    >>> import lantern
    >>> lantern.tensor([1, 2]).to(lantern.float32)
    tensor([1., 2.])
    """
    dtype, place, copy, form = _parse_to(args, kwargs)
    if place is not None:
        where = as_device(place)
        if where != self.device:
            return moved(self if dtype is None else _to(self, dtype), where)
    if dtype is None or dtype is self.dtype:
        if form is preserve_format or form is None:
            return ops.clone(self) if copy else self
        check_format("to", form, self)
        if self.is_contiguous(memory_format=form) and not copy:
            return self
        return copy_as(self, form)
    result = ops.cast(self, dtype)
    if form is None or form is preserve_format:
        return result
    check_format("to", form, self)
    return result if result.is_contiguous(memory_format=form) else copy_as(result, form)


def _parse_to(args: tuple, kwargs: dict) -> tuple[Any, Any, bool, Any]:
    """Returns dtype, device, copy and memory format from any of the forms of `to`."""
    dtype, place = kwargs.pop("dtype", None), kwargs.pop("device", None)
    copy, form = kwargs.pop("copy", False), kwargs.pop("memory_format", None)
    kwargs.pop("non_blocking", None)
    if kwargs:
        _refuse_to(args, kwargs)
    rest = list(args)
    if rest and isinstance(rest[0], Tensor):
        dtype, place = rest[0].dtype, rest[0].device
        rest.pop(0)
    elif rest and (isinstance(rest[0], dtypes.dtype) or rest[0] in PYTHON_TYPES):
        dtype = creation.dtype_from(rest.pop(0))
    elif rest:
        if rest[0] is None or isinstance(rest[0], (str, device)) or type(rest[0]) is int:
            place = rest.pop(0) if place is None else place
        if rest and (rest[0] is None or isinstance(rest[0], dtypes.dtype)):
            dtype = rest.pop(0) or dtype
        elif rest:
            _refuse_to(args, kwargs)
    if len(rest) > 2 or not all(isinstance(each, bool) for each in rest):
        _refuse_to(args, kwargs)
    if len(rest) == 2:
        copy = rest[1]
    return dtype, place, copy, form


def _refuse_to(args: tuple, kwargs: dict) -> None:
    given = [type(each).__name__ for each in args]
    given += [f"{name}={type(each).__name__}" for name, each in kwargs.items()]
    raise TypeError(
        f"to() received an invalid combination of arguments - got ({', '.join(given)}), but "
        "expected one of:\n"
        " * (torch.device device, torch.dtype dtype, bool non_blocking, bool copy)\n"
        " * (torch.dtype dtype, bool non_blocking, bool copy)\n"
        " * (Tensor tensor, bool non_blocking, bool copy)\n"
    )


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, or the tensor converted to a type given by name or dtype.

    >>> import lantern
    >>> lantern.ones(1).type(), lantern.ones(1).type("torch.IntTensor").dtype
    ('torch.FloatTensor', torch.int32)
    """
    if dtype is None:
        place = "torch.cuda" if self.is_cuda else "torch"
        return f"{place}.{self.dtype.legacy}Tensor"
    if dtype in PYTHON_TYPES:
        raise ValueError(f"invalid type: '{dtype.__name__}'")
    result = _to(self, creation.dtype_from(dtype))
    if isinstance(dtype, str):  # these name a device, too
        place = "cuda" if dtype.startswith("torch.cuda.") else "cpu"
        result = result if result.device.type == place else _to(result, place)
    return result


def _type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor in the dtype of another."""
    if not isinstance(other, Tensor):
        raise TypeError(
            f"type_as(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}"
        )
    return _to(self, other)


def _caster(dtype: dtypes.dtype) -> Callable[..., Tensor]:
    def cast(self: Tensor, memory_format: memory_format = preserve_format) -> Tensor:
        if memory_format is not preserve_format:
            return _to(self, dtype, memory_format=memory_format)
        return self if self.dtype is dtype else ops.cast(self, dtype)

    cast.__doc__ = f"The tensor as {dtype!r}."
    return cast


def _cpu(self: Tensor, memory_format: memory_format = preserve_format) -> Tensor:
    """The tensor on the CPU."""
    return _to(self, "cpu", memory_format=memory_format)


def _cuda(
    self: Tensor,
    device: Any = None,
    non_blocking: bool = False,
    memory_format: memory_format = preserve_format,
) -> Tensor:
    """The tensor on a GPU; raises RuntimeError where there is none."""
    place = "cuda" if device is None else device
    if self.is_cuda and device is None:
        place = self.device
    return _to(self, place, memory_format=memory_format)


def _contains(self: Tensor, value: Any) -> bool:
    if not isinstance(value, (Tensor, int, float, complex)):
        raise RuntimeError(
            "Tensor.__contains__ only supports Tensor or scalar, but you passed in a "
            f"{type(value)}."
        )
    return bool(ops.any(ops.eq(self, value)))


def _is_nonzero(self: Tensor) -> bool:
    """Says whether the one element is not zero; raises RuntimeError if there are more."""
    return bool(self)


def _as_subclass(self: Tensor, cls: type) -> Any:
    """The tensor as an object of a subclass of Tensor; gradients flow through."""
    result = share(cls, self)
    shown = alias(self)
    result._base, result._seen, result._layout = shown._base, shown._seen, shown._layout
    result._node, result._index = shown._node, shown._index
    return result


# --- new tensors like this one
def _new(self: Tensor, *args: Any, device: Any = None) -> Tensor:
    """A tensor of this dtype with the sizes or the data given."""
    return placed(_new_data)(self, *args, device=self.device if device is None else device)


def _new_data(input: Tensor, *args: Any, device: Any = None) -> Tensor:
    if not args:
        return ops.full((0,), 0, input.dtype)
    return creation.legacy_data(args, input.dtype)


def _new_from(name: str) -> Callable[..., Tensor]:
    function = getattr(creation, name)

    def new(
        self: Tensor, *args: Any, dtype: Any = None, device: Any = None, **kwargs: Any
    ) -> Tensor:
        if not args and "size" not in kwargs:
            raise TypeError(f'new_{name}() missing 1 required positional arguments: "size"')
        dtype = self.dtype if dtype is None else dtype
        return function(*args, dtype=dtype, device=device or self.device, **kwargs)

    new.__name__ = f"new_{name}"
    new.__doc__ = f"As `{name}`, with this tensor's dtype and device."
    return new


def _new_empty_strided(self: Tensor, size: Any, stride: Any, **kwargs: Any) -> Tensor:
    """As `empty_strided`, with this tensor's dtype."""
    given = {"dtype": self.dtype, "device": self.device, **kwargs}
    return factories.empty_strided(size, stride, **given)


def _new_tensor(self: Tensor, data: Any, **kwargs: Any) -> Tensor:
    """As `tensor`, with this tensor's dtype."""
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach()."
            "clone() or sourceTensor.detach().clone().requires_grad_(True), rather than "
            "tensor.new_tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        data = data.detach()
        result = ops.clone(data) if "dtype" not in kwargs else _to(data, kwargs["dtype"], copy=True)
        return result.requires_grad_(kwargs.get("requires_grad", False))
    return creation.tensor(data, **{"dtype": self.dtype, "device": self.device, **kwargs})


# --- copies of the object
def _deepcopy(self: Tensor, memo: dict) -> Any:
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
            "because of a torch.nn.utils.weight_norm usage, see "
            "https://github.com/pytorch/pytorch/pull/103001"
        )
    storage = memo.get(id(self._storage))
    if storage is None:  # tensors that share memory do so as copies, too
        storage = memo[id(self._storage)] = Storage(_copied_memory(self._storage.array))
    copied = share(type(self), self)
    copied._storage = storage
    copied._array = _window(storage.array, self)
    memo[id(self)] = copied
    if self.requires_grad:
        copied.requires_grad_()
    if self._grad is not None:
        copied._grad = self._grad.__deepcopy__(memo)
    own = {k: v for k, v in self.__dict__.items() if k not in copied.__dict__ and k[0] != "_"}
    copied.__dict__.update(own)
    return copied


def _copied_memory(array: Any) -> Any:
    """Returns a copy of an array with the same strides, gaps included."""
    namespace = NAMESPACES[type(array)]
    shape, strides = namespace.extent(array)
    return namespace.window(namespace.clone(namespace.memory_of(array)), shape, strides, 0)


def _window(array: Any, like: Tensor) -> Any:
    if not like._layout:
        return array
    return NAMESPACES[type(array)].window(array, *geometry_of(like)[:3])


def _reduce_ex(self: Tensor, protocol: Any) -> tuple:
    """How a tensor is pickled: tensors that share memory share it again when loaded."""
    added = {k: v for k, v in vars(self).items() if k not in Tensor.__annotations__}
    size, stride, offset, _ = geometry_of(self)
    parts = (type(self), self._storage, size, stride, offset, self.requires_grad)
    return _rebuild, parts, added or None


def _reduce_storage(self: Storage) -> tuple:
    """How memory is pickled: as one row, and how the first tensor saw it."""
    namespace = NAMESPACES[type(self.array)]
    row = namespace.clone(namespace.memory_of(self.array))
    return _rebuild_storage, (row, *namespace.extent(self.array))


def _rebuild_storage(row: Any, shape: tuple, strides: tuple) -> Storage:
    return Storage(NAMESPACES[type(row)].window(row, shape, strides, 0))


Storage.__reduce__ = _reduce_storage  # type: ignore[assignment]


def _rebuild(
    cls: type, storage: Storage, size: tuple, stride: tuple, offset: int, requires_grad: bool
) -> Any:
    """Returns the tensor that `_reduce_ex` took apart."""
    array = storage.array
    namespace = NAMESPACES[type(array)]
    tensor: Any = object.__new__(cls)
    tensor._storage = storage
    if (tuple(size), tuple(stride), offset) == (*namespace.extent(array), 0):
        tensor._array = array
    else:
        root = wrap(array)
        tensor._array = namespace.window(array, size, stride, offset)
        tensor._layout = ((memory_view, (size, stride, offset, geometry_of(root))),)
    return tensor.requires_grad_() if requires_grad else tensor


def _array_wrap(self: Tensor, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    """What NumPy's functions make of a tensor becomes a tensor again."""
    return creation.from_numpy(NAMESPACES[type(array)].as_whole_numbers(array))


def _clone(self: Tensor, *, memory_format: memory_format = preserve_format) -> Tensor:
    """A copy in memory of its own; dimensions keep their order unless `memory_format` says else.

    >>> import lantern
    >>> lantern.zeros(2, 3).t().clone().stride()
    (1, 3)
    """
    if memory_format is preserve_format:
        return ops.clone(self)
    check_format("clone", memory_format, self)
    return (
        copied(self) if memory_format is contiguous_format else copied_as(self, memory_format.order)
    )


def _pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """A copy in page-locked memory, from which copies to a GPU are fast.

    Raises RuntimeError for a tensor on a GPU, and where there is no GPU.
    """
    if self.is_cuda:
        raise RuntimeError(f"cannot pin '{self.type()}' only dense CPU tensors can be pinned")
    if not count():
        raise RuntimeError("Cannot access accelerator device when none is available.")
    return self if _is_pinned(self) else wrap(gpu.namespace.placing.pinned(self._array))


def _is_pinned(self: Tensor, device: Any = None) -> bool:
    """Says whether the tensor is in page-locked memory."""
    if gpu.namespace is None or self.is_cuda:
        return False
    return gpu.namespace.placing.is_pinned(self._array)


METHODS: dict[str, Any] = {
    "pin_memory": _pin_memory,
    "to": _to,
    "type": _type,
    "type_as": _type_as,
    "cpu": _cpu,
    "cuda": _cuda,
    "clone": _clone,
    "new": _new,
    "new_zeros": _new_from("zeros"),
    "new_ones": _new_from("ones"),
    "new_empty": _new_from("empty"),
    "new_full": _new_from("full"),
    "new_empty_strided": _new_empty_strided,
    "new_tensor": _new_tensor,
    "is_nonzero": _is_nonzero,
    "const_data_ptr": lambda self: self.data_ptr(),
    "conj_physical_": lambda self: self,
    "is_shared": lambda self: False,
    "is_pinned": _is_pinned,
    "as_subclass": _as_subclass,
    "__contains__": _contains,
    "__deepcopy__": _deepcopy,
    "__reduce_ex__": _reduce_ex,
    "__array_wrap__": _array_wrap,
}
for _name, _dtype in [*dtypes.ALIASES.items(), ("bool", dtypes.bool_), ("byte", dtypes.uint8)]:
    METHODS[_name] = _caster(_dtype)
METHODS["char"], METHODS["bfloat16"] = _caster(dtypes.int8), _caster(dtypes.bfloat16)
