"""Averages of weights: over steps (Izmailov et al. 2018) or fading (Polyak averaging)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from math import cos, pi
from typing import Any

import lantern
from lantern.nn import Module
from lantern.tensor import Tensor

from .lr_scheduler.base import LRScheduler, one_per_group
from .optimizer import Optimizer

__all__ = """
    AveragedModel SWALR get_ema_avg_fn get_ema_multi_avg_fn get_swa_avg_fn get_swa_multi_avg_fn
    update_bn
""".split()


def _checked(decay: float) -> float:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(
            f"Invalid decay value {decay} provided. Please provide a value in [0,1] range."
        )
    return decay


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Returns the function of a fading average: `decay` times the old plus the rest of the new.

    >>> lantern.optim.swa_utils.get_ema_avg_fn(0.5)(lantern.zeros(1), lantern.ones(1), 3)
    tensor([0.5000])
    """
    _checked(decay)

    @lantern.no_grad()
    def average(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return decay * ema_param + (1 - decay) * current_param

    return average


def get_swa_avg_fn() -> Callable[[Tensor, Tensor, Any], Tensor]:
    """Returns the function of an equal average over all steps so far."""

    @lantern.no_grad()
    def average(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return average


def _toward(old: list[Tensor], new: list[Tensor], share: Any, whole: Callable[..., Any]) -> None:
    """Moves each tensor a share of the way; one of whole numbers becomes `whole(old, new)`."""
    for a, b in zip(old, new, strict=True):
        if a.is_floating_point():
            a.lerp_(b.to(a.dtype), float(share))
        else:
            a.copy_(whole(a, b))


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list, list, Any], None]:
    """Returns `get_ema_avg_fn` for lists of tensors, which it changes in place."""
    _checked(decay)

    @lantern.no_grad()
    def average(ema_params: list[Tensor], current_params: list[Tensor], _: Any) -> None:
        _toward(ema_params, current_params, 1 - decay, lambda a, b: a * decay + b * (1 - decay))

    return average


def get_swa_multi_avg_fn() -> Callable[[list, list, Any], None]:
    """Returns `get_swa_avg_fn` for lists of tensors, which it changes in place."""

    @lantern.no_grad()
    def average(averaged: list[Tensor], current: list[Tensor], num_averaged: Any) -> None:
        count = int(num_averaged) + 1
        _toward(averaged, current, 1 / count, lambda a, b: a + (b - a) / count)

    return average


class AveragedModel(Module):
    """A copy of a model whose parameters are averages, `n_averaged` models so far.

    `avg_fn(averaged, new, n_averaged)` returns an average, `multi_avg_fn` takes lists and changes
    the first in place; without either all models count alike. Raises AssertionError for both.

    >>> model = lantern.nn.Linear(1, 1)
    >>> averaged = lantern.optim.swa_utils.AveragedModel(model)
    >>> averaged.update_parameters(model); averaged.n_averaged
    tensor(1)
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable[[Tensor, Tensor, Any], Tensor] | None = None,
        multi_avg_fn: Callable[[list, list, Any], None] | None = None,
        use_buffers: bool = False,
    ):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", lantern.tensor(0, dtype=lantern.int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the averaged model."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Takes the present parameters of a model into the averages."""
        mine, theirs = (
            [
                each.detach()
                for each in chain(m.parameters(), m.buffers() if self.use_buffers else ())
            ]
            for m in (self.module, model)
        )
        if self.n_averaged == 0:
            for a, b in zip(mine, theirs, strict=False):
                a.copy_(b)
        elif self.avg_fn is not None:
            for a, b in zip(mine, theirs, strict=False):
                a.copy_(self.avg_fn(a, b, self.n_averaged))
        else:
            average = self.multi_avg_fn or get_swa_multi_avg_fn()
            average(mine, theirs, self.n_averaged)
        if not self.use_buffers:
            for a, b in zip(self.module.buffers(), model.buffers(), strict=True):
                a.detach().copy_(b.detach())
        self.n_averaged += 1


@lantern.no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Computes the statistics of batch normalisation anew from one pass over the data.

    A batch is a tensor, or a list or tuple that begins with one.
    """
    layers = [
        each
        for each in model.modules()
        if isinstance(each, lantern.nn.modules.batchnorm._BatchNorm)
    ]
    if not layers:
        return
    momenta = [each.momentum for each in layers]
    was_training = model.training
    model.train()
    for each in layers:
        each.reset_running_stats()
        each.momentum = None
    for batch in loader:
        if isinstance(batch, (list, tuple)):
            batch = batch[0]
        model(batch if device is None else batch.to(device))
    for each, momentum in zip(layers, momenta, strict=True):
        each.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """A rate that goes to `swa_lr` in `anneal_epochs` steps and stays there.

    Raises ValueError for an unknown `anneal_strategy` or a negative number of steps.

    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.5)
    >>> schedule = lantern.optim.swa_utils.SWALR(optimizer, 0.1, 2, "linear")
    >>> optimizer.step(); schedule.step(); f"{schedule.get_last_lr()[0]:.2f}"
    '0.30'
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ):
        for lr, group in zip(
            one_per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True
        ):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}"
            )
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """Returns which part of the way is done at the part `t` of the time."""
        return (1 - cos(pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        """Returns the rates for the present step, one for each group."""
        self._expect_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        length = max(1, self.anneal_epochs)
        before, now = (self.anneal_func(max(0, min(1, each / length))) for each in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            goal, lr = group["swa_lr"], group["lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates
