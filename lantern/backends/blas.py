"""How many threads NumPy's bundled OpenBLAS uses, asked of the library that NumPy has loaded."""

from __future__ import annotations

import ctypes
import functools
import glob
import os
import sys
from collections.abc import Callable
from typing import Any

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
