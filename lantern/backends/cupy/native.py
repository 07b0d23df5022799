"""Stands where the CPU has compiled kernels of single primitives: the GPU has none of these."""

from typing import Any

LEAST = 1 << 62


def find(name: str, facts: tuple, settings: tuple, work: int) -> Any:
    """Returns None: there is no such kernel."""
    return None
