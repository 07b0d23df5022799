"""The array library that the shared files are written over, for the GPU: CuPy."""

import cupy as np

BLOCK = 1 << 30  # bytes of scratch memory to work in at a time: few launches of large kernels

__all__ = ["BLOCK", "np"]
