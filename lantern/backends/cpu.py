"""`torch.backends.cpu`: what a program may ask about the processor."""

from __future__ import annotations


def get_cpu_capability() -> str:
    """Returns DEFAULT: the kernels are compiled for the processor at hand, none is chosen."""
    return "DEFAULT"
