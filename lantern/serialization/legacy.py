"""The format from before PyTorch 1.6: five pickles in a row, then the bytes of the storages."""

from __future__ import annotations

import pickle
import struct
import sys
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, BinaryIO

from . import bridge
from .container import Source
from .pickler import StorageCollector, TorchPickler
from .pickling import shown
from .storages import Memory, Storages, as_text, swap_bytes, unpacked_id

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001
SYSTEM = {
    "protocol_version": VERSION,
    "little_endian": sys.byteorder == "little",
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}


class LegacyStorages(Storages):
    """Storages whose bytes follow the pickle: memory first, filled when all are known."""

    def __init__(self, source: Source, map_location: Any):
        super().__init__(map_location)
        self._source = source
        self._claimed = 0
        self._kinds: dict[str, Any] = {}

    def persistent_load(self, saved_id: Any) -> Any:
        """Returns a storage, or the class of a container module, whose source is not looked at."""
        if type(saved_id) is tuple and len(saved_id) == 4 and as_text(saved_id[0]) == "module":
            return saved_id[1]
        kind, key, location, numel, view = unpacked_id(saved_id, 6)
        dtype = kind.dtype
        nbytes = numel * dtype.itemsize
        memory = self._by_key.get(key)
        if memory is None:
            self._claimed += nbytes
            if self._claimed > self._source.size:
                raise UnpicklingError(
                    f"the storages are said to hold more than the {self._source.size} bytes of "
                    "the file: it is truncated or damaged"
                )
            memory = self._by_key[key] = Memory(nbytes, dtype, *bridge.allocate(nbytes, dtype))
            self._kinds[key] = dtype
            self.place(memory, dtype, location)
        elif memory.nbytes != nbytes:
            raise UnpicklingError(f"storage '{key}' is said to have two sizes")
        return self.register(memory if view is None else self._part(memory, dtype, view), dtype)

    def _part(self, memory: Memory, dtype: Any, view: Any) -> Memory:
        """A storage that was itself a part of another one, as versions before 0.4 had them."""
        if type(view) is not tuple or len(view) != 3:
            raise UnpicklingError("a part of a storage is not described as one")
        key, offset, size = as_text(view[0]), view[1], view[2]
        whole = all(type(number) is int and 0 <= number for number in (offset, size))
        if not whole or (offset + size) * dtype.itemsize > memory.nbytes:
            raise UnpicklingError("a part of a storage lies outside of it")
        found = self._by_key.get(key)
        if found is None:
            start, nbytes = offset * dtype.itemsize, size * dtype.itemsize
            buffer = memory.buffer[start : start + nbytes]
            found = Memory(nbytes, dtype, bridge.over(buffer, dtype), buffer)
            self._by_key[key] = found
        return found

    def fill(self, keys: Any, position: int) -> int:
        """Reads the bytes of all storages from `position` on and returns where they end."""
        keys = [as_text(key) for key in keys] if type(keys) is list else []
        named = all(type(key) is str for key in keys)
        if not named or len(keys) != len(self._kinds) or set(keys) != set(self._kinds):
            raise UnpicklingError("the storages in the file are not those that the tensors name")
        for key in keys:
            memory, dtype = self._by_key[key], self._kinds[key]
            (numel,) = struct.unpack("<q", self._source.read(position, 8))
            if numel * dtype.itemsize != memory.nbytes:
                raise UnpicklingError(
                    f"storage '{key}' holds {numel} elements where {memory.nbytes} bytes are named"
                )
            self._source.read_into(position + 8, memory.buffer)
            position += 8 + memory.nbytes
            if sys.byteorder == "big":
                swap_bytes(memory.buffer, dtype)
            if bridge.location_of(memory.storage) != "cpu":
                bridge.write_bytes(memory.storage, memory.buffer)
        return position


def load(source: Source, storages: LegacyStorages, unpickle: Callable[[Any], Any]) -> Any:
    """Returns the object; `unpickle(persistent_load)` reads the next pickle of the file.

    Raises RuntimeError for files of another kind and UnpicklingError for damaged ones.
    """
    if unpickle(_no_storages) != MAGIC:
        raise RuntimeError(
            f"Invalid magic number; corrupt file? {source.what} is a pickle, but not one that "
            "torch.save wrote"
        )
    version = unpickle(_no_storages)
    if version != VERSION:
        raise RuntimeError(f"Invalid protocol version: {shown(version)}")
    unpickle(_no_storages)  # the writer's byte order and sizes, which do not change the format
    result = unpickle(storages.persistent_load)
    keys = unpickle(_no_storages)
    end = storages.fill(keys, source.file.tell() - source.start)
    source.file.seek(source.start + end)
    return result


def save(
    obj: Any, file: BinaryIO, pickler: type[TorchPickler], protocol: int, top: str = ""
) -> None:
    """Writes an object in the old format, which has no place for the name `top` of a folder."""
    for head in (MAGIC, VERSION, SYSTEM):
        pickle.dump(head, file, protocol=protocol)
    storages = StorageCollector()
    pickler(file, protocol, storages, legacy=True).dump(obj)
    ordered = sorted(storages.saved, key=lambda saved: saved.key)
    pickle.dump([saved.key for saved in ordered], file, protocol=protocol)
    for saved in ordered:
        file.write(struct.pack("<q", len(saved.buffer) // saved.dtype.itemsize))
        buffer = saved.buffer
        if sys.byteorder == "big":
            buffer = memoryview(bytearray(buffer))
            swap_bytes(buffer, saved.dtype)
        file.write(buffer)


def _no_storages(saved_id: Any) -> Any:
    raise UnpicklingError("a storage is named where none can be")
