"""All names of `d2l.torch` that Lantern has; the other files of this folder define them."""

from __future__ import annotations

from typing import Any

import lantern

from . import datasets, plotting, sequences, tools, training
from .datasets import *  # noqa: F403
from .plotting import *  # noqa: F403
from .sequences import *  # noqa: F403
from .tools import *  # noqa: F403
from .training import *  # noqa: F403

# The book writes these so that one text serves several frameworks.
_FUNCTIONS = (
    "abs arange argmax concat cos cosh exp eye float32 int32 int64 linspace log matmul meshgrid "
    "normal ones ones_like rand randn sin sinh stack tanh tensor zeros zeros_like"
)
globals().update({name: getattr(lantern, name) for name in _FUNCTIONS.split()})

__all__ = [
    *datasets.__all__, *plotting.__all__, *sequences.__all__, *tools.__all__, *training.__all__,
    *_FUNCTIONS.split(),
]  # fmt: skip


def numpy(x: lantern.Tensor, *args: Any, **kwargs: Any) -> Any:
    """Returns a tensor's values as a NumPy array, without its gradient."""
    return x.detach().numpy(*args, **kwargs)


def size(x: lantern.Tensor, *args: Any, **kwargs: Any) -> int:
    """Returns the number of elements of a tensor."""
    return x.numel(*args, **kwargs)


def reshape(x: lantern.Tensor, *args: Any, **kwargs: Any) -> lantern.Tensor:
    """`x.reshape(...)`."""
    return x.reshape(*args, **kwargs)


def to(x: Any, *args: Any, **kwargs: Any) -> Any:
    """`x.to(...)`."""
    return x.to(*args, **kwargs)


def reduce_sum(x: lantern.Tensor, *args: Any, **kwargs: Any) -> lantern.Tensor:
    """`x.sum(...)`."""
    return x.sum(*args, **kwargs)


def reduce_mean(x: lantern.Tensor, *args: Any, **kwargs: Any) -> lantern.Tensor:
    """`x.mean(...)`."""
    return x.mean(*args, **kwargs)


def astype(x: lantern.Tensor, *args: Any, **kwargs: Any) -> lantern.Tensor:
    """`x.type(...)`."""
    return x.type(*args, **kwargs)


def transpose(x: lantern.Tensor) -> lantern.Tensor:
    """`x.t()`."""
    return x.t()


__all__ += ["astype", "numpy", "reduce_mean", "reduce_sum", "reshape", "size", "to", "transpose"]


def __getattr__(name: str) -> Any:
    if name == "plt":  # matplotlib, for whoever draws
        from lantern.viz.figures import pyplot

        return pyplot()
    raise AttributeError(
        f"d2l.{name} is not in Lantern yet; the book's own package has it and runs on Lantern "
        "(pip install --no-deps d2l)",
        name=name,
    )
