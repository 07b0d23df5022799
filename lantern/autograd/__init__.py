"""Automatic differentiation; the names of `torch.autograd` are found in the files beside this."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..compat.missing import missing

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
_absent = missing(__name__)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return _absent(name)
