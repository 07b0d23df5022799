"""`DistributedDataParallel`: the name, for programs that use it behind a question."""

from __future__ import annotations

from typing import Any

from ..modules.module import Module


class DistributedDataParallel(Module):
    """Raises NotImplementedError: Lantern trains in one process, on one device."""

    def __init__(self, module: Module, *args: Any, **kwargs: Any):
        raise NotImplementedError(
            "DistributedDataParallel is not in Lantern yet: it trains in one process; use the "
            "module itself, as scripts do where torch.distributed.is_available() is False"
        )
