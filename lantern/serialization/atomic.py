"""Writing a file so that at any moment the old content or the new one is there, never a part."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Opens a new file beside `path` that takes its place when the block ends well.

    The bytes are on the disk before the name changes hands. When the block raises, `path` is as it
    was and the new file is gone; a process that is killed leaves `.<name>.<digits>.saving` behind.
    Links are followed; what is no plain file, such as a pipe, is written to directly. Raises
    RuntimeError where no file can be made there.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    _check_target(path, target, folder)
    if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
        with open(target, "wb") as file:
            yield file
        return
    beside = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(8)}.saving")
    try:
        with open(beside, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(beside)
        raise
    _sync_folder(folder)


def _check_target(path: str, target: str, folder: str) -> None:
    if not path:
        raise RuntimeError("invalid file name: the path to save to is empty")
    if not os.path.isdir(folder):
        raise RuntimeError(f"Parent directory {os.path.dirname(path)} does not exist.")
    if os.path.isdir(target):
        raise RuntimeError(f"open file failed with strerror: Is a directory: '{path}'")


def _sync_folder(folder: str) -> None:
    """Makes the new name last through a power cut, where folders can be opened at all."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
