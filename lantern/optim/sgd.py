"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import choices, make_ready, numbers_of, update

from .optimizer import Optimizer, check_at_least_zero, check_way


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Sutskever et al. 2013), also Nesterov's.

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.SGD([w], lr=0.5)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([-0.5000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        check_at_least_zero(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )
        check_way(foreach, fused, differentiable)

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, weight_decay, momentum = numbers_of(group, "lr", "weight_decay", "momentum")
        nesterov, maximize = choices(group, "nesterov", "maximize")
        if is_zero(momentum):
            rest = (lr, weight_decay, maximize)
            update(plain, [((param,), (param._grad,), rest) for param in parameters])
            return
        (dampening,) = numbers_of(group, "dampening")
        numbers = (lr, weight_decay, momentum, dampening, nesterov, maximize)
        jobs = []
        for param in parameters:
            state = self.state[param]
            buffer = state.get("momentum_buffer")
            if buffer is None:  # the first gradient itself is the first velocity
                make_ready()
                buffer = state["momentum_buffer"] = lantern.zeros_like(param)
                first = (*numbers[:3], 0, nesterov, maximize)
                jobs.append(((param, buffer), (param._grad,), first))
            else:
                jobs.append(((param, buffer), (param._grad,), numbers))
        update(heavy_ball, jobs)


def directed(param: Any, grad: Any, weight_decay: Any, maximize: bool) -> Any:
    """Returns the gradient to descend along, the pull of weight decay included."""
    if maximize:
        grad = -grad
    return grad if is_zero(weight_decay) else grad + param * weight_decay


def is_zero(number: Any) -> bool:
    """Says whether a number is plainly 0; one that is read at every call never is."""
    return isinstance(number, (int, float)) and number == 0


def plain(xp, param, grad, lr, weight_decay, maximize) -> tuple:
    """One step without momentum."""
    return (param - directed(param, grad, weight_decay, maximize) * lr,)


def heavy_ball(
    xp, param, buffer, grad, lr, weight_decay, momentum, dampening, nesterov, maximize
) -> tuple:
    """One step with momentum: returns the parameter and the velocity."""
    grad = directed(param, grad, weight_decay, maximize)
    buffer = buffer * momentum + (grad if is_zero(dampening) else grad * (1 - dampening))
    step = grad + buffer * momentum if nesterov else buffer
    return param - step * lr, buffer
