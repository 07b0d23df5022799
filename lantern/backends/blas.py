"""The OpenBLAS inside NumPy's wheel: how many threads it uses, and the kernels it has chosen.

OpenBLAS chooses its kernels by the name of the processor, and takes those for AVX2 where it does
not know the name, as on AMD processors newer than itself, though they may have AVX-512.
`choose_kernels` has it choose again; matrix products then take about half the time.
LANTERN_BLAS=keep leaves it as it is, and so does OPENBLAS_CORETYPE, OpenBLAS's own way to name
kernels.
"""

from __future__ import annotations

import ctypes
import functools
import glob
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

chosen = False  # whether `choose_kernels` did anything when Lantern was imported

# What else uses threads, and is told when their number changes.
listeners: list[Callable[[int], None]] = []


@functools.cache
def _library() -> Any:
    """Returns the OpenBLAS inside NumPy's wheel; None where NumPy uses another BLAS."""
    numpy = sys.modules["numpy"]
    folder = os.path.dirname(os.path.dirname(os.path.abspath(str(numpy.__file__))))
    for path in glob.glob(os.path.join(folder, "numpy.libs", "*openblas*")):
        library = ctypes.CDLL(path)
        if hasattr(library, "scipy_openblas_set_num_threads64_"):
            return library
    return None


def kernels() -> str | None:
    """Returns the name of the processor that the kernels in use were written for."""
    library = _library()
    ask = getattr(library, "scipy_openblas_get_corename64_", None)
    if ask is None:
        return None
    ask.restype = ctypes.c_char_p
    return ask().decode()


def choose_kernels() -> bool:
    """Has OpenBLAS take its AVX-512 kernels where it overlooked them; says whether it did.

    That exchanges a table which calls in progress read, so nothing is done while other threads run.
    """
    if os.environ.get("LANTERN_BLAS") == "keep" or "OPENBLAS_CORETYPE" in os.environ:
        return False
    if not _has_avx512() or threading.active_count() > 1 or kernels() not in ("Haswell", "Zen"):
        return False
    library = _library()
    if not hasattr(library, "gotoblas_dynamic_quit"):
        return False
    os.environ["OPENBLAS_CORETYPE"] = "SkylakeX"
    try:
        library.gotoblas_dynamic_quit()
        library.gotoblas_dynamic_init()
    finally:
        del os.environ["OPENBLAS_CORETYPE"]
    return True


def _has_avx512() -> bool:
    """Says whether processor and system have what the kernels need, by what NumPy found out."""
    core = getattr(sys.modules["numpy"], "_core", None)
    found = getattr(getattr(core, "_multiarray_umath", None), "__cpu_features__", {})
    return bool(found.get("AVX512_SKX"))


def threads() -> int | None:
    """Returns the number of threads; None where it cannot be asked."""
    library = _library()
    return None if library is None else library.scipy_openblas_get_num_threads64_()


def set_threads(count: int) -> bool:
    """Sets the number of threads; says whether that was possible."""
    library = _library()
    for each in listeners:
        each(count)
    if library is None:
        return False
    library.scipy_openblas_set_num_threads64_(count)
    return True
