"""Downloads that survive dead mirrors, cut connections and wrong bytes.

A file arrives as `NAME.part` beside its place and is renamed when its checksum is right. What a
cut connection leaves is continued, from the same mirror or another: mirrors hold the same bytes.
What the network and archives need is imported where it is used: most programs have their data.
"""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import shutil
import zlib
from collections.abc import Sequence
from typing import IO, Any

TIMEOUT = 10.0  # seconds without an answer until a mirror is given up
ATTEMPTS = 5  # on one mirror, as long as each brings new bytes
BLOCK = 1 << 16
MIRROR_VARIABLE = "LANTERN_MIRROR"
UNPACKING_ERRORS = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)


def fetch(filename: str, folder: str, mirrors: Sequence[str], md5: str | None, dataset: str) -> str:
    """Download `filename` from the first mirror that has it into `folder` and return its path.

    The environment variable LANTERN_MIRROR names one more mirror, tried first: the address of a
    server, or a folder, that holds `DATASET/FILENAME`. Raises RuntimeError that lists what each
    mirror answered and says which file to put where by hand.
    """
    places = _own_mirror(dataset) + list(mirrors)
    urls = {mirror: f"{mirror.rstrip('/')}/{filename}" for mirror in places}
    advice = f", or set {MIRROR_VARIABLE} to a server or folder that holds {dataset}/{filename}"
    return fetch_from(urls, filename, folder, md5, advice)


def fetch_from(
    urls: dict[str, str], filename: str, folder: str, md5: str | None, advice: str = ""
) -> str:
    """Download the first of `urls` that answers; its keys are what the message calls them."""
    import http.client

    target = os.path.join(folder, filename)
    if matches(target, md5):
        return target
    os.makedirs(folder, exist_ok=True)
    failures = []
    for name, url in urls.items():
        try:
            _fetch_from(url, target + ".part", md5)
        except (OSError, http.client.HTTPException, RuntimeError) as error:
            failures.append(f"Tried {name}, got:\n{error}\n")
            continue
        os.replace(target + ".part", target)
        return target
    unpacked = filename.removesuffix(".gz").removesuffix(".tar")
    raise RuntimeError(
        f"Error downloading {filename}:\n{''.join(failures)}"
        f"To go on without a download, put {filename}"
        + (f" (md5 {md5})" if md5 else "")
        + (f" or the unpacked {unpacked}" if filename.endswith(".gz") else "")
        + f" into the folder {os.path.abspath(folder)}{advice}"
    )


def open_packed(path: str) -> IO[bytes]:
    """The content of a file, unpacked where its name ends in `.gz` or `.xz`."""
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(os.path.splitext(path)[1], open)
    return opener(path, "rb")


def unpack(path: str) -> str:
    """Unpack `NAME.gz` or `NAME.xz` beside itself and return the path of the result.

    Raises RuntimeError that names the file where it is damaged.
    """
    target = os.path.splitext(path)[0]
    partial = target + ".part"
    try:
        with open_packed(path) as packed, open(partial, "wb") as file:
            shutil.copyfileobj(packed, file, 1 << 20)
    except UNPACKING_ERRORS as error:
        os.remove(partial)
        raise RuntimeError(f"{path} is damaged: {error}. Delete it and try again") from error
    os.replace(partial, target)
    return target


def extract(path: str, folder: str) -> None:
    """Unpack a `.zip` or `.tar` archive, the latter maybe compressed, into `folder`.

    Files appear under their names when all of the archive was good; members that would lie
    outside of `folder` are refused. Raises RuntimeError that names an archive that is damaged.
    """
    import tarfile
    import zipfile

    partial = path + ".unpacked"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        if path.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                archive.extractall(partial)
        else:
            with tarfile.open(path) as archive:
                archive.extractall(partial, filter="data")
    except (*UNPACKING_ERRORS, tarfile.TarError, zipfile.BadZipFile) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RuntimeError(f"{path} is damaged: {error}. Delete it and try again") from error
    shutil.copytree(partial, folder, dirs_exist_ok=True, copy_function=os.replace)
    shutil.rmtree(partial)


def _own_mirror(dataset: str) -> list[str]:
    mirror = os.environ.get(MIRROR_VARIABLE)
    if not mirror:
        return []
    if os.path.isdir(mirror):
        from pathlib import Path

        mirror = Path(mirror).absolute().as_uri()
    return [f"{mirror.rstrip('/')}/{dataset}"]


def _fetch_from(url: str, part: str, md5: str | None) -> None:
    """Make `part` the whole file at `url`; bytes that are there already are taken as its start."""
    import http.client

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
        if matches(part, md5):
            return
        os.remove(part)
        # The start may have been left by something else: once more from nothing.
        if before == 0:
            raise RuntimeError(f"{url} is not the expected file: its md5 is not {md5}")
    raise RuntimeError(f"the connection to {url} was cut {ATTEMPTS} times")


def _continue(url: str, part: str, before: int) -> bool:
    """Read what `url` has after the first `before` bytes; False where it ended early."""
    import http.client
    import urllib.error
    import urllib.request

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


def md5_of(path: str) -> str:
    """The md5 of a file, as hexadecimal digits."""
    import hashlib

    with open(path, "rb") as file:
        # The published checksums are md5: against damage, not against an attacker.
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256_of(path: str) -> str:
    """The sha256 of a file, as hexadecimal digits."""
    import hashlib

    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_in(url: str) -> str:
    """The name of the file at an address."""
    from urllib.parse import urlsplit

    return os.path.basename(urlsplit(url).path)


def matches(path: str, md5: str | None) -> bool:
    """Whether there is a file, with this md5 where one is given."""
    return os.path.isfile(path) and (md5 is None or md5_of(path) == md5)
