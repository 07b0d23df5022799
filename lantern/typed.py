"""`TypedStorage`: what `tensor.storage()` returns, the memory of a tensor as a row of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import dtypes, ops
from .creation import frombuffer
from .device import device
from .tensor import Tensor
from .untyped import UntypedStorage


class TypedStorage:
    """The whole memory behind a tensor and its views, whatever part of it they show.

    >>> import lantern
    >>> x = lantern.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x[1].storage()[0], len(x.T.storage())
    (1.0, 4)
    """

    def __init__(self, memory: UntypedStorage, dtype: dtypes.dtype):
        self._memory, self.dtype = memory, dtype

    @property
    def device(self) -> device:
        """Where the memory is."""
        return self._memory.device

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is a GPU's."""
        return self.device.type == "cuda"

    def untyped(self) -> UntypedStorage:
        """Returns the same memory as bytes."""
        return self._memory

    def nbytes(self) -> int:
        """Returns the number of bytes."""
        return self._memory.nbytes()

    def element_size(self) -> int:
        """Returns the number of bytes of one element."""
        return self.dtype.itemsize

    def size(self) -> int:
        """Returns the number of elements."""
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def data_ptr(self) -> int:
        """Returns the address of the first element."""
        return self._memory.data_ptr()

    def type(self) -> str:
        """Returns the name that such memory had as a type of its own."""
        return f"torch.{self.dtype.legacy}Storage"

    def _row(self) -> Tensor:
        if not len(self):
            return ops.full((0,), 0, self.dtype)
        return frombuffer(self._memory.buffer(), dtype=self.dtype)

    def tolist(self) -> list:
        """Returns the elements as Python numbers."""
        return self._row().tolist()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def _place(self, index: Any) -> int:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return index

    def __getitem__(self, index: Any) -> Any:
        return self._row()[self._place(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._row()[self._place(index)] = value

    def fill_(self, value: Any) -> TypedStorage:
        """Gives every element one value."""
        self._row()[:] = value
        return self

    def __repr__(self) -> str:
        rows = "\n".join(f" {each}" for each in self) or " "
        kind = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return f"{rows}\n[{kind} of size {len(self)}]"


def storage(self: Tensor) -> TypedStorage:
    """The whole memory that this tensor and its views share, as a row of numbers."""
    return TypedStorage(UntypedStorage(self._storage), self.dtype)
