"""Schedules that multiply the rate by a factor at each step."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, state_of, values


class _Scaling(LRScheduler):
    """Multiplies each rate by `_factor()`, or leaves it where that is None."""

    def _factor(self) -> float | None:
        raise NotImplementedError

    def get_lr(self) -> list[Any]:
        """Returns the rates for the step `last_epoch`, one for each group."""
        self._expect_step()
        factor = self._factor()
        if factor is None:
            return values(self.optimizer, "lr")
        return [group["lr"] * factor for group in self.optimizer.param_groups]


class _ClosedScaling(_Scaling):
    """Knows also how `_total_factor()` follows from the number of the step."""

    def _total_factor(self) -> float:
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[Any]:
        return [lr * self._total_factor() for lr in self.base_lrs]


class _ByFunction(LRScheduler):
    """Has a function of the step for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Any, last_epoch: int = -1):
        self.optimizer = optimizer
        count = len(optimizer.param_groups)
        if not isinstance(lr_lambda, (list, tuple)):
            lr_lambda = [lr_lambda] * count
        if len(lr_lambda) != count:
            raise ValueError(f"Expected {count} lr_lambdas, but got {len(lr_lambda)}")
        self.lr_lambdas: list[Callable[[int], float]] = list(lr_lambda)
        self._check_functions()
        super().__init__(optimizer, last_epoch)

    def _check_functions(self) -> None:
        """Lets a subclass refuse what is no function."""

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimizer; of functions the attributes of callable objects."""
        state = super().state_dict()
        state["lr_lambdas"] = [state_of(each) for each in state.pop("lr_lambdas")]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        vars(self).update({n: v for n, v in state_dict.items() if n != "lr_lambdas"})
        for function, state in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if state is not None:
                vars(function).update(state)


class LambdaLR(_ByFunction):
    """The initial rate times `lr_lambda(step)`, a function or one for each group.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def get_lr(self) -> list[Any]:
        """Returns the rates for the step `last_epoch`, one for each group."""
        self._expect_step()
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [lr * function(self.last_epoch) for lr, function in pairs]


class MultiplicativeLR(_ByFunction):
    """The rate before times `lr_lambda(step)`, a function or one for each group.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda step: 0.5)
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def _check_functions(self) -> None:
        for each in self.lr_lambdas:
            if not callable(each):
                raise TypeError(f"lr_lambda should be a function, but got {type(each).__name__}")

    def get_lr(self) -> list[Any]:
        """Returns the rates for the step `last_epoch`, one for each group."""
        self._expect_step()
        if self._is_initial:
            return values(self.optimizer, "lr")
        pairs = zip(self.optimizer.param_groups, self.lr_lambdas, strict=True)
        return [group["lr"] * function(self.last_epoch) for group, function in pairs]


class StepLR(_ClosedScaling):
    """Multiplies the rate by `gamma` every `step_size` steps.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(5):
    ...     optimizer.step(); schedule.step(); print(schedule.get_last_lr())
    [0.5]
    [0.25]
    [0.25]
    [0.125]
    [0.125]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ):
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        due = self.last_epoch != 0 and self.last_epoch % self.step_size == 0
        return self.gamma if due else None

    def _total_factor(self) -> float:
        return self.gamma ** (self.last_epoch // self.step_size)


class MultiStepLR(_ClosedScaling):
    """Multiplies the rate by `gamma` at each of the steps in `milestones`.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3])
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ):
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        times = self.milestones.get(self.last_epoch)
        return None if times is None else self.gamma**times

    def _total_factor(self) -> float:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return self.gamma**passed


class ConstantLR(_ClosedScaling):
    """A rate smaller by `factor` for the first `total_iters` steps.

    Raises ValueError for a factor that is not between 0 and 1.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.ConstantLR(optimizer, 0.5, total_iters=2)
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if factor > 1.0 or factor < 0:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.factor
        return 1.0 / self.factor if self.last_epoch == self.total_iters else None

    def _total_factor(self) -> float:
        return self.factor + (self.last_epoch >= self.total_iters) * (1 - self.factor)


class LinearLR(_ClosedScaling):
    """A factor that goes in a straight line from one value to another in `total_iters` steps.

    Raises ValueError for a factor that is not between 0 and 1.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)
    >>> schedule.get_last_lr()
    [0.25]
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.375]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ):
        if start_factor > 1.0 or start_factor <= 0:
            raise ValueError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal "
                "to 1."
            )
        if end_factor > 1.0 or end_factor < 0:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self.last_epoch == 0:
            return self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return 1.0 + rise / before

    def _get_closed_form_lr(self) -> list[Any]:
        done = min(self.total_iters, self.last_epoch)
        rise = (self.end_factor - self.start_factor) * done / self.total_iters
        return [lr * (self.start_factor + rise) for lr in self.base_lrs]


class ExponentialLR(_ClosedScaling):
    """Multiplies the rate by `gamma` at each step.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1):
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        return None if self._is_initial else self.gamma

    def _total_factor(self) -> float:
        return self.gamma**self.last_epoch


class PolynomialLR(_ClosedScaling):
    """A rate that falls to zero in `total_iters` steps as a power of the steps left.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.375]
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1
    ):
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float | None:
        if self._is_initial or self.last_epoch > self.total_iters:
            return None
        left = 1.0 - self.last_epoch / self.total_iters
        return (left / (1.0 - (self.last_epoch - 1) / self.total_iters)) ** self.power

    def _total_factor(self) -> float:
        done = min(self.total_iters, self.last_epoch)
        return (1.0 - done / self.total_iters) ** self.power
