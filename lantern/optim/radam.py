"""RAdam."""

from __future__ import annotations

from typing import Any

from lantern.tensor import Tensor
from lantern.updating import advance, choices, either, items_of, numbers_of, update

from .adam import is_one, toward
from .optimizer import Optimizer, check_at_least_zero, check_betas
from .sgd import directed, is_zero


class RAdam(Optimizer):
    """Adam that leaves the second moment out until its variance is small (Liu et al. 2020).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.RAdam([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.7000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
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
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, eps, weight_decay = numbers_of(group, "lr", "eps", "weight_decay")
        beta1, beta2 = items_of(group, "betas")
        decoupled, maximize = choices(group, "decoupled_weight_decay", "maximize")
        decay = 0 if decoupled else weight_decay
        shrink = 1 - lr * weight_decay if decoupled and not is_zero(weight_decay) else 1
        jobs = []
        for param in parameters:
            state = self._state(param, "exp_avg", "exp_avg_sq")
            step = advance(state["step"])
            rectified, scale = _rectification(beta2, step)
            numbers = (
                lr / (1 - beta1**step),
                either(rectified, 1.0, 0.0),
                scale,
                *(1 - beta1, beta2, 1 - beta2, eps, decay, shrink, maximize),
            )
            jobs.append(((param, state["exp_avg"], state["exp_avg_sq"]), (param._grad,), numbers))
        update(moments, jobs)


def _rectification(beta2: Any, step: Any) -> tuple[Any, Any]:
    """Returns whether the second moment may be used, and the factor that it is used with."""
    left = 1 - beta2**step
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / left
    rectified = length > 5.0
    safe = either(rectified, length, 6.0)
    above, below = (safe - 4) * (safe - 2) * longest, (longest - 4) * (longest - 2) * safe
    return rectified, (above / below) ** 0.5 * left**0.5


def moments(
    xp, param, first, second, grad, rate, flag, scale, r1, b2, r2, eps, decay, shrink, maximize
) -> tuple:
    """One step: returns the parameter and both moments."""
    if not is_one(shrink):
        param = param * shrink
    grad = directed(param, grad, decay, maximize)
    first = toward(first, grad, r1)
    second = second * b2 + grad * grad * r2
    change = first * rate
    if not is_zero(flag):
        adapted = change * (scale / (xp.sqrt(second) + eps))
        change = adapted if is_one(flag) else xp.where(xp.eq(flag, 1), adapted, change)
    return param - change, first, second
