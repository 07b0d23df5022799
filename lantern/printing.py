"""How a tensor is written as text, character for character as PyTorch writes it.

The text is made in four steps, one section of this file each:

1. the options of `set_printoptions`;
2. the excerpt: a nested list of Python numbers, with `...` where a large tensor was cut;
3. the notation: whole (`2.`), fixed (`2.5000`) or scientific (`2.5000e+00`), and one column width,
   both chosen by looking at all numbers of the excerpt;
4. the layout: brackets, line wrapping, and the suffixes (`dtype=`, `grad_fn=`, ...).

Only the elements that appear in the text are ever read, so a tensor of any size prints at once.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import lantern

__all__ = [
    "format_tensor",
    "get_printoptions",
    "printoptions",
    "set_printoptions",
    "tensor_str",
]


# 1. Options


@dataclass
class PrintOptions:
    """What `set_printoptions` sets; the defaults are the profile `"default"`."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: float = 80
    sci_mode: bool | None = None


PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}

options = PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is left out stays, but `sci_mode` goes back to automatic.

    `profile` is `"default"`, `"short"` or `"full"` (any other changes nothing, as in PyTorch).
    Raises `ValueError` or `TypeError` for numbers that no tensor could be printed with.

    >>> set_printoptions(precision=2)
    >>> lantern.tensor([1.5, 2.25])
    tensor([1.50, 2.25])
    >>> set_printoptions(profile="default")
    """
    global options
    changes = dict(PROFILES.get(profile, {})) if profile is not None else {}
    if precision is not None:
        changes["precision"] = count("precision", precision, ValueError)
    if threshold is not None:
        changes["threshold"] = real("threshold", threshold)
    if edgeitems is not None:
        changes["edgeitems"] = count("edgeitems", edgeitems, TypeError)
    if linewidth is not None:
        changes["linewidth"] = real("linewidth", linewidth)
    options = replace(options, **changes, sci_mode=sci_mode)


def count(name: str, value: Any, wrong_type: type[Exception]) -> int:
    """Return `value` as an int that is not negative; `wrong_type` is raised for other types."""
    try:
        number = operator.index(value)
    except TypeError:
        raise wrong_type(f"{name} must be an int, not {type(value).__name__}") from None
    if number < 0:
        raise ValueError(f"{name} must not be negative, got {number}")
    return number


def real(name: str, value: Any) -> Any:
    """Return `value` if it is a real number (infinity is one); raises `TypeError`."""
    if not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}")
    return value


def get_printoptions() -> dict[str, Any]:
    """Return the present options by name, in the form that `set_printoptions(**...)` takes.

    >>> get_printoptions()["precision"]
    4
    """
    return asdict(options)


@contextmanager
def printoptions(**kwargs: Any) -> Iterator[None]:
    """Print with other options inside a `with` block; takes what `set_printoptions` takes.

    >>> with printoptions(precision=1):
    ...     print(lantern.tensor([1.5, 2.25]))
    tensor([1.5, 2.2])
    """
    global options
    before = options
    set_printoptions(**kwargs)
    try:
        yield
    finally:
        options = before


# 2. The excerpt


def excerpt(tensor: Any, dim: int, edgeitems: int) -> Any:
    """Return nested lists of numbers where each long dimension keeps its two edges around `...`.

    One slice per edge and dimension is read at once, from `dim` on; the middles are never touched.
    """
    if all(size <= 2 * edgeitems for size in tensor.shape[dim:]):
        return tensor.tolist()
    if tensor.shape[dim] <= 2 * edgeitems:
        return excerpt(tensor, dim + 1, edgeitems)
    before = (slice(None),) * dim
    head = excerpt(tensor[(*before, slice(None, edgeitems))], dim + 1, edgeitems)
    tail = excerpt(tensor[(*before, slice(-edgeitems, None))], dim + 1, edgeitems)
    return joined(head, tail, dim)


def joined(head: Any, tail: Any, dim: int) -> list[Any]:
    """Join two nested lists along `dim` with `...` between them."""
    if dim == 0:
        return [*head, ..., *tail]
    return [joined(a, b, dim - 1) for a, b in zip(head, tail, strict=True)]


def leaves(nested: Any, dims: int) -> list[Any]:
    """Return the numbers of a nested list of `dims` levels, without the `...`."""
    if dims == 0:
        return [nested]
    for _ in range(dims - 1):
        nested = [item for part in nested if part is not ... for item in part]
    return [item for item in nested if item is not ...]


# 3. Notation and column width


@dataclass
class Column:
    """One notation and one width for all numbers of a tensor; `spell` writes a single number."""

    spell: Callable[[Any], str]
    width: int

    def cell(self, value: Any) -> str:
        """Write a number, padded on the left to the width of the column."""
        return self.spell(value).rjust(self.width)


class ComplexColumn:
    """Real and imaginary parts, each in its own notation."""

    def __init__(self, values: list[complex]) -> None:
        self.real = float_column([value.real for value in values])
        self.imag = float_column([value.imag for value in values])
        self.width = self.real.width + self.imag.width + 1

    def cell(self, value: complex) -> str:
        """Write a number; only the real part is padded."""
        imag = self.imag.spell(value.imag)
        sign = "" if imag.startswith("-") else "+"
        return f"{self.real.cell(value.real)}{sign}{imag}j"


def column(values: list[Any]) -> Column | ComplexColumn:
    """Choose the notation for numbers of one Python type (bool, int, float or complex)."""
    if isinstance(values[0], complex):
        return ComplexColumn(values)
    if isinstance(values[0], float):
        return float_column(values)
    return Column(str, max(len(str(value)) for value in values))


def float_column(values: Iterable[float]) -> Column:
    """Choose whole, fixed or scientific notation for floats, and the width they need.

    Zeros, infinities and NaN take part in neither choice; a column of nothing else is `0.`, `nan`.
    """
    counted = [value for value in values if value and math.isfinite(value)]
    if not counted:
        return Column(spell_whole, 1)
    spell = float_notation(counted)
    return Column(spell, max(len(spell(value)) for value in counted))


def float_notation(counted: list[float]) -> Callable[[float], str]:
    """Return the function that writes a float the way that suits all of `counted`."""
    largest = max(max(counted), -min(counted))
    smallest = min(map(abs, counted))
    whole = all(value.is_integer() for value in counted)
    scientific = options.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
    if scientific:
        return f"{{:.{options.precision}e}}".format
    return spell_whole if whole else f"{{:.{options.precision}f}}".format


def spell_whole(value: float) -> str:
    """Write a float that has no fraction: `2.`; infinities and NaN get no point."""
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


# 4. Layout


def tensor_str(tensor: Any, *, tensor_contents: str | None = None) -> str:
    r"""Return the text of a tensor, as `repr(tensor)` shows it.

    `tensor_contents` stands in for the numbers when given. A subclass writes its name in place of
    `tensor`; the heading of a `Parameter` is added by that class.

    >>> tensor_str(lantern.tensor([[1.0, -2.5], [0.0, 4.0]], dtype=lantern.float64))
    'tensor([[ 1.0000, -2.5000],\n        [ 0.0000,  4.0000]], dtype=torch.float64)'
    """
    kind = type(tensor)
    plain = kind is lantern.Tensor or kind is lantern.nn.Parameter
    prefix = "tensor(" if plain else f"{kind.__name__}("
    if tensor_contents is None:
        tensor_contents = contents(tensor, len(prefix))
    text = with_suffixes(prefix + tensor_contents, suffixes(tensor), len(prefix)) + ")"
    if not plain and isinstance(tensor, lantern.nn.Parameter):
        return f"Parameter({text})"
    return text


def contents(tensor: Any, indent: int) -> str:
    """Return the numbers with their brackets; continued lines start after `indent` spaces."""
    shape = tensor.shape
    if tensor.device.type == "meta":
        return "..."
    if math.prod(shape) == 0:
        return "[]"
    cut = math.prod(shape) > options.threshold
    if cut and len(shape) > 0 and options.edgeitems == 0:
        return "[...]"
    # detached, so that slicing records nothing for backward
    tensor = tensor.detach()
    nested = excerpt(tensor, 0, options.edgeitems) if cut else tensor.tolist()
    return brackets(nested, len(shape), indent, column(leaves(nested, len(shape))))


def brackets(nested: Any, dims: int, indent: int, chosen: Column | ComplexColumn) -> str:
    """Write nested lists of `dims` levels: rows wrapped at the line width, blocks set apart."""
    if dims == 0:
        return chosen.cell(nested)
    margin = " " * (indent + 1)
    if dims > 1:
        parts = [
            "..." if part is ... else brackets(part, dims - 1, indent + 1, chosen)
            for part in nested
        ]
        return "[" + ("," + "\n" * (dims - 1) + margin).join(parts) + "]"
    cells = [" ..." if value is ... else chosen.cell(value) for value in nested]
    per_line = max(1, int((options.linewidth - indent) // (chosen.width + 2)))
    lines = [", ".join(cells[at : at + per_line]) for at in range(0, len(cells), per_line)]
    return "[" + (",\n" + margin).join(lines) + "]"


def suffixes(tensor: Any) -> list[str]:
    """Return what follows the numbers: only what a reader could not guess from them."""
    found = []
    meta = tensor.device.type == "meta"
    empty = not meta and math.prod(tensor.shape) == 0
    numberless = meta or empty
    if tensor.device.type != "cpu":
        found.append(f"device='{tensor.device}'")
    # without edges the text may show no number at all, so the size is always told
    edgeless = not numberless and options.edgeitems == 0
    if meta or edgeless or (empty and len(tensor.shape) != 1):
        found.append(f"size={tuple(tensor.shape)}")
    if str(tensor.dtype) not in implied_dtypes(numberless):
        found.append(f"dtype={tensor.dtype}")
    if tensor.grad_fn is not None:
        found.append(f"grad_fn=<{tensor.grad_fn.name().rpartition('::')[2]}>")
    elif tensor.requires_grad:
        found.append("requires_grad=True")
    return found


def implied_dtypes(numberless: bool) -> tuple[str, ...]:
    """Return the names of the dtypes that need no telling: the default, and what numbers show."""
    default = str(lantern.get_default_dtype())
    if numberless:
        return (default,)
    default_complex = "torch.complex128" if default == "torch.float64" else "torch.complex64"
    return default, "torch.int64", "torch.bool", default_complex


def with_suffixes(text: str, found: list[str], indent: int) -> str:
    """Append each suffix after a comma, on a new line where it would pass the line width."""
    # torch counts two characters more on the first line than on the lines it begins itself
    length = len(text) - (text.rfind("\n") + 1) + 2
    for suffix in found:
        if length + len(suffix) + 2 > options.linewidth:
            text += ",\n" + " " * indent + suffix
            length = indent + len(suffix)
        else:
            text += ", " + suffix
            length += len(suffix) + 2
    return text


def format_tensor(tensor: Any, spec: str) -> str:
    """Return `format(tensor, spec)`: a 0-dimensional tensor formats as its number.

    Raises `TypeError` for a `spec` on any other tensor, and on subclasses such as `Parameter`.

    >>> format_tensor(lantern.tensor(2.5), ".3f")
    '2.500'
    """
    number = type(tensor) is lantern.Tensor and len(tensor.shape) == 0
    if number and tensor.device.type != "meta":
        return format(tensor.item(), spec)
    return object.__format__(tensor, spec)
