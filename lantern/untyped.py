"""`UntypedStorage`: the bytes that a tensor and its views share."""

from __future__ import annotations

from typing import Any

from .backends import NAMESPACES
from .device import CPU, as_device
from .device import device as Device
from .moving import transfer
from .shape import offsets_range
from .storage import Storage
from .tensor import Tensor


class UntypedStorage:
    """The whole memory behind a tensor, as bytes; equal for tensors that share it.

    >>> import lantern
    >>> x = lantern.zeros(2, 3)
    >>> x[0].untyped_storage().nbytes()
    24
    """

    def __init__(self, storage: Storage):
        self._storage = storage
        self._namespace = NAMESPACES[type(storage.array)]

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return self._namespace.device_of(self._storage.array)

    def buffer(self) -> memoryview:
        """Returns all bytes as a writable memoryview."""
        return self._namespace.bytes_of(self._storage.array)

    def nbytes(self) -> int:
        """Returns the number of bytes."""
        shape, strides = self._namespace.extent(self._storage.array)
        return offsets_range(shape, strides) * self._storage.array.itemsize

    size = __len__ = nbytes

    def cuda(self, device: int | None = None) -> UntypedStorage:
        """Returns a copy of the memory on a GPU; raises RuntimeError where there is none."""
        return self._at(as_device("cuda" if device is None else Device("cuda", device)))

    def cpu(self) -> UntypedStorage:
        """Returns the memory if it is the computer's own, else a copy there."""
        return self if self.device == CPU else self._at(CPU)

    def _at(self, place: Device) -> UntypedStorage:
        row = self._namespace.memory_of(self._storage.array)
        return UntypedStorage(Storage(transfer(row, place)))

    def data_ptr(self) -> int:
        """Returns the address of the first byte."""
        return self._namespace.address_of(self._storage.array)

    def tolist(self) -> list[int]:
        """Returns the bytes as numbers."""
        return self.buffer().tolist()

    def __getitem__(self, index: Any) -> Any:
        found = self.buffer()[index]
        return found.tolist() if isinstance(index, slice) else found

    def __setitem__(self, index: Any, value: Any) -> None:
        self.buffer()[index] = value

    def __repr__(self) -> str:
        rows = "\n".join(f" {each}" for each in self.tolist()) or " "
        kind = f"torch.storage.UntypedStorage(device={self.device})"
        return f"{rows}\n[{kind} of size {len(self)}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._storage is other._storage

    def __hash__(self) -> int:
        return id(self._storage)


def untyped_storage(self: Tensor) -> UntypedStorage:
    """The whole memory that this tensor and its views share."""
    return UntypedStorage(self._storage)
