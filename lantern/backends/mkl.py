"""`torch.backends.mkl`: Intel's library of matrix products, which Lantern does not call itself."""

from __future__ import annotations


def is_available() -> bool:
    """Says whether MKL can be used."""
    return False
