"""How the C library hands out memory for arrays: what was used once is used again.

The GNU C library asks the system for each piece of 128 KiB or more, and gives it back when it is
free, until it has learnt from what a program frees to ask for larger pieces only. A training step
frees what the next one needs again, and a page that comes from the system costs more than most of
what is computed with it. So the library is told at once what it would at most have learnt.
LANTERN_MALLOC=keep leaves it as it is, and so do the library's own variables.
"""

from __future__ import annotations

import ctypes
import os
import sys

LARGE = 1 << 25  # bytes from which the system is asked; the library takes no more than this
SPARE = 1 << 26  # bytes that may lie free at the end of the memory

# Names from <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_THEIRS = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


def keep_memory() -> bool:
    """Has the C library keep freed memory for arrays to come; says whether it does."""
    if not sys.platform.startswith("linux") or os.environ.get("LANTERN_MALLOC") == "keep":
        return False
    if any(name in os.environ for name in _THEIRS):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    large = library.mallopt(_M_MMAP_THRESHOLD, LARGE)
    return bool(large and library.mallopt(_M_TRIM_THRESHOLD, SPARE))
