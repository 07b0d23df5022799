"""All that `serialization` needs from the rest of Lantern, in one place.

- `lantern.empty(numel, dtype=)` and `lantern.frombuffer(buffer, dtype=)`: flat tensors over fresh
  memory and over a given writable buffer, which they share and keep alive;
- `Tensor.untyped_storage()`: an object with `data_ptr()`, `nbytes()` and `buffer()`, a writable
  memoryview of all its bytes; `Tensor.storage_offset()`, `stride()`, `dtype`, `device`;
- `Tensor.as_strided(size, stride, offset)` and `detach()`: a tensor anywhere in that memory;
- `lantern.nn.Parameter`, and `lantern.nn.Module` with PyTorch's attribute names in `__dict__` and a
  `__setstate__` that supplies what files of old versions lack.
"""

from __future__ import annotations

from math import prod
from typing import Any

import lantern
from lantern.backends import NAMESPACES
from lantern.tensor import Tensor, wrap

# Storage classes of the files, by the dtype of their elements.
STORAGE_DTYPES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "UntypedStorage": "uint8",
}
STORAGE_NAMES = {dtype: name for name, dtype in list(STORAGE_DTYPES.items())[:-1]}

# Names of element types in PyTorch that Lantern does not hold; they are refused by name.
FOREIGN_STORAGES = {
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QInt32Storage": "qint32",
    "QUInt8Storage": "quint8",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
}
DTYPES = frozenset(
    """
    bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 bfloat16 float32 float64
    complex32 complex64 complex128 qint8 qint32 quint8 quint4x2 quint2x4 float8_e4m3fn
    float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2
""".split()
)
MAX_DIMENSIONS = 64  # what a NumPy array can have


def dtype_named(name: str) -> Any:
    """Returns the dtype `lantern.<name>`; raises NotImplementedError for one that is not there."""
    found = vars(lantern).get(name)
    if not isinstance(found, lantern.dtype):
        raise NotImplementedError(f"torch.{name} tensors are not in Lantern yet")
    return found


def dtype_name(dtype: Any) -> str:
    """Returns 'float32' for `lantern.float32`."""
    return str(dtype).removeprefix("torch.")


def allocate(nbytes: int, dtype: Any) -> tuple[Tensor, memoryview]:
    """Returns a flat tensor of fresh memory and its bytes, to be filled."""
    flat: Any = lantern.empty(nbytes // dtype.itemsize, dtype=dtype)
    return flat, buffer_of(flat.untyped_storage())


def over(buffer: memoryview, dtype: Any) -> Tensor:
    """Returns a flat tensor that shares the memory of a writable buffer of bytes."""
    count = len(buffer) // dtype.itemsize
    if not count:
        return lantern.empty(0, dtype=dtype)
    return lantern.frombuffer(buffer, dtype=dtype, count=count)


def seen_as(storage: Any, dtype: Any) -> Tensor:
    """Returns a flat tensor that shares the memory of a storage on a GPU."""
    array = storage._storage.array
    return wrap(NAMESPACES[type(array)].bitcast(array, dtype))


def write_bytes(storage: Any, buffer: memoryview) -> None:
    """Copies bytes into a storage on a GPU."""
    array = storage._storage.array
    namespace = NAMESPACES[type(array)]
    row = over(buffer, lantern.uint8)._array
    namespace.copy_into(namespace.bitcast(array, lantern.uint8), row)


def buffer_of(storage: Any) -> memoryview:
    """Returns the writable bytes of a storage."""
    return storage.buffer()


def storage_of(tensor: Any) -> tuple[Any, int, tuple[int, ...]]:
    """Returns the storage of a tensor, and its offset and strides there in elements."""
    return tensor.untyped_storage(), tensor.storage_offset(), tuple(tensor.stride())


def is_storage(value: Any) -> bool:
    """Says whether a value is what `untyped_storage` returns."""
    kind: Any = lantern.UntypedStorage
    return isinstance(value, kind)


def location_of(storage: Any) -> str:
    """Returns the device of a storage as files name it."""
    return str(storage.device)


def strided(flat: Any, offset: int, size: tuple, stride: tuple) -> Tensor:
    """Returns a tensor of its own history that shows part of the memory of `flat`."""
    if offset == 0 and stride == _row_major(size) and prod(size) == flat.numel():
        return flat.view(size).detach()  # nearly always so, and quicker
    return flat.as_strided(size, stride, offset).detach()


def _row_major(size: tuple) -> tuple:
    strides, step = [], 1
    for length in reversed(size):
        strides.append(step)
        step *= max(length, 1)
    return tuple(reversed(strides))


def attributes_of(tensor: Tensor) -> dict[str, Any]:
    """Returns the attributes that a program has put on a tensor."""
    kind = type(tensor)
    return {n: value for n, value in vars(tensor).items() if not makes_up_tensor(kind, n)}


def makes_up_tensor(kind: type, name: str) -> bool:
    """Says whether an attribute is part of what a tensor is, not something put on it."""
    return hasattr(kind, name) or name in Tensor.__annotations__


is_tensor = lantern.is_tensor


def is_parameter(value: Any) -> bool:
    """Says whether the class of a value is `Parameter` or derives from it."""
    return lantern.nn.Parameter in type(value).__mro__


def is_uninitialized(value: Any) -> bool:
    """Says whether a value is a parameter or buffer of a lazy layer that has no sizes yet."""
    return any(kind.__name__.startswith("Uninitialized") for kind in type(value).__mro__)


def is_module_class(value: Any) -> bool:
    """Says whether a value is a class of neural network modules."""
    return isinstance(value, type) and issubclass(value, lantern.nn.Module)


def cuda_is_available() -> bool:
    """Says whether storages can be put on a GPU."""
    cuda: Any = lantern.cuda
    return bool(cuda.is_available())
