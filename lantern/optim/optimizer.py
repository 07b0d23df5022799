"""What all optimizers share: parameter groups, state, saving and loading, hooks."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from copy import deepcopy
from itertools import chain
from typing import Any

import lantern
from lantern.autograd.graph import RemovableHandle
from lantern.tensor import Tensor


class _Required:
    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer:
    """The base of optimizers; a subclass defines `update(group, parameters)`.

    `params` are tensors, (name, tensor) pairs, or dicts with `params` and settings of their own.
    Raises TypeError for what is no tensor and ValueError for an empty list or a tensor that is no
    leaf.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]):
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._pre_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
        self._post_hooks: OrderedDict[int, Callable[..., Any]] = OrderedDict()
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
        if params and all(isinstance(each, tuple) for each in params):
            param_group["param_names"] = [name for name, _ in params]
            params = [each for _, each in params]
        param_group["params"] = params
        for each in params:
            self._check(each)
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(
                    f"parameter group didn't specify a value of required optimization parameter "
                    f"{name}"
                )
            param_group.setdefault(name, default)
        if len(params) != len(set(params)):
            raise ValueError("optimizer contains a parameter group with duplicate parameters")
        known = set(chain.from_iterable(group["params"] for group in self.param_groups))
        if not known.isdisjoint(params):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    def _check(self, param: Any) -> None:
        if not isinstance(param, Tensor):
            raise TypeError(
                f"optimizer can only optimize Tensors, but one of the params is "
                f"{type(param).__module__}.{type(param).__name__}"
            )
        if not (param.is_leaf or param.retains_grad):
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
        if self._pre_hooks:
            self._run(self._pre_hooks, closure)
        loss = None
        if closure is not None:
            with lantern.enable_grad():
                loss = closure()
        for group in self.param_groups:
            parameters = [p for p in group["params"] if p._grad is not None]
            if parameters:
                self.update(group, parameters)
        if self._post_hooks:
            self._run(self._post_hooks, closure)
        return loss

    def _run(self, hooks: OrderedDict[int, Callable[..., Any]], closure: Any) -> None:
        for hook in tuple(hooks.values()):
            hook(self, (closure,) if closure else (), {})

    def update(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Updates those parameters of a group that have a gradient."""
        raise NotImplementedError(f"{type(self).__name__}.update")

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` before each step."""
        return RemovableHandle(self._pre_hooks, hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(optimizer, args, kwargs)` after each step."""
        return RemovableHandle(self._post_hooks, hook)

    def state_dict(self) -> dict[str, Any]:
        """Returns the state and the settings, with parameters replaced by their numbers."""
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
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave, cast to the dtype of each parameter.

        Raises ValueError when the groups do not have the same numbers of parameters.
        """
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
                self.state[param] = {n: _cast(v, param, n) for n, v in value.items()}
        self.param_groups = [
            {**new, "params": group["params"]} for group, new in zip(groups, saved, strict=True)
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {
            "defaults": self.defaults,
            "state": self.state,
            "param_groups": self.param_groups,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__.setdefault("_pre_hooks", OrderedDict())
        self.__dict__.setdefault("_post_hooks", OrderedDict())
        self.defaults.setdefault("differentiable", False)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])


def _cast(value: Any, param: Tensor, name: str) -> Any:
    """Returns a value of the state, in the dtype of its parameter; step counts stay as they are."""
    if not isinstance(value, Tensor):
        return value
    value = value.detach().clone()
    if name != "step" and param.is_floating_point():
        value = value.to(param.dtype)
    return value


def check_at_least_zero(**settings: Any) -> None:
    """Raises ValueError for a negative setting, in torch's words."""
    words = {"lr": "learning rate", "eps": "epsilon value"}
    for name, value in settings.items():
        if not 0.0 <= value:
            raise ValueError(f"Invalid {words.get(name, name + ' value')}: {value}")
