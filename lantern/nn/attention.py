"""`torch.nn.attention`: the choice of a kernel for attention. Lantern has one, and keeps to it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lantern.compat.missing import missing


class SDPBackend(enum.IntEnum):
    """PyTorch's kernels for `scaled_dot_product_attention`."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4


@contextmanager
def sdpa_kernel(
    backends: SDPBackend | Sequence[SDPBackend], set_priority: bool = False
) -> Iterator[None]:
    """Takes a choice of kernels for a `with` block; results are those of the one that there is.

    Raises AssertionError for anything but `SDPBackend`s.
    """
    chosen = [backends] if isinstance(backends, SDPBackend) else list(backends)
    assert all(isinstance(each, SDPBackend) for each in chosen), (
        "Backend must be an instance of SDPBackend or a list of SDPBackend instances"
    )
    yield


__getattr__ = missing(__name__)
