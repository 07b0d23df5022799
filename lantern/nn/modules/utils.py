"""What layers with spatial dimensions share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

__all__: list[str] = []


def _ntuple(n: int) -> Callable[[Any], tuple]:
    def parse(x: Any) -> tuple:
        return tuple(x) if isinstance(x, Iterable) else tuple(repeat(x, n))

    return parse


_single, _pair, _triple = _ntuple(1), _ntuple(2), _ntuple(3)


def _reverse_repeat_tuple(t: tuple, n: int) -> tuple:
    """Returns the entries from the last on, each `n` times: the order in which `pad` takes them."""
    return tuple(x for x in reversed(t) for _ in range(n))
