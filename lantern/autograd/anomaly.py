"""Anomaly detection: stops at the operation whose backward made a NaN."""

from __future__ import annotations

from typing import Any

from .mode import flags


class set_detect_anomaly:
    """Switches the check of every gradient for NaN on or off, also for a `with` block."""

    def __init__(self, mode: bool, check_nan: bool = True):
        from . import engine

        self.before = engine.checks_nan
        engine.checks_nan = bool(mode and check_nan)
        flags.version += 1  # what is compiled has no such checks

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: Any) -> None:
        from . import engine

        engine.checks_nan = self.before
        flags.version += 1


class detect_anomaly(set_detect_anomaly):
    """Raises RuntimeError in backward when an operation returns NaN as a gradient.

    >>> import lantern
    >>> x = lantern.zeros(1, requires_grad=True)
    >>> with lantern.autograd.detect_anomaly():
    ...     (x.sqrt() * 0).sum().backward()
    Traceback (most recent call last):
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True):
        super().__init__(True, check_nan)
