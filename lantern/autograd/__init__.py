"""Automatic differentiation; the names of `torch.autograd` are found in the files beside this."""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "backward": "engine",
    "grad": "engine",
    "no_grad": "mode",
    "enable_grad": "mode",
    "set_grad_enabled": "mode",
    "inference_mode": "mode",
    "Function": "function",
    "Variable": "variable",
    "gradcheck": "checking",
    "gradgradcheck": "checking",
    "detect_anomaly": "anomaly",
    "set_detect_anomaly": "anomaly",
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in ("functional", "graph", "function", "mode", "engine"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"torch.autograd.{name} is not in Lantern yet")
