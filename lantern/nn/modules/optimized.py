"""What `lantern.compile(module)` returns: the module, with its calls compiled."""

from __future__ import annotations

from typing import Any

import lantern

from .module import Module


class OptimizedModule(Module):
    """A module whose forward and backward are native code; `_orig_mod` is the module itself.

    Parameters, attributes and modes are those of the module that was compiled; the keys of its
    state dict begin with `_orig_mod.`, as PyTorch's do.

    >>> net = lantern.compile(lantern.nn.Linear(2, 1))
    >>> list(net.state_dict())
    ['_orig_mod.weight', '_orig_mod.bias']
    """

    def __init__(self, module: Module, options: dict[str, Any]):
        super().__init__()
        self._modules["_orig_mod"] = module
        self.__dict__["_options"] = options
        self._start()

    def _start(self) -> None:
        module = self._modules["_orig_mod"]
        self.__dict__["forward"] = lantern.compile(module._call_impl, **self._options)

    @property
    def training(self) -> bool:  # type: ignore[override]
        """Whether the module is in training mode."""
        return self._modules["_orig_mod"].training

    @training.setter
    def training(self, value: bool) -> None:
        self._modules["_orig_mod"].training = value

    def __getattr__(self, name: str) -> Any:
        modules = self.__dict__["_modules"]
        return modules[name] if name in modules else getattr(modules["_orig_mod"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "forward" or name in self.__dict__ or "_orig_mod" not in self._modules:
            super().__setattr__(name, value)
        else:
            setattr(self._modules["_orig_mod"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._modules["_orig_mod"], name)

    def __len__(self) -> int:
        return len(self._modules["_orig_mod"])  # type: ignore[arg-type]

    def __bool__(self) -> bool:
        return True

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._modules["_orig_mod"])})

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        state.pop("forward", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._start()

    def explain(self) -> None:
        """Prints what was made of each forward and backward, and how long each part takes."""
        self.forward.explain()
