"""`state_dict` and `load_state_dict`: a module's parameters and buffers as a dictionary, and back.

Keys are paths such as `net.0.weight`. Modules may change what they save and load by hooks, or by
overriding `_save_to_state_dict`, `_load_from_state_dict`, `get_extra_state`, `set_extra_state`.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import lantern
from lantern.autograd.graph import RemovableHandle
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

from .hooks import HookHandle

Hook = Callable[..., Any]

EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` returns: the keys that did not fit."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class _WrappedHook:
    """A hook to be called before loading, and whether it wants the module as first argument."""

    def __init__(self, hook: Hook, with_module: bool):
        self.hook = hook
        self.with_module = with_module


class StateMixin:
    """The part of `Module` that saves and loads."""

    _version = 1  # of the keys that this class saves; stored with them

    # --- saving
    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """Returns all parameters and persistent buffers by their paths; the memory is shared.

        They are detached unless `keep_vars`. Given a `destination`, fills and returns that one.

        >>> import lantern
        >>> list(lantern.nn.Linear(2, 3).state_dict())
        ['weight', 'bias']
        """
        if args:
            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            named = (destination, prefix, keep_vars)
            destination, prefix, keep_vars = (*args, *named[len(args) :])
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = replaced
        return destination

    def _save_to_state_dict(self, destination: dict, prefix: str, keep_vars: bool) -> None:
        """Puts this module's own state, without its children's, into `destination`."""
        for name, tensor in self._saved_tensors():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if _overrides(self, "get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    def _saved_tensors(self) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in chain(self._parameters.items(), self._buffers.items()):
            if tensor is not None and name not in self._non_persistent_buffers_set:
                yield name, tensor

    def get_extra_state(self) -> Any:
        """Returns what a module has to save beside its tensors; override with `set_extra_state`."""
        raise RuntimeError(
            "Reached a code path in Module.get_extra_state() that should never be called."
        )

    def set_extra_state(self, state: Any) -> None:
        """Takes back what `get_extra_state` returned; override both."""
        raise RuntimeError(
            "Reached a code path in Module.set_extra_state() that should never be called."
        )

    def _register_state_dict_hook(self, hook: Hook) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, local_metadata)`; it may return another dict."""
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError(
                "Cannot register the same function as the state dict post hook that was "
                "previously registered via register_state_dict_post_hook"
            )
        return HookHandle(self._state_dict_hooks, hook)

    def register_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, local_metadata)` after `state_dict`.

        It may change the dictionary and has to return None.
        """
        hook._from_public_api = True  # type: ignore[attr-defined]
        return HookHandle(self._state_dict_hooks, hook)

    def register_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Calls `hook(module, prefix, keep_vars)` before `state_dict` collects the module."""
        return HookHandle(self._state_dict_pre_hooks, hook)

    # --- loading
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copies the tensors of `state_dict` into this module and its children.

        With `strict` every key has to match. With `assign` the tensors themselves become the
        parameters. Returns the missing and the unexpected keys; raises TypeError for something
        that is no mapping and RuntimeError, naming every misfit, when keys or shapes do not match.

        >>> import lantern
        >>> layer = lantern.nn.Linear(2, 3)
        >>> layer.load_state_dict(lantern.nn.Linear(2, 3).state_dict())
        <All keys matched successfully>
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        loading = _Loading(state_dict, assign)
        loading.into(self, loading.state, "")
        messages = loading.messages
        if strict:
            misfits = (("Missing", loading.missing), ("Unexpected", loading.unexpected))
            messages = [_listed(kind, keys) for kind, keys in misfits if keys] + messages
        if messages:
            raise RuntimeError(
                f"Error(s) in loading state_dict for {self.__class__.__name__}:\n\t"
                + "\n\t".join(messages)
            )
        return _IncompatibleKeys(loading.missing, loading.unexpected)

    def _load_from_state_dict(
        self,
        state_dict: dict,
        prefix: str,
        local_metadata: dict,
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Loads this module's own state, without its children's; adds misfits to the lists."""
        report = (strict, missing_keys, unexpected_keys, error_msgs)
        for hook in self._load_state_dict_pre_hooks.values():
            _call_load_hook(hook, self, state_dict, prefix, local_metadata, *report)
        assign = local_metadata.get("assign_to_params_buffers", False)
        saved = dict(self._saved_tensors())
        for name, tensor in saved.items():
            key = prefix + name
            if key in state_dict:
                problem = _load_tensor(self, name, tensor, key, state_dict[key], assign)
                if problem:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)
        extra = prefix + EXTRA_STATE
        takes_extra = _overrides(self, "set_extra_state")
        if takes_extra and extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif takes_extra and strict:
            missing_keys.append(extra)
        if strict:
            for key in state_dict:
                if not key.startswith(prefix) or (key == extra and takes_extra):
                    continue
                name, dot, _ = key[len(prefix) :].partition(".")
                if name not in (self._modules if dot else saved):
                    unexpected_keys.append(key)

    def _register_load_state_dict_pre_hook(
        self, hook: Hook, with_module: bool = False
    ) -> RemovableHandle:
        return HookHandle(self._load_state_dict_pre_hooks, _WrappedHook(hook, with_module))

    def register_load_state_dict_pre_hook(self, hook: Hook) -> RemovableHandle:
        """Calls `hook(module, state_dict, prefix, ...)` before the module's own state is loaded.

        Its further arguments are those of `_load_from_state_dict`; it may change `state_dict`.
        """
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def register_load_state_dict_post_hook(self, hook: Hook) -> RemovableHandle:
        """Calls `hook(module, incompatible_keys)` after loading; it may change the two lists."""
        return HookHandle(self._load_state_dict_post_hooks, hook)


class _Loading:
    """One run of `load_state_dict` over the tree of modules."""

    def __init__(self, state_dict: Mapping[str, Any], assign: bool):
        self.assign = assign
        self.state = OrderedDict(state_dict)
        self.metadata = getattr(state_dict, "_metadata", None) or {}
        if hasattr(state_dict, "_metadata"):
            self.state._metadata = state_dict._metadata  # type: ignore[attr-defined]
        self.missing: list[str] = []
        self.unexpected: list[str] = []
        self.messages: list[str] = []

    def into(self, module: Any, state: dict, prefix: str) -> None:
        metadata = dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            metadata["assign_to_params_buffers"] = True
        report = (True, self.missing, self.unexpected, self.messages)
        module._load_from_state_dict(state, prefix, metadata, *report)
        for name, child in module._modules.items():
            if child is not None:
                start = f"{prefix}{name}."
                below = {key: value for key, value in state.items() if key.startswith(start)}
                self.into(child, below, start)
        keys = _IncompatibleKeys(self.missing, self.unexpected)
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not "
                    "expected to return new values, if incompatible_keys need to be modified, it "
                    "should be done inplace."
                )


def _listed(kind: str, keys: list[str]) -> str:
    quoted = ", ".join(f'"{key}"' for key in keys)
    return f"{kind} key(s) in state_dict: {quoted}. "


def _load_tensor(
    module: Any, name: str, tensor: Tensor, key: str, loaded: Any, assign: bool
) -> str | None:
    """Copies `loaded` into `tensor`, or puts it there; returns what was wrong, if anything."""
    if not isinstance(loaded, Tensor):
        return (
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like '
            f"object from checkpoint but received {type(loaded)}"
        )
    if tensor.dim() == 0 and tuple(loaded.shape) == (1,):
        loaded = loaded[0]  # old files hold numbers in tensors of one element
    if loaded.shape != tensor.shape:
        return (
            f"size mismatch for {key}: copying a param with shape {loaded.shape} from checkpoint, "
            f"the shape in current model is {tensor.shape}."
        )
    try:
        with lantern.no_grad():
            if not assign:
                tensor.copy_(loaded)
            else:
                setattr(module, name, _in_place_of(tensor, loaded))
    except Exception as error:  # reported with all other misfits, in one exception
        return (
            f'While copying the parameter named "{key}", whose dimensions in the model are '
            f"{tensor.size()} and whose dimensions in the checkpoint are {loaded.size()}, an "
            f"exception occurred : {error.args}."
        )
    return None


def _in_place_of(tensor: Tensor, loaded: Tensor) -> Tensor:
    if not isinstance(tensor, Parameter):
        return loaded
    if not isinstance(loaded, Parameter):
        return Parameter(loaded, requires_grad=tensor.requires_grad)
    return loaded.requires_grad_(tensor.requires_grad)


def _call_load_hook(hook: Any, module: Any, *args: Any) -> None:
    if isinstance(hook, _WrappedHook):
        hook.hook(module, *args) if hook.with_module else hook.hook(*args)
    else:
        hook(*args)


def _overrides(module: Any, method: str) -> bool:
    return getattr(type(module), method) is not getattr(StateMixin, method)
