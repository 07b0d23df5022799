"""`save` and `load`: PyTorch's checkpoint files, out and in."""

from __future__ import annotations

import io
import mmap as mapping
import os
import pickle
import sys
import warnings
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any, BinaryIO

from . import container, legacy, names, settings
from .allowed import AllowList, Refused, refusal
from .atomic import replacing
from .container import RecordReader, RecordWriter, Source
from .pickler import StorageCollector, TorchPickler
from .pickling import NameCollector, PickleStream, SafeUnpickler
from .rebuild import Rebuilder
from .storages import Storages, ZipStorages, storage_type

DEFAULT_PROTOCOL = 2
TRUE_WORDS = ("1", "y", "yes", "true")


def save(
    obj: object,
    f: str | os.PathLike | BinaryIO,
    pickle_module: Any = pickle,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
) -> None:
    """Saves an object with its tensors to a file that PyTorch reads too.

    A path is written beside and renamed, so that a failure leaves the old file as it was; a file
    object only needs `write`. Storages are written once, whole, for all tensors that share them.
    Raises RuntimeError where no file can be made there and PicklingError for what can not be
    pickled.

    >>> import io, lantern
    >>> file = io.BytesIO()
    >>> lantern.save({"weight": lantern.ones(2, 3)}, file)
    >>> file.seek(0)
    0
    >>> lantern.load(file)["weight"].shape
    torch.Size([2, 3])
    """
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError(
            "expected 'f' to be string, path, or a file-like object with a 'write' attribute"
        )
    pickler = _pickler_of(pickle_module)
    write = partial(_save_zip, obj) if _use_new_zipfile_serialization else partial(legacy.save, obj)
    if isinstance(f, (str, os.PathLike)):
        path = os.fsdecode(f)
        with replacing(path) as file:
            write(file, pickler, pickle_protocol, _top_folder(path))
        return
    write(f, pickler, pickle_protocol)
    if hasattr(f, "flush"):
        f.flush()


def _save_zip(
    obj: object, file: BinaryIO, pickler: type[TorchPickler], protocol: int, top: str = "archive"
) -> None:
    pickled, storages = io.BytesIO(), StorageCollector()
    pickler(pickled, protocol, storages).dump(obj)
    writer = RecordWriter(file, top, checksums=settings.get_crc32_options())
    writer.write("data.pkl", pickled.getvalue())
    writer.write(".format_version", b"1")
    writer.write(".storage_alignment", str(container.ALIGNMENT).encode())
    writer.write("byteorder", sys.byteorder.encode())
    for saved in storages.saved:
        writer.write(f"data/{saved.key}", saved.buffer)
    writer.close()


def load(
    f: str | os.PathLike | BinaryIO,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Loads what `save`, here or in PyTorch, has written.

    By default nothing in the file is executed: tensors, plain containers, layers of `nn` and
    modules whose class the program has defined are rebuilt, any other class is refused by name
    with the line that allows it (`weights_only=False` runs what the file says instead).
    `map_location` says where storages go: a device, its name, a dict of names, or a function
    `(storage, location) -> storage`. With `mmap=True` the file at a path is mapped, not read.

    Raises UnpicklingError for what is refused or is no checkpoint, EOFError for an empty file and
    RuntimeError for a truncated or changed one.

    >>> import io, lantern
    >>> file = io.BytesIO()
    >>> lantern.save([lantern.tensor([1, 2]), "text"], file)
    >>> file.seek(0)
    0
    >>> lantern.load(file)
    [tensor([1, 2]), 'text']
    """
    safe = _is_safe(weights_only, pickle_module)
    if safe and pickle_load_args:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    loader = _Loader(map_location, None if safe else pickle_module or pickle, pickle_load_args)
    with _opened(f) as (file, what):
        return loader.load(Source(file, what), bool(mmap))


class _Loader:
    """One load: how it was asked for, and the steps from the container to the object."""

    def __init__(self, map_location: Any, pickle_module: Any, pickle_load_args: dict[str, Any]):
        self._map_location = map_location
        self._pickle_module = pickle_module  # None: the safe unpickler
        self._arguments = {"encoding": "utf-8", **pickle_load_args}

    def load(self, source: Source, mapped: bool) -> Any:
        head = source.read(0, min(source.size, 512))
        if not head:
            where = f" after position {source.start}" if source.start else ""
            raise EOFError(
                f"Ran out of input: {source.what} is empty{where}"
                + (" (f.seek(0) goes back to its beginning)" if where else " (0 bytes)")
            )
        source.file.seek(source.start)
        if head.startswith(b"PK\3\4"):
            return self._load_zip(source, mapped)
        if not head.startswith(b"\x80") or len(head) < 2 or head[1] > pickle.HIGHEST_PROTOCOL:
            raise pickle.UnpicklingError(self._said(_foreign(source.what, head)))
        if mapped:
            raise RuntimeError(
                "mmap can only be used with files saved with "
                "`torch.save(_use_new_zipfile_serialization=True), please torch.save your "
                "checkpoint with this option in order to use mmap."
            )
        return self._load_legacy(source)

    def _load_zip(self, source: Source, mapped: bool) -> Any:
        reader = RecordReader(source)
        if "constants.pkl" in reader:
            raise RuntimeError(
                f"{source.what} is a TorchScript archive (torch.jit.save): it holds a program, "
                "which Lantern does not run. Save the model's state_dict() with torch.save instead."
            )
        container.check_version(reader)
        default = settings.get_default_load_endianness()
        order = container.byte_order(reader, default and default.name.lower())
        memory = _mapped_file(source) if mapped else None
        storages = ZipStorages(reader, self._map_location, order, memory)
        data = reader.read("data.pkl")
        stream = PickleStream(io.BytesIO(data), len(data))
        try:
            result = self._unpickle(io.BytesIO(data), stream, storages, storages.persistent_load)
            reader.check()
            return result
        except Refused as refused:
            others = refused_names(data, self._allow_list(storages, 0), Refused)
            message = refusal(refused.name, others)
            raise pickle.UnpicklingError(self._said(message)) from None
        except pickle.UnpicklingError as error:
            raise pickle.UnpicklingError(self._said(str(error))) from error
        finally:
            reader.close()

    def _load_legacy(self, source: Source) -> Any:
        storages = legacy.LegacyStorages(source, self._map_location)
        stream = PickleStream(source.file, source.size)

        def unpickle(persistent_load: Any) -> Any:
            return self._unpickle(source.file, stream, storages, persistent_load)

        try:
            return legacy.load(source, storages, unpickle)
        except pickle.UnpicklingError as error:
            raise pickle.UnpicklingError(self._said(str(error))) from error

    def _unpickle(
        self, file: BinaryIO, stream: PickleStream, storages: Storages, persistent_load: Any
    ) -> Any:
        if self._pickle_module is None:
            allowed = self._allow_list(storages, stream.left)
            encoding = self._arguments["encoding"]
            return SafeUnpickler(stream, allowed, persistent_load, encoding).load()
        unpickler = _ordinary_unpickler(self._pickle_module)(file, **self._arguments)
        unpickler.functions = Rebuilder(storages, self._map_location).functions
        unpickler.persistent_load = persistent_load
        return unpickler.load()

    def _allow_list(self, storages: Storages, budget: int) -> AllowList:
        return AllowList(Rebuilder(storages, self._map_location), budget)

    def _said(self, message: str) -> str:
        if self._pickle_module is not None:
            return message
        return f"Weights only load failed. WeightsUnpickler error: {message}"


def get_unsafe_globals_in_checkpoint(f: str | os.PathLike | BinaryIO) -> list[str]:
    """Returns the names in a zip checkpoint that a safe load would refuse; executes nothing.

    Raises ValueError for files in the format from before PyTorch 1.6.

    >>> import collections, io, lantern
    >>> file = io.BytesIO()
    >>> lantern.save(collections.deque(), file)
    >>> file.seek(0)
    0
    >>> lantern.serialization.get_unsafe_globals_in_checkpoint(file)
    ['collections.deque']
    """
    with _opened(f) as (file, what):
        source = Source(file, what)
        if source.read(0, min(source.size, 4)) != b"PK\3\4":
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        reader = RecordReader(source)
        storages = ZipStorages(reader, None, "little")
        refused = refused_names(reader.read("data.pkl"), AllowList(Rebuilder(storages), 0))
    return [".".join(name) for name in refused]


def refused_names(
    data: bytes, allowed: AllowList, how: type[Exception] = pickle.UnpicklingError
) -> list[tuple[str, str]]:
    """Returns the names that a pickle is refused for with an error of type `how`.

    Names are read as far as the pickle can be read.
    """
    names = NameCollector()
    stream = PickleStream(io.BytesIO(data), len(data))
    with suppress(pickle.UnpicklingError):
        SafeUnpickler(stream, names, lambda saved_id: None).load()
    return [name for name in names.found if isinstance(_refusal_of(name, allowed), how)]


def _refusal_of(name: tuple[str, str], allowed: AllowList) -> Exception | None:
    try:
        allowed.find(*name)
    except (pickle.UnpicklingError, NotImplementedError) as error:
        return error
    return None


def _is_safe(weights_only: bool | None, pickle_module: Any) -> bool:
    """What `weights_only` comes to; raises RuntimeError where it contradicts `pickle_module`."""
    safe = pickle_module is None if weights_only is None else bool(weights_only)
    if os.environ.get("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0").lower() in TRUE_WORDS:
        safe = True
    if safe and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    return safe


@cache
def _ordinary_unpickler(pickle_module: Any) -> Any:
    """The module's own unpickler, which runs what the file says; PyTorch's names are found here."""

    class TorchUnpickler(pickle_module.Unpickler):
        functions: dict[str, Any]

        def find_class(self, module: str, name: str) -> Any:
            path = f"{module}.{name}"
            if path in self.functions:
                return self.functions[path]
            if module != "torch" and not module.startswith(("torch.", "torchvision.")):
                return super().find_class(module, name)
            kind = storage_type(name)
            if kind is not None:
                return kind
            try:
                return names.to_lantern(module, name, may_import=True)
            except LookupError as error:
                raise AttributeError(str(error)) from None

    return TorchUnpickler


def _pickler_of(pickle_module: Any) -> type[TorchPickler]:
    """A pickler with PyTorch's names on top of the module's own; raises TypeError where none is."""
    if pickle_module is pickle:
        return TorchPickler
    base = getattr(pickle_module, "Pickler", None)
    if not isinstance(base, type) or not issubclass(base, pickle._Pickler):  # type: ignore[attr-defined]
        raise TypeError(
            f"pickle_module must have a Pickler written in Python, as dill has; "
            f"{getattr(pickle_module, '__name__', pickle_module)!r} has none"
        )
    return type("TorchPickler", (TorchPickler, base), {})


@contextmanager
def _opened(f: Any) -> Any:
    """Yields an open binary file and what to call it; closes only what it has opened."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield file, f"'{os.fsdecode(f)}'"
        return
    for needed in ("seek", "tell", "read", "readline"):
        if not hasattr(f, needed):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute '{needed}'. You can only torch.load "
                "from a file that is seekable. Please pre-load the data into a buffer like "
                "io.BytesIO and try to load from it instead."
            )
    if isinstance(f, io.TextIOBase):
        raise TypeError("the file is open in text mode: open it with mode 'rb'")
    yield f, "the file"


def _mapped_file(source: Source) -> memoryview:
    shared = settings.get_default_mmap_options() == getattr(mapping, "MAP_SHARED", None)
    if os.name != "posix" or not shared:
        return memoryview(mapping.mmap(source.file.fileno(), 0, access=mapping.ACCESS_COPY))
    with open(source.file.name, "r+b") as file:
        return memoryview(mapping.mmap(file.fileno(), 0, access=mapping.ACCESS_WRITE))


def _top_folder(path: str) -> str:
    """The folder in the archive: the name of the file where it is ASCII, else 'archive'."""
    stem = os.path.splitext(os.path.basename(path))[0]
    return stem if stem.isascii() and stem.strip(".") and "\\" not in stem else "archive"


def _foreign(what: str, head: bytes) -> str:
    """Says what a file is that is no checkpoint, as far as its first bytes tell."""
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<script")):
        kind = "an HTML page (a download may have saved a login or error page instead of the file)"
    elif text.startswith(b"version https://git-lfs"):
        kind = "a Git LFS pointer (run `git lfs pull` to get the file it stands for)"
    elif head.startswith(b"\x1f\x8b"):
        kind = "compressed with gzip (unpack it first)"
    elif head.startswith(b"\x93NUMPY"):
        kind = "a NumPy array (numpy.load reads it)"
    elif head.startswith(b"\x89HDF"):
        kind = "an HDF5 file (Keras and h5py write those)"
    elif head[8:10] == b'{"':
        kind = "a safetensors file (save_file and load_file of safetensors read it)"
    elif head[257:262] == b"ustar":
        kind = "a tar archive, which PyTorch wrote before version 0.1.10 only"
    elif not head.strip(b"\0"):
        kind = "full of zero bytes (its content never reached the disk)"
    elif _is_text(head):
        kind = f"a text that begins with {head.decode(errors='ignore')[:40]!r}"
    else:
        kind = f"of an unknown kind, beginning with the bytes {head[:8].hex(' ')}"
    return f"{what} is not a checkpoint that torch.save wrote: it is {kind}"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - 3:  # not just the last letter, cut in two
            return False
        text = head[: error.start].decode()
    return all(letter.isprintable() or letter in "\t\r\n" for letter in text)
