"""`torch.jit`: TorchScript's names. Functions and modules stay as they are, and say so once.

Scripted code computes what the plain code computes, so leaving it as it is changes no result;
what makes it faster here is `lantern.compile`. Files of TorchScript are neither written nor read.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from .compat.missing import missing

_told = False


def _stays(obj: Any, name: str) -> Any:
    global _told
    if not _told:
        _told = True
        warnings.warn(
            f"torch.jit.{name} leaves functions and modules as they are; "
            "use torch.compile to have them compiled",
            stacklevel=3,
        )
    return obj


def script(
    obj: Any,
    optimize: Any = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> Any:
    """Returns the function, class or module unchanged."""
    return _stays(obj, "script")


def trace(
    func: Any,
    example_inputs: Any = None,
    optimize: Any = None,
    check_trace: bool = True,
    check_inputs: Any = None,
    check_tolerance: float = 1e-05,
    strict: bool = True,
    *args: Any,
    **kwargs: Any,
) -> Any:
    """Returns the function or module unchanged."""
    return _stays(func, "trace")


def _same(fn: Any) -> Any:
    """Returns what it is given: there is no script to leave it out of."""
    return fn


unused = export = script_method = interface = freeze = optimize_for_inference = _same


def ignore(drop: Any = False, **kwargs: Any) -> Callable[..., Any]:
    """Returns what it decorates unchanged, with and without parentheses."""
    return drop if callable(drop) else _same


def is_scripting() -> bool:
    """Says whether TorchScript runs this code: it never does."""
    return False


is_tracing = is_scripting


def save(m: Any, f: Any, _extra_files: Any = None) -> NoReturn:
    """Raises NotImplementedError: there is no TorchScript to write."""
    raise NotImplementedError(
        "torch.jit.save is not in Lantern: it writes no TorchScript; "
        "use torch.save(model.state_dict(), path), or torch.onnx.export for other runtimes"
    )


def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError: there is no TorchScript reader."""
    raise NotImplementedError(
        "torch.jit.load is not in Lantern: it reads no TorchScript; "
        "save the model's state_dict() with PyTorch and load that"
    )


__getattr__ = missing(__name__)
