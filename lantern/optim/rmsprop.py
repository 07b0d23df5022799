"""RMSprop."""

from __future__ import annotations

from typing import Any

import lantern
from lantern.tensor import Tensor
from lantern.updating import advance, choices, make_ready, numbers_of, update

from .optimizer import Optimizer, check_at_least_zero
from .sgd import directed, is_zero


class RMSprop(Optimizer):
    """Divides by a moving root mean square of the gradients (Tieleman and Hinton 2012).

    `centered` takes the deviation from the mean gradient instead (Graves 2013).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.RMSprop([w], lr=0.05)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.5000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ):
        check_at_least_zero(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay)
        check_at_least_zero(alpha=alpha)
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _needed(self, param: Tensor, names: list[str]) -> dict[str, Any]:
        """Returns the state, with tensors that a changed setting calls for added to it."""
        state = self._state(param, *names)
        for name in names:
            if name not in state:
                make_ready()
                state[name] = lantern.zeros_like(param)
        return state

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, momentum, alpha, eps, decay = numbers_of(
            group, "lr", "momentum", "alpha", "eps", "weight_decay"
        )
        centered, maximize = choices(group, "centered", "maximize")
        names = ["square_avg"]
        names += ["momentum_buffer"] if not is_zero(momentum) else []
        names += ["grad_avg"] if centered else []
        numbers = (lr, alpha, 1 - alpha, eps, momentum, decay, maximize, centered)
        jobs = []
        for param in parameters:
            state = self._needed(param, names)
            advance(state["step"])
            tensors = (param, *(state[name] for name in names))
            jobs.append((tensors, (param._grad,), numbers))
        update(scaled, jobs)


def scaled(xp, param, squares, *rest) -> tuple:
    """One step: returns the parameter, the mean squares, and the velocity and mean if any."""
    *others, grad, lr, alpha, new, eps, momentum, decay, maximize, centered = rest
    grad = directed(param, grad, decay, maximize)
    squares = squares * alpha + grad * grad * new
    mean, spread = [], squares
    if centered:
        mean = [others[-1] * alpha + grad * new]
        spread = squares - mean[0] * mean[0]
    change, velocity = grad / (xp.sqrt(spread) + eps), []
    if not is_zero(momentum):
        velocity = [others[0] * momentum + change]
        change = velocity[0]
    return param - change * lr, squares, *velocity, *mean
