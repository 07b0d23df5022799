"""Native kernels for primitives and formulas on large arrays, where the compiler can make them.

This file only asks: `source` gives the module that makes kernels, when one is first wanted, so that
nothing heavy is loaded before. `LANTERN_EAGER_KERNELS=0` in the environment keeps to NumPy.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

# From so many multiply-adds on a kernel is worth its compilation. What decides is the size alone,
# never how often a shape has been met, so that the same program always gives the same numbers.
LEAST = 1 << 23

source: Callable[[], Any] | None = None
_enabled = os.environ.get("LANTERN_EAGER_KERNELS", "1") != "0"


def find(name: str, facts: tuple, settings: tuple, work: int) -> Callable[..., None] | None:
    """Returns a kernel of a primitive for operands of some shapes and dtypes, or None."""
    if work < LEAST or not _enabled or source is None:
        return None
    return source().kernel(name, facts, settings)


def find_formula(formula: Callable, facts: tuple, settings: tuple) -> Any:
    """Returns a kernel of a whole formula for operands of some shapes and dtypes, or None."""
    if not _enabled or source is None:
        return None
    return source().formula_kernel(formula, facts, settings)
