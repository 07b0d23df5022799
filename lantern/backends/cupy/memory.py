"""How much memory of a GPU is in use: figures that CuPy's pool does not keep."""

from __future__ import annotations

from collections import defaultdict

import cupy


class Meter(cupy.cuda.MemoryHook):
    """Counts the bytes that are allocated on each GPU, and the most of them at a time."""

    name = "Lantern"

    def __init__(self):
        self.now, self.peak = defaultdict(int), defaultdict(int)

    def malloc_postprocess(self, *, device_id, mem_size, **rest):
        """Notes what has been allocated."""
        self.now[device_id] += mem_size
        self.peak[device_id] = max(self.peak[device_id], self.now[device_id])

    def free_postprocess(self, *, device_id, mem_size, **rest):
        """Notes what has been freed."""
        self.now[device_id] -= mem_size

    def most(self, index):
        """Returns the most bytes at a time since the last `reset`."""
        return self.peak[index]

    def reset(self, index):
        """Has `most` count from now on."""
        self.peak[index] = self.now[index]
