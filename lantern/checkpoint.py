"""Checkpoints of a training run: save all of it in one file, resume from the newest.

`save` writes a plain dict of `state_dict`s with `lantern.save`, so that PyTorch loads it with
`torch.load(path)`; `docs/checkpoints.md` shows the plain way beside this one.
"""

from __future__ import annotations

import os
import random
import re
import string
from typing import Any

import lantern

from .backends import mt19937

RNG = "rng"


def save(
    path: str | os.PathLike,
    *,
    model: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    rng: bool = True,
    keep: int | None = None,
    **parts: Any,
) -> str:
    """Writes the state of a training run to one file and returns the path of the file.

    Whatever has a `state_dict` is stored by it, other values as they are; with `rng` the states of
    the random generators of Lantern, `random` and NumPy are stored, too. Fields in the path, such
    as `{epoch:03}`, are filled with the parts of that name; with `keep=3` only the three newest
    files of the pattern stay. The file takes its place when it is whole. Raises ValueError for a
    field that has no part and for `keep` without a field.

    >>> import lantern, os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> pattern = os.path.join(folder.name, "run-{epoch}.pth")
    >>> model = lantern.nn.Linear(2, 1)
    >>> for epoch in range(5):
    ...     path = save(pattern, model=model, epoch=epoch, keep=2)
    >>> sorted(os.listdir(folder.name))
    ['run-3.pth', 'run-4.pth']
    >>> resume(pattern, model=model)
    {'epoch': 4}
    >>> folder.cleanup()
    """
    pattern = os.fsdecode(path)
    fields = _fields(pattern)
    _check_fields(fields, parts, keep)
    given = {"model": model, "optimizer": optimizer, "scheduler": scheduler, **parts}
    content = {name: _state(part) for name, part in given.items() if part is not None}
    if rng:
        content[RNG] = _random_states()
    target = pattern.format(**parts) if fields else pattern
    lantern.save(content, target)
    if keep is not None:
        for old in _matching(pattern)[:-keep]:
            if old != os.path.normpath(target):
                os.remove(old)
    return target


def _check_fields(fields: list[str], parts: dict[str, Any], keep: int | None) -> None:
    if keep is not None and (not fields or keep < 1):
        raise ValueError(
            f"keep={keep} needs a path with a field, such as 'run-{{epoch}}.pth', and at least 1"
        )
    missing = [name for name in fields if name not in parts]
    if missing:
        raise ValueError(f"the path has the field {{{missing[0]}}}: pass {missing[0]}=… as well")
    if RNG in parts:
        raise ValueError("rng is the switch for random states; call your own part otherwise")


def resume(
    path: str | os.PathLike,
    *,
    model: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    rng: bool = True,
    map_location: Any = None,
    missing_ok: bool = False,
    **parts: Any,
) -> dict[str, Any]:
    """Puts a training run back where `save` found it; returns the values stored beside it.

    A path with fields means the file of the pattern with the highest numbers. Objects are given
    by the names that they were saved under; nothing in the file is executed, as in `lantern.load`.
    Raises FileNotFoundError where there is no file, unless `missing_ok`: then it returns {} and a
    run begins anew. Raises KeyError for an object that the file has no state of.
    """
    found = _newest(os.fsdecode(path))
    if found is None:
        if missing_ok:
            return {}
        raise FileNotFoundError(
            f"there is no checkpoint {os.fsdecode(path)!r}; missing_ok=True begins anew then"
        )
    content = lantern.load(found, map_location=map_location, weights_only=True)
    if not isinstance(content, dict):
        raise TypeError(f"{found!r} holds a {type(content).__name__}, not the dict of a checkpoint")
    given = {"model": model, "optimizer": optimizer, "scheduler": scheduler, **parts}
    wanted = {name: part for name, part in given.items() if part is not None}
    for name in wanted:
        if name not in content:
            raise KeyError(
                f"{found!r} has no state of {name!r}; it holds {', '.join(map(repr, content))}"
            )
    states = content.pop(RNG, None)
    for name, part in wanted.items():
        _restore(part, content.pop(name))
    if rng and states is not None:
        _set_random_states(states)
    return content


def latest(path: str | os.PathLike) -> str | None:
    """Returns the newest file of a path with fields, None where there is none.

    >>> latest("nowhere/run-{epoch}.pth") is None
    True
    """
    return _newest(os.fsdecode(path))


def _state(part: Any) -> Any:
    if hasattr(part, "state_dict"):
        return part.state_dict()
    if isinstance(part, (list, tuple)) and part and all(hasattr(p, "state_dict") for p in part):
        return [each.state_dict() for each in part]
    return part


def _restore(part: Any, state: Any) -> None:
    if hasattr(part, "load_state_dict"):
        part.load_state_dict(state)
        return
    if not isinstance(part, (list, tuple)) or len(part) != len(state):
        raise TypeError(f"a {type(part).__name__} takes no state; leave it out and read the result")
    for each, own in zip(part, state, strict=True):
        each.load_state_dict(own)


# --- the random generators
def _random_states() -> dict[str, Any]:
    states = {"torch": lantern.get_rng_state(), "python": random.getstate()}
    numpy = mt19937.global_state()
    if numpy is not None:
        name, keys, *rest = numpy
        states["numpy"] = (name, lantern.from_numpy(keys), *rest)
    return states


def _set_random_states(states: dict[str, Any]) -> None:
    lantern.set_rng_state(states["torch"])
    random.setstate(states["python"])
    if "numpy" in states:
        name, keys, *rest = states["numpy"]
        mt19937.set_global_state((name, keys.numpy(), *rest))


# --- paths with fields
def _fields(pattern: str) -> list[str]:
    """Returns the names of the fields in a path; raises ValueError for a field without a name."""
    names = [name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None]
    if not all(name.isidentifier() for name in names):
        raise ValueError(f"fields of a path need plain names, such as {{epoch}}: {pattern!r}")
    if names and _fields_of_folder(pattern):
        raise ValueError(f"fields belong in the name of the file, not of its folder: {pattern!r}")
    return names


def _fields_of_folder(pattern: str) -> bool:
    parsed = string.Formatter().parse(os.path.dirname(pattern))
    return any(name is not None for _, name, _, _ in parsed)


def _matching(pattern: str) -> list[str]:
    """Returns the files of a pattern, oldest first: by their numbers, field by field."""
    folder, name = os.path.split(pattern)
    expression = "".join(
        re.escape(text) + ("(.+?)" if field is not None else "")
        for text, field, _, _ in string.Formatter().parse(name)
    )
    found = []
    for entry in os.listdir(folder or ".") if os.path.isdir(folder or ".") else ():
        match = re.fullmatch(expression, entry)
        if match is not None:
            found.append(([_ordered(each) for each in match.groups()], entry))
    return [os.path.normpath(os.path.join(folder, entry)) for _, entry in sorted(found)]


def _ordered(text: str) -> tuple[int, float, str]:
    """Numbers by their size, before texts."""
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text


def _newest(pattern: str) -> str | None:
    if not _fields(pattern):
        return pattern if os.path.exists(pattern) else None
    files = _matching(pattern)
    return files[-1] if files else None
