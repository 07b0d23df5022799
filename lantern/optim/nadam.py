"""NAdam."""

from __future__ import annotations

from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import (
    advance,
    choices,
    items_of,
    make_ready,
    numbers_of,
    scale,
    update,
    value_of,
)

from .adam import is_one, toward
from .optimizer import Optimizer, check_at_least_zero, check_betas, scalar
from .sgd import directed, is_zero


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.NAdam([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.8944], requires_grad=True)
    """

    _counts = ("step", "mu_product")

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ):
        check_at_least_zero(lr=lr, eps=eps)
        check_betas(betas)
        check_at_least_zero(weight_decay=weight_decay, momentum_decay=momentum_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _begin(self, param: Tensor) -> dict[str, Any]:
        state = self.state[param]
        if not state:
            make_ready()
            state["step"], state["mu_product"] = scalar(0.0), scalar(1.0)
            state["exp_avg"] = lantern.zeros_like(param)
            state["exp_avg_sq"] = lantern.zeros_like(param)
        return state

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, eps, weight_decay, fade = numbers_of(
            group, "lr", "eps", "weight_decay", "momentum_decay"
        )
        beta1, beta2 = items_of(group, "betas")
        decoupled, maximize = choices(group, "decoupled_weight_decay", "maximize")
        decay = 0 if decoupled else weight_decay
        shrink = 1 - lr * weight_decay if decoupled and not is_zero(weight_decay) else 1
        jobs = []
        for param in parameters:
            state = self._begin(param)
            step = advance(state["step"])
            now = beta1 * (1 - 0.5 * 0.96 ** (step * fade))
            later = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * fade))
            scale(state["mu_product"], now)
            product = value_of(state["mu_product"])
            numbers = (
                lr * (1 - now) / (1 - product),
                lr * later / (1 - product * later),
                1 - beta2**step,
                *(1 - beta1, beta2, 1 - beta2, eps, decay, shrink, maximize),
            )
            jobs.append(((param, state["exp_avg"], state["exp_avg_sq"]), (param._grad,), numbers))
        update(moments, jobs)


def moments(
    xp, param, first, second, grad, rate, ahead, part, r1, b2, r2, eps, decay, shrink, maximize
) -> tuple:
    """One step: returns the parameter and both moments."""
    if not is_one(shrink):
        param = param * shrink
    grad = directed(param, grad, decay, maximize)
    first = toward(first, grad, r1)
    second = second * b2 + grad * grad * r2
    size = xp.sqrt(second / part) + eps
    return param - grad / size * rate - first / size * ahead, first, second
