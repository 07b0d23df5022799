"""What programs say about compiling besides `compile`: `torch.compiler` and `torch._dynamo`."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from ..autograd.mode import active, flags


class Config:
    """Settings of `torch._dynamo.config` that mean something here; all others are refused.

    `recompile_limit` conditions are met by a function before a warning says so, and
    `suppress_errors` has functions that cannot be compiled run eagerly, after a warning.
    """

    def __init__(self) -> None:
        self.__dict__.update(recompile_limit=8, suppress_errors=False, disable=False, verbose=False)

    @property
    def cache_size_limit(self) -> int:
        """An older name of `recompile_limit`."""
        return self.recompile_limit

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"torch._dynamo.config.{name} is not in Lantern yet", name=name)

    def __setattr__(self, name: str, value: Any) -> None:
        name = "recompile_limit" if name == "cache_size_limit" else name
        if name not in self.__dict__:
            raise AttributeError(f"torch._dynamo.config.{name} is not in Lantern yet", name=name)
        self.__dict__[name] = value
        flags.version += 1


config = Config()
compiled: weakref.WeakSet[Any] = weakref.WeakSet()  # all compiled functions


class _State:
    """What compiled functions do at this time."""

    def __init__(self) -> None:
        self.stance = "default"

    def take(self, stance: str) -> None:
        """Takes a stance, of which compiled functions hear by the version."""
        self.stance = stance
        flags.version += 1


state = _State()


def reset() -> None:
    """Forgets all that was recorded; each compiled function starts anew.

    >>> import lantern
    >>> f = lantern.compile(lambda x: x + 1)
    >>> _ = [f(lantern.ones(1)) for _ in range(3)]
    >>> lantern.compiler.reset()
    >>> f.graphs
    []
    """
    for each in list(compiled):
        each.reset()


def is_compiling() -> bool:
    """Says whether a function is being recorded at this moment."""
    return active.trace is not None


is_dynamo_compiling = is_compiling


def is_exporting() -> bool:
    """Returns False: nothing is exported by recording."""
    return False


def list_backends(exclude_tags: Any = ("debug", "experimental")) -> list[str]:
    """Returns the backends of `compile`, of which `inductor` is the name for native code.

    >>> import lantern
    >>> lantern.compiler.list_backends()
    ['inductor', 'interpreter', 'eager']
    """
    return ["inductor", "interpreter", "eager"]


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """Returns a function that is never compiled; compiled functions refuse to call it."""
    if fn is None:
        return functools.partial(disable, recursive=recursive, reason=reason)

    @functools.wraps(fn)
    def disabled(*args: Any, **kwargs: Any) -> Any:
        if active.trace is not None:
            active.trace.refuse(
                f"what {getattr(fn, '__name__', 'a function')}() under torch.compiler.disable does",
                "Call it outside of the compiled function.",
            )
        return fn(*args, **kwargs)

    return disabled


def allow_in_graph(fn: Any) -> Any:
    """Returns the function: all of a compiled function is recorded in any case."""
    return fn


def cudagraph_mark_step_begin() -> None:
    """Does nothing: no graphs of a GPU are replayed."""


class set_stance:
    """Has compiled functions run eagerly with `"force_eager"`, or as usual with `"default"`.

    Works at once, for a `with` block, or for a decorated function; raises for other stances.
    """

    def __init__(self, name: str = "default"):
        if name not in ("default", "force_eager"):
            raise NotImplementedError(f"the stance {name!r} is not in Lantern yet")
        self.name, self._before = name, state.stance
        state.take(name)

    def __enter__(self) -> None:
        state.take(self.name)

    def __exit__(self, *exception: object) -> None:
        state.take(self._before)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Returns the function with the stance taken in its calls only."""
        self.__exit__()

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with set_stance(self.name):
                return function(*args, **kwargs)

        return wrapped
