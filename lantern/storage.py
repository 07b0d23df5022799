"""The only mutable cell of the framework: memory and a count of the writes to it."""

from __future__ import annotations

from typing import Any


class Storage:
    """A piece of memory shared by a tensor and its views.

    `array` is the whole memory in the shape it was made with (under trace: the symbol that stands
    for its present value); `version` counts the writes, so that backward can tell whether a value
    it saved is still what it was.
    """

    __slots__ = ("array", "version", "__weakref__")

    def __init__(self, array: Any):
        self.array = array
        self.version = 0
