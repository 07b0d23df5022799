"""The array library that some files of this folder are written over: here NumPy.

Those files (`arrangement`, `convolution`, `indices`, `philox`, `pointwise`) are loaded once more as
parts of `backends/cupy/`, where a `library` of its own takes the place of this one; and so does a
`strided` and a `native`.
"""

import numpy as np

BLOCK = 1 << 21  # bytes of scratch memory to work in at a time

__all__ = ["BLOCK", "np"]
