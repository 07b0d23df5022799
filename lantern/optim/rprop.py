"""Resilient backpropagation."""

from __future__ import annotations

from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import advance, choices, items_of, make_ready, update

from .optimizer import Optimizer, check_at_least_zero, scalar


class Rprop(Optimizer):
    """Steps by the signs of gradients alone, each with a length of its own (Riedmiller 1993).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.Rprop([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_at_least_zero(lr=lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
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
            state["prev"] = lantern.zeros_like(param)
            state["step_size"] = lantern.full_like(param.detach(), float(lr))
        return state

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        (maximize,) = choices(group, "maximize")
        numbers = (*items_of(group, "etas"), *items_of(group, "step_sizes"), maximize)
        jobs = []
        for param in parameters:
            state = self._begin(param, group["lr"])
            advance(state["step"])
            jobs.append(((param, state["prev"], state["step_size"]), (param._grad,), numbers))
        update(signed, jobs)


def signed(xp, param, before, length, grad, less, more, least, most, maximize) -> tuple:
    """One step: returns the parameter, the gradient to compare with next, and the lengths."""
    grad = -grad if maximize else grad
    same = before * grad
    ones = xp.full(grad.shape, 1, grad)
    factor = xp.where(same > 0, ones * more, xp.where(same < 0, ones * less, ones))
    length = xp.minimum(xp.maximum(length * factor, ones * least), ones * most)
    grad = xp.where(same < 0, ones * 0, grad)
    sign = xp.where(grad > 0, ones, xp.where(grad < 0, -ones, ones * 0))
    return param - sign * length, grad, length
