"""`nn.DataParallel`: the module that it wraps, on the one device that there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..modules.module import Module


class DataParallel(Module):
    """Calls `module` on the device where it is; the whole batch is computed there.

    Parameters are named as in PyTorch, with `module.` in front, so checkpoints of scripts that
    wrap their model fit in both directions. `device_ids` may name one device at most: raises
    NotImplementedError for more, as batches are not split.

    >>> import lantern
    >>> model = lantern.nn.DataParallel(lantern.nn.Linear(2, 1))
    >>> list(model.state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(
        self,
        module: Module,
        device_ids: Sequence[Any] | None = None,
        output_device: Any = None,
        dim: int = 0,
    ):
        super().__init__()
        if device_ids is not None and len(device_ids) > 1:
            raise NotImplementedError(
                f"DataParallel over {len(device_ids)} devices is not in Lantern yet: it computes "
                "on one device; leave out device_ids"
            )
        self.module = module
        self.device_ids: list[Any] = []
        self.output_device = output_device
        self.dim = dim

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Returns what the wrapped module returns."""
        return self.module(*inputs, **kwargs)
