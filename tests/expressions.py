"""Expressions evaluated with PyTorch and with Lantern, and what is compared of the results."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np


def shown(result: Any) -> Any:
    """What of a result must be the same: values, dtype, shape, strides, whether it is a view."""
    if result is None or isinstance(result, (bool, int, str)):
        return result
    if isinstance(result, float):
        return "nan" if result != result else result
    if hasattr(result, "requires_grad"):
        numbers = [shown(each) for each in result.detach().reshape(-1).tolist()]
        facts = tuple(result.shape), result.stride(), str(result.dtype), result.requires_grad
        return "tensor", *facts, result._is_view(), numbers
    if type(result).__name__ == "Size":
        return "Size", *result
    if isinstance(result, (tuple, list)):
        return "several", *(shown(each) for each in result)
    if isinstance(result, np.ndarray):
        return "array", result.shape, str(result.dtype), result.tolist()
    return str(result)


class Raised(tuple):
    """The kind of an error and its first line."""

    def agrees(self, other: object) -> bool:
        """Says whether another error is of the same kind and its message starts as this one's."""
        if not isinstance(other, Raised) or self[0] != other[0]:
            return False
        if "invalid combination of arguments" in other[1]:  # a list of signatures follows
            return True
        return self[1].startswith(other[1][:40]) or other[1].startswith(self[1][:40])


def outcome(library: Any, expression: str, names: dict[str, Any]) -> tuple[Any, list[str]]:
    """Evaluates an expression in which `torch` is the library; returns the result and warnings."""
    scope = {"torch": library, "T": library.tensor, "np": np}
    scope |= {name: make(library) for name, make in names.items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = shown(eval(expression, scope))  # the tests' own words
        except Exception as error:  # the kind of error is what is being compared
            result = Raised((type(error).__name__, str(error).split("\n")[0]))
    return result, [f"{each.category.__name__}: {str(each.message)[:40]}" for each in caught]


def assert_same(ours: Any, theirs: Any, expression: str, names: dict[str, Any]) -> None:
    """Asserts that an expression means the same in both libraries."""
    want, warned = outcome(theirs, expression, names)
    have, told = outcome(ours, expression, names)
    if isinstance(want, Raised) or isinstance(have, Raised):
        assert isinstance(want, Raised) and isinstance(have, Raised), f"{have}, not {want}"
        assert have.agrees(want), f"{have}, not {want}"
        return
    assert have == want
    # PyTorch says some things once in a process.
    assert set(warned) <= set(told) or not told, f"{told}, not {warned}"
