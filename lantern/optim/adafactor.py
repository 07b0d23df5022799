"""Adafactor."""

from __future__ import annotations

import math
from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import advance, choices, either, make_ready, numbers_of, update_whole

from .optimizer import Optimizer, scalar
from .sgd import is_zero


class Adafactor(Optimizer):
    """Adam-like steps whose second moments are kept by rows and columns (Shazeer and Stern 2018).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.Adafactor([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ):
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= lr:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not 0.0 >= beta2_decay:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not 0.0 <= eps[0]:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not 0.0 <= eps[1]:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not 1.0 <= d:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not 0.0 <= weight_decay:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(
            params,
            {
                "lr": lr,
                "beta2_decay": beta2_decay,
                "eps": eps,
                "d": d,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
            },
        )

    def _begin(self, param: Tensor) -> dict[str, Any]:
        state = self.state[param]
        if not state:
            make_ready()
            state["step"] = scalar(0.0)
            if param.ndim > 1:
                *batch, rows, columns = param.shape
                state["row_var"] = param.new_zeros((*batch, rows, 1))
                state["col_var"] = param.new_zeros((*batch, 1, columns))
            else:
                state["variance"] = lantern.zeros_like(param)
        return state

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, fade, limit, decay = numbers_of(group, "lr", "beta2_decay", "d", "weight_decay")
        eps, maximize = choices(group, "eps", "maximize")
        flat, factored = [], []
        for param in parameters:
            state = self._begin(param)
            step = advance(state["step"])
            root = step**-0.5
            least = lantern.finfo(param.dtype).eps if eps[0] is None else eps[0]
            shrink = 1 - lr * decay if not is_zero(decay) else 1
            numbers: tuple = (step**fade, either(lr < root, lr, root), limit, shrink)
            numbers = (*numbers, maximize, least, eps[1])
            if param.ndim > 1:
                tensors = (param, state["row_var"], state["col_var"])
                factored.append((tensors, (param._grad,), numbers))
            else:
                flat.append(((param, state["variance"]), (param._grad,), numbers))
        update_whole(by_element, flat)
        update_whole(by_rows_and_columns, factored)


def _mean_square(xp, x):
    return xp.sum(x * x) * (1 / max(math.prod(x.shape), 1))


def _stepped(xp, param, grad, variance, rate, limit, shrink, least, smallest):
    """Returns the parameter moved by a gradient over the root of its estimated variance."""
    size = xp.sqrt(_mean_square(xp, param))
    length = xp.fmax(size, xp.full((), smallest, size)) * rate
    step = grad / xp.sqrt(xp.maximum(variance, xp.full((), least * least, variance)))
    excess = xp.sqrt(_mean_square(xp, step)) / limit
    length = length / xp.fmax(excess, xp.full((), 1, excess))
    return param * shrink - step * length


def by_element(
    xp, param, variance, grad, part, rate, limit, shrink, maximize, least, smallest
) -> tuple:
    """One step of a vector: returns it and the mean squares of its gradients."""
    grad = -grad if maximize else grad
    variance = variance + (grad * grad - variance) * part
    return _stepped(xp, param, grad, variance, rate, limit, shrink, least, smallest), variance


def by_rows_and_columns(
    xp, param, rows, columns, grad, part, rate, limit, shrink, maximize, least, smallest
) -> tuple:
    """One step of a matrix: returns it and the mean squares of its rows and columns."""
    grad = -grad if maximize else grad
    last, squares = grad.ndim - 1, grad * grad
    rows = rows + (xp.sum(squares, last, True) / grad.shape[last] - rows) * part
    columns = columns + (xp.sum(squares, last - 1, True) / grad.shape[last - 1] - columns) * part
    mean = xp.sum(rows, last - 1, True) / grad.shape[last - 1]
    variance = xp.matmul(rows, columns) / xp.maximum(mean, xp.full((), least, mean))
    param = _stepped(xp, param, grad, variance, rate, limit, shrink, least, smallest)
    return param, rows, columns
