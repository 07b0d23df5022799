"""`torch.backends.mps`: Apple's GPUs, which Lantern does not use."""

from __future__ import annotations


def is_available() -> bool:
    """Says whether tensors can be put on Apple's GPU."""
    return False


def is_built() -> bool:
    """Says whether Lantern could use Apple's GPU at all."""
    return False
