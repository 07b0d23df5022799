"""Process-wide choices about files, under PyTorch's names."""

from __future__ import annotations

import enum
import mmap

_load_endianness: LoadEndianness | None = None
_checksums = True
_mmap_flags = getattr(mmap, "MAP_PRIVATE", None)


class LoadEndianness(enum.Enum):
    """The byte order of files that do not say which they have."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


def get_default_load_endianness() -> LoadEndianness | None:
    """Returns the byte order assumed for files that do not say theirs; None means little.

    >>> from lantern.serialization import get_default_load_endianness
    >>> get_default_load_endianness() is None
    True
    """
    return _load_endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Sets the byte order assumed for files that do not say theirs; raises TypeError for others.

    >>> from lantern.serialization import set_default_load_endianness
    >>> set_default_load_endianness(None)
    """
    global _load_endianness
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _load_endianness = endianness


def get_crc32_options() -> bool:
    """Says whether `save` writes a checksum for each record.

    >>> from lantern.serialization import get_crc32_options
    >>> get_crc32_options()
    True
    """
    return _checksums


def set_crc32_options(compute_crc32: bool) -> None:
    """Makes `save` write checksums, or leave them out; files without them load unchecked.

    >>> from lantern.serialization import set_crc32_options
    >>> set_crc32_options(True)
    """
    global _checksums
    _checksums = bool(compute_crc32)


def get_default_mmap_options() -> int | None:
    """Returns how `load(mmap=True)` maps files: `mmap.MAP_PRIVATE` or `mmap.MAP_SHARED`.

    >>> import mmap
    >>> from lantern.serialization import get_default_mmap_options
    >>> get_default_mmap_options() == getattr(mmap, "MAP_PRIVATE", None)
    True
    """
    return _mmap_flags


class set_default_mmap_options:
    """Sets how `load(mmap=True)` maps files, for good or within a `with` block.

    With `MAP_PRIVATE` writes to the loaded tensors stay in memory, with `MAP_SHARED` they go to the
    file. Raises RuntimeError where the system has no such choice and ValueError for other flags.

    >>> import mmap
    >>> from lantern.serialization import set_default_mmap_options
    >>> with set_default_mmap_options(mmap.MAP_SHARED):
    ...     pass
    """

    def __init__(self, flags: int):
        global _mmap_flags
        if _mmap_flags is None:
            raise RuntimeError("Changing the default mmap options is currently not supported here")
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE "
                f"or mmap.MAP_SHARED, but got {flags}"
            )
        self._before = _mmap_flags
        _mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: object) -> None:
        global _mmap_flags
        _mmap_flags = self._before
