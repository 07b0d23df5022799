"""Machine code that is kept on disk: private to the user, verified, bounded, safe for many at once.

The folder is `native` in `lantern.cache.cache_directory()`; without one (`LANTERN_CACHE=off`)
nothing is kept. An entry starts with the hash of its own contents: one that is damaged counts for
nothing and is made anew. Entries are written beside and renamed into place, so that processes that
share the folder never see half of one; when it has grown too large the oldest go.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

from ..cache import cache_directory

LIMIT = 256 << 20  # bytes that are kept
PRUNED = 0.75  # of them, when there are more
DIGEST = 32


def folder() -> Path | None:
    """Returns where entries lie; None where nothing is to be kept."""
    directory = cache_directory()
    return None if directory is None else directory / "native"


def key(*facts: object) -> str:
    """Returns the name of the entry for some facts."""
    return hashlib.sha256("\0".join(map(str, facts)).encode()).hexdigest()


def kept(name: str, make: Callable[[], bytes]) -> bytes:
    """Returns an entry, which is made and kept if it is not there."""
    code = read(name)
    if code is None:
        code = make()
        write(name, code)
    return code


def read(name: str) -> bytes | None:
    """Returns the contents of an entry; None if it is not there, not the user's own, or damaged."""
    place = folder()
    if place is None:
        return None
    try:
        if hasattr(os, "getuid") and _is_open(place):
            return None
        with open(place / name, "rb") as file:
            data = file.read()
            if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
                return None
        with contextlib.suppress(OSError):
            os.utime(place / name)  # the oldest go first: this one is in use
    except OSError:
        return None
    digest, code = data[:DIGEST], data[DIGEST:]
    return code if hashlib.sha256(name.encode() + code).digest() == digest else None


def _is_open(place: Path) -> bool:
    """Says whether somebody else may have put something into the folder."""
    status = place.stat()
    return status.st_uid != os.getuid() or bool(status.st_mode & 0o022)


def write(name: str, code: bytes) -> None:
    """Keeps an entry; a folder that cannot be written to only means that nothing is kept."""
    place = folder()
    if place is None:
        return
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(place, 0o700)
        handle, path = tempfile.mkstemp(dir=place)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(name.encode() + code).digest() + code)
            os.replace(path, place / name)
        except BaseException:
            os.unlink(path)
            raise
        prune(place)


def prune(place: Path) -> None:
    """Takes the oldest entries away when all of them are larger than `LIMIT`."""
    found = []
    for each in os.scandir(place):
        with contextlib.suppress(OSError):  # another process may have taken it away
            status = each.stat()
            found.append((status.st_mtime, status.st_size, each.path))
    total = sum(size for _, size, _ in found)
    if total <= LIMIT:
        return
    for _, size, path in sorted(found):
        with contextlib.suppress(OSError):
            os.unlink(path)
            total -= size
        if total <= LIMIT * PRUNED:
            break


@cache
def sources() -> str:
    """Returns a hash of the compiler and of the rules it goes by: others' work is not taken."""
    digest = hashlib.sha256()
    package = Path(__file__).parent.parent
    files = [*package.glob("compiler/*.py"), *package.glob("backends/*.py")]
    files += [package / name for name in ("dtypes.py", "matrices.py", "shape.py")]
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def settings() -> list[tuple[str, str, object]]:
    """Returns the constants of the compiler, which tests and users may have set to others."""
    package = __name__.rpartition(".")[0] + "."
    kinds = (int, float, str, tuple, bool, frozenset)
    found = []
    for name, module in list(sys.modules.items()):
        if name.startswith(package):
            for each, value in list(vars(module).items()):
                if each.isupper() and type(value) in kinds:
                    if type(value) is frozenset:
                        value = sorted(map(str, value))
                    found.append((name, each, value))
    return sorted(found, key=lambda each: each[:2])
