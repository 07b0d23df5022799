"""`torch.autograd.profiler`: the older spelling of `torch.profiler`."""

from __future__ import annotations

from typing import Any

from ..profiler import profile as _profile
from ..profiler import record_function as record_function


class profile(_profile):
    """Times every op within a `with` block, unless `enabled` is False."""

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        record_shapes: bool = False,
        **options: Any,
    ):
        super().__init__(record_shapes=record_shapes)
        self.enabled = enabled

    def __enter__(self) -> profile:
        if self.enabled:
            self.start()
        return self
