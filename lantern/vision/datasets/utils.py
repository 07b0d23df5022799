"""Helpers for datasets of one's own: the names of `torchvision.datasets.utils`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from typing import Any

from lantern.compat.missing import missing

from . import download

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tbz", ".tbz2")


def calculate_md5(fpath: str | os.PathLike, chunk_size: int = 1024 * 1024) -> str:
    """The md5 of a file, as hexadecimal digits."""
    return download.md5_of(os.fspath(fpath))


def check_md5(fpath: str | os.PathLike, md5: str, **kwargs: Any) -> bool:
    """Whether a file has this md5."""
    return md5 == calculate_md5(fpath)


def check_integrity(fpath: str | os.PathLike, md5: str | None = None) -> bool:
    """Whether there is a file, with this md5 where one is given."""
    return download.matches(os.fspath(fpath), md5)


def download_url(
    url: str,
    root: str | os.PathLike,
    filename: str | os.PathLike | None = None,
    md5: str | None = None,
    max_redirect_hops: int = 3,
) -> None:
    """Download `url` into the folder `root`, as `filename`; a file that is right is kept.

    A cut download is continued. Raises RuntimeError that says which file to put where by hand.
    """
    folder = os.path.expanduser(os.fspath(root))
    name = os.fspath(filename) if filename else download.name_in(url)
    download.fetch_from({url: url}, name, folder, md5)


def extract_archive(
    from_path: str | os.PathLike,
    to_path: str | os.PathLike | None = None,
    remove_finished: bool = False,
) -> str:
    """Unpack an archive into the folder `to_path`, or a single packed file beside itself.

    Raises RuntimeError that names an archive that is damaged.
    """
    path = os.fspath(from_path)
    target = os.path.dirname(path) if to_path is None else os.fspath(to_path)
    if path.endswith(ARCHIVES):
        download.extract(path, target)
    elif path.endswith((".gz", ".xz")):
        unpacked = download.unpack(path)
        if to_path is not None:
            os.makedirs(target, exist_ok=True)
            target = os.path.join(target, os.path.basename(unpacked))
            shutil.move(unpacked, target)
        else:
            target = unpacked
    else:
        raise RuntimeError(f"Unknown compression or archive type: '{os.path.splitext(path)[1]}'.")
    if remove_finished:
        os.remove(path)
    return target


def download_and_extract_archive(
    url: str,
    download_root: str | os.PathLike,
    extract_root: str | os.PathLike | None = None,
    filename: str | os.PathLike | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """Download an archive into `download_root` and unpack it there, or into `extract_root`."""
    folder = os.path.expanduser(os.fspath(download_root))
    name = os.fspath(filename) if filename else download.name_in(url)
    download_url(url, folder, name, md5)
    extract_archive(os.path.join(folder, name), extract_root or folder, remove_finished)


def list_dir(root: str | os.PathLike, prefix: bool = False) -> list[str]:
    """The folders in a folder, with its path in front if `prefix`."""
    root = os.path.expanduser(root)
    names = [name for name in os.listdir(root) if os.path.isdir(os.path.join(root, name))]
    return [os.path.join(root, name) for name in names] if prefix else names


def list_files(root: str | os.PathLike, suffix: str, prefix: bool = False) -> list[str]:
    """The files in a folder whose names end in `suffix`, with its path in front if `prefix`."""
    root = os.path.expanduser(root)
    names = [
        name
        for name in os.listdir(root)
        if os.path.isfile(os.path.join(root, name)) and name.endswith(suffix)
    ]
    return [os.path.join(root, name) for name in names] if prefix else names


def iterable_to_str(iterable: Iterable[Any]) -> str:
    """The items in quotes, with commas between.

    >>> iterable_to_str(["a", 1])
    "'a', '1'"
    """
    return ", ".join(f"'{item}'" for item in iterable)


def verify_str_arg(
    value: Any,
    arg: str | None = None,
    valid_values: Iterable[Any] | None = None,
    custom_msg: str | None = None,
) -> Any:
    """The value itself. Raises ValueError for no string, or one not among `valid_values`."""
    name = "" if arg is None else f" for argument {arg}"
    if not isinstance(value, str):
        raise ValueError(f"Expected type str{name}, but got type {type(value)}.")
    if valid_values is None or value in valid_values:
        return value
    if custom_msg is not None:
        raise ValueError(custom_msg)
    known = iterable_to_str(valid_values)
    raise ValueError(f"Unknown value '{value}'{name}. Valid values are {{{known}}}.")


__getattr__ = missing(__name__)
