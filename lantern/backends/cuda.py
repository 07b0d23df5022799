"""`torch.backends.cuda`: how exact products of float32 are on GPUs."""

from __future__ import annotations

from . import gpu


class _MatMul:
    """Settings of matrix products, as `torch.backends.cuda.matmul` has them."""

    def __init__(self) -> None:
        self._tf32 = False

    @property
    def allow_tf32(self) -> bool:
        """Whether products of float32 may round their operands to 10 bits, which is faster."""
        return self._tf32

    @allow_tf32.setter
    def allow_tf32(self, value: bool) -> None:
        self._tf32 = bool(value)
        self.apply()

    def apply(self) -> None:
        """Tells the GPU's library, once a GPU is in use."""
        if gpu.namespace is not None:
            gpu.namespace.set_tf32(self._tf32)


matmul = _MatMul()


def is_built() -> bool:
    """Says that Lantern can use GPUs where CuPy is installed."""
    return True
