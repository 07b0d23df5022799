"""The storages of a checkpoint while it is read, and where in them a tensor may lie.

A pickle names storages by id; what comes back for an id is a storage of Lantern, which a program
that saved a bare storage gets to keep. Tensors are cut from the flat tensor over the same memory,
so that tensors that shared memory when they were saved share it again.
"""

from __future__ import annotations

import sys
from pickle import UnpicklingError
from typing import Any, NamedTuple

from . import bridge
from .container import RecordReader
from .locations import as_text, restorer
from .pickling import shown

MAX_NUMEL = 1 << 62  # element counts and byte offsets stay within signed 64 bits


class StorageType(NamedTuple):
    """What a storage class in a pickle says: the name of the type of its elements."""

    dtype_name: str
    is_untyped: bool = False

    @property
    def dtype(self) -> Any:
        """The dtype; raises NotImplementedError where Lantern has none of that name."""
        return bridge.dtype_named(self.dtype_name)


def storage_type(name: str) -> StorageType | None:
    """Returns the type of a storage class such as `FloatStorage`; None for any other name."""
    found = bridge.STORAGE_DTYPES.get(name) or bridge.FOREIGN_STORAGES.get(name)
    return None if found is None else StorageType(found, name == "UntypedStorage")


class Memory:
    """One storage of the file: its bytes and the flat tensors over them, by dtype."""

    def __init__(self, nbytes: int, dtype: Any, flat: Any, buffer: memoryview):
        self.nbytes = nbytes
        self.buffer = buffer
        self.flats = {dtype: flat}
        self.storage = flat.untyped_storage()
        self.swap_pending = False

    def flat(self, dtype: Any) -> Any:
        """Returns a flat tensor of `dtype` over the memory."""
        if self.swap_pending:
            swap_bytes(self.buffer, dtype)
            self.swap_pending = False
        found = self.flats.get(dtype)
        if found is None and bridge.location_of(self.storage) != "cpu":
            found = self.flats[dtype] = bridge.seen_as(self.storage, dtype)
        elif found is None:
            usable = self.nbytes // dtype.itemsize * dtype.itemsize
            found = self.flats[dtype] = bridge.over(self.buffer[:usable], dtype)
        return found


class Storages:
    """Turns ids into storages; subclasses say where the bytes come from."""

    def __init__(self, map_location: Any):
        self._restore = restorer(map_location)
        self._by_key: dict[str, Memory] = {}
        self._by_storage: dict[int, tuple[Memory, Any]] = {}

    def find(self, storage: Any) -> tuple[Memory, Any]:
        """Returns the memory and dtype of a storage that came from `persistent_load`."""
        found = self._by_storage.get(id(storage))
        if found is None:
            raise UnpicklingError(f"a tensor was given {type(storage)} where a storage belongs")
        return found

    def place(self, memory: Memory, dtype: Any, location: str) -> Any:
        """Applies `map_location` and returns the storage that stands for `memory`."""
        placed = self._restore(memory.storage, location)
        if placed is not memory.storage:
            if placed.nbytes() != memory.nbytes:
                raise RuntimeError(
                    f"map_location returned a storage of {placed.nbytes()} bytes for one of "
                    f"{memory.nbytes} bytes"
                )
            if bridge.location_of(placed) == "cpu":
                memory.buffer = bridge.buffer_of(placed)
            memory.flats, memory.storage = {}, placed
        return self.register(memory, dtype)

    def register(self, memory: Memory, dtype: Any) -> Any:
        """Makes the storage of `memory` known to `find` and returns it."""
        self._by_storage[id(memory.storage)] = memory, dtype
        return memory.storage


class ZipStorages(Storages):
    """Storages in the records `data/<key>` of an archive, read (or mapped) when first named."""

    def __init__(
        self,
        reader: RecordReader,
        map_location: Any,
        order: str,
        mapped: memoryview | None = None,
    ):
        super().__init__(map_location)
        self._reader = reader
        self._order = order
        self._mapped = mapped
        # A function that looks at storages, or a swap of bytes, wants them checked before.
        self._check_later = order == sys.byteorder and not callable(map_location)

    def persistent_load(self, saved_id: Any) -> Any:
        """Returns the storage of `('storage', type, key, location, numel)`."""
        kind, key, location, numel, _ = unpacked_id(saved_id, 5)
        dtype = kind.dtype
        memory = self._by_key.get(key)
        nbytes = numel * dtype.itemsize
        if memory is None:
            name = f"data/{key}"
            if self._reader.size(name) != nbytes:
                raise UnpicklingError(
                    f"storage '{key}' is said to hold {numel} elements of {dtype}, {nbytes} bytes, "
                    f"but its record holds {self._reader.size(name)} bytes"
                )
            memory = self._by_key[key] = self._read(name, nbytes, dtype)
            if self._order != sys.byteorder:
                if kind.is_untyped:
                    memory.swap_pending = True  # only the tensors know the size of the elements
                else:
                    swap_bytes(memory.buffer, dtype)
            return self.place(memory, dtype, location)
        if memory.nbytes != nbytes:
            raise UnpicklingError(f"storage '{key}' is said to have two sizes")
        return self.register(memory, dtype)

    def _read(self, name: str, nbytes: int, dtype: Any) -> Memory:
        if self._mapped is not None:
            offset = self._reader.offset(name)
            buffer = self._mapped[offset : offset + nbytes]
            if offset % dtype.itemsize == 0:
                return Memory(nbytes, dtype, bridge.over(buffer, dtype), buffer)
        flat, buffer = bridge.allocate(nbytes, dtype)
        self._reader.read_into(name, buffer, check_later=self._check_later)
        return Memory(nbytes, dtype, flat, buffer)


def unpacked_id(saved_id: Any, length: int) -> tuple[StorageType, str, str, int, Any]:
    """Returns type, key, location, numel and the rest of a storage's id, each checked."""
    if type(saved_id) is not tuple or len(saved_id) != length or as_text(saved_id[0]) != "storage":
        raise UnpicklingError(
            f"Only persistent_load of storage is allowed, but got {type(saved_id)}"
        )
    kind, numel = saved_id[1], saved_id[4]
    key, location = as_text(saved_id[2]), as_text(saved_id[3])
    if not isinstance(kind, StorageType):
        raise UnpicklingError(f"{shown(kind)} is not a storage type")
    if type(key) is not str or type(location) is not str:
        raise UnpicklingError("the key and the location of a storage must be texts")
    if type(numel) is not int or not 0 <= numel < MAX_NUMEL:
        raise UnpicklingError("a storage is said to hold an impossible number of elements")
    return kind, key, location, numel, saved_id[5] if length > 5 else None


def checked_place(
    nbytes: int, dtype: Any, offset: Any, size: Any, stride: Any
) -> tuple[int, tuple[int, ...], tuple[int, ...]]:
    """Returns offset, size and stride of a tensor that lies within `nbytes` bytes.

    Raises UnpicklingError for anything else, before memory is touched.
    """
    whole = all(
        isinstance(each, tuple) and all(type(number) is int for number in each)
        for each in (size, stride)
    )
    if not whole or type(offset) is not int or len(size) != len(stride):
        raise UnpicklingError("size, stride and offset of a tensor must be integers that match")
    if len(size) > bridge.MAX_DIMENSIONS:
        raise UnpicklingError(
            f"a tensor of {len(size)} dimensions; at most {bridge.MAX_DIMENSIONS} are possible"
        )
    if not all(0 <= number < MAX_NUMEL for number in (offset, *size, *stride)):
        raise UnpicklingError("size, stride or offset of a tensor is negative or impossibly large")
    numel, last = 1, offset
    for length, step in zip(size, stride, strict=True):
        numel *= length
        last += (length - 1) * step
    if not numel:
        return min(offset, nbytes // dtype.itemsize), tuple(size), tuple(stride)
    end = (last + 1) * dtype.itemsize
    if end > nbytes or numel >= MAX_NUMEL:
        raise UnpicklingError(
            f"a tensor of size {list(size)}, stride {list(stride)} and offset {offset} of {dtype} "
            f"reaches byte {end}, outside its storage of {nbytes} bytes"
        )
    return offset, tuple(size), tuple(stride)


def swap_bytes(buffer: memoryview, dtype: Any) -> None:
    """Turns numbers of the other byte order into this machine's, in place."""
    width = dtype.itemsize
    if width == 1:
        return
    reversed_copy = bytearray(buffer)
    for place in range(width):
        reversed_copy[place::width] = buffer[width - 1 - place :: width].tobytes()
    buffer[:] = reversed_copy
