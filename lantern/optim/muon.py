"""Muon."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import choices, make_ready, numbers_of, update_whole

from .optimizer import Optimizer
from .sgd import is_zero


class Muon(Optimizer):
    """Momentum made orthogonal by a Newton-Schulz iteration, for matrices (Jordan et al. 2024).

    Raises ValueError for a parameter that is not `(M, N)`.

    >>> import lantern
    >>> w = lantern.ones(1, 1, requires_grad=True)
    >>> optimizer = lantern.optim.Muon([w], lr=0.1, weight_decay=0)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([[0.9312]], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 <= momentum:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(
            params,
            {
                "lr": lr,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "nesterov": nesterov,
                "ns_coefficients": ns_coefficients,
                "eps": eps,
                "ns_steps": ns_steps,
                "adjust_lr_fn": adjust_lr_fn,
            },
        )
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(
                        "Muon only supports 2D parameters whereas we found a parameter with size: "
                        f"{param.size()}"
                    )

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, decay, momentum = numbers_of(group, "lr", "weight_decay", "momentum")
        names = ("nesterov", "ns_coefficients", "eps", "ns_steps", "adjust_lr_fn")
        nesterov, *iteration, adjust = choices(group, *names)
        _check_iteration(*iteration)
        shrink = 1 - lr * decay if not is_zero(decay) else 1
        jobs = []
        for param in parameters:
            state = self.state[param]
            if not state:
                make_ready()
                state["momentum_buffer"] = lantern.zeros_like(param)
            rows, columns = param.shape
            if adjust == "match_rms_adamw":
                rate = lr * (0.2 * math.sqrt(max(rows, columns)))
            else:
                rate = lr * math.sqrt(max(1, rows / columns))
            numbers = (rate, shrink, momentum, 1 - momentum, nesterov, iteration)
            jobs.append(((param, state["momentum_buffer"]), (param._grad,), numbers))
        update_whole(orthogonal_step, jobs)


def _check_iteration(coefficients: tuple, eps: float, steps: int) -> None:
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")


def orthogonal_step(
    xp, param, buffer, grad, rate, shrink, momentum, rest, nesterov, iteration
) -> tuple:
    """One step: returns the parameter and the velocity."""
    buffer = buffer * momentum + grad * rest
    step = grad * rest + buffer * momentum if nesterov else buffer
    return param * shrink - orthogonal(xp, step, *iteration) * rate, buffer


def orthogonal(xp, matrix, coefficients, eps, steps) -> Any:
    """Returns a matrix whose singular values have come close to 1; works in bfloat16."""
    dtype = xp.dtype_of(matrix)

    def rounded(x):
        return xp.cast(xp.cast(x, lantern.bfloat16), lantern.float32)

    a, b, c = coefficients
    x = rounded(matrix)
    tall = matrix.shape[0] > matrix.shape[1]
    x = xp.permute(x, (1, 0)) if tall else x
    size = rounded(xp.sqrt(xp.sum(x * x)))
    x = rounded(x / xp.maximum(size, xp.full((), eps, size)))
    for _ in range(steps):
        gram = rounded(xp.matmul(x, xp.permute(x, (1, 0))))
        gram = rounded(gram * b + xp.matmul(gram, gram) * c)
        x = rounded(x * a + xp.matmul(gram, x))
    return xp.cast(xp.permute(x, (1, 0)) if tall else x, dtype)
