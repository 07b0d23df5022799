"""The models by name, and the arguments that all functions that build one have in common."""

from __future__ import annotations

import fnmatch
import functools
import inspect
import warnings
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from lantern import nn

from .weights import CLASSES, WEIGHTS, WeightsEnum

Builder = Callable[..., Any]
BUILDERS: dict[str, Builder] = {}


def builder(weights: str, **trained: Any) -> Callable[[Builder], Builder]:
    """Make `build(**kwargs)` a function `build(*, weights=None, progress=True, **kwargs)`.

    `weights` names the class of the weights; `trained` are arguments that go with any of them.
    """
    kind = WEIGHTS[f"{weights}_Weights"]

    def declare(build: Builder) -> Builder:
        @functools.wraps(build)
        def built(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> nn.Module:
            chosen = _chosen(kind, weights, kwargs)
            if chosen is None:
                return build(**kwargs)
            if kwargs.setdefault("num_classes", CLASSES) != CLASSES:
                raise ValueError(
                    f"The parameter 'num_classes' expected value {CLASSES} but got "
                    f"{kwargs['num_classes']} instead."
                )
            state = chosen.get_state_dict(progress=progress, check_hash=True)
            model = build(**trained | kwargs)
            model.load_state_dict(getattr(model, "renamed", dict)(state))
            if hasattr(model, "after_loading"):
                model.after_loading(kwargs)
            return model

        own = list(inspect.signature(build).parameters.values())
        known = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("weights", known, default=None, annotation=kind | None),
            inspect.Parameter("progress", known, default=True, annotation=bool),
            *own,
        ]
        built.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        built.weights = kind  # type: ignore[attr-defined]
        BUILDERS[build.__name__] = built
        return built

    return declare


def _chosen(kind: Any, weights: Any, kwargs: dict[str, Any]) -> Any:
    """The weights that are meant, also by the former argument `pretrained`."""
    if "pretrained" in kwargs:
        warnings.warn(
            "The parameter 'pretrained' is deprecated since 0.13 and may be removed in the "
            "future, please use 'weights' instead.",
            stacklevel=3,
        )
        weights = bool(kwargs.pop("pretrained"))
    if isinstance(weights, bool):
        weights = kind.IMAGENET1K_V1 if weights else None
    return kind.verify(weights)


def list_models(
    module: ModuleType | None = None,
    include: Iterable[str] | str | None = None,
    exclude: Iterable[str] | str | None = None,
) -> list[str]:
    """The names of the models, of those that match `include` and do not match `exclude`.

    >>> list_models(include="resnet1*", exclude="*18")
    ['resnet101', 'resnet152']
    """
    names = [
        name
        for name, build in BUILDERS.items()
        if module is None or build.__module__.rpartition(".")[0] == module.__name__
    ]
    if include:
        names = [name for name in names if _matches(name, include)]
    return sorted(name for name in names if not (exclude and _matches(name, exclude)))


def _matches(name: str, patterns: Iterable[str] | str) -> bool:
    listed = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatch.fnmatch(name, pattern) for pattern in listed)


def get_model_builder(name: str) -> Builder:
    """The function that builds the model of this name. Raises ValueError where there is none."""
    try:
        return BUILDERS[name.lower()]
    except KeyError:
        raise ValueError(f"Unknown model {name}; there are {', '.join(list_models())}") from None


def get_model(name: str, **config: Any) -> nn.Module:
    """Build the model of this name. Raises ValueError where there is none."""
    return get_model_builder(name)(**config)


def get_model_weights(name: Builder | str) -> type[WeightsEnum]:
    """The class of the weights of a model, given by name or by the function that builds it."""
    build = get_model_builder(name) if isinstance(name, str) else name
    return build.weights  # type: ignore[attr-defined]


def get_weight(name: str) -> WeightsEnum:
    """The weights of a full name such as "ResNet50_Weights.IMAGENET1K_V1".

    Raises ValueError for a name that is none.
    """
    kind, dot, member = name.partition(".")
    if not dot:
        raise ValueError(f"Invalid weight name provided: '{name}'.")
    if kind not in WEIGHTS:
        raise ValueError(f"The weight enum '{kind}' for the specific method couldn't be retrieved.")
    return WEIGHTS[kind][member]
