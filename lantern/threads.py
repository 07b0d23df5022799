"""Settings that scripts make before they train: threads and determinism."""

from __future__ import annotations

import os
import warnings

from .backends import blas, cuda

_deterministic = False
_only_warns = False
_warns_always = False
_precision = "highest"
_interop: int | None = None


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
    global _deterministic, _only_warns
    _deterministic, _only_warns = bool(mode), bool(mode) and bool(warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Says what `use_deterministic_algorithms` was last told."""
    return _deterministic


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Says whether `use_deterministic_algorithms` was told to warn only."""
    return _only_warns


def get_deterministic_debug_mode() -> int:
    """Returns 2 where repeatable results were asked for, 1 where only a warning was, else 0."""
    return (1 if _only_warns else 2) if _deterministic else 0


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """Notes the wish for repeatable results: "default" (0), "warn" (1) or "error" (2).

    Raises RuntimeError for other values.
    """
    names = {"default": 0, "warn": 1, "error": 2}
    if isinstance(debug_mode, str) and debug_mode not in names:
        raise RuntimeError(
            "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got "
            f"{debug_mode}"
        )
    number = names[debug_mode] if isinstance(debug_mode, str) else debug_mode
    if number not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {number}")
    use_deterministic_algorithms(number > 0, warn_only=number == 1)


def get_float32_matmul_precision() -> str:
    """Returns what `set_float32_matmul_precision` was last told."""
    return _precision


def set_float32_matmul_precision(precision: str) -> None:
    """Notes how exact products of float32 have to be; on the CPU they are always exact."""
    global _precision
    if precision not in ("highest", "high", "medium"):
        warnings.warn(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current "
            "setFloat32MatmulPrecision call has no effect.",
            stacklevel=2,
        )
        return
    _precision = precision
    cuda.matmul.allow_tf32 = precision != "highest"


def get_num_interop_threads() -> int:
    """Returns what `set_num_interop_threads` was told; Lantern runs one op at a time."""
    return _interop or os.cpu_count() or 1


def set_num_interop_threads(int: int) -> None:
    """Notes how many ops may run side by side. Raises RuntimeError for a number below 1."""
    global _interop
    if int < 1:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    _interop = int


def is_warn_always_enabled() -> bool:
    """Says what `set_warn_always` was last told."""
    return _warns_always


def set_warn_always(b: bool) -> None:
    """Notes whether warnings are to come each time."""
    global _warns_always
    _warns_always = bool(b)
