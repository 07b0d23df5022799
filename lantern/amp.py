"""`torch.amp`: mixed precision, and the scale that keeps small gradients of float16 from vanishing.

`GradScaler` follows Micikevicius et al., Mixed Precision Training, 2018, section 3.2.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

import lantern
from lantern import Tensor

from .autograd.autocast import autocast as autocast
from .autograd.autocast import get_autocast_dtype as get_autocast_dtype
from .autograd.autocast import is_autocast_available as is_autocast_available
from .autograd.autocast import is_autocast_cpu_enabled as is_autocast_cpu_enabled
from .autograd.autocast import is_autocast_enabled as is_autocast_enabled
from .compat.missing import missing

READY, UNSCALED, STEPPED = range(3)  # what was done with an optimizer since the last `update`


class GradScaler:
    """Multiplies losses by a scale, and leaves out steps whose gradients are not finite.

    `growth_interval` steps without an infinity raise the scale by `growth_factor`; one with an
    infinity lowers it by `backoff_factor`. For a GPU where there is none it warns and does nothing.

        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    >>> import lantern
    >>> GradScaler("cpu", init_scale=8.0).scale(lantern.ones(2))
    tensor([8., 8.])
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        self._enabled = enabled
        if enabled and device == "cuda" and not lantern.cuda.is_available():
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2,
            )
            self._enabled = False
        if self._enabled:
            if not growth_factor > 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if not backoff_factor < 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
        self._scale = float(init_scale)
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._stages: dict[int, int] = {}
        self._found_inf: dict[int, bool] = {}

    def scale(self, outputs: Any) -> Any:
        """Returns a tensor, or each tensor of lists and tuples, times the scale."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(each) for each in outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: lantern.optim.Optimizer) -> None:
        """Divides the gradients of an optimizer's parameters by the scale, before they are clipped.

        Raises RuntimeError at a second call since the last `update`.
        """
        if not self._enabled:
            return
        stage = self._stages.get(id(optimizer), READY)
        if stage is UNSCALED:
            raise RuntimeError(
                "unscale_() has already been called on this optimizer since the last update()."
            )
        if stage is STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        finite = True
        with lantern.no_grad():
            for group in optimizer.param_groups:
                for param in group["params"]:
                    if param.grad is None:
                        continue
                    if param.grad.dtype is lantern.float16:
                        raise ValueError("Attempting to unscale FP16 gradients.")
                    param.grad.mul_(1.0 / self._scale)
                    finite = finite and bool(param.grad.isfinite().all())
        self._stages[id(optimizer)] = UNSCALED
        self._found_inf[id(optimizer)] = not finite

    def step(self, optimizer: lantern.optim.Optimizer, *args: Any, **kwargs: Any) -> Any:
        """Takes the optimizer's step if its gradients are finite; returns what it returns."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        stage = self._stages.get(id(optimizer), READY)
        if stage is STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if stage is READY:
            self.unscale_(optimizer)
        self._stages[id(optimizer)] = STEPPED
        if self._found_inf[id(optimizer)]:
            return None
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Raises or lowers the scale by what the last steps met, or sets it."""
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._found_inf:
            raise AssertionError("No inf checks were recorded prior to update.")
        elif any(self._found_inf.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                grown = self._scale * self._growth_factor
                self._scale = grown if math.isfinite(grown) else self._scale
                self._growth_tracker = 0
        self._stages.clear()
        self._found_inf.clear()

    def get_scale(self) -> float:
        """Returns the scale; 1 where it is not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """Returns the factor that the scale is raised by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Sets the factor that the scale is raised by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """Returns the factor that the scale is lowered by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Sets the factor that the scale is lowered by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """Returns after how many good steps the scale is raised."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Sets after how many good steps the scale is raised."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Says whether it scales at all."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """Returns the scale and how it changes; nothing where it is not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave; raises RuntimeError for one that is empty."""
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled "
                "instance of GradScaler."
            )
        for name, value in state_dict.items():
            setattr(self, name if name.startswith("_") else f"_{name}", value)


def custom_fwd(
    fwd: Callable[..., Any] | None = None,
    *,
    device_type: str,
    cast_inputs: lantern.dtype | None = None,
) -> Callable[..., Any]:
    """Decorates `forward` of a Function: its tensors are cast, and autocast is off, inside it."""
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if cast_inputs is None or not is_autocast_enabled(device_type):
            return fwd(*args, **kwargs)

        def cast(each: Any) -> Any:
            floating = isinstance(each, Tensor) and each.is_floating_point()
            return each.to(cast_inputs) if floating else each

        with autocast(device_type, enabled=False):
            return fwd(*map(cast, args), **{name: cast(value) for name, value in kwargs.items()})

    return wrapped


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorates `backward` of a Function; it runs outside of autocast, as all backwards do."""
    return functools.partial(custom_bwd, device_type=device_type) if bwd is None else bwd


__getattr__ = missing(__name__)
