"""Writing a file so that at any moment the old content or the new one is there, never a part."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where a file that is being written can not be removed anyway
    fcntl = None  # type: ignore[assignment]

SUFFIX = ".saving"
FLUSHED_AT_ONCE = 1 << 26  # bytes


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Opens a new file beside `path` that takes its place when the block ends well.

    The bytes are on the disk before the name changes hands. When the block raises, `path` is as it
    was and the new file is gone; what a killed process left behind goes with the next save to the
    same path. Links are followed; what is no plain file, such as a pipe, is written to directly.
    Raises RuntimeError where no file can be made there.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    _check_target(path, target, folder)
    if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        with open(target, "wb") as file:
            yield file
        return
    prefix = os.path.join(folder, f".{name[:200]}.")
    _remove_abandoned(folder, prefix)
    beside, new_file = _open_beside(prefix)
    try:
        with new_file as file:
            early = _Early(file)
            try:
                yield early  # type: ignore[misc]
            finally:
                early.wait()
            file.flush()
            os.fsync(file.fileno())
            with suppress(FileNotFoundError):
                shutil.copymode(target, beside)
            if os.name == "posix":
                os.replace(beside, target)
        if os.name != "posix":  # open files can not be renamed there
            os.replace(beside, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(beside)
        raise
    _sync_folder(folder)


class _Early:
    """A file that sends what is written to the disk from time to time, in a thread.

    Whoever writes need not wait for the whole of it at the end.
    """

    def __init__(self, file: BinaryIO):
        self.file = file
        self.name = file.name
        self._since = 0
        self._flush: threading.Thread | None = None

    def write(self, data: bytes | memoryview) -> int:
        """Appends bytes."""
        count = self.file.write(data)
        self._since += count
        if self._since > FLUSHED_AT_ONCE and (self._flush is None or not self._flush.is_alive()):
            self._since = 0
            self._flush = threading.Thread(target=_to_disk, args=(self.file.fileno(),))
            self._flush.start()
        return count

    def wait(self) -> None:
        """Returns when no thread uses the file any more."""
        if self._flush is not None:
            self._flush.join()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def _to_disk(descriptor: int) -> None:
    with suppress(OSError):  # the flush at the end says what is wrong
        os.fsync(descriptor)


def _check_target(path: str, target: str, folder: str) -> None:
    if not path:
        raise RuntimeError("invalid file name: the path to save to is empty")
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {os.path.dirname(path)} does not exist.")
    if os.path.isdir(target):
        raise RuntimeError(f"open file failed with strerror: Is a directory: '{path}'")


def _open_beside(prefix: str) -> tuple[str, BinaryIO]:
    """Opens a new file that is locked for as long as it is being written."""
    while True:
        beside = f"{prefix}{os.urandom(8).hex()}{SUFFIX}"
        file = open(beside, "xb")
        if _lock(file) and os.path.exists(beside):
            return beside, file
        file.close()  # another save took it for abandoned in the moment before it was locked


def _remove_abandoned(folder: str, prefix: str) -> None:
    """Removes what savers of the same path left when they were killed: nobody has it locked."""
    for entry in os.listdir(folder) if fcntl is not None else ():
        beside = os.path.join(folder, entry)
        if not beside.startswith(prefix) or not entry.endswith(SUFFIX):
            continue
        with suppress(OSError), open(beside, "rb") as file:
            if _lock(file):
                os.remove(beside)


def _lock(file: BinaryIO) -> bool:
    """Locks a file as long as it is open; False where another process has done so."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return file.writable()  # no locks on this file system: nothing is taken for abandoned
    return True


def _sync_folder(folder: str) -> None:
    """Makes the new name last through a power cut, where folders can be opened at all."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
