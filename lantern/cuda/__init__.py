"""`torch.cuda`: what a script may ask about GPUs. Lantern computes on the CPU only so far."""

from __future__ import annotations

from typing import Any

from ..compat.missing import missing as _missing
from ..device import NoGPUError, as_device, device

OutOfMemoryError = type("OutOfMemoryError", (RuntimeError,), {"__module__": "torch.cuda"})


def is_available() -> bool:
    """Says whether tensors can be put on a GPU.

    >>> import lantern
    >>> lantern.cuda.is_available()
    False
    """
    return False


def device_count() -> int:
    """Returns the number of GPUs that can be used."""
    return 0


def is_initialized() -> bool:
    """Says whether a GPU has been used in this process."""
    return False


def _refuse(*args: Any, **kwargs: Any) -> Any:
    """Raises RuntimeError: there is no GPU to ask about."""
    return as_device("cuda")


init = current_device = get_device_name = get_device_properties = get_device_capability = _refuse
set_device = current_stream = Stream = Event = _refuse


def synchronize(device: Any = None) -> None:
    """Waits for a GPU; raises RuntimeError, since there is none."""
    _refuse()


def manual_seed(seed: int) -> None:
    """Seeds the current GPU's generator; nothing to do without one."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Seeds the generators of all GPUs; nothing to do without one."""
    int(seed)


def empty_cache() -> None:
    """Gives unused GPU memory back; there is none."""


def memory_allocated(device: Any = None) -> int:
    """Returns the bytes that tensors occupy on a GPU."""
    return 0


max_memory_allocated = memory_reserved = max_memory_reserved = memory_allocated

__getattr__ = _missing(__name__)
__all__ = ["NoGPUError", "device", "is_available", "device_count"]
