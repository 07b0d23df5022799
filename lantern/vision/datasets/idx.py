"""Files in the IDX format, in which MNIST and its relatives are published.

A header of big-endian numbers comes first: two zero bytes, one byte for the type, one for the
number of axes, four for the length of each axis; then the values, the last axis fastest.
"""

from __future__ import annotations

import array
import io
import math
import os
import struct
import sys
from typing import IO, Any

import lantern
from lantern.tensor import Tensor

from .download import UNPACKING_ERRORS, open_packed

# Type byte of the header: name of the dtype, and the type code of Python's `array`.
TYPES = {
    0x08: ("uint8", "B"),
    0x09: ("int8", "b"),
    0x0B: ("int16", "h"),
    0x0C: ("int32", "i"),
    0x0D: ("float32", "f"),
    0x0E: ("float64", "d"),
}

MOST_AXES = 8
BLOCK = 1 << 20


def read_idx(path: str | os.PathLike) -> Tensor:
    """The tensor in an IDX file, which may be compressed (`.gz`, `.xz`).

    Raises FileNotFoundError, and RuntimeError that names the file where it is damaged: not IDX,
    cut off, or longer than its header says.
    """
    path = os.fspath(path)
    with open_packed(path) as file:
        try:
            return _parse(file, path)
        except UNPACKING_ERRORS as error:
            raise _damaged(path, str(error)) from error


def _parse(file: IO[bytes], path: str) -> Tensor:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in TYPES:
        raise _damaged(path, "it does not begin like an IDX file")
    name, code = TYPES[start[2]]
    axes = start[3]
    if not 1 <= axes <= MOST_AXES:
        raise _damaged(path, f"it has {axes} axes")
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise _damaged(path, "its header is cut off")
    shape = struct.unpack(f">{axes}I", lengths)
    content = _read_values(file, math.prod(shape) * array.array(code).itemsize, path)
    dtype = getattr(lantern, name)
    if not len(content):
        return lantern.empty(shape, dtype=dtype)
    if code not in "Bb" and sys.byteorder == "little":
        values = array.array(code, bytes(content))
        values.byteswap()
        return lantern.frombuffer(values, dtype=dtype).view(shape)
    return lantern.frombuffer(content, dtype=dtype).view(shape)


def _read_values(file: IO[bytes], size: int, path: str) -> Any:
    """Exactly `size` bytes. Memory grows with what is there, not with what the header claims."""
    if isinstance(file, io.BufferedReader):  # not packed: how much is there is known before
        there = os.fstat(file.fileno()).st_size - file.tell()
        if there != size:
            raise _wrong_length(path, there, size)
        values = lantern.empty(size, dtype=lantern.uint8).numpy()
        if file.readinto(values) == size:  # type: ignore[arg-type]
            return values
        raise _wrong_length(path, 0, size)
    content = bytearray()
    while len(content) <= size:
        block = file.read(min(BLOCK, size + 1 - len(content)))
        if not block:
            break
        content += block
    if len(content) != size:
        raise _wrong_length(path, len(content), size)
    return content


def _wrong_length(path: str, found: int, size: int) -> RuntimeError:
    relation = "more" if found > size else "fewer"
    return _damaged(path, f"it holds {relation} than the {size} bytes its header announces")


def _damaged(path: str, reason: str) -> RuntimeError:
    return RuntimeError(
        f"{path} is damaged: {reason}. Delete the file and use download=True to get it again"
    )
