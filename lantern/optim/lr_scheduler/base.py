"""What all schedules share: the rates of an optimizer's groups, counted steps, saving."""

from __future__ import annotations

import functools
import types
import warnings
from collections.abc import Callable
from typing import Any

from lantern.autograd.mode import active
from lantern.tensor import Tensor

from ..optimizer import Optimizer

HOW = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
EPOCH_IS_OLD = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where "
    "possible. Please use `scheduler.step()` to step the scheduler. During the deprecation, if "
    "epoch is different from None, the closed form is used instead of the new chainable form, "
    "where available."
)


class LRScheduler:
    """The base of schedules; a subclass defines `get_lr`, one rate for each parameter group.

    `last_epoch` is -1 for a new schedule, else the steps done before. Raises TypeError for what is
    no optimizer and KeyError for a resumed schedule whose optimizer knows no initial rates.

    >>> import lantern
    >>> class Halved(lantern.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / 2**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.8)
    >>> schedule = Halved(optimizer)
    >>> optimizer.step(); schedule.step(); schedule.get_last_lr()
    [0.4]
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1):
        self.optimizer = checked(optimizer)
        if last_epoch == -1:
            for group in optimizer.param_groups:
                group.setdefault("initial_lr", _copied(group["lr"]))
        for i, group in enumerate(optimizer.param_groups):
            if "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    "scheduler with last_epoch >= 0.\nThis typically happens when:\n"
                    "1. You're trying to resume training from a checkpoint but haven't properly "
                    "loaded the optimizer state\n"
                    "2. You're using last_epoch >= 0 for a fresh training run (not recommended)"
                )
        self.base_lrs: list[Any] = values(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def _initial_step(self) -> None:
        """Sets the first rates."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """Returns everything but the optimizer."""
        return {name: value for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave."""
        vars(self).update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """Returns the present rates, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """Returns the rates for the step `last_epoch`, one for each group."""
        raise NotImplementedError

    def step(self, epoch: int | None = None) -> None:
        """Goes on by one step; to be called after `optimizer.step()`.

        An `epoch` goes to that one, which is deprecated.
        """
        refuse_while_recording()
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_IS_OLD, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _check_order(self) -> None:
        own = vars(self.optimizer).get("step")
        if own is not None and not hasattr(own, "_wrapped_by_lr_sched"):
            warnings.warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler "
                "initialization. Please, make sure to call `optimizer.step()` before "
                f"`lr_scheduler.step()`. See more details at {HOW}",
                UserWarning,
                stacklevel=3,
            )
        elif not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch "
                "1.1.0 and later, you should call them in the opposite order: `optimizer.step()` "
                "before `lr_scheduler.step()`.  Failure to do this will result in PyTorch skipping "
                f"the first value of the learning rate schedule. See more details at {HOW}",
                UserWarning,
                stacklevel=3,
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = getattr(self, "_get_closed_form_lr", None)
        self._set_rates(self.get_lr if epoch is None or closed is None else closed)

    def _set_rates(self, rates: Callable[[], list[Any]]) -> None:
        self._get_lr_called_within_step = True
        try:
            found = rates()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, found, strict=True):
            put(group, "lr", lr)
        self._last_lr = values(self.optimizer, "lr")

    def _expect_step(self) -> None:
        """Warns where a user calls `get_lr` for the present rate."""
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use "
                "`get_last_lr()`.",
                UserWarning,
                stacklevel=3,
            )


class _LRScheduler(LRScheduler):
    """The former name of `LRScheduler`."""


def refuse_while_recording() -> None:
    """Raises TraceError in a function that is being compiled: its record would not count steps."""
    active.refuse(
        "how often a scheduler has stepped",
        "Call scheduler.step() after the compiled function, which reads the rates anew.",
    )


def checked(optimizer: Any) -> Optimizer:
    """Returns an optimizer; raises TypeError for anything else."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def _copied(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def values(optimizer: Optimizer, name: str) -> list[Any]:
    """Returns one setting of all groups; tensors are copied."""
    return [_copied(group[name]) for group in optimizer.param_groups]


def put(group: dict[str, Any], name: str, value: Any) -> None:
    """Changes a setting of a group; a tensor keeps its memory."""
    if isinstance(group[name], Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value.item() if isinstance(value, Tensor) else value


def one_per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Returns a value for each group; raises ValueError for a list of another length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [_copied(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} "
            f"values, param_groups has {count}."
        )
    return [_copied(each) for each in value]


def _watch(optimizer: Optimizer) -> None:
    """Lets a `step` that somebody put into the optimizer note that it was called."""
    step = vars(optimizer).get("step")
    if step is None or hasattr(step, "_wrapped_by_lr_sched"):
        return

    @functools.wraps(step)
    def noting(*args: Any, **kwargs: Any) -> Any:
        optimizer._opt_called = True
        return step(*args, **kwargs)

    noting._wrapped_by_lr_sched = True  # type: ignore[attr-defined]
    optimizer.step = noting  # type: ignore[method-assign]


def state_of(function: Any) -> Any:
    """Returns what can be saved of a function: the attributes of a callable object, else None."""
    plain = function is None or isinstance(function, types.FunctionType)
    return None if plain else vars(function).copy()
