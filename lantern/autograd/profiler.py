"""`torch.autograd.profiler`: the older spelling of `torch.profiler`."""

from __future__ import annotations

from typing import Any

from ..profiler import profile as _profile
from ..profiler import record_function as record_function


class profile(_profile):
    """Times every op within a `with` block, unless `enabled` is False.

    `record_shapes` is that of `torch.profiler.profile`; other options change nothing.

    >>> import lantern
    >>> with profile() as prof:
    ...     _ = lantern.ones(3) + 1
    >>> [row.count for row in prof.key_averages() if row.key == "add"]
    [1]
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
        experimental_config: Any = None,
        acc_events: bool = False,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
        activity_filters: Any = None,
    ):
        super().__init__(record_shapes=record_shapes)
        self.enabled = enabled

    def __enter__(self) -> profile:
        if self.enabled:
            self.start()
        return self
