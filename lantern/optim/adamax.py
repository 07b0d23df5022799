"""Adamax."""

from __future__ import annotations

from typing import Any

from lantern.tensor import Tensor
from lantern.updating import advance, choices, items_of, numbers_of, update

from .adam import toward
from .optimizer import Optimizer, check_at_least_zero, check_betas
from .sgd import directed


class Adamax(Optimizer):
    """Adam with the largest recent gradient in place of the second moment (Kingma and Ba 2015).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.Adamax([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        check_at_least_zero(lr=lr, eps=eps)
        check_betas(betas)
        check_at_least_zero(weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, eps, decay = numbers_of(group, "lr", "eps", "weight_decay")
        beta1, beta2 = items_of(group, "betas")
        (maximize,) = choices(group, "maximize")
        jobs = []
        for param in parameters:
            state = self._state(param, "exp_avg", "exp_inf")
            rate = lr / (1 - beta1 ** advance(state["step"]))
            numbers = (rate, 1 - beta1, beta2, eps, decay, maximize)
            jobs.append(((param, state["exp_avg"], state["exp_inf"]), (param._grad,), numbers))
        update(scaled, jobs)


def scaled(xp, param, first, most, grad, rate, rest1, beta2, eps, decay, maximize) -> tuple:
    """One step: returns the parameter, the first moment and the largest gradient, which fades."""
    grad = directed(param, grad, decay, maximize)
    first = toward(first, grad, rest1)
    most = xp.maximum(most * beta2, xp.abs(grad) + eps)
    return param - first / most * rate, first, most
