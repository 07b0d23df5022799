"""Checks of gradients against finite differences, to first and second order."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..backends import NAMESPACES
from ..tensor import Tensor, wrap
from . import engine


class GradcheckError(RuntimeError):
    """An analytical gradient differs from the numerical one."""


def _inputs(inputs: Any) -> tuple:
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)


def _outputs(result: Any) -> tuple:
    results = (result,) if isinstance(result, Tensor) else tuple(result)
    return tuple(r for r in results if isinstance(r, Tensor) and r.is_floating_point())


def _numerical(fn: Callable[..., Any], inputs: tuple, tensor: Tensor, eps: float) -> list:
    """Returns, per output, the rows d output / d each element of `tensor`."""
    rows: list[list] = []
    array = tensor._array
    xp = NAMESPACES[type(array)]
    places = xp.places(array.shape)
    for place in places:
        kept = array[place].item()
        found = []
        for step in (eps, -eps):
            array[place] = kept + step  # unseen by the tape: no version, no history
            found.append([xp.clone(out._array) for out in _outputs(fn(*inputs))])
        array[place] = kept
        rows.append([(a - b) / (2 * eps) for a, b in zip(*found, strict=True)])
    return rows


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Compares the gradients of `func` with central differences; use float64 inputs.

    Raises RuntimeError that names input, output and element (or returns False).

    >>> import lantern
    >>> x = lantern.tensor([1.0, 2.0], dtype=lantern.float64, requires_grad=True)
    >>> lantern.autograd.gradcheck(lambda x: x * x, (x,))
    True
    """
    inputs = _inputs(inputs)
    tracked = [each for each in inputs if isinstance(each, Tensor) and each.requires_grad]
    if not tracked:
        raise ValueError("gradcheck expects at least one input tensor to require gradient")
    for place, each in enumerate(inputs):
        if isinstance(each, Tensor) and each.requires_grad and each.dtype.itemsize < 8:
            warnings.warn(
                f"Input #{place} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision floating point or complex.",
                UserWarning,
                stacklevel=2,
            )
    try:
        for number, tensor in enumerate(tracked):
            _check_one(func, inputs, tensor, number, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check_one(
    func: Callable[..., Any],
    inputs: tuple,
    tensor: Tensor,
    number: int,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    numeric = _numerical(func, inputs, tensor, eps)
    xp = NAMESPACES[type(tensor._array)]
    places = list(xp.places(tensor._array.shape))
    for which, output in enumerate(_outputs(func(*inputs))):
        columns = list(xp.places(output._array.shape))
        sizes = len(places), len(columns)
        found, expected = (xp.full(sizes, 0, output.dtype) for _ in range(2))
        for column, place in enumerate(columns):
            grad = _gradient(output, tensor, place)
            for row, at in enumerate(places):
                expected[row, column] = numeric[row][which][place].item()
                found[row, column] = 0 if grad is None else grad._array[at].item()
        wrong = abs(found - expected) > atol + rtol * abs(expected)
        if bool(xp.any(wrong | xp.isnan(found - expected))):
            raise GradcheckError(
                f"Jacobian mismatch for output {which} with respect to input {number},\n"
                f"numerical:{wrap(expected)}\nanalytical:{wrap(found)}\n"
            )


def _gradient(output: Tensor, tensor: Tensor, place: Any) -> Tensor | None:
    """Returns the gradient of one element of `output`."""
    if not output.requires_grad:
        return None
    seed = NAMESPACES[type(output._array)].full(output._array.shape, 0, output.dtype)
    seed[place] = 1
    return engine.grad(output, tensor, wrap(seed), retain_graph=True, allow_unused=True)[0]


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    fast_mode: bool = False,
) -> bool:
    """Compares the gradients of the gradients of `func` with central differences.

    >>> import lantern
    >>> x = lantern.tensor([1.0, 2.0], dtype=lantern.float64, requires_grad=True)
    >>> lantern.autograd.gradgradcheck(lambda x: x * x * x, (x,))
    True
    """
    inputs = _inputs(inputs)
    outputs = _outputs(func(*inputs))
    if grad_outputs is None:
        xp = NAMESPACES[type(outputs[0]._array)]
        blank = [wrap(xp.full(out._array.shape, 0, out.dtype)) for out in outputs]
        grad_outputs = [each.uniform_(-1, 1).requires_grad_() for each in blank]  # type: ignore[attr-defined]
    first, everything = _first_order(func, len(inputs)), (*inputs, *_inputs(grad_outputs))
    return gradcheck(
        first, everything, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception
    )


def _first_order(func: Callable[..., Any], count: int) -> Callable[..., tuple]:
    """Returns the gradients of `func` as a function of its `count` inputs and their seeds."""

    def first_order(*args: Any) -> tuple:
        given, seeds = args[:count], args[count:]
        tracked = [each for each in given if isinstance(each, Tensor) and each.requires_grad]
        results = _outputs(func(*given))
        used = [(r, s) for r, s in zip(results, seeds, strict=True) if r.requires_grad]
        found = engine.grad(
            [r for r, _ in used], tracked, [s for _, s in used],
            create_graph=True, allow_unused=True,
        )  # fmt: skip
        return tuple(each for each in found if each is not None)

    return first_order
