"""`Module`: the base of all layers and networks.

A module keeps its parameters, buffers and child modules in three dictionaries (`_parameters`,
`_buffers`, `_modules`), which `__setattr__` fills and `__getattr__` reads. This file holds those,
the call, and the walks over the tree of modules. Saving and loading are in `state.py`, conversions
in `convert.py`, hooks in `hooks.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import lantern
from lantern.autograd.mode import active, flags
from lantern.compat.missing import missing
from lantern.nn.parameter import Buffer, Parameter
from lantern.tensor import Tensor

from .convert import ConvertMixin
from .explain import say_where
from .hooks import (
    EVERYWHERE,
    HookMixin,
    call_with_hooks,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from .state import StateMixin, _IncompatibleKeys, _WrappedHook

__all__ = [
    "Module",
    "_IncompatibleKeys",
    "_WrappedHook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
]

M = TypeVar("M", bound="Module")

_HOOK_TABLES = (
    "_backward_pre_hooks",
    "_backward_hooks",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


def _fresh_state() -> dict[str, Any]:
    """Returns the attributes of a module without contents; pickles of PyTorch hold the same."""
    state: dict[str, Any] = {"training": True, "_parameters": {}, "_buffers": {}, "_modules": {}}
    state.update(_non_persistent_buffers_set=set(), _is_full_backward_hook=None)
    state.update((name, OrderedDict()) for name in _HOOK_TABLES)
    return state


def _forward_missing(self: Module, *input: Any) -> Any:
    """Computes the module's output; every subclass defines it."""
    raise NotImplementedError(
        f'Module [{type(self).__name__}] is missing the required "forward" function'
    )


class Module(ConvertMixin, HookMixin, StateMixin):
    """The base class of all neural network modules.

    A subclass calls `super().__init__()`, assigns parameters and other modules to attributes, and
    defines `forward`. Calling the module calls `forward`, with the hooks around it. An error raised
    by an operation inside says in its message which module it happened in.

    >>> import lantern
    >>> class Net(lantern.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = lantern.nn.Linear(3, 2)
    ...     def forward(self, x):
    ...         return self.hidden(x).relu()
    >>> Net()
    Net(
      (hidden): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> Net()(lantern.ones(4, 3)).shape
    torch.Size([4, 2])
    """

    dump_patches = False
    call_super_init = False  # whether `__init__` hands its arguments on to the next class
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _compiled_call_impl: Callable[..., Any] | None = None

    forward: Callable[..., Any] = _forward_missing

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init:
            name = type(self).__name__
            if kwargs:
                keyword = next(iter(kwargs))
                raise TypeError(f"{name}.__init__() got an unexpected keyword argument '{keyword}'")
            if args:
                raise TypeError(
                    f"{name}.__init__() takes 1 positional argument but {len(args) + 1} were given"
                )
        self.__dict__.update(_fresh_state())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # --- the call
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what `forward` does, with the hooks around it."""
        own = self.__dict__
        try:
            if (
                own["_forward_hooks"]
                or own["_forward_pre_hooks"]
                or own["_backward_hooks"]
                or own["_backward_pre_hooks"]
                or EVERYWHERE
                or "_compiled_call_impl" in own
                or active.recording is not None
            ):
                if active.trace is not None:
                    active.trace.uses(self)
                return (self._compiled_call_impl or self._call_impl)(*args, **kwargs)
            return self.forward(*args, **kwargs)
        except Exception as error:
            if "_forward_hooks" not in own:  # `super().__init__()` was never called
                raise AttributeError(
                    f"'{type(self).__name__}' object has no attribute '_backward_hooks'"
                ) from None
            say_where(error, self, args, kwargs)
            raise

    def _call_impl(self, *args: Any, **kwargs: Any) -> Any:
        return call_with_hooks(self, args, kwargs)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Makes calls of this module go through `lantern.compile`, given these arguments."""
        self._compiled_call_impl = lantern.compile(self._call_impl, *args, **kwargs)

    def _optimized(self, *, disable: bool = False, **options: Any) -> Any:
        """Returns what `lantern.compile(module)` returns."""
        from .optimized import OptimizedModule

        return self if disable else OptimizedModule(self, options)

    # --- attributes
    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_modules", "_buffers"):
            held = own.get(table)
            if held is not None and name in held:
                return held[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        flags.version += 1  # what was compiled may not hold any more
        is_tensor = isinstance(value, Tensor)  # asked first: for other classes that costs more
        if is_tensor and isinstance(value, Parameter):
            if "_parameters" not in own:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name)
            self.register_parameter(name, value)
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as parameter '{name}' "
                    "(torch.nn.Parameter or None expected)"
                )
            self._parameters[name] = None
        elif isinstance(value, Module):
            if "_modules" not in own:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, but="_modules")
            self._modules[name] = value
        elif name in own.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{_typename(value)}' as child module '{name}' "
                    "(torch.nn.Module or None expected)"
                )
            self._modules[name] = None
        elif name in own.get("_buffers", ()) or (is_tensor and isinstance(value, Buffer)):
            self._set_buffer(name, value)
        else:
            object.__setattr__(self, name, value)

    def _set_buffer(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(value)}' as buffer '{name}' "
                "(torch.nn.Buffer, torch.Tensor or None expected)"
            )
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        persistent = name not in self._non_persistent_buffers_set
        if isinstance(value, Buffer):
            persistent = value.persistent
        self._forget(name, but="_buffers")
        self._buffers[name] = value
        if not persistent:
            self._non_persistent_buffers_set.add(name)

    def _forget(self, name: str, but: str = "_parameters") -> None:
        """Takes the name out of every place but one, where its value may be replaced."""
        own = self.__dict__
        own.pop(name, None)
        for table in ("_parameters", "_buffers", "_modules"):
            if table != but:
                own[table].pop(name, None)
        own["_non_persistent_buffers_set"].discard(name)

    def __delattr__(self, name: str) -> None:
        flags.version += 1
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = [*dir(type(self)), *self.__dict__]
        names += [*self._parameters, *self._modules, *self._buffers]
        return sorted({name for name in names if not name[0].isdigit()})

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_compiled_call_impl", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(_fresh_state() | state)  # files of old versions lack some tables

    # --- registering
    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Adds a parameter, or the name of one that is None.

        Raises KeyError for a name that is taken, empty or has a dot, and TypeError for a value
        that is no `Parameter`.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(torch.nn.Parameter or None required)"
            )
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be "
                "created explicitly. To express "
                f"'{name}' as a function of another Tensor, compute the value in the forward() "
                "method."
            )
        flags.version += 1
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Adds a tensor that is not trained; `state_dict` has it if it is `persistent`.

        Raises KeyError for a name that is taken, empty or has a dot, and TypeError for a value
        that is no tensor.

        >>> import lantern
        >>> module = lantern.nn.Module()
        >>> module.register_buffer("mean", lantern.zeros(2))
        >>> module.mean
        tensor([0., 0.])
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' "
                "(torch Tensor or None required)"
            )
        flags.version += 1
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Adds a child module.

        Raises KeyError for a name that is taken, empty or has a dot, and TypeError for a value
        that is no module.
        """
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._check_name("module", name, self._modules)
        flags.version += 1
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, name: Any, table: dict) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
        if "." in name:
            got = f", got: {name}" if kind == "module" else ""
            raise KeyError(f'{kind} name can\'t contain "."{got}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in table and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # --- finding by path
    def get_submodule(self, target: str) -> Module:
        """Returns the module at a path such as `net.0`; raises AttributeError if there is none."""
        module = self
        for name in target.split(".") if target else ():
            module = _attribute(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Returns the parameter at a path such as `net.0.weight`; raises AttributeError."""
        path, _, name = target.rpartition(".")
        parameter = _attribute(self.get_submodule(path), name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return parameter

    def get_buffer(self, target: str) -> Tensor:
        """Returns the buffer at a path such as `norm.running_mean`; raises AttributeError."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        buffer = _attribute(module, name)
        if name not in module._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return buffer

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Puts `module` at a path; with `strict` there has to be one already.

        Raises ValueError for an empty path or a value that is no module, and AttributeError where
        the path leads nowhere.
        """
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            if not isinstance(_attribute(parent, name), Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    # --- walking the tree
    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yields this module and all below it with their paths, parents first.

        >>> import lantern
        >>> [path for path, module in lantern.nn.Sequential(lantern.nn.ReLU()).named_modules()]
        ['', '0']
        """
        memo = set() if memo is None else memo
        waiting: list[tuple[str, Module]] = [(prefix, self)]
        while waiting:
            path, module = waiting.pop()
            if module in memo:
                continue
            if remove_duplicate:
                memo.add(module)
            yield path, module
            start = path + "." if path else ""
            children = reversed(list(module._modules.items()))
            waiting += [(start + name, child) for name, child in children if child is not None]

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """Yields this module and all below it, parents first."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yields the modules directly below this one with their names."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yields the modules directly below this one."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self,
        get_members_fn: Callable[[Module], Any],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        modules: Any = [(prefix, self)]
        if recurse:
            modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        seen = set()
        for path, module in modules:
            start = path + "." if path else ""
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield start + name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yields all parameters with their paths; a shared one once unless told otherwise.

        >>> import lantern
        >>> [path for path, parameter in lantern.nn.Linear(2, 3).named_parameters()]
        ['weight', 'bias']
        """
        yield from self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yields all parameters, each once; optimizers take this."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yields all buffers with their paths; a shared one once unless told otherwise."""
        yield from self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yields all buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Calls `fn` with every module below and then this one; returns this module.

        >>> import lantern
        >>> layer = lantern.nn.Linear(2, 2).apply(lambda m: lantern.nn.init.zeros_(m.weight))
        >>> layer.weight.sum().item()
        0.0
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # --- modes and gradients
    def train(self: M, mode: bool = True) -> M:
        """Sets training mode (dropout acts, ...) here and below, or evaluation mode if False."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        if self.training is not mode:  # what is compiled is asked again after each change
            self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: M) -> M:
        """Sets evaluation mode here and below."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Says for all parameters whether they are trained; returns this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drops the gradients of all parameters, or fills them with zeros."""
        for parameter in self.parameters():
            grad = parameter.grad
            if grad is None:
                continue
            if set_to_none:
                parameter.grad = None
            else:
                if grad.grad_fn is not None:
                    grad.detach_()
                else:
                    grad.requires_grad_(False)
                grad.zero_()

    # --- printing
    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """Returns what `repr` says about the module itself; override it in a layer."""
        return ""

    def __repr__(self) -> str:
        details = self.extra_repr()
        lines = details.split("\n") if details else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({details})"
        for name, module in self._modules.items():
            lines.append(f"({name}): {_indent(repr(module))}")
        if not lines:
            return f"{self._get_name()}()"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def _indent(text: str) -> str:
    """Indents all lines but the first by two spaces."""
    return text.replace("\n", "\n  ")


def _attribute(module: Module, name: str) -> Any:
    if not hasattr(module, name):
        raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
    return getattr(module, name)


def _typename(value: Any) -> str:
    """Names the type of a value as torch's messages do: `torch.FloatTensor`, `int`, `pkg.Class`."""
    if isinstance(value, Tensor):
        return value.type()
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}".replace("lantern.", "torch.", 1)


__getattr__ = missing(__name__)
