"""Says in which module an error happened: `... (in net.2 (Linear(...)), input (7, 4))`.

The exception passes through the `__call__` of one module after another on its way out. The first
one knows the module and its inputs, each further one knows its child's name, so the path grows
from the inside: `2`, then `net.2`. The exception stays the same object. An error raised by an op
has the place appended to its message; an exception of the user's own keeps its message and carries
the place as a note below it.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from lantern.tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

_KEY = "_lantern_place"
_PACKAGE = __name__.partition(".")[0]
# What these files raise is about the module itself; Python's own sentence is complete there.
_FILES = ("module", "hooks", "state", "convert", "container")
_SELF_EXPLAINING = tuple(f"{__package__}.{each}" for each in _FILES)
_OP_ERRORS = frozenset(
    {RuntimeError, ValueError, TypeError, IndexError, NotImplementedError, AssertionError}
)


def say_where(error: Exception, module: Module, args: tuple, kwargs: dict) -> None:
    """Adds to `error` that it came through `module`, which was called with these arguments."""
    known = error.__dict__  # written directly: an exception class may forbid setting attributes
    place = known.get(_KEY)
    if place is None:
        place = known[_KEY] = _Place(error, module, args, kwargs)
    else:
        place.grow(module)
    place.write(error)


class _Place:
    """Where an error happened, as far as it is known yet."""

    def __init__(self, error: Exception, module: Module, args: tuple, kwargs: dict):
        self.top = module  # the outermost module that `path` starts from
        self.path = ""
        self.what = _describe(module)
        self.inputs = _describe_inputs((*args, *kwargs.values()))
        self.note: str | None = None
        self.message = error.args[0] if _is_op_error(error) else None

    def grow(self, module: Module) -> None:
        """Puts the name that `module` gives to the outermost module so far in front of the path."""
        if module is self.top:
            return
        for name, child in module.named_modules():
            if child is self.top:
                self.path = f"{name}.{self.path}" if self.path else name
                self.top = module
                return

    def write(self, error: Exception) -> None:
        """Brings the message (or the note) of `error` up to date."""
        place = f"in {self.what}{self.inputs}"
        if self.path:
            start = f"{type(self.top).__name__}." if self.path[0].isdigit() else ""
            place = f"in {start}{self.path} ({self.what}){self.inputs}"
        if self.message is not None:
            error.args = (f"{self.message} ({place})", *error.args[1:])
            return
        notes = error.__dict__.setdefault("__notes__", [])  # what `add_note` would set
        if self.note in notes:
            notes[notes.index(self.note)] = place
        else:
            notes.append(place)
        self.note = place

    def __reduce__(self) -> tuple:
        return str, ()  # an exception sent to another process does not take the model with it


def _is_op_error(error: Exception) -> bool:
    if type(error) not in _OP_ERRORS or not error.args or not isinstance(error.args[0], str):
        return False
    source = _source(error.__traceback__)
    return source.partition(".")[0] == _PACKAGE and source not in _SELF_EXPLAINING


def _source(traceback: TracebackType | None) -> str:
    """Names the Python module that raised; NumPy raises on behalf of whoever called it."""
    source = ""
    while traceback is not None:
        name = traceback.tb_frame.f_globals.get("__name__", "")
        if name.partition(".")[0] != "numpy":
            source = name
        traceback = traceback.tb_next
    return source


def _describe(module: Module) -> str:
    """Returns the module's one-line form, or its class where that takes more than a line."""
    name = module._get_name()
    if module._modules:
        return name
    try:
        details = module.extra_repr()
    except Exception:  # the user's own code must not replace the error that is being explained
        return name
    return name if "\n" in details else f"{name}({details})"


def _describe_inputs(values: tuple[Any, ...]) -> str:
    shapes = [_describe_tensor(each) for each in values if isinstance(each, Tensor)]
    if not shapes:
        return ""
    return f", input{'s' if len(shapes) > 1 else ''} {', '.join(shapes)}"


def _describe_tensor(tensor: Tensor) -> str:
    shape, dtype = str(tuple(tensor.shape)), str(tensor.dtype)
    return shape if dtype == "torch.float32" else f"{shape} {dtype}"
