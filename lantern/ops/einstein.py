"""`einsum`: sums of products of tensors, written with a letter for each dimension."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from ..naming import type_name
from ..op import Composite, declare
from ..tensor import Tensor
from .arithmetic import mul
from .linalg import bmm
from .reduce import sum as sum_over
from .slices import diagonal
from .views import permute, reshape, unsqueeze

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ELLIPSIS = "..."


class Equation(NamedTuple):
    """A letter (or the ellipsis) for each dimension of each operand and, if given, the result."""

    operands: list[list[str]]
    output: list[str] | None


def parsed(text: str, count: int) -> Equation:
    """Reads an equation for so many operands; raises RuntimeError where it has none for some."""
    left, arrow, right = text.partition("->")
    operands = [
        _letters(part, offset, f"operand {i}") for i, (offset, part) in enumerate(_parts(left))
    ]
    if len(operands) != count:
        word = "fewer" if len(operands) > count else "more"
        raise RuntimeError(
            f"einsum(): {word} operands were provided than specified in the equation"
        )
    if not arrow:
        return Equation(operands, None)
    start = len(left) + len(arrow)
    return Equation(operands, _letters(right, start, "output"))


def _parts(left: str) -> list[tuple[int, str]]:
    found, start = [], 0
    for part in left.split(","):
        found.append((start, part))
        start += len(part) + 1
    return found


def _letters(part: str, start: int, owner: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(part):
        each = part[place]
        if each == ".":
            if ELLIPSIS in found:
                again = "but an ellipsis (...)" if owner == "output" else "for which an ellipsis"
                raise RuntimeError(f"einsum(): found '.' for {owner} {again} was already found")
            if part[place : place + 3] != ELLIPSIS:
                shown = " (...)" if owner == "output" else ""
                raise RuntimeError(
                    f"einsum(): found '.' for {owner} that is not part of any ellipsis{shown}"
                )
            found.append(ELLIPSIS)
            place += 3
            continue
        if each in LETTERS:
            found.append(each)
        elif each != " ":
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {start + place} in the equation "
                "string, subscripts must be in [a-zA-Z]"
            )
        place += 1
    return found


def listed(subscripts: list[Any]) -> list[str]:
    """Returns the letters for a list of numbers and Ellipsis."""
    for each in subscripts:
        if each is not ... and not 0 <= each < len(LETTERS):
            raise ValueError(
                "einsum(): subscript in subscript list is not within the valid range "
                f"[0, {len(LETTERS)})"
            )
    return [ELLIPSIS if each is ... else LETTERS[each] for each in subscripts]


class Einsum(Composite):
    """An op that takes an equation and tensors, or tensors each followed by its subscripts."""

    def __call__(self, *args: Any, out: Tensor | None = None) -> Any:
        """Runs the op; raises ValueError where there is no operand."""
        if len(args) < 2:
            raise ValueError(
                "einsum(): must specify the equation string and at least one operand, or at least "
                "one operand and its subscripts list"
            )
        if isinstance(args[0], Tensor):
            text, operands = None, args[::2] if len(args) % 2 == 0 else args[:-1:2]
            output = listed(args[-1]) if len(args) % 2 else None
            equation = Equation([listed(each) for each in args[1::2]], output)
        else:
            text, operands = args[0], args[1:]
            if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
                operands = tuple(operands[0])
            if not isinstance(text, str):
                raise TypeError(
                    "einsum(): argument 'equation' (position 1) must be str, not "
                    f"{type(text).__name__}"
                )
            equation = parsed(text, len(operands))
        for i, each in enumerate(operands):
            if not isinstance(each, Tensor):
                raise TypeError(
                    f"expected Tensor as element {i} in argument 1, but got {type_name(each)}"
                )
        return self.forward(None, equation, operands)


def _declared(forward: Callable[..., Any]) -> Any:
    return declare(Einsum, forward, {"method": False})


def _expanded(equation: Equation, operands: tuple) -> Equation:
    """Returns the equation with a name for each dimension that an ellipsis stands for."""
    counts = []
    for i, (names, each) in enumerate(zip(equation.operands, operands, strict=True)):
        known = len(names) - (ELLIPSIS in names)
        if ELLIPSIS not in names and known != each.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({known}) does not match the "
                f"number of dimensions ({each.ndim}) for operand {i} and no ellipsis was given"
            )
        if known > each.ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({known}) is more than the "
                f"number of dimensions ({each.ndim}) for operand {i}"
            )
        counts.append(each.ndim - known if ELLIPSIS in names else 0)
    hidden = [f"{ELLIPSIS}{i}" for i in range(max(counts))]
    filled = [
        _filled(names, hidden[len(hidden) - count :])
        for names, count in zip(equation.operands, counts, strict=True)
    ]
    if equation.output is None:
        every = [name for names in filled for name in names]
        alone = [letter for letter in LETTERS if every.count(letter) == 1]
        return Equation(filled, [*hidden, *alone])
    return Equation(filled, _filled(equation.output, hidden))


def _filled(names: list[str], hidden: list[str]) -> list[str]:
    if ELLIPSIS not in names:
        return names
    place = names.index(ELLIPSIS)
    return [*names[:place], *hidden, *names[place + 1 :]]


def _check_output(output: list[str], operands: list[list[str]]) -> None:
    for name in output:
        if output.count(name) > 1:
            raise RuntimeError(
                f"einsum(): output subscript {name} appears more than once in the output"
            )
        if not any(name in names for names in operands):
            raise RuntimeError(
                f"einsum(): output subscript {name} does not appear in the equation for any input "
                "operand"
            )


def _check_sizes(operands: list[Tensor], names: list[list[str]]) -> None:
    sizes: dict[str, int] = {}
    for i, (each, mine) in enumerate(zip(operands, names, strict=True)):
        for name, size in zip(mine, each.shape, strict=True):
            known = sizes.setdefault(name, size)
            if known != size and 1 not in (known, size):
                if name[0] == ".":
                    raise RuntimeError(
                        f"einsum(): dimension {name[3:]} covered by ellipsis in operand {i}has "
                        f"size {size} which does not broadcast with previously seen ellipsis with "
                        f"size {known} for the respective dimension"
                    )
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} for operand {i} which does not "
                    f"broadcast with previously seen size {known}"
                )
            if known == 1:
                sizes[name] = size


def _without_repeats(i: int, x: Tensor, names: list[str]) -> tuple[Tensor, list[str]]:
    """Returns the diagonals that repeated letters ask for."""
    names = list(names)
    for name in dict.fromkeys(names):
        while names.count(name) > 1:
            first = names.index(name)
            second = names.index(name, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for operand {i} but the sizes don't "
                    f"match, {x.shape[second]} != {x.shape[first]}"
                )
            x = diagonal(x, 0, first, second)
            del names[second], names[first]
            names.append(name)
    return x, names


def _aligned(x: Tensor, names: list[str], order: list[str]) -> Tensor:
    """Returns the operand with its dimensions in order, and 1 for those that it lacks."""
    names = list(names)
    for name in order:
        if name not in names:
            x = unsqueeze(x, x.ndim)
            names.append(name)
    return permute(x, tuple([names.index(name) for name in order]))


def _pair(x: Tensor, y: Tensor, dims: list[int]) -> Tensor:
    """Returns the product of two tensors of equal rank, summed over `dims`, which stay as 1."""
    for dim in dims:
        if x.shape[dim] == 1 != y.shape[dim]:
            y = sum_over(y, dim, True)
        elif y.shape[dim] == 1 != x.shape[dim]:
            x = sum_over(x, dim, True)
    if all(x.shape[dim] == 1 for dim in dims):
        return mul(x, y)
    rest = [dim for dim in range(x.ndim) if dim not in dims]
    mine = [dim for dim in rest if x.shape[dim] != 1 and y.shape[dim] == 1]
    theirs = [dim for dim in rest if y.shape[dim] != 1 and x.shape[dim] == 1]
    batch = [dim for dim in rest if dim not in mine and dim not in theirs]
    left = reshape(permute(x, (*batch, *mine, *dims, *theirs)), _sizes(x, batch, mine, dims))
    right = reshape(permute(y, (*batch, *dims, *theirs, *mine)), _sizes(y, batch, dims, theirs))
    order = [*batch, *mine, *dims, *theirs]
    joint = [x.shape[dim] if y.shape[dim] == 1 else y.shape[dim] for dim in range(x.ndim)]
    sizes = tuple([1 if dim in dims else joint[dim] for dim in order])
    product = reshape(bmm(left, right), sizes)
    return permute(product, tuple([order.index(dim) for dim in range(x.ndim)]))


def _sizes(x: Tensor, *groups: list[int]) -> tuple[int, ...]:
    return tuple([prod([x.shape[dim] for dim in group]) for group in groups])


@_declared
def einsum(xp, equation, operands):
    """Sums of products of tensors, with a letter for each dimension.

    Letters that the result lacks are summed over; `...` stands for any further dimensions. Raises
    RuntimeError for an equation that does not fit the operands.

    >>> import lantern
    >>> a, b = lantern.tensor([[1, 2], [3, 4]]), lantern.tensor([[1, 1], [0, 2]])
    >>> lantern.einsum("ij,jk->ik", a, b)
    tensor([[ 1,  5],
            [ 3, 11]])
    """
    equation = _expanded(equation, operands)
    output = equation.output
    _check_output(output, equation.operands)
    pairs = [
        _without_repeats(i, x, names)
        for i, (x, names) in enumerate(zip(operands, equation.operands, strict=True))
    ]
    _check_sizes([x for x, _ in pairs], [names for _, names in pairs])
    every = dict.fromkeys(name for _, names in pairs for name in names)
    order = [*output, *(name for name in every if name not in output)]
    aligned = [_aligned(x, names, order) for x, names in pairs]
    summed = range(len(output), len(order))
    result = aligned[0]
    if len(aligned) == 1:
        return sum_over(result, tuple(summed)) if summed else result
    last = {dim: max(i for i, (_, n) in enumerate(pairs) if order[dim] in n) for dim in summed}
    for i, other in enumerate(aligned[1:], 1):
        result = _pair(result, other, [dim for dim in summed if max(last[dim], 1) == i])
    return reshape(result, tuple(result.shape[: len(output)])) if summed else result
