"""Import path of `torch.utils.model_zoo`: an older name of what `torch.hub` does."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load_url(url: str, *args: Any, **kwargs: Any) -> Any:
    """Returns what is in the file at `url`; see `torch.hub.load_state_dict_from_url`."""
    return import_module("lantern.hub").load_state_dict_from_url(url, *args, **kwargs)
