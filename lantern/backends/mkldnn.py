"""`torch.backends.mkldnn`: Intel's library of layers, which Lantern does not use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

enabled = True
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """Says whether oneDNN can be used."""
    return False


@contextmanager
def flags(
    enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True
) -> Iterator[None]:
    """Takes the settings for a `with` block; without the library they change nothing."""
    yield
