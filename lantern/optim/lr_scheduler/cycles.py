"""Schedules of rate and momentum together: cycles (Smith 2017) and one cycle (Smith 2018)."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, floor, pi
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, checked, one_per_group, put, state_of


class _WithMomentum(LRScheduler):
    """Moves the momentum, or the first of `betas`, against the rate."""

    def _momentum_kind(self, optimizer: Optimizer) -> None:
        names = optimizer.defaults
        if "momentum" not in names and "betas" not in names:
            raise ValueError(
                "optimizer must support momentum or beta1 with `cycle_momentum` option enabled"
            )
        self.use_beta1 = "betas" in names

    def _put_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum

    def _begin_momentum(self, least: list[float], greatest: list[float]) -> None:
        for group, low, high in zip(self.optimizer.param_groups, least, greatest, strict=True):
            self._put_momentum(group, high)
            group["max_momentum"], group["base_momentum"] = high, low


class CyclicLR(_WithMomentum):
    """A rate that goes up and down in straight lines between `base_lr` and `max_lr`.

    The mode `triangular2` halves the height at each cycle, `exp_range` multiplies it by
    `gamma ** step`; `scale_fn` takes the place of both. Raises ValueError for an optimizer without
    momentum, unless `cycle_momentum=False`.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.lr_scheduler.CyclicLR(
    ...     optimizer, 0.1, 1.0, step_size_up=2, cycle_momentum=False
    ... )
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.55]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float = 0.8,
        max_momentum: float = 0.9,
        last_epoch: int = -1,
    ):
        self.optimizer = checked(optimizer)
        base_lrs = one_per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                put(group, "lr", lr)
        self.max_lrs = one_per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        if scale_fn is None:
            scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.scale_mode = scale_mode
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._momentum_kind(optimizer)
            self.base_momentums = one_per_group("base_momentum", optimizer, base_momentum)
            self.max_momentums = one_per_group("max_momentum", optimizer, max_momentum)
            if last_epoch == -1:
                self._begin_momentum(self.base_momentums, self.max_momentums)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Returns what the height is multiplied by in cycle or step `x`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[Any]:
        """Returns the rates for the step `last_epoch`, and sets the momentum that goes with it."""
        self._expect_step()
        cycle = floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        rising = x <= self.step_ratio
        height = x / self.step_ratio if rising else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            groups = self.optimizer.param_groups
            for group, low, high in zip(
                groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._put_momentum(group, high - (high - low) * height * scale)
        bounds = zip(self.base_lrs, self.max_lrs, strict=True)
        return [low + (high - low) * height * scale for low, high in bounds]

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimizer; of a function the attributes of an object."""
        state = super().state_dict()
        state["_scale_fn_custom"] = state_of(state.pop("_scale_fn_custom"))
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        function = state_dict.get("_scale_fn_custom")
        rest = {n: v for n, v in state_dict.items() if n != "_scale_fn_custom"}
        super().load_state_dict(rest)
        if function is not None:
            vars(self._scale_fn_custom).update(function)


class OneCycleLR(_WithMomentum):
    """One rise to `max_lr` and a fall far below the first rate, in `total_steps` steps.

    The rise takes the part `pct_start`; `three_phase` comes down to the first rate before the last
    fall. Raises ValueError for counts that are no positive whole numbers and for a step too many.

    >>> import lantern
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=1, momentum=0.9)
    >>> schedule = lantern.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.5, total_steps=10)
    >>> for _ in range(2):
    ...     optimizer.step(); schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ):
        self.optimizer = checked(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = _phases(float(pct_start), self.total_steps, three_phase)
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_func_type = anneal_strategy
        max_lrs = one_per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, greatest in zip(optimizer.param_groups, max_lrs, strict=True):
                group["initial_lr"] = greatest / div_factor
                group["max_lr"] = greatest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._momentum_kind(optimizer)
            highs = one_per_group("max_momentum", optimizer, max_momentum)
            lows = one_per_group("base_momentum", optimizer, base_momentum)
            if last_epoch == -1:
                self._begin_momentum(lows, highs)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (cos(pi * part) + 1)
        return (end - start) * part + start

    def get_lr(self) -> list[Any]:
        """Returns the rates for the step `last_epoch`, and sets the momentum that goes with it."""
        self._expect_step()
        step, start = self.last_epoch, 0.0
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times. The specified number of total steps is "
                f"{self.total_steps}"
            )
        *early, phase = self._schedule_phases
        for each in early:
            if step <= each["end_step"]:
                phase = each
                break
            start = each["end_step"]
        part = (step - start) / (phase["end_step"] - start)
        rates = []
        for group in self.optimizer.param_groups:
            rates.append(self._between(group[phase["start_lr"]], group[phase["end_lr"]], part))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._put_momentum(group, self._between(*ends, part))
        return rates


def _total(total: Any, epochs: Any, steps_per_epoch: Any) -> int:
    """Returns the number of steps; raises ValueError where it does not follow."""
    if total is None and (epochs is None or steps_per_epoch is None):
        raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    counts = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    for name, value in counts.items() if total is None else [("total_steps", total)]:
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value}")
    return epochs * steps_per_epoch if total is None else total


def _phases(rise: float, total: int, three: bool) -> list[dict[str, Any]]:
    """Returns where each phase ends, and between which settings of a group it goes."""

    def phase(end: float, lrs: tuple[str, str], momentums: tuple[str, str]) -> dict[str, Any]:
        names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
        return dict(zip(names, (end, *lrs, *momentums), strict=True))

    low, high = "base_momentum", "max_momentum"
    first = phase(rise * total - 1, ("initial_lr", "max_lr"), (high, low))
    if not three:
        return [first, phase(total - 1, ("max_lr", "min_lr"), (low, high))]
    second = phase(2 * rise * total - 2, ("max_lr", "initial_lr"), (low, high))
    return [first, second, phase(total - 1, ("initial_lr", "min_lr"), (high, high))]
