"""Jacobians, Hessians and their products with vectors, by `torch.autograd.functional`'s names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lantern
from lantern import Tensor

from .engine import grad

Tensors = tuple[Tensor, ...]


def _as_tuple(values: Any, what: str, function: str) -> tuple[bool, Tensors]:
    """Returns whether `values` is a tuple, and its tensors."""
    several = isinstance(values, (tuple, list))
    found = tuple(values) if several else (values,)
    for i, each in enumerate(found):
        if isinstance(each, Tensor):
            continue
        if what == "outputs":
            subject = f"The outputs of the user-provided function given to {function}"
        else:
            subject = f"The {what} given to {function}"
        position = f" Value at index {i} has type {type(each)}" if several else ""
        raise TypeError(
            f"{subject} must be either a Tensor or a tuple of Tensors but the given type is "
            f"{type(values)}.{position}"
        )
    return several, found


def _tracked(inputs: Tensors, create_graph: bool) -> Tensors:
    """Returns the inputs as leaves, or as views of themselves where their history is to go on."""
    if create_graph:
        return tuple(
            each.view_as(each) if each.requires_grad else each.detach().requires_grad_()
            for each in inputs
        )
    return tuple(each.detach().requires_grad_() for each in inputs)


def _run(func: Callable[..., Any], inputs: Any, create_graph: bool, name: str) -> tuple:
    """Returns what tells tuples from single tensors, the tracked inputs and the outputs."""
    several_in, inputs = _as_tuple(inputs, "inputs", name)
    with lantern.enable_grad():
        inputs = _tracked(inputs, create_graph)
        several_out, outputs = _as_tuple(func(*inputs), "outputs", name)
    return several_in, several_out, inputs, outputs


def _gradients(
    outputs: Sequence[Tensor],
    inputs: Tensors,
    vectors: Sequence[Tensor | None] | None,
    create_graph: bool,
    strict: str = "",
) -> Tensors:
    """Returns the gradients, zeros where an input has no part; with `strict`, an error there."""
    pairs = [
        (out, None if vectors is None else vectors[i])
        for i, out in enumerate(outputs)
        if out.requires_grad
    ]
    if not pairs:
        found: Sequence[Tensor | None] = [None] * len(inputs)
    else:
        found = grad(
            [out for out, _ in pairs], inputs,
            None if vectors is None else [vector for _, vector in pairs],
            create_graph=create_graph, retain_graph=True, allow_unused=True,
        )  # fmt: skip
    for i, each in enumerate(found):
        if each is None and strict:
            raise RuntimeError(strict.format(i))
    return tuple(
        lantern.zeros_like(x) if each is None else each
        for each, x in zip(found, inputs, strict=True)
    )


def _finished(values: Sequence[Tensor], several: bool, create_graph: bool) -> Any:
    kept = tuple(each if create_graph else each.detach() for each in values)
    return kept if several else kept[0]


def _vector(v: Any, like: Tensors, several: bool, name: str, whose: str) -> Tensors:
    """Returns the vector of a product, checked against the shapes that it belongs to."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single "
                "Tensor with a single element."
                if whose == "function"
                else "The vector v can only be None if the input to the user-provided function is "
                "a single Tensor with a single element."
            )
        return (lantern.ones_like(like[0]),)
    _, found = _as_tuple(v, "v", name)
    if not several and len(found) != 1:
        raise RuntimeError("The given v should contain a single Tensor.")
    if len(found) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(found)}."
        )
    for i, (each, other) in enumerate(zip(found, like, strict=True)):
        if each.size() != other.size():
            prefix = f"Entry {i} in " if several or len(like) > 1 else ""
            raise RuntimeError(
                f"{prefix}v has invalid size: should be {other.size()} but got {each.size()}."
            )
    return found


def _check_independent(outputs: Tensors, strict: bool) -> None:
    for i, out in enumerate(outputs):
        if strict and not out.requires_grad:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs "
                "must be computed in a differentiable manner from the input when running in strict "
                "mode."
            )


UNUSED = (
    "Output of the user-provided function is independent of input {0}. This is not allowed in "
    "strict mode."
)


def vjp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns `func(*inputs)` and the product of `v` with its Jacobian.

    >>> import lantern
    >>> vjp(lambda x: x**2, lantern.tensor([1.0, 2.0]), lantern.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    several_in, several_out, inputs, outputs = _run(func, inputs, create_graph, "vjp")
    _check_independent(outputs, strict)
    vector = _vector(v, outputs, several_out, "vjp", "function")
    with lantern.enable_grad():
        found = _gradients(outputs, inputs, vector, create_graph, UNUSED if strict else "")
    return (
        _finished(outputs, several_out, create_graph),
        _finished(found, several_in, create_graph),
    )


def jvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns `func(*inputs)` and the product of its Jacobian with `v`.

    Reverse mode, twice: the product of a row with the Jacobian is linear in the row, and its
    derivative along `v` is what is wanted.

    >>> import lantern
    >>> jvp(lambda x: x**2, lantern.tensor([1.0, 2.0]), lantern.tensor([1.0, 10.0]))
    (tensor([1., 4.]), tensor([ 2., 40.]))
    """
    several_in, several_out, inputs, outputs = _run(func, inputs, create_graph, "jvp")
    _check_independent(outputs, strict)
    vector = _vector(v, inputs, several_in, "jvp", "input")
    with lantern.enable_grad():
        rows = tuple(lantern.zeros_like(out).requires_grad_() for out in outputs)
        columns = _gradients(outputs, inputs, rows, True, UNUSED if strict else "")
        found = _gradients(columns, rows, vector, create_graph)
    return (
        _finished(outputs, several_out, create_graph),
        _finished(found, several_out, create_graph),
    )


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Returns the derivatives of each output after each input, `(*output.shape, *input.shape)`.

    A tuple per output of a tuple per input, where there are several. `vectorize` and `strategy`
    are accepted; rows are computed one after another.

    >>> import lantern
    >>> jacobian(lambda x: x**2, lantern.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your '
            'function has more outputs than inputs, "forward-mode" tends to be more performant. '
            'Otherwise, prefer to use "reverse-mode".'
        )
    several_in, several_out, inputs, outputs = _run(func, inputs, create_graph, "jacobian")
    _check_independent(outputs, strict)
    blocks = []
    for i, out in enumerate(outputs):
        message = (
            f"Output {i} of the user-provided function is independent of input {{0}}. This is not "
            "allowed in strict mode."
        )
        with lantern.enable_grad():
            rows = [
                _gradients([each], inputs, None, create_graph, message if strict else "")
                for each in out.reshape(-1)
            ]
            columns = zip(*rows, strict=True) if rows else [[] for _ in inputs]
            block = [
                lantern.stack(list(column)).reshape(out.shape + x.shape)
                if rows
                else x.new_zeros(out.shape + x.shape)
                for column, x in zip(columns, inputs, strict=True)
            ]
        blocks.append(_finished(block, several_in, create_graph))
    return tuple(blocks) if several_out else blocks[0]


def _scalar(func: Callable[..., Any], name: str) -> Callable[..., Tensor]:
    """Returns the function, checked to give one number."""

    def checked(*inputs: Any) -> Tensor:
        out = func(*inputs)
        several, outputs = _as_tuple(out, "outputs", name)
        if several or not isinstance(out, Tensor):
            raise RuntimeError(f"The function given to {name} should return a single Tensor")
        if outputs[0].numel() != 1:
            raise RuntimeError(
                f"The Tensor returned by the function given to {name} should contain a single "
                "element"
            )
        return out.squeeze()

    return checked


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Returns the second derivatives of a function of one number, `(*x.shape, *y.shape)` each.

    >>> import lantern
    >>> hessian(lambda x: (x**3).sum(), lantern.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    several, _ = _as_tuple(inputs, "inputs", "hessian")
    checked = _scalar(func, "hessian")

    def slope(*values: Tensor) -> Any:
        found = jacobian(checked, values, create_graph=True, strict=strict)
        return found if several else found[0]

    return jacobian(
        slope, inputs, create_graph, strict, vectorize, strategy=outer_jacobian_strategy
    )


def _second(func: Callable[..., Any], inputs: Any, v: Any, name: str) -> tuple:
    several, inputs = _as_tuple(inputs, "inputs", name)
    vector = _vector(v, inputs, several, name, "input")
    return several, inputs, vector, _scalar(func, name)


def vhp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns `func(*inputs)`, one number, and the product of `v` with its Hessian.

    >>> import lantern
    >>> vhp(lambda x: (x**3).sum(), lantern.tensor([1.0, 2.0]), lantern.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    several, inputs, vector, checked = _second(func, inputs, v, "vhp")
    with lantern.enable_grad():
        tracked = _tracked(inputs, create_graph)
        out = checked(*tracked)
        _check_independent((out,), strict)
        slopes = _gradients([out], tracked, None, True, UNUSED if strict else "")
        found = _gradients(slopes, tracked, vector, create_graph, UNUSED if strict else "")
    return _finished((out,), False, create_graph), _finished(found, several, create_graph)


def hvp(
    func: Callable[..., Any],
    inputs: Any,
    v: Any = None,
    create_graph: bool = False,
    strict: bool = False,
) -> tuple[Any, Any]:
    """Returns `func(*inputs)`, one number, and the product of its Hessian with `v`.

    Where second derivatives are continuous, this is `vhp`; here it is computed as the derivative
    of the gradient along `v`.

    >>> import lantern
    >>> hvp(lambda x: (x**3).sum(), lantern.tensor([1.0, 2.0]), lantern.tensor([1.0, 1.0]))
    (tensor(9.), tensor([ 6., 12.]))
    """
    several, inputs, vector, checked = _second(func, inputs, v, "hvp")
    with lantern.enable_grad():
        tracked = _tracked(inputs, create_graph)
        out = checked(*tracked)
        _check_independent((out,), strict)
        slopes = _gradients([out], tracked, None, True, UNUSED if strict else "")
        rows = tuple(lantern.zeros_like(x).requires_grad_() for x in tracked)
        columns = _gradients(slopes, tracked, rows, True)
        found = _gradients(columns, rows, vector, create_graph)
    return _finished((out,), False, create_graph), _finished(found, several, create_graph)
