"""What all optimizers share: parameter groups, state, saving and loading, hooks."""

from __future__ import annotations

import functools
import warnings
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any

import lantern
from lantern.autograd.graph import RemovableHandle
from lantern.autograd.mode import active, flags
from lantern.tensor import Tensor
from lantern.trees import mapped
from lantern.updating import flow, make_ready

ParamsT = Iterable[Any]  # tensors, (name, tensor) pairs, or groups


def _refuse_capture(parameters: list[Tensor]) -> None:
    """Raises AssertionError for what PyTorch captures on a GPU only."""
    if any(each.device.type == "cpu" for each in parameters):
        raise AssertionError(
            "If capturable=True, params and state_steps must be on supported devices: ['cuda']."
        )


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()
_before_any: OrderedDict[int, Callable[..., Any]] = OrderedDict()
_after_any: OrderedDict[int, Callable[..., Any]] = OrderedDict()


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` before each step of any optimizer."""
    return RemovableHandle(_before_any, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Calls `hook(optimizer, args, kwargs)` after each step of any optimizer."""
    return RemovableHandle(_after_any, hook)


class Optimizer:
    """The base of optimizers; a subclass defines `update(group, parameters)`, or a `step`.

    `params` are tensors, (name, tensor) pairs, or dicts with `params` and settings of their own.
    Raises TypeError for what is no tensor and ValueError for an empty list or a tensor that is no
    leaf.
    """

    OptimizerPreHook = OptimizerPostHook = Callable[..., Any]
    _counts: tuple[str, ...] = ("step",)  # the state that is a 0-d tensor
    _opt_called = False  # whether there was a step; learning rate schedules ask

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in vars(cls):  # a step of its own runs between the hooks, too
            cls.step = _between_hooks(cls.step)  # type: ignore[method-assign]

    def __init__(self, params: Any, defaults: dict[str, Any]):
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._make_hooks()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {params.type()}"  # type: ignore[attr-defined]
            )
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _make_hooks(self) -> None:
        self._pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._other_hooks: dict[str, OrderedDict[int, Callable[..., Any]]] = {}
        self._fused: dict = {}  # what has been compiled for the updates

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Adds parameters with settings of their own; missing ones come from the defaults."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the "
                "ordering of tensors in sets will change between runs. Please use a list instead."
            )
        params = list(params)
        names = [each[0] for each in params if isinstance(each, tuple)]
        if names and len(names) < len(params):
            raise ValueError(
                "all optimizer params should be with/without names. Some param names are missing"
            )
        if names:
            param_group["param_names"] = names
            params = [each for _, each in params]
        param_group["params"] = params
        for each in params:
            self._check(each)
        self._fill(param_group)
        self._check_apart(param_group)
        self.param_groups.append(param_group)
        flags.version += 1  # compiled steps were made for the groups that there were

    def _fill(self, group: dict[str, Any]) -> None:
        for name, default in self.defaults.items():
            if default is required and name not in group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            group.setdefault(name, default)

    def _check_apart(self, new: dict[str, Any]) -> None:
        params = new["params"]
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this "
                "will cause an error; see github.com/pytorch/pytorch/issues/40967 for more "
                "information",
                stacklevel=4,
            )
        for group in self.param_groups:
            if ("param_names" in new) != ("param_names" in group):
                kind = "with names" if "param_names" in new else "without names"
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param "
                    f"group {kind} to the optimizer"
                )
        known = set(chain.from_iterable(group["params"] for group in self.param_groups))
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")

    def _check(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            kind = type(param)
            where = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
            raise TypeError(
                "optimizer can only optimize Tensors, but one of the params is "
                f"{where}{kind.__name__}"
            )
        if not (param.is_leaf or param.retains_grad or self.defaults.get("differentiable")):
            raise ValueError("can't optimize a non-leaf Tensor")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Takes the gradients of all parameters away (or fills them with zeros)."""
        for group in self.param_groups:
            for param in group["params"]:
                if set_to_none:
                    param.grad = None
                elif param.grad is not None:
                    param.grad = param.grad.detach()
                    param.grad.zero_()

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Updates the parameters by their gradients; returns what `closure` gave, if any."""
        self._opt_called = True
        if self._pre_hooks or self._post_hooks or _before_any or _after_any:
            args = (self,) if closure is None else (self, closure)
            return self._run_hooked(Optimizer._step, args, {})
        return self._step(closure)

    def _step(self, closure: Callable[[], Any] | None = None) -> Any:
        if active.recording and active.trace:
            active.trace.uses(self)
        loss = None
        if closure is not None:
            with lantern.enable_grad():
                loss = closure()
        flow.home = self._fused
        try:
            self._update_groups()
        finally:
            flow.home = None
        return loss

    def _update_groups(self) -> None:
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p._grad is not None]
            if active.recording and active.trace:
                active.trace.uses_up(parameters)
            if parameters:
                if group.get("capturable"):
                    _refuse_capture(parameters)
                if group.get("differentiable"):
                    with flow:
                        self.update(group, parameters)
                else:
                    self.update(group, parameters)

    def _run_hooked(self, step: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        for hook in (*_before_any.values(), *self._pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got "
                        f"{changed}."
                    )
                args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in (*self._post_hooks.values(), *_after_any.values()):
            hook(self, args, kwargs)
        return result

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates those parameters of a group that have a gradient."""
        raise NotImplementedError(f"{type(self).__name__}.update")

    def _state(self, param: Tensor, *names: str) -> dict[str, Any]:
        """Returns the state of a parameter: a step count and tensors of zeros, made at first."""
        state = self.state[param]
        if not state:
            make_ready()
            state["step"] = scalar(0.0)
            for name in names:
                state[name] = lantern.zeros_like(param)
        return state

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` before each step."""
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` after each step."""
        return RemovableHandle(self._post_hooks, hook)

    def register_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer)` before each `state_dict()`."""
        return self._register("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` after each `state_dict()`; may return another."""
        return self._register("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer, state_dict)` before each loading; may return another."""
        return self._register("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(optimizer)` after each loading."""
        return self._register("load_state_dict_post", hook, prepend)

    def _register(self, kind: str, hook: Callable[..., Any], prepend: bool) -> RemovableHandle:
        hooks = self._other_hooks.setdefault(kind, OrderedDict())
        handle = RemovableHandle(hooks, hook)
        if prepend:
            hooks.move_to_end(handle.id, last=False)
        return handle

    def _hooks(self, kind: str) -> tuple[Callable[..., Any], ...]:
        return tuple(self._other_hooks.get(kind, {}).values())

    def state_dict(self) -> dict[str, Any]:
        """Returns the state and the settings, with parameters replaced by their numbers."""
        for hook in self._hooks("state_dict_pre"):
            hook(self)
        numbers: dict[Tensor, int] = {}
        for group in self.param_groups:
            for param in group["params"]:
                numbers.setdefault(param, len(numbers))
        groups = [
            {
                **{name: value for name, value in group.items() if name != "params"},
                "params": [numbers[p] for p in group["params"]],
            }
            for group in self.param_groups
        ]
        state = {
            numbers[key] if isinstance(key, Tensor) else key: value
            for key, value in self.state.items()
        }
        found = {"state": state, "param_groups": groups}
        for hook in self._hooks("state_dict_post"):
            found = hook(self, found) or found
        return found

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave, cast to the dtype of each parameter.

        Raises ValueError when the groups do not have the same numbers of parameters.
        """
        state_dict = state_dict.copy()
        for hook in self._hooks("load_state_dict_pre"):
            state_dict = hook(self, state_dict) or state_dict
        groups, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(groups) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(groups, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of "
                "optimizer's group"
            )
        params = {
            number: param
            for group, new in zip(groups, saved, strict=True)
            for number, param in zip(new["params"], group["params"], strict=True)
        }
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            param = params.get(key)
            if param is None:
                self.state[key] = value
            else:
                self.state[param] = {
                    name: self._loaded(name, each, param) for name, each in value.items()
                }
        self.param_groups = [
            self._loaded_group(new, group) for group, new in zip(groups, saved, strict=True)
        ]
        flags.version += 1
        for hook in self._hooks("load_state_dict_post"):
            hook(self)

    def _loaded(self, name: str, value: Any, param: Tensor) -> Any:
        """Returns a loaded value of the state, in the dtype of its parameter."""
        if name in self._counts and not isinstance(value, Tensor):  # of an older version
            value = scalar(float(value))
        return value.detach().clone() if name == "step" else _cast(value, param)

    def _loaded_group(self, new: dict[str, Any], group: dict[str, Any]) -> dict[str, Any]:
        """Returns a loaded group; a file of an older version gets the settings that it lacks."""
        new["params"] = group["params"]
        for name in ("param_names", *self.defaults):
            if name in group:
                new.setdefault(name, group[name])
        return new

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "_pre_hooks" not in self.__dict__:
            self._make_hooks()
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [""] * (i > 0) + [f"Parameter Group {i}"]
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _between_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def hooked(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        return self._run_hooked(step, (self, *args), kwargs)

    return hooked


def scalar(value: float) -> Tensor:
    """Returns a 0-d tensor for the state, in single precision unless double is the default."""
    double = lantern.get_default_dtype() is lantern.float64
    return lantern.tensor(value, dtype=lantern.float64 if double else lantern.float32)


def _cast(state: Any, param: Tensor) -> Any:
    """Returns a copy of a parameter's state, its tensors in the dtype of the parameter."""

    def cast(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        value = value.detach().clone().to(param.device)
        return value.to(param.dtype) if param.is_floating_point() else value

    return mapped(state, cast)


def check_at_least_zero(**settings: Any) -> None:
    """Raises ValueError for a negative setting, in torch's words."""
    words = {"lr": "learning rate", "eps": "epsilon value"}
    for name, value in settings.items():
        if name == "lr" and isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not 0.0 <= value:
            raise ValueError(f"Invalid {words.get(name, name + ' value')}: {value}")


def check_betas(betas: Any) -> None:
    """Raises ValueError for a moving average's factor outside of [0, 1), in torch's words."""
    for i in range(2):
        if not 0.0 <= betas[i] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {betas[i]}")


def check_way(foreach: bool | None, fused: bool | None, differentiable: bool) -> None:
    """Raises RuntimeError for ways to compute a step that exclude each other, in torch's words."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
