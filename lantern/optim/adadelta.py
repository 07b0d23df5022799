"""Adadelta."""

from __future__ import annotations

from typing import Any

from lantern.tensor import Tensor
from lantern.updating import advance, choices, numbers_of, update

from .optimizer import Optimizer, check_at_least_zero
from .sgd import directed


class Adadelta(Optimizer):
    """Steps in proportion to the size of recent steps (Zeiler 2012).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.Adadelta([w])
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.9968], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_at_least_zero(lr=lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_at_least_zero(eps=eps, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, rho, eps, decay = numbers_of(group, "lr", "rho", "eps", "weight_decay")
        (maximize,) = choices(group, "maximize")
        numbers = (lr, rho, 1 - rho, eps, decay, maximize)
        jobs = []
        for param in parameters:
            state = self._state(param, "square_avg", "acc_delta")
            advance(state["step"])
            jobs.append(((param, state["square_avg"], state["acc_delta"]), (param._grad,), numbers))
        update(scaled, jobs)


def scaled(xp, param, squares, changes, grad, lr, rho, rest, eps, decay, maximize) -> tuple:
    """One step: returns the parameter and the averages of squared gradients and changes."""
    grad = directed(param, grad, decay, maximize)
    squares = squares * rho + grad * grad * rest
    change = xp.sqrt(changes + eps) / xp.sqrt(squares + eps) * grad
    return param - change * lr, squares, changes * rho + change * change * rest
