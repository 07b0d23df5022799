"""Adagrad."""

from __future__ import annotations

from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import advance, choices, numbers_of, update

from .optimizer import Optimizer, check_at_least_zero, check_way, scalar
from .sgd import directed


class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients (Duchi et al. 2011).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.Adagrad([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        check_at_least_zero(lr=lr, lr_decay=lr_decay, weight_decay=weight_decay)
        check_at_least_zero(initial_accumulator_value=initial_accumulator_value, eps=eps)
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        check_way(foreach, fused, differentiable)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds parameters with settings of their own; their sums begin at the initial value."""
        super().add_param_group(param_group)
        for param in param_group["params"]:
            total = lantern.full_like(param.detach(), param_group["initial_accumulator_value"])
            self.state[param] = {"step": scalar(0.0), "sum": total}

    def share_memory(self) -> None:
        """Moves the state into shared memory."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, lr_decay, eps, decay = numbers_of(group, "lr", "lr_decay", "eps", "weight_decay")
        (maximize,) = choices(group, "maximize")
        jobs = []
        for param in parameters:
            state = self.state[param]
            rate = lr / (1 + (advance(state["step"]) - 1) * lr_decay)
            jobs.append(((param, state["sum"]), (param._grad,), (rate, eps, decay, maximize)))
        update(scaled, jobs)


def scaled(xp, param, total, grad, rate, eps, decay, maximize) -> tuple:
    """One step: returns the parameter and the sum of squared gradients."""
    grad = directed(param, grad, decay, maximize)
    total = total + grad * grad
    return param - grad / (xp.sqrt(total) + eps) * rate, total
