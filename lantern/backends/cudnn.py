"""`torch.backends.cudnn`: settings that scripts make; on the CPU results are the same anyway."""

from __future__ import annotations

enabled = True
deterministic = False
benchmark = False
allow_tf32 = True


def is_available() -> bool:
    """Says whether cuDNN can be used."""
    return False


def version() -> int | None:
    """Returns the version of cuDNN; None without it."""
    return None
