"""`torch.hub`: weights from an address. Models are not fetched as code and run."""

from __future__ import annotations

import os
import re
from typing import Any, NoReturn

from . import load as _load
from .compat.missing import missing
from .vision.datasets.download import fetch_from, name_in, sha256_of

_chosen: str | None = None
_HASH = re.compile(r"-([a-f0-9]*)\.")


def get_dir() -> str:
    """Returns the folder for downloads: `set_dir`'s, else `hub` in TORCH_HOME or ~/.cache/torch."""
    if _chosen is not None:
        return _chosen
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return os.path.join(os.path.expanduser(home), "hub")


def set_dir(d: str | os.PathLike) -> None:
    """Chooses the folder for downloads."""
    global _chosen
    _chosen = os.path.expanduser(os.fspath(d))


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Returns what is in the file at `url`, from `checkpoints` in the hub's folder if it is there.

    Files are loaded as `torch.load` loads them by default, whatever `weights_only` says. Raises
    RuntimeError that says which file to put where when the download fails, or when with
    `check_hash` the file does not begin with the digits of SHA-256 in its name.
    """
    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    name = file_name or name_in(url)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        found = _HASH.search(name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress)
    return _load(path, map_location=map_location)


def download_url_to_file(
    url: str, dst: str, hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Writes what is at `url` into the file `dst`.

    Raises RuntimeError when the download fails, or when its SHA-256 does not begin with
    `hash_prefix`.
    """
    folder, name = os.path.split(os.path.expanduser(dst))
    path = fetch_from({url: url}, name, folder or ".", None)
    if hash_prefix is None:
        return
    digest = sha256_of(path)
    if not digest.startswith(hash_prefix):
        os.remove(path)
        raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest}")')


def load(repo_or_dir: str, model: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError: code from elsewhere is not fetched and run."""
    raise NotImplementedError(
        f"torch.hub.load({repo_or_dir!r}, {model!r}) is not in Lantern: it fetches no code to run; "
        "torchvision.models has models, torch.hub.load_state_dict_from_url loads weights"
    )


__getattr__ = missing(__name__)
