"""Collation: a list of samples becomes one batch with the structure of a sample."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import lantern
from lantern.tensor import Tensor

CollateMap = dict[type | tuple[type, ...], Callable[..., Any]]


def default_collate(batch: Sequence[Any]) -> Any:
    """Turn a list of samples into a batch: tensors `(...)` become one tensor `(B, ...)`.

    Numbers and NumPy arrays become tensors too, strings stay a list, tuples become lists, and
    dicts, lists and named tuples are collated entry by entry. Raises TypeError for a sample of
    another type and RuntimeError for samples of different sizes.

    >>> default_collate([(lantern.tensor([1., 2.]), 0), (lantern.tensor([3., 4.]), 1)])
    [tensor([[1., 2.],
            [3., 4.]]), tensor([0, 1])]
    >>> default_collate([{"name": "a", "size": 1.5}, {"name": "b", "size": 2.5}])
    {'name': ['a', 'b'], 'size': tensor([1.5000, 2.5000], dtype=torch.float64)}
    """
    return collate(batch, collate_fn_map=default_collate_fn_map)


def collate(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Any:
    """Collate `batch` with the function that `collate_fn_map` has for the type of its samples.

    The exact type is looked up first, then the first entry the sample is an instance of; dicts
    and sequences without an entry are collated entry by entry.
    """
    sample = batch[0]
    function = _registered(sample, collate_fn_map or {})
    if function is not None:
        return function(batch, collate_fn_map=collate_fn_map)
    if isinstance(sample, Mapping):
        entries = {
            key: collate([item[key] for item in batch], collate_fn_map=collate_fn_map)
            for key in sample
        }
        return like_mapping(sample, entries)
    if isinstance(sample, Sequence):
        named = isinstance(sample, tuple) and hasattr(sample, "_fields")
        if not named and any(len(item) != len(sample) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = list(zip(*batch, strict=False))
        return like_sequence(sample, [collate(c, collate_fn_map=collate_fn_map) for c in columns])
    raise _unknown_type(type(sample))


def default_convert(data: Any) -> Any:
    """Turn NumPy arrays and scalars, also those inside dicts and sequences, into tensors.

    Tensors, numbers, strings and other objects stay as they are; tuples become lists.

    >>> default_convert(("a", 3))
    ['a', 3]
    """
    if isinstance(data, Tensor):
        return data
    if type(data).__module__ == "numpy" and not isinstance(data, (str, bytes)):
        return data if _holds_text(data) else lantern.as_tensor(data)
    if isinstance(data, Mapping):
        return like_mapping(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        return like_sequence(data, [default_convert(item) for item in data])
    return data


class _NumPyType(type):
    def __instancecheck__(cls, value: Any) -> bool:
        # NumPy's strings are strings first.
        return not isinstance(value, (str, bytes)) and any(
            kind.__module__ == "numpy" for kind in type(value).__mro__
        )


class NumPyValue(metaclass=_NumPyType):
    """The type of NumPy's arrays and scalars, told by name: this layer does not import NumPy."""


def _registered(sample: Any, collate_fn_map: CollateMap) -> Callable[..., Any] | None:
    exact = collate_fn_map.get(type(sample))
    if exact is not None:
        return exact
    for kind, function in collate_fn_map.items():
        if isinstance(sample, kind):
            return function
    return None


def _collate_tensors(
    batch: Sequence[Tensor], *, collate_fn_map: CollateMap | None = None
) -> Tensor:
    return lantern.stack(list(batch), 0)


def _collate_numpy(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    sample = batch[0]
    if _holds_text(sample) or sample.dtype.kind in "mM":
        raise _unknown_type(sample.dtype if hasattr(sample, "__len__") else type(sample))
    return collate([lantern.as_tensor(item) for item in batch], collate_fn_map=collate_fn_map)


def _collate_floats(batch: Sequence[float], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    return lantern.tensor(list(batch), dtype=lantern.float64)


def _collate_ints(batch: Sequence[int], *, collate_fn_map: CollateMap | None = None) -> Tensor:
    return lantern.tensor(list(batch))


def _keep(batch: Sequence[Any], *, collate_fn_map: CollateMap | None = None) -> Sequence[Any]:
    return batch


def _holds_text(array: Any) -> bool:
    return array.dtype.kind in "SaUO"


def _unknown_type(found: Any) -> TypeError:
    return TypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, "
        f"dicts or lists; found {found}"
    )


def like_mapping(model: Mapping, entries: dict) -> Any:
    """`entries` in the type of `model`, whose other properties a copy keeps."""
    try:
        if isinstance(model, MutableMapping):
            clone = copy.copy(model)
            clone.update(entries)
            return clone
        return type(model)(entries)  # type: ignore[call-arg]
    except TypeError:  # a type that cannot be copied or built this way
        return entries


def like_sequence(model: Sequence, items: list) -> Any:
    """`items` in the type of `model`; a plain tuple becomes a list, as PyTorch has it."""
    if isinstance(model, tuple):
        return type(model)(*items) if hasattr(model, "_fields") else items
    try:
        if isinstance(model, MutableSequence):
            clone = copy.copy(model)
            for place, item in enumerate(items):
                clone[place] = item
            return clone
        return type(model)(items)  # type: ignore[call-arg]
    except TypeError:  # a type that cannot be copied or built this way, such as range
        return items


# Scripts add their own types here. NumPy comes before float: its float64 is one.
default_collate_fn_map: CollateMap = {
    Tensor: _collate_tensors,
    NumPyValue: _collate_numpy,
    float: _collate_floats,
    int: _collate_ints,
    str: _keep,
    bytes: _keep,
}


def collates_tensors_by_stacking() -> bool:
    """Whether a gathered batch equals what `default_collate` makes: scripts may change the map."""
    return default_collate_fn_map.get(Tensor) is _collate_tensors
