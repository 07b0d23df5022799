"""`torch.accelerator`: the device that computes faster than the CPU, if there is one."""

from __future__ import annotations

from typing import Any

from . import cuda
from .compat.missing import missing
from .device import device


def is_available() -> bool:
    """Says whether tensors can be put on an accelerator."""
    return cuda.is_available()


def device_count() -> int:
    """Returns the number of accelerators."""
    return cuda.device_count()


def current_accelerator(check_available: bool = False) -> device | None:
    """Returns the kind of device that accelerates here; None without one.

    >>> import lantern
    >>> str(lantern.accelerator.current_accelerator() or "cpu") in ("cpu", "cuda")
    True
    """
    return device("cuda") if is_available() else None


def current_device_index() -> int:
    """Returns the number of the accelerator that is used; raises RuntimeError without one."""
    _need()
    return cuda.current_device()


def set_device_index(device: Any, /) -> None:
    """Chooses the accelerator to use; raises RuntimeError without one."""
    _need()
    cuda.set_device(device)


def synchronize(device: Any = None, /) -> None:
    """Waits for an accelerator's work; raises RuntimeError without one."""
    _need()
    cuda.synchronize(device)


current_device_idx, set_device_idx = current_device_index, set_device_index


def _need() -> None:
    if not is_available():
        raise RuntimeError(
            "Cannot access accelerator device when none is available. Ask "
            "torch.accelerator.is_available() first."
        )


__getattr__ = missing(__name__)
