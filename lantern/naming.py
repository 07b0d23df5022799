"""How errors name the type of what was given."""

from __future__ import annotations

from typing import Any

OF_TORCH = {"dtype", "device", "Size", "layout", "memory_format"}  # written in C there
WRITTEN_IN_PYTHON = 1 << 9  # the flag Py_TPFLAGS_HEAPTYPE


def type_name(value: Any) -> str:
    """Returns the name of the type of a value; types written in C say where they come from.

    >>> import decimal
    >>> type_name(decimal.Decimal(1)), type_name(1.5), type_name(None)
    ('decimal.Decimal', 'float', 'NoneType')
    """
    kind = type(value)
    if kind.__name__ in OF_TORCH and kind.__module__.startswith("lantern."):
        return f"torch.{kind.__name__}"
    if kind.__flags__ & WRITTEN_IN_PYTHON or kind.__module__ == "builtins":
        return kind.__name__
    return f"{kind.__module__}.{kind.__name__}"
