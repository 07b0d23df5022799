"""Downloads that survive dead mirrors, cut connections and wrong bytes.

A file arrives as `NAME.part` beside its place and is renamed when its checksum is right. What a
cut connection leaves is continued, from the same mirror or another: mirrors hold the same bytes.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.client
import os
import pathlib
import shutil
import urllib.error
import urllib.request
import zlib
from collections.abc import Sequence
from typing import Any

TIMEOUT = 10.0  # seconds without an answer until a mirror is given up
ATTEMPTS = 5  # on one mirror, as long as each brings new bytes
BLOCK = 1 << 16
MIRROR_VARIABLE = "LANTERN_MIRROR"


def fetch(filename: str, folder: str, mirrors: Sequence[str], md5: str | None, dataset: str) -> str:
    """Download `filename` from the first mirror that has it into `folder` and return its path.

    The environment variable LANTERN_MIRROR names one more mirror, tried first: the address of a
    server, or a folder, that holds `DATASET/FILENAME`. Raises RuntimeError that lists what each
    mirror answered and says which file to put where by hand.
    """
    target = os.path.join(folder, filename)
    if os.path.isfile(target) and _matches(target, md5):
        return target
    os.makedirs(folder, exist_ok=True)
    failures = []
    for mirror in _own_mirror(dataset) + list(mirrors):
        try:
            _fetch_from(f"{mirror.rstrip('/')}/{filename}", target + ".part", md5)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            failures.append(f"Tried {mirror}, got:\n{error}\n")
            continue
        os.replace(target + ".part", target)
        return target
    unpacked = filename.removesuffix(".gz")
    raise RuntimeError(
        f"Error downloading {filename}:\n{''.join(failures)}"
        f"To go on without a download, put {filename}"
        + (f" (md5 {md5})" if md5 else "")
        + (f" or the unpacked {unpacked}" if unpacked != filename else "")
        + f" into the folder {os.path.abspath(folder)}, or set {MIRROR_VARIABLE} to a server or "
        f"folder that holds {dataset}/{filename}"
    )


def unpack(path: str) -> str:
    """Unpack `NAME.gz` beside itself and return the path of the result.

    Raises RuntimeError that names the file where it is damaged.
    """
    target = path.removesuffix(".gz")
    partial = target + ".part"
    try:
        with gzip.open(path, "rb") as packed, open(partial, "wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        os.remove(partial)
        raise RuntimeError(f"{path} is damaged: {error}. Delete it and try again") from error
    os.replace(partial, target)
    return target


def _own_mirror(dataset: str) -> list[str]:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if not mirror:
        return []
    if os.path.isdir(mirror):
        mirror = pathlib.Path(mirror).absolute().as_uri()
    return [f"{mirror.rstrip('/')}/{dataset}"]


def _fetch_from(url: str, part: str, md5: str | None) -> None:
    """Make `part` the whole file at `url`; bytes that are there already are taken as its start."""
    for _ in range(ATTEMPTS):
        before = _size(part)
        try:
            complete = _continue(url, part, before)
        except (OSError, http.client.HTTPException):
            if _size(part) <= before:
                raise
            continue
        if not complete:
            continue
        if _matches(part, md5):
            return
        os.remove(part)
        # The start may have been left by something else: once more from nothing.
        if before == 0:
            raise RuntimeError(f"{url} is not the expected file: its md5 is not {md5}")
    raise RuntimeError(f"the connection to {url} was cut {ATTEMPTS} times")


def _continue(url: str, part: str, before: int) -> bool:
    """Read what `url` has after the first `before` bytes; False where it ended early."""
    headers = {"User-Agent": "lantern"}
    if before:
        headers["Range"] = f"bytes={before}-"
    try:
        response = urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=TIMEOUT
        )
    except urllib.error.HTTPError as error:
        error.close()
        if before and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return True  # nothing is left to read; the checksum tells whether that is right
        raise
    with response:
        resumed = response.status == http.client.PARTIAL_CONTENT
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {before}-"):
            raise RuntimeError(f"{url} answered with another range than the one asked for")
        length = response.headers.get("Content-Length")
        received = 0
        with (
            open(part, "ab" if resumed else "wb") as file,
            _progress(os.path.basename(url), length and int(length)) as bar,
        ):
            while block := response.read(BLOCK):
                file.write(block)
                received += len(block)
                bar.update(len(block))
    return length is None or received == int(length)


def _progress(name: str, total: int | None) -> Any:
    """A progress bar on a terminal, where tqdm is installed; else something that takes updates."""
    try:
        from tqdm import tqdm
    except ImportError:
        return contextlib.nullcontext(_Silent())
    return tqdm(total=total, unit="B", unit_scale=True, desc=name, disable=None)


class _Silent:
    def update(self, count: int) -> None:
        """Take note of nothing."""


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _matches(path: str, md5: str | None) -> bool:
    if md5 is None:
        return True
    with open(path, "rb") as file:
        # The published checksums are md5: against damage, not against an attacker.
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return digest.hexdigest() == md5
