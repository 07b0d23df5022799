"""Methods that answer for a whole batch in place of a method that answers for one sample.

A class may offer, beside its method for one sample, a second method that does the same work for
many samples at once: a dataset's `__gather__` beside `__getitem__`, a sampler's `index_chunks`
beside `__iter__`, a transform's `batch` beside `__call__`. The second may only be used while the
first is still the one it was written for: a subclass that overrides `__getitem__` has not changed
`__gather__`, and using it would give wrong samples without a word. So the second method carries
the functions it stands for, and `stand_in` compares them with what the object has today.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import lantern
from lantern.tensor import Tensor

Method = TypeVar("Method", bound=Callable[..., Any])

SAMPLE_METHODS = ("__getitem__", "__getitems__")
INDEX_LIMIT = 1 << 63


def stands_for(*methods: Callable[..., Any]) -> Callable[[Method], Method]:
    """Declare that the decorated method does for a batch what `methods` do for one sample.

    >>> class Squares:
    ...     def __getitem__(self, index):
    ...         return index ** 2
    ...     @stands_for(__getitem__)
    ...     def __gather__(self, indices):
    ...         return indices ** 2
    >>> stand_in(Squares(), "__gather__", ("__getitem__",)) is not None
    True
    >>> class Cubes(Squares):
    ...     def __getitem__(self, index):
    ...         return index ** 3
    >>> stand_in(Cubes(), "__gather__", ("__getitem__",)) is None
    True
    """

    def declare(method: Method) -> Method:
        method.stands_for = methods  # type: ignore[attr-defined]
        return method

    return declare


def stand_in(owner: Any, name: str, replaced: Sequence[str]) -> Callable[..., Any] | None:
    """The bound method `name` of `owner`, or None unless it stands for all methods in `replaced`.

    Methods named in `replaced` that `owner` does not have need no stand-in.
    """
    kind = type(owner)
    method = getattr(kind, name, None)
    known = getattr(method, "stands_for", ())
    own = getattr(owner, "__dict__", {})
    for other in replaced:
        if other in own:
            return None
        current = getattr(kind, other, None)
        if current is not None and current not in known:
            return None
    return getattr(owner, name) if known else None


def gatherer(dataset: Any) -> Callable[[Tensor], Any] | None:
    """The method of `dataset` that reads and collates a whole batch at once, if it may be used.

    `__gather__(indices)` takes an int64 tensor `(B,)` and returns what `default_collate` would
    make of the samples, in memory of its own, or None when it cannot, before any side effect.
    """
    return stand_in(dataset, "__gather__", SAMPLE_METHODS)


def gathers_plainly(dataset: Any) -> bool:
    """Whether `__gather__` runs nothing of the user's and draws no random numbers.

    Both belong into the workers that a loader was told to have. False for a dataset that does
    not say.
    """
    answer = getattr(dataset, "gathers_plainly", None)
    return answer is not None and answer()


def index_tensor(indices: Any) -> Tensor | None:
    """Indices `(B,)` as an int64 tensor, or None where they are not all plain integers.

    >>> index_tensor([4, 0, 2])
    tensor([4, 0, 2])
    >>> index_tensor(["cat", "dog"]) is None
    True
    """
    if type(indices) is Tensor:
        return indices if indices.dtype == lantern.int64 and indices.dim() == 1 else None
    if not isinstance(indices, (list, tuple)) or not indices:
        return None
    # True and tensors mean something else than 1 when they index a tensor.
    if any(isinstance(index, (bool, Tensor)) for index in indices):
        return None
    try:
        positions = [operator.index(index) for index in indices]
    except TypeError:
        return None
    if not -INDEX_LIMIT <= min(positions) <= max(positions) < INDEX_LIMIT:
        return None
    return lantern.tensor(positions, dtype=lantern.int64)
