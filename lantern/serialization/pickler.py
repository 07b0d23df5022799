"""Writes the pickle of a checkpoint: Lantern's objects under the names that PyTorch gives its own.

Tensors become calls of PyTorch's `_rebuild_…` functions on storages, and storages become ids: their
bytes are written elsewhere, once for all tensors that share them.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from typing import Any, BinaryIO, NamedTuple

import lantern

from . import bridge, names
from .locations import location_tag
from .names import TorchName

_PLAIN = frozenset((str, int, float, bool, bytes, type(None), tuple, list, dict, OrderedDict, set))


class SavedStorage(NamedTuple):
    """A storage to be written: its key in the file, its bytes, where it lives and its dtype."""

    key: str
    buffer: memoryview
    location: str
    dtype: Any  # the one it was first seen with


class StorageReference:
    """Stands for a storage in the pickle, seen as elements of a dtype."""

    def __init__(self, saved: SavedStorage, name: str, itemsize: int):
        self.saved = saved
        self.name = name
        self.numel = len(saved.buffer) // itemsize


class StorageCollector:
    """The storages that have come up so far, each with one key however many tensors share it."""

    def __init__(self) -> None:
        self.saved: list[SavedStorage] = []
        self._by_place: dict[tuple[int, int], SavedStorage] = {}
        self._dtypes: dict[int, Any] = {}
        self._kept: list[Any] = []  # as long as these live, no other storage gets their address

    def refer(self, storage: Any, dtype: Any, location: str) -> StorageReference:
        """Returns what stands for a storage; raises RuntimeError where two dtypes share one."""
        place = storage.data_ptr()
        size = storage.nbytes()
        name = bridge.STORAGE_NAMES.get(bridge.dtype_name(dtype), "UntypedStorage")
        stored: Any = dtype if name != "UntypedStorage" else lantern.uint8
        if size and self._dtypes.setdefault(place, stored) is not stored:
            raise RuntimeError(
                "Cannot save multiple tensors or storages that view the same data as different "
                "types"
            )
        saved = self._by_place.get((place, size)) if size else None
        if saved is None:
            saved = SavedStorage(str(len(self.saved)), bridge.buffer_of(storage), location, stored)
            self.saved.append(saved)
            self._by_place[place, size] = saved
            self._kept.append(storage)
        return StorageReference(saved, name, stored.itemsize)


_PythonPickler: Any = pickle._Pickler  # type: ignore[attr-defined]


class TorchPickler(_PythonPickler):
    """The standard library's pickler in Python, with PyTorch's names for what is Lantern's."""

    def __init__(
        self, file: BinaryIO, protocol: int, storages: StorageCollector, *, legacy: bool = False
    ):
        super().__init__(file, protocol)
        self._storages = storages
        self._legacy = legacy
        self._names: dict[tuple[str, str], TorchName] = {}

    def persistent_id(self, obj: Any) -> tuple | None:
        """Returns the id of a storage; None for everything else."""
        kind = type(obj)
        if kind is not StorageReference:
            if kind in _PLAIN or not bridge.is_storage(obj):
                return None
            obj = self._storages.refer(obj, lantern.uint8, location_tag(obj))
        module = "torch.storage" if obj.name == "UntypedStorage" else "torch"
        saved = obj.saved
        known = "storage", self._name(module, obj.name), saved.key, saved.location, obj.numel
        return (*known, None) if self._legacy else known

    def reducer_override(self, obj: Any) -> Any:
        """Says how tensors, and the classes and functions of Lantern, are written."""
        kind = type(obj)
        if kind in _PLAIN:
            return NotImplemented
        if bridge.is_uninitialized(obj) or bridge.is_parameter(obj):
            return self._reduce_parameter(obj)
        if bridge.is_tensor(obj):
            return self._reduce_tensor(obj)
        if kind is TorchName:
            return obj.name
        if kind is lantern.Size:
            return self._name("torch", "Size"), (tuple(obj),)
        if kind is lantern.device:
            place = (obj.type,) if obj.index is None else (obj.type, obj.index)
            return self._name("torch", "device"), place
        known = names.of_lantern(obj)
        return NotImplemented if known is None else known.name

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Writes a name: PyTorch's for what is PyTorch's, as usual for everything else."""
        known = obj if isinstance(obj, TorchName) else names.of_lantern(obj)
        if known is None:
            super().save_global(obj, name)
            return
        if self.proto >= 4:
            self.save(known.module)
            self.save(known.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{known.module}\n{known.name}\n".encode())
        self.memoize(obj)

    def _name(self, module: str, name: str) -> TorchName:
        """One object for each name, so that it is written once."""
        return self._names.setdefault((module, name), TorchName(module, name))

    def _reduce_tensor(self, tensor: Any) -> tuple:
        if bridge.is_parameter(tensor):
            return self._reduce_parameter(tensor)
        attributes = bridge.attributes_of(tensor)
        if type(tensor) is lantern.Tensor and not attributes:
            return self._reduce_plain(tensor)
        function, args = self._reduce_plain(tensor)
        kind = type(tensor)
        return self._name("torch._tensor", "_rebuild_from_type_v2"), (
            function,
            kind,
            args,
            attributes,
        )

    def _reduce_parameter(self, parameter: Any) -> tuple:
        if bridge.is_uninitialized(parameter):
            raise pickle.PicklingError(
                "a lazy layer has no sizes yet, so that its parameters can not be saved: call the "
                "model once on an input first"
            )
        attributes = bridge.attributes_of(parameter)
        args: tuple = (parameter.detach(), parameter.requires_grad, OrderedDict())
        if not attributes:
            return self._name("torch._utils", "_rebuild_parameter"), args
        return self._name("torch._utils", "_rebuild_parameter_with_state"), (*args, attributes)

    def _reduce_plain(self, tensor: Any) -> tuple:
        storage, offset, stride = bridge.storage_of(tensor)
        reference = self._storages.refer(storage, tensor.dtype, location_tag(storage))
        hooks: OrderedDict = OrderedDict()
        args: tuple = (reference, offset, tuple(tensor.shape), stride, tensor.requires_grad, hooks)
        if reference.name != "UntypedStorage":
            return self._name("torch._utils", "_rebuild_tensor_v2"), args
        return self._name("torch._utils", "_rebuild_tensor_v3"), (*args, tensor.dtype)
