"""`torch.cuda.amp`: the older names of `torch.amp` for GPUs."""

from __future__ import annotations

from typing import Any

import lantern

from .. import amp


class autocast(amp.autocast):
    """`torch.amp.autocast("cuda")`; changes nothing where there is no GPU."""

    def __init__(
        self,
        enabled: bool = True,
        dtype: Any = lantern.float16,
        cache_enabled: bool = True,
    ) -> None:
        super().__init__("cuda", dtype, enabled, cache_enabled)

    def _again(self) -> amp.autocast:
        return amp.autocast("cuda", self.fast_dtype, self.wanted is not None)


class GradScaler(amp.GradScaler):
    """`torch.amp.GradScaler("cuda")`; does nothing where there is no GPU."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled
        )
