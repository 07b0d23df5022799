"""safetensors files: what `safetensors.torch` offers, over the library that owns the format.

`from safetensors.torch import save_file` gives this module under `lantern run`. The library writes
the files and checks the headers; bytes go straight between the file and the tensors' memory.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import lantern

from .serialization import bridge
from .serialization.atomic import replacing
from .serialization.container import Source

_DTYPES = {
    "BOOL": "bool", "U8": "uint8", "U16": "uint16", "U32": "uint32", "U64": "uint64",
    "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64",
    "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
}  # fmt: skip


def _library() -> Any:
    try:
        import safetensors
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "safetensors files need the library: pip install 'lantern-dl[safetensors]'",
            name=error.name,
        ) from None
    return safetensors


def save_file(
    tensors: dict[str, Any], filename: str | os.PathLike, metadata: dict[str, str] | None = None
) -> None:
    """Writes a dict of tensors to a file, which takes its place when it is whole.

    Raises ValueError for what is no contiguous tensor, and RuntimeError for tensors that share
    memory (`save_model` keeps one of each group).

    >>> import lantern, tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "weights.safetensors")
    ...     save_file({"weight": lantern.ones(2)}, path)
    ...     load_file(path)
    {'weight': tensor([1., 1.])}
    """
    specs = _specs(tensors)
    with replacing(os.fsdecode(filename)) as file:
        _library().serialize_file(specs, file.name, metadata=metadata)


def save(tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """Returns a dict of tensors as the bytes of a safetensors file; raises as `save_file` does.

    >>> import lantern
    >>> load(save({"bias": lantern.zeros(1)}))
    {'bias': tensor([0.])}
    """
    return bytes(_library().serialize(_specs(tensors), metadata=metadata))


def load_file(
    filename: str | os.PathLike, device: str | int = "cpu", *, backend: str = "mmap"
) -> dict[str, Any]:
    """Returns the tensors of a file, by name.

    Raises the library's SafetensorError for a damaged file and NotImplementedError for a dtype
    that Lantern lacks.
    """
    with safe_open(filename, "pt", device, backend=backend) as file:
        return file.get_tensors()


def load(data: bytes) -> dict[str, Any]:
    """Returns the tensors in the bytes of a safetensors file, by name; raises as `load_file`."""
    result = {}
    for name, view in _library().deserialize(data):
        flat = bridge.over(memoryview(view["data"]), _dtype(view["dtype"], name))
        result[name] = flat.view(tuple(view["shape"]))
    return result


def save_model(
    model: Any,
    filename: str | os.PathLike,
    metadata: dict[str, str] | None = None,
    force_contiguous: bool = True,
) -> None:
    """Writes the `state_dict` of a module; of tensors that share memory, one is written.

    The metadata of the file says which name stands for each that was left out.
    """
    state = dict(model.state_dict())
    for kept, others in _duplicates(state).items():
        for other in others:
            metadata = {other: kept, **(metadata or {})}
            del state[other]
    if force_contiguous:
        state = {name: tensor.contiguous() for name, tensor in state.items()}
    try:
        save_file(state, filename, metadata)
    except ValueError as error:
        raise ValueError(
            f"{error} Or use save_model(..., force_contiguous=True), read the docs for potential "
            "caveats."
        ) from None


def load_model(
    model: Any,
    filename: str | os.PathLike,
    strict: bool = True,
    device: str | int = "cpu",
    *,
    backend: str = "mmap",
) -> tuple[list[str], list[str]]:
    """Fills a module from a file of `save_model`; returns the missing and the unexpected names.

    Raises RuntimeError where there are such names and `strict` is set.
    """
    state = load_file(filename, device, backend=backend)
    duplicates = _duplicates(dict(model.state_dict()), preferred=state)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing, unexpected = list(missing), list(unexpected)
    for name in (each for others in duplicates.values() for each in others):
        if name in missing:
            missing.remove(name)
        else:
            unexpected.append(name)
    if strict and (missing or unexpected):
        text = f"Error(s) in loading state_dict for {type(model).__name__}:"
        for kind, names in (("Missing", missing), ("Unexpected", unexpected)):
            if names:
                listed = ", ".join(f'"{name}"' for name in sorted(names))
                text += f"\n    {kind} key(s) in state_dict: {listed}"
        raise RuntimeError(text)
    return missing, unexpected


class safe_open:
    """A safetensors file whose tensors are read when they are asked for, whole or in part.

    `framework` is "pt"; the other frameworks of the library are left to it. With the backend
    "mmap" the file is mapped, with "pread" it is read. Raises as `load_file`.
    """

    def __init__(
        self,
        filename: str | os.PathLike,
        framework: str = "pt",
        device: str | int = "cpu",
        *,
        backend: str = "mmap",
    ):
        lantern.device(device)
        if framework not in TORCH_FRAMEWORKS:
            raise ValueError(f"framework {framework!r} is not Lantern's: use 'pt'")
        if backend not in ("mmap", "pread"):
            raise ValueError(f"backend is 'mmap' or 'pread', not {backend!r}")
        checked = _library()._safetensors_rust.safe_open(filename, framework="np")
        self._metadata = checked.metadata()
        self._order = list(checked.offset_keys())
        self._file = open(filename, "rb")
        self._source = Source(self._file, f"'{os.fsdecode(filename)}'")
        (length,) = struct.unpack("<Q", self._source.read(0, 8))
        header = json.loads(self._source.read(8, length))
        self._start = 8 + length
        self._entries = {name: header[name] for name in sorted(self._order)}
        self._mapped: memoryview | None = None
        if backend == "mmap" and self._source.size:
            self._mapped = memoryview(
                mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY)  # never written back
            )

    def keys(self) -> list[str]:
        """Returns the names of the tensors, sorted."""
        return list(self._entries)

    def offset_keys(self) -> list[str]:
        """Returns the names of the tensors in the order of the file."""
        return list(self._order)

    def metadata(self) -> dict[str, str] | None:
        """Returns the texts that were saved with the tensors."""
        return self._metadata

    def get_tensors(self) -> dict[str, Any]:
        """Returns all tensors, by name, in the order of the file."""
        return {name: self.get_tensor(name) for name in self._order}

    def get_tensor(self, name: str) -> Any:
        """Returns one tensor; raises the library's SafetensorError for an unknown name.

        Where the file is mapped its memory is read when it is first used, and copied when it is
        written: the file stays as it is.
        """
        found = self._shown(name)
        return self._read(name) if found is None else found

    def _read(self, name: str) -> Any:
        entry = self._entry(name)
        start, end = entry["data_offsets"]
        flat, buffer = bridge.allocate(end - start, _dtype(entry["dtype"], name))
        self._source.read_into(self._start + start, buffer)
        return flat.view(tuple(entry["shape"]))

    def get_slice(self, name: str) -> TensorSlice:
        """Returns what gives parts of a tensor by index, such as `[:, 2:5]`."""
        return TensorSlice(self, name, self._entry(name))

    def _shown(self, name: str) -> Any:
        """Returns a tensor over the mapped memory, None where it cannot lie there."""
        entry = self._entry(name)
        dtype = _dtype(entry["dtype"], name)
        start, end = (self._start + each for each in entry["data_offsets"])
        if self._mapped is None or start % dtype.itemsize or start == end:
            return None
        return bridge.over(self._mapped[start:end], dtype).view(tuple(entry["shape"]))

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self._entries:
            raise _library().SafetensorError(f"File does not contain tensor {name}")
        return self._entries[name]

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


class TensorSlice:
    """A tensor of a file that is read by index."""

    def __init__(self, file: safe_open, name: str, entry: dict[str, Any]):
        self._file, self._name, self._entry = file, name, entry

    def get_shape(self) -> list[int]:
        """Returns the whole shape."""
        return list(self._entry["shape"])

    def get_dtype(self) -> str:
        """Returns the format's code of the dtype, such as 'F32'."""
        return self._entry["dtype"]

    def __getitem__(self, index: Any) -> Any:
        whole = self._file.get_tensor(self._name)
        return whole[index].clone()


TORCH_FRAMEWORKS = ("pt", "torch", "pytorch")


def _dtype(code: str, name: str) -> Any:
    if code not in _DTYPES:
        raise NotImplementedError(f"tensor '{name}' is {code}, which is not in Lantern yet")
    return bridge.dtype_named(_DTYPES[code])


def _specs(tensors: Any) -> dict[str, Any]:
    """Returns what the library writes: name, dtype, shape and address of each tensor."""
    if not isinstance(tensors, dict):
        raise ValueError(f"Expected a dict of [str, torch.Tensor] but received {type(tensors)}")
    for name, tensor in tensors.items():
        if not bridge.is_tensor(tensor):
            raise ValueError(
                f"Key `{name}` is invalid, expected torch.Tensor but received {type(tensor)}"
            )
    shared = [names for names in _groups(tensors) if len(names) > 1]
    if shared:
        raise RuntimeError(
            "Some tensors share memory, this will lead to duplicate memory on disk and potential "
            f"differences when loading them again: {[set(names) for names in shared]}.\nA "
            "potential way to correctly save your model is to use `save_model`."
        )
    spec = _library().TensorSpec
    specs = {}
    for name, tensor in tensors.items():
        if not tensor.is_contiguous():
            raise ValueError(
                f"You are trying to save a non contiguous tensor: `{name}` which is not allowed. "
                "Call `.contiguous()` on it before saving; of views of one tensor save the whole "
                "and slice it after loading."
            )
        specs[name] = spec(
            dtype=bridge.dtype_name(tensor.dtype),
            shape=tuple(tensor.shape),
            data_ptr=tensor.data_ptr(),
            data_len=tensor.numel() * tensor.element_size(),
        )
    return specs


def _groups(tensors: Mapping[str, Any]) -> list[list[str]]:
    """Returns the names in groups whose tensors overlap in memory."""
    by_storage = defaultdict(list)
    for name, tensor in tensors.items():
        if tensor.numel():
            start = tensor.data_ptr()
            last = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
            end = start + (last + 1) * tensor.element_size()
            by_storage[tensor.untyped_storage().data_ptr()].append((start, end, name))
    groups = []
    for areas in by_storage.values():
        reached = -1
        for start, end, name in sorted(areas):
            if start >= reached:
                groups.append([name])
            else:
                groups[-1].append(name)
            reached = max(reached, end)
    return groups


def _duplicates(state: dict[str, Any], preferred: Mapping[str, Any] = {}) -> dict[str, list[str]]:
    """Returns, for each group that shares memory, the name to keep and those to leave out."""
    result = {}
    for names in (each for each in _groups(state) if len(each) > 1):
        whole = sorted(name for name in names if _is_whole(state[name]))
        if not whole:
            raise RuntimeError(
                "Error while trying to find names to remove to save state dict, but found no "
                f"suitable name to keep for saving amongst: {set(names)}. None is covering the "
                "entire storage. Save clones of them with save_file instead."
            )
        kept = next((name for name in whole if name in preferred), whole[0])
        result[kept] = sorted(name for name in names if name != kept)
    return result


def _is_whole(tensor: Any) -> bool:
    return tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes()
