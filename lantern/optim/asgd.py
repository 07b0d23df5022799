"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import advance, choices, either, make_ready, numbers_of, store, update
from lantern.updating import value_of as value

from .adam import is_one
from .optimizer import Optimizer, check_at_least_zero, scalar
from .sgd import directed


class ASGD(Optimizer):
    """Averages the parameters over the steps after `t0` (Polyak and Juditsky 1992).

    The averages are the state `ax` of each parameter.

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.ASGD([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.7000], requires_grad=True)
    """

    _counts = ("step", "eta", "mu")

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ):
        check_at_least_zero(lr=lr, weight_decay=weight_decay)
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _begin(self, param: Tensor, lr: Any) -> dict[str, Any]:
        state = self.state[param]
        if not state:
            make_ready()
            state["step"] = scalar(0.0)
            state["eta"], state["mu"] = scalar(float(lr)), scalar(1.0)
            state["ax"] = lantern.zeros_like(param)
        return state

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, lambd, alpha, t0, decay = numbers_of(
            group, "lr", "lambd", "alpha", "t0", "weight_decay"
        )
        (maximize,) = choices(group, "maximize")
        jobs = []
        for param in parameters:
            state = self._begin(param, group["lr"])
            step, rate, share = advance(state["step"]), value(state["eta"]), value(state["mu"])
            numbers = (rate, 1 - lambd * rate, share, decay, maximize)
            jobs.append(((param, state["ax"]), (param._grad,), numbers))
            store(state["eta"], lr / (1 + lambd * lr * step) ** alpha)
            store(state["mu"], 1 / either(step - t0 > 1, step - t0, 1.0))
        update(averaged, jobs)


def averaged(xp, param, average, grad, rate, shrink, share, decay, maximize) -> tuple:
    """One step: returns the parameter and the average so far."""
    grad = directed(param, grad, decay, maximize)
    param = param * shrink - grad * rate
    if is_one(share):
        return param, param
    mixed = average + (param - average) * share
    if isinstance(share, float):
        return param, mixed
    return param, xp.where(xp.eq(share, 1), param, mixed)
