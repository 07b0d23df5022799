"""Checks of gradients against finite differences, to first and second order."""

from __future__ import annotations

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


def _compare(analytic: Any, numeric: Any, place: Any, atol: float, rtol: float, text: str) -> str:
    difference = abs(analytic - numeric)
    if difference <= atol + rtol * abs(numeric):
        return ""
    return (
        f"{text} at {place}: numerical {numeric!r}, analytical {analytic!r}, "
        f"difference {difference!r}"
    )


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
    outputs = _outputs(func(*inputs))
    xp = NAMESPACES[type(tensor._array)]
    places = list(xp.places(tensor._array.shape))
    for which, output in enumerate(outputs):
        for place in xp.places(output._array.shape):
            seed = xp.full(output._array.shape, 0, output.dtype)
            seed[place] = 1
            grad = None
            if output.requires_grad:
                (grad,) = engine.grad(
                    output, tensor, wrap(seed), retain_graph=True, allow_unused=True
                )
            for i, at in enumerate(places):
                analytic = 0.0 if grad is None else grad._array[at].item()
                wrong = _compare(
                    analytic, numeric[i][which][place].item(), (at, place), atol, rtol,
                    f"Jacobian mismatch for output {which} with respect to input {number},",
                )  # fmt: skip
                if wrong:
                    raise GradcheckError(wrong)


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
        grad_outputs = tuple(wrap(xp.spread_numbers(out._array)) for out in outputs)
        for each in grad_outputs:
            each.requires_grad_()
    first, everything = _first_order(func, len(inputs)), (*inputs, *_inputs(grad_outputs))
    how = {"eps": eps, "atol": atol, "rtol": rtol}
    return gradcheck(first, everything, **how, raise_exception=raise_exception)


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
