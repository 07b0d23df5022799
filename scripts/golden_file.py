"""Where golden files lie, and how they are written: beside their place, then renamed into it."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent / "tests"
GOLDENS = TESTS / "goldens"


def write(path: Path, content: str | bytes) -> None:
    """Writes a file, which is never there in part."""
    beside = path.with_name(path.name + ".part")
    beside.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(beside, path)
    print(f"{path.name}: {path.stat().st_size} bytes")


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Writes a compressed archive of arrays."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write(path, content.getvalue())
