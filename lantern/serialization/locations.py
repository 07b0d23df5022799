"""Where the storages of a file are put: `map_location`, and devices that a program registers."""

from __future__ import annotations

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import lantern

from . import bridge
from .pickling import shown

_packages: list[tuple[int, Callable[[Any], str | None], Callable[[Any, str], Any]]] = []


def register_package(
    priority: int,
    tagger: Callable[[Any], str | None],
    deserializer: Callable[[Any, str], Any],
) -> None:
    """Registers a device: `tagger(storage)` names its place when saved, `deserializer(storage,
    location)` puts it there when loaded; either returns None for storages that are not its own.

    Lower priorities are asked first, and all of them before Lantern's own devices.

    >>> from lantern.serialization import location_tag, register_package
    >>> register_package(30, lambda storage: None, lambda storage, location: None)
    >>> location_tag(lantern.ones(1).untyped_storage())
    'cpu'
    """  # noqa: D205
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda package: package[0])


def location_tag(storage: Any) -> str:
    """Returns the name of the place of a storage, as files have it."""
    for _, tagger, _ in _packages:
        location = tagger(storage)
        if location:
            return location
    return bridge.location_of(storage)


def as_text(value: Any) -> Any:
    """Returns texts that Python 2 wrote as bytes as texts."""
    if type(value) is bytes:
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise UnpicklingError(f"{shown(value)} is not a text") from None
    return value


def restorer(map_location: Any) -> Callable[[Any, str], Any]:
    """Returns the function `(storage, location) -> storage` that `map_location` stands for.

    `map_location` is None, the name of a device, a `device`, a dict from locations in the file to
    locations here, or a function that returns a storage, or None to leave it where it was.
    """
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, place: default_restore_location(
            storage, str(map_location.get(place, place))
        )
    if isinstance(map_location, (str, bytes, lantern.device)):
        target = str(as_text(map_location))
        return lambda storage, place: default_restore_location(storage, target)
    if not callable(map_location):
        raise TypeError(f"'{type(map_location).__name__}' object is not callable")

    def restore(storage: Any, place: str) -> Any:
        chosen = map_location(storage, place)
        return default_restore_location(storage, place) if chosen is None else chosen

    return restore


def default_restore_location(storage: Any, location: str) -> Any:
    """Puts a storage where `location` says; raises RuntimeError where that is not possible."""
    for _, _, deserializer in _packages:
        restored = deserializer(storage, location)
        if restored is not None:
            return restored
    if location == "cpu":
        return storage
    if location.partition(":")[0] == "cuda":
        if not bridge.cuda_is_available():
            raise RuntimeError(
                "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() "
                "is False. If you are running on a CPU-only machine, please use torch.load with "
                "map_location=torch.device('cpu') to map your storages to the CPU."
            )
        return storage.cuda(lantern.device(location).index)
    raise RuntimeError(
        f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with "
        f"{location}); map_location='cpu' puts it on the CPU"
    )
