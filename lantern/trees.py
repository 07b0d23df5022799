"""Trees: values in tuples, named tuples, lists and mappings, one inside another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """Returns what is in a tree, from left to right; a value of another type is its own leaf.

    >>> leaves({"a": (1, [2]), "b": 3})
    [1, 2, 3]
    """
    if isinstance(tree, Mapping):
        tree = list(tree.values())
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Returns a tree of the same shape and types with each leaf changed.

    >>> mapped({"a": (1, [2])}, str)
    {'a': ('1', ['2'])}
    """
    if isinstance(tree, Mapping):
        pairs = [(key, mapped(part, change)) for key, part in tree.items()]
        try:
            return type(tree)(pairs)  # type: ignore[call-arg]
        except TypeError:  # such as a defaultdict, which is made otherwise
            return dict(pairs)
    if not isinstance(tree, (tuple, list)):
        return change(tree)
    parts = [mapped(part, change) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)


def rebuilt(tree: Any, values: Iterable[Any]) -> Any:
    """Returns a tree of the same shape with the next of `values` in the place of each leaf.

    >>> rebuilt([0, (0, 0)], "abc")
    ['a', ('b', 'c')]
    """
    following = iter(values)
    return mapped(tree, lambda leaf: next(following))
