"""Where Lantern keeps what it can make again: one folder, private to the user."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_directory() -> Path | None:
    """The folder for compiled code and the like; None where nothing is to be kept.

    `LANTERN_CACHE` in the environment names another folder, or `off`. The folder need not exist:
    whoever writes into it makes it, readable by its owner only.
    """
    chosen = os.environ.get("LANTERN_CACHE")
    if chosen in ("off", "0"):
        return None
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "lantern" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "lantern"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lantern"
