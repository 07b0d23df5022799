"""SparseAdam: all gradients are dense here, so its steps say what to use instead."""

from __future__ import annotations

from typing import Any

from lantern.tensor import Tensor

from .optimizer import Optimizer


class SparseAdam(Optimizer):
    """Adam for sparse gradients, which Lantern does not have; steps raise RuntimeError."""

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("learning rate", lr), ("epsilon value", eps)):
            if not 0.0 < value:
                raise ValueError(f"Invalid {name}: {value}")
        for i in range(2):
            if not 0.0 <= betas[i] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Raises RuntimeError: a gradient is there, and it is dense."""
        raise RuntimeError(
            "SparseAdam does not support dense gradients, please consider Adam instead"
        )
