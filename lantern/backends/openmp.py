"""`torch.backends.openmp`: the threads of other compilers' code; Lantern's are its own."""

from __future__ import annotations


def is_available() -> bool:
    """Says whether OpenMP can be used."""
    return False
