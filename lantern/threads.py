"""Settings that scripts make before they train: threads and determinism."""

from __future__ import annotations

import os
import warnings

from .backends import blas

_deterministic = False


def get_num_threads() -> int:
    """Returns how many threads matrix products and compiled steps may use."""
    return blas.threads() or os.cpu_count() or 1


def set_num_threads(int: int) -> None:
    """Sets how many threads matrix products and compiled steps may use.

    Raises RuntimeError for a number below 1.
    """
    if int < 1:
        raise RuntimeError(f"set_num_threads expects a positive integer, but got {int}")
    if not blas.set_threads(int):
        warnings.warn(
            "NumPy's BLAS on this machine cannot be told how many threads to use; set its "
            "environment variable (OMP_NUM_THREADS, OPENBLAS_NUM_THREADS) before starting Python.",
            stacklevel=2,
        )


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Notes the wish for repeatable results, which Lantern gives without it."""
    global _deterministic
    _deterministic = bool(mode)


def are_deterministic_algorithms_enabled() -> bool:
    """Says what `use_deterministic_algorithms` was last told."""
    return _deterministic
