"""Batches in memory that a GPU copies from directly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lantern.tensor import Tensor

from .collate import like_mapping, like_sequence


def pin(batch: Any) -> Any:
    """The same batch with every tensor in page-locked memory.

    Dicts and sequences are gone through entry by entry; another object is asked for its own
    `pin_memory()` where it has one.
    """
    if isinstance(batch, Tensor):
        return batch.pin_memory()
    if isinstance(batch, (str, bytes)):
        return batch
    if isinstance(batch, Mapping):
        return like_mapping(batch, {key: pin(value) for key, value in batch.items()})
    if isinstance(batch, Sequence):
        return like_sequence(batch, [pin(value) for value in batch])
    return batch.pin_memory() if hasattr(batch, "pin_memory") else batch
