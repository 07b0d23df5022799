"""Hooks: functions that users have called before or after a module, forward or backward.

Hooks live in dictionaries of the module (`_forward_hooks`, ...), by the number of their handle. A
module without hooks never comes here: `Module.__call__` goes straight to `forward`.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import lantern
from lantern.autograd import Function
from lantern.autograd.graph import RemovableHandle
from lantern.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

Hook = Callable[..., Any]

# The hooks of all modules: handle number -> (kind, hook, with_kwargs, always_call).
EVERYWHERE: OrderedDict[int, tuple[str, Hook, bool, bool]] = OrderedDict()


class HookHandle(RemovableHandle):
    """Takes a hook of a module out again by `remove()` or at the end of a `with` block."""

    def __init__(self, hooks: OrderedDict, hook: Any, prepend: bool = False, flags: tuple = ()):
        super().__init__(hooks)
        while self.id in hooks:  # an unpickled module brings the numbers of another process
            super().__init__(hooks)
        hooks[self.id] = hook
        if prepend:
            hooks.move_to_end(self.id, last=False)
        self._flags = flags
        for flag in flags:
            flag[self.id] = True

    def remove(self) -> None:
        """Takes the hook out; a second call does nothing."""
        super().remove()
        for flag in self._flags:
            flag.pop(self.id, None)


class HookMixin:
    """The part of `Module` that registers hooks."""

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls `hook(module, args)` before every `forward`; what it returns replaces `args`.

        With `with_kwargs` it is called as `hook(module, args, kwargs)` and returns both or None.

        >>> import lantern
        >>> layer = lantern.nn.ReLU()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: -args[0])
        >>> layer(lantern.tensor([-1.0, 2.0]))
        tensor([1., 0.])
        """
        flags = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return HookHandle(self._forward_pre_hooks, hook, prepend, flags)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Calls `hook(module, args, output)` after every `forward`; what it returns replaces it.

        With `with_kwargs` it is called as `hook(module, args, kwargs, output)`; with `always_call`
        also when `forward` raises (the output is then None).

        >>> import lantern
        >>> layer = lantern.nn.ReLU()
        >>> handle = layer.register_forward_hook(lambda module, args, output: output + 1)
        >>> layer(lantern.tensor([-1.0, 2.0]))
        tensor([1., 3.])
        """
        flags: tuple = (self._forward_hooks_with_kwargs,) if with_kwargs else ()
        if always_call:
            flags += (self._forward_hooks_always_called,)
        return HookHandle(self._forward_hooks, hook, prepend, flags)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(module, grad_output)` before the gradient enters the module.

        It may return another tuple of gradients, which is used instead.
        """
        return HookHandle(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Calls `hook(module, grad_input, grad_output)` when the gradient has left the module.

        It may return another `grad_input`. Places of arguments that are not tensors hold None.
        Raises RuntimeError if the module has hooks of the older kind.

        >>> import lantern
        >>> layer = lantern.nn.Identity()
        >>> handle = layer.register_full_backward_hook(lambda m, inputs, outputs: (inputs[0] * 2,))
        >>> x = lantern.ones(2, requires_grad=True)
        >>> layer(x).sum().backward(); x.grad
        tensor([2., 2.])
        """
        self._choose_backward_hooks(full=True)
        return HookHandle(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """Calls `hook` with the gradients of the last operation only; deprecated in PyTorch.

        Use `register_full_backward_hook`. Raises RuntimeError if the module has full hooks.
        """
        self._choose_backward_hooks(full=False)
        return HookHandle(self._backward_hooks, hook)

    def _choose_backward_hooks(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single "
                "Module. Please use only one of them."
            )
        self._is_full_backward_hook = full


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, args)` before the `forward` of every module."""
    return HookHandle(EVERYWHERE, ("forward_pre", hook, False, False))


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Calls `hook(module, args, output)` after the `forward` of every module."""
    return HookHandle(EVERYWHERE, ("forward", hook, with_kwargs, always_call))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, grad_output)` before a gradient enters any module."""
    return HookHandle(EVERYWHERE, ("backward_pre", hook, False, False))


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Calls `hook(module, grad_input, grad_output)` when a gradient has left any module."""
    return HookHandle(EVERYWHERE, ("backward", hook, False, False))


def call_with_hooks(module: Module, args: tuple, kwargs: dict) -> Any:
    """Calls `module.forward` with all that was asked to happen around it."""
    finished: set[int] = set()
    result = None
    try:
        args, kwargs = _before_forward(module, args, kwargs)
        backward, old_style = _backward_hooks(module)
        if backward is not None:
            args = backward.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for number, hook, with_kwargs, _ in _forward_hooks(module):
            finished.add(number)
            changed = _call_forward_hook(hook, with_kwargs, module, args, kwargs, result)
            if changed is not None:
                result = changed
    except Exception:
        _call_the_rest(module, args, kwargs, result, finished)
        raise
    if backward is not None:
        result = backward.watch_outputs(result)
    if old_style:
        _hook_last_operation(module, old_style, args, result)
    return result


def _before_forward(module: Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    hooks: list[tuple[Hook, bool]] = [
        (hook, False) for kind, hook, _, _ in EVERYWHERE.values() if kind == "forward_pre"
    ]
    flagged = module._forward_pre_hooks_with_kwargs
    hooks += [(hook, number in flagged) for number, hook in module._forward_pre_hooks.items()]
    for hook, with_kwargs in hooks:
        if not with_kwargs:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
            continue
        changed = hook(module, args, kwargs)
        if changed is None:
            continue
        if not isinstance(changed, tuple) or len(changed) != 2:
            raise RuntimeError(
                "forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got "
                f"{changed}."
            )
        args, kwargs = changed
    return args, kwargs


def _forward_hooks(module: Module) -> Iterator[tuple[int, Hook, bool, bool]]:
    """Yields the handle's number, the hook, whether it takes kwargs and whether it always runs."""
    for number, (kind, hook, with_kwargs, always) in list(EVERYWHERE.items()):
        if kind == "forward":
            yield number, hook, with_kwargs, always
    with_kwargs_of, always_of = (
        module._forward_hooks_with_kwargs,
        module._forward_hooks_always_called,
    )
    for number, hook in list(module._forward_hooks.items()):
        yield number, hook, number in with_kwargs_of, number in always_of


def _call_forward_hook(
    hook: Hook, with_kwargs: bool, module: Module, args: tuple, kwargs: dict, result: Any
) -> Any:
    if with_kwargs:
        return hook(module, args, kwargs, result)
    return hook(module, args, result)


def _call_the_rest(
    module: Module, args: tuple, kwargs: dict, result: Any, finished: set[int]
) -> None:
    """After an error: calls the hooks that are to be called always and were not yet."""
    for number, hook, with_kwargs, always in _forward_hooks(module):
        if not always or number in finished:
            continue
        try:
            changed = _call_forward_hook(hook, with_kwargs, module, args, kwargs, result)
            if changed is not None:
                result = changed
        except Exception as error:
            warnings.warn(
                "module forward hook with ``always_call=True`` raised an exception that was "
                f"silenced as another error was raised in forward: {error}",
                stacklevel=4,
            )


# --- backward
def _backward_hooks(module: Module) -> tuple[BackwardHooks | None, list[Hook]]:
    """Returns the watcher for the full hooks, if there are any, and the hooks of the older kind."""
    before = [hook for kind, hook, _, _ in EVERYWHERE.values() if kind == "backward_pre"]
    before += module._backward_pre_hooks.values()
    after = [hook for kind, hook, _, _ in EVERYWHERE.values() if kind == "backward"]
    own = list(module._backward_hooks.values())
    if module._is_full_backward_hook:
        after, own = after + own, []
    return (BackwardHooks(module, before, after) if before or after else None), own


class _Passage(Function):
    """Hands tensors on unchanged, and shows their gradients to a function on the way back."""

    @staticmethod
    def forward(ctx: Any, receive: Callable[[tuple], tuple], *tensors: Tensor) -> tuple:
        ctx.receive = receive
        ctx.set_materialize_grads(False)
        return tuple(each.detach() for each in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple:
        return (None, *ctx.receive(grads))


class BackwardHooks:
    """Watches one call of a module: its outputs for `grad_output`, its inputs for `grad_input`."""

    def __init__(self, module: Module, before: list[Hook], after: list[Hook]):
        self.module, self.before, self.after = module, before, after
        self.grad_outputs: tuple | None = None
        self.inputs: list[tuple | None] = []  # shape, dtype and device; None: not a tensor
        self.watched_inputs: list[int] = []
        self.outputs = 0
        self.watched_outputs: list[int] = []

    def watch_inputs(self, args: tuple) -> tuple:
        """Returns the arguments, those that require a gradient being watched."""
        self.inputs = [
            (each.shape, each.dtype, each.device) if isinstance(each, Tensor) else None
            for each in args
        ]
        self.watched_inputs = _tracked(args)
        return _watched(self._leave, args, self.watched_inputs)

    def watch_outputs(self, result: Any) -> Any:
        """Returns the module's result, the tensors in it being watched."""
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of "
                f"Tensors but received {type(result)}",
                stacklevel=4,
            )
            return result
        several = result if isinstance(result, tuple) else (result,)
        self.outputs = len(several)
        self.watched_outputs = _tracked(several)
        watched = _watched(self._enter, several, self.watched_outputs)
        return watched if isinstance(result, tuple) else watched[0]

    def _enter(self, grads: tuple) -> tuple:
        """The gradient arrives at the outputs."""
        outputs = _spread(grads, self.watched_outputs, self.outputs)
        for hook in self.before:
            outputs = _replaced(hook(self.module, outputs), outputs, "Backward pre hook", "output")
        self.grad_outputs = outputs
        if not self.watched_inputs:
            self._finish_without_inputs(outputs)
        return tuple(outputs[i] for i in self.watched_outputs)

    def _leave(self, grads: tuple) -> tuple:
        """The gradient arrives at the inputs."""
        if self.grad_outputs is None:  # the outputs could not be watched
            return grads
        inputs = _spread(grads, self.watched_inputs, len(self.inputs))
        inputs = tuple(
            lantern.zeros(kind[0], dtype=kind[1], device=kind[2]) if grad is None and kind else grad
            for grad, kind in zip(inputs, self.inputs, strict=True)
        )
        outputs, self.grad_outputs = self.grad_outputs, None
        for hook in self.after:
            changed = hook(self.module, inputs, outputs)
            inputs = _replaced(changed, inputs, "Backward hook", "input")
        return tuple(inputs[i] for i in self.watched_inputs)

    def _finish_without_inputs(self, outputs: tuple) -> None:
        self.grad_outputs = None
        if not self.after:
            return
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module "
            "outputs since no inputs require gradients.",
            stacklevel=2,
        )
        for hook in self.after:
            changed = hook(self.module, (None,) * len(self.inputs), outputs)
            if changed is None or (isinstance(changed, tuple) and not any_given(changed)):
                continue
            raise RuntimeError(
                "Backward hook for Modules where no input requires gradient should always return "
                "None or None for all gradients."
            )


def any_given(values: tuple) -> bool:
    """Says whether any of the values is not None."""
    return any(each is not None for each in values)


def _tracked(values: tuple) -> list[int]:
    if not lantern.is_grad_enabled():
        return []
    return [i for i, each in enumerate(values) if isinstance(each, Tensor) and each.requires_grad]


def _watched(receive: Callable[[tuple], tuple], values: tuple, places: list[int]) -> tuple:
    """Returns `values`, those at `places` having gone through a `_Passage`."""
    if not places:
        return values
    passed = _Passage.apply(receive, *(values[i] for i in places))
    result = list(values)
    for place, tensor in zip(places, passed, strict=True):
        result[place] = tensor
    return values._make(result) if hasattr(values, "_make") else tuple(result)


def _spread(grads: tuple, places: list[int], length: int) -> tuple:
    result: list[Any] = [None] * length
    for place, grad in zip(places, grads, strict=True):
        result[place] = grad
    return tuple(result)


def _replaced(changed: Any, grads: tuple, kind: str, side: str) -> tuple:
    """Returns what a hook gave instead of `grads`, or `grads` if it gave None."""
    if changed is None:
        return grads
    changed = changed if isinstance(changed, tuple) else (changed,)
    if len(changed) != len(grads):
        raise RuntimeError(
            f"{kind} returned an invalid number of grad_{side}, got {len(changed)}, but expected "
            f"{len(grads)}"
        )
    return changed


# --- the older kind of backward hook
def _hook_last_operation(module: Module, hooks: list[Hook], args: tuple, result: Any) -> None:
    tensor = result
    while not isinstance(tensor, Tensor):
        values = tensor.values() if isinstance(tensor, dict) else tensor
        tensor = next(each for each in values if isinstance(each, (Tensor, tuple, list, dict)))
    if tensor.grad_fn is None:
        return
    for hook in hooks:
        tensor.grad_fn.register_hook(_with_module(hook, module))
    _warn_of_missing_gradients(args, result, tensor.grad_fn)


def _with_module(hook: Hook, module: Module) -> Hook:
    return lambda grad_input, grad_output: hook(module, grad_input, grad_output)


def _warn_of_missing_gradients(args: tuple, result: Any, grad_fn: Any) -> None:
    results = result if isinstance(result, tuple) else (result,)
    if not all(isinstance(each, Tensor) for each in results):
        case = "on a Module that does not return a single Tensor or a tuple of Tensors"
        lost = "of the grad_output"
    elif not all(isinstance(each, Tensor) for each in args):
        case = "on a Module that does not take as input a single Tensor or a tuple of Tensors"
        lost = "of the grad_input"
    elif any(each.grad_fn is not grad_fn for each in results):
        case = "when outputs are generated by different autograd Nodes"
        lost = "grad_output"
    elif _spans_several_nodes(args, grad_fn):
        case = "when the forward contains multiple autograd Nodes"
        lost = "grad_input"
    else:
        return
    warnings.warn(
        f"Using a non-full backward hook {case} is deprecated and will be removed in future "
        f"versions. This hook will be missing some {lost}. Please use register_full_backward_hook "
        "to get the documented behavior.",
        FutureWarning,
        stacklevel=5,
    )


def _spans_several_nodes(args: tuple, grad_fn: Any) -> bool:
    before = {node for node, _ in grad_fn.next_functions}
    return before != {each.grad_fn for each in args if each.grad_fn is not None}
