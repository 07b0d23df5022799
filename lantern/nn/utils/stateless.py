"""A module called as a function of its parameters: `torch.func.functional_call`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lantern import Tensor

from ..modules.module import Module


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: Mapping[str, Tensor] | Sequence[Mapping[str, Tensor]],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Calls `module` with other tensors in the place of its parameters and buffers.

    The module is as before afterwards, whatever happens. Parameters that are one tensor in the
    module are replaced together unless `tie_weights=False`. With `strict`, every parameter and
    buffer must be given, and no other name. Raises ValueError for a name given twice.

    >>> import lantern
    >>> net = lantern.nn.Linear(2, 1)
    >>> new = {"weight": lantern.tensor([[1.0, 2.0]]), "bias": lantern.tensor([0.5])}
    >>> functional_call(net, new, lantern.ones(1, 2))
    tensor([[3.5000]])
    """
    given = _merged(parameter_and_buffer_dicts)
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Tensor]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, Sequence):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts)}"
        )
    found: dict[str, Tensor] = {}
    for each in dicts:
        for name, value in each.items():
            if name in found:
                raise ValueError(f"{name} appears in multiple dictionaries; behavior is ambiguous")
            found[name] = value
    return found


def _places(module: Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Returns by full name the dictionary that holds a parameter or buffer, and its name there."""
    found = {}
    for prefix, each in module.named_modules(remove_duplicate=False):
        for held in (each._parameters, each._buffers):
            for name, value in held.items():
                if value is not None:
                    found[f"{prefix}.{name}" if prefix else name] = (held, name)
    return found


@contextmanager
def _replaced(
    module: Module, given: dict[str, Tensor], tie_weights: bool, strict: bool
) -> Iterator[None]:
    places = _places(module)
    unexpected = [name for name in given if name not in places] if strict else []
    missing = [name for name in places if name not in given] if strict else []
    if strict and tie_weights:  # one name is enough for parameters that are one tensor
        known = {id(places[n][0][places[n][1]]) for n in given if n in places}
        missing = [n for n in missing if id(places[n][0][places[n][1]]) not in known]
    if unexpected or missing:
        parts = []
        if missing:
            parts.append("Missing key(s): " + ", ".join(missing) + ".")
        if unexpected:
            parts.append("Unexpected key(s): " + ", ".join(unexpected) + ".")
        lines = "".join(f"\n\t{part}" for part in parts)
        raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:{lines}")
    before = {name: held[own] for name, (held, own) in places.items()}
    news = {name: value for name, value in given.items() if name in places}
    if tie_weights:
        by_tensor = {id(before[name]): value for name, value in news.items()}
        for name, old in before.items():
            if name not in news and id(old) in by_tensor:
                news[name] = by_tensor[id(old)]
    try:
        for name, value in news.items():
            held, own = places[name]
            held[own] = value
        yield
    finally:
        for name in news:
            held, own = places[name]
            held[own] = before[name]
