"""Adam, and AdamW with its decoupled weight decay."""

from __future__ import annotations

from typing import Any

from lantern.tensor import Tensor
from lantern.updating import advance, choices, items_of, numbers_of, update

from .optimizer import Optimizer, check_at_least_zero, check_betas, check_way
from .sgd import directed, is_zero


class Adam(Optimizer):
    """Adaptive moments (Kingma and Ba 2015); `amsgrad` keeps the largest second moment.

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.Adam([w], lr=0.1)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ):
        check_at_least_zero(lr=lr, eps=eps)
        check_betas(betas)
        check_at_least_zero(weight_decay=weight_decay)
        if type(betas[0]) is not type(betas[1]) or not isinstance(betas[0], (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )
        check_way(foreach, fused, differentiable)

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates the parameters of one group."""
        lr, weight_decay, eps = numbers_of(group, "lr", "weight_decay", "eps")
        beta1, beta2 = items_of(group, "betas")
        settings = ("amsgrad", "maximize", "decoupled_weight_decay")
        amsgrad, maximize, decoupled = choices(group, *settings)
        decay = 0 if decoupled else weight_decay
        shrink = 1 - lr * weight_decay if decoupled and not is_zero(weight_decay) else 1
        jobs, steps = [], None
        numbers: tuple = ()
        names = ("exp_avg", "exp_avg_sq", *(["max_exp_avg_sq"] if amsgrad else []))
        for param in parameters:
            state = self._state(param, *names)
            step = advance(state["step"])
            if step is not steps and not (type(step) is float and step == steps):
                steps = step  # parameters mostly share a count, and so what follows from it
                rate, scale = lr / (1 - beta1**step), (1 - beta2**step) ** -0.5
                moving = (beta1, 1 - beta1, beta2, 1 - beta2)
                numbers = (rate, scale, *moving, eps, decay, shrink, maximize)
            tensors = [param, state["exp_avg"], state["exp_avg_sq"]]
            if amsgrad:
                tensors.append(state["max_exp_avg_sq"])
            jobs.append((tensors, (param._grad,), numbers))
        update(largest_moments if amsgrad else moments, jobs)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient (Loshchilov and Hutter 2019).

    >>> import lantern
    >>> w = lantern.ones(1, requires_grad=True)
    >>> optimizer = lantern.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * 3).sum().backward(); optimizer.step(); w
    tensor([0.8500], requires_grad=True)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ):
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )


def is_one(number: Any) -> bool:
    """Says whether a number is plainly 1; one that is read at every call never is."""
    return isinstance(number, (int, float)) and number == 1


def toward(old: Any, new: Any, share: Any) -> Any:
    """Returns `old` moved a share of the way to `new`; an infinity on the way becomes NaN."""
    if isinstance(share, float) and share >= 0.5:
        return new - (new - old) * (1 - share)
    return old + (new - old) * share


def _averages(param, first, second, grad, beta1, rest1, beta2, rest2, decay, maximize):
    grad = directed(param, grad, decay, maximize)
    return first * beta1 + grad * rest1, second * beta2 + grad * grad * rest2


def moments(
    xp, param, first, second, grad, rate, scale, b1, r1, b2, r2, eps, decay, shrink, maximize
) -> tuple:
    """One step of Adam: returns the parameter and both moments."""
    if not is_one(shrink):
        param = param * shrink
    first, second = _averages(param, first, second, grad, b1, r1, b2, r2, decay, maximize)
    return param - first / (xp.sqrt(second) * scale + eps) * rate, first, second


def largest_moments(
    xp, param, first, second, most, grad, rate, scale, b1, r1, b2, r2, eps, decay, shrink, maximize
) -> tuple:
    """One step of Adam with the largest second moment so far."""
    if not is_one(shrink):
        param = param * shrink
    first, second = _averages(param, first, second, grad, b1, r1, b2, r2, decay, maximize)
    most = xp.maximum(most, second)
    return param - first / (xp.sqrt(most) * scale + eps) * rate, first, second, most
