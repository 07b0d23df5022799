"""`torch.func`: gradients and maps of functions as functions.

Everything here is made of reverse mode. `vmap` calls the function once for each entry of the mapped
dimension and stacks what comes out: the same values as PyTorch's, without its speed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

import lantern
from lantern import Tensor

from .autograd.functional import _gradients
from .autograd.functional import jvp as _jvp
from .compat.missing import missing
from .nn.utils.stateless import functional_call as functional_call
from .trees import leaves, mapped, rebuilt


def _differentiable(tree: Any) -> Any:
    """Returns the tree with tensors whose gradient is wanted, connected to what they were."""

    def tracked(each: Any) -> Any:
        if isinstance(each, Tensor) and each.requires_grad:
            return each.view_as(each)
        if isinstance(each, Tensor) and each.is_floating_point():
            return each.detach().requires_grad_()
        return each

    return mapped(tree, tracked)


def _chosen(args: tuple, argnums: int | tuple[int, ...], name: str) -> tuple[int, ...]:
    if not isinstance(argnums, (int, tuple)):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    wanted = (argnums,) if isinstance(argnums, int) else argnums
    if not wanted:
        raise RuntimeError("argnums must be non-empty")
    for each in wanted:
        if not -len(args) <= each < len(args):
            raise RuntimeError(f"Got argnum={each}, but only {len(args)} positional inputs")
    return tuple(each % len(args) for each in wanted)


def _taken(func: Callable[..., Any], argnums: Any, name: str, args: tuple, kwargs: dict) -> tuple:
    """Returns the function's result and the chosen arguments, tracked."""
    wanted = _chosen(args, argnums, name)
    values = list(args)
    for i in wanted:
        values[i] = _differentiable(args[i])
        for leaf in leaves(values[i]):
            if not isinstance(leaf, Tensor):
                raise RuntimeError(f"{name}: argument {i} must be made of tensors, not {leaf!r}")
    with lantern.enable_grad():
        return func(*values, **kwargs), tuple(values[i] for i in wanted)


def _given_back(chosen: tuple, grads: Sequence[Tensor], argnums: Any) -> Any:
    built = rebuilt(chosen, grads)
    return built[0] if isinstance(argnums, int) else built


def _is_outer() -> bool:
    """Says whether gradients are to be differentiable again: they are inside of another one."""
    return _nesting.depth > 1


class _Nesting(threading.local):
    depth = 0  # of each thread


_nesting = _Nesting()


class _Level:
    """Counts how deep transformations lie in one another."""

    def __enter__(self) -> None:
        _nesting.depth += 1

    def __exit__(self, *error: object) -> None:
        _nesting.depth -= 1


def grad_and_value(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Returns a function that gives the gradient of `func` and its value.

    >>> import lantern
    >>> grad_and_value(lambda x: (x**2).sum())(lantern.tensor([1.0, 3.0]))
    (tensor([2., 6.]), tensor(10.))
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with _Level():
            result, chosen = _taken(func, argnums, "grad", args, kwargs)
            value, aux = result if has_aux else (result, None)
            if not isinstance(value, Tensor):
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got type "
                    f"{type(value)}"
                )
            if value.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar tensor, got "
                    f"tensor with {value.dim()} dims. Maybe you wanted to use the vjp or jacrev "
                    "APIs instead?"
                )
            keep = _is_outer() or any(
                isinstance(each, Tensor) and each.requires_grad for each in leaves((args, kwargs))
            )
            grads = _gradients([value], tuple(leaves(chosen)), None, keep)
        found = _given_back(chosen, grads if keep else [g.detach() for g in grads], argnums)
        value = value if keep else value.detach()
        return (found, (value, aux)) if has_aux else (found, value)

    return wrapped


def grad(
    func: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Returns a function that gives the gradient of `func`, which returns one number.

    >>> import lantern
    >>> grad(grad(lambda x: x**3))(lantern.tensor(2.0))
    tensor(12.)
    """
    both = grad_and_value(func, argnums, has_aux)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return wrapped


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Returns `func(*primals)` and a function that multiplies vectors with its Jacobian.

    >>> import lantern
    >>> out, pull = vjp(lambda x: x**2, lantern.tensor([1.0, 3.0]))
    >>> pull(lantern.ones(2))
    (tensor([2., 6.]),)
    """
    with _Level():
        result, chosen = _taken(func, tuple(range(len(primals))), "vjp", primals, {})
    out, aux = result if has_aux else (result, None)
    outputs = leaves(out)

    def pull(*cotangents: Any) -> tuple:
        vectors = leaves(cotangents[0] if len(cotangents) == 1 else cotangents)
        keep = any(isinstance(v, Tensor) and v.requires_grad for v in [*vectors, *leaves(primals)])
        grads = _gradients(outputs, tuple(leaves(chosen)), vectors, keep or _is_outer())
        return rebuilt(chosen, grads)

    shown = rebuilt(out, [each.detach() for each in outputs]) if not _is_outer() else out
    return (shown, pull, aux) if has_aux else (shown, pull)


def jvp(
    func: Callable[..., Any],
    primals: tuple,
    tangents: tuple,
    *,
    strict: bool = False,
    has_aux: bool = False,
) -> Any:
    """Returns `func(*primals)` and how it changes along `tangents`.

    >>> import lantern
    >>> jvp(lambda x: x**2, (lantern.tensor([1.0, 3.0]),), (lantern.ones(2),))
    (tensor([1., 9.]), tensor([2., 6.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp: Expected primals and tangents to be tuples")
    held: list[Any] = []

    def plain(*values: Tensor) -> Any:
        result = func(*rebuilt(primals, values))
        out, aux = result if has_aux else (result, None)
        held[:] = [out, aux]
        return tuple(leaves(out))

    outs, moves = _jvp(
        plain, tuple(leaves(primals)), tuple(leaves(tangents)), create_graph=_is_outer()
    )
    pair = rebuilt(held[0], outs), rebuilt(held[0], moves)
    return (*pair, held[1]) if has_aux else pair


def jacrev(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    *,
    has_aux: bool = False,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Returns a function that gives the Jacobian, `(*output.shape, *input.shape)`.

    >>> import lantern
    >>> jacrev(lambda x: x**2)(lantern.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with _Level():
            result, chosen = _taken(func, argnums, "jacrev", args, kwargs)
            out, aux = result if has_aux else (result, None)
            inputs = tuple(leaves(chosen))
            keep = _is_outer() or any(
                isinstance(each, Tensor) and each.requires_grad for each in leaves(args)
            )
            blocks = []
            for each in leaves(out):
                rows = [_gradients([e], inputs, None, keep) for e in each.reshape(-1)]
                columns = zip(*rows, strict=True) if rows else [()] * len(inputs)
                blocks.append(
                    _given_back(
                        chosen,
                        [
                            lantern.stack(list(column)).reshape(each.shape + x.shape)
                            if column
                            else x.new_zeros(each.shape + x.shape)
                            for column, x in zip(columns, inputs, strict=True)
                        ],
                        argnums,
                    )
                )
        found = rebuilt(out, blocks)
        return (found, aux) if has_aux else found

    return wrapped


def jacfwd(
    func: Callable[..., Any],
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
    *,
    randomness: str = "error",
) -> Callable[..., Any]:
    """As `jacrev`, whose way it is computed."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Returns a function that gives the second derivatives.

    >>> import lantern
    >>> hessian(lambda x: (x**3).sum())(lantern.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacrev(jacrev(func, argnums), argnums)


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Returns a function that maps `func` over a dimension of its arguments.

    `in_dims` names that dimension for each argument, None for those taken whole; `out_dims` says
    where it goes in the results. Random draws differ between entries (`randomness="different"`)
    or are the same (`"same"`); `"error"` allows none, which is not checked here.

    >>> import lantern
    >>> vmap(lantern.dot)(lantern.ones(2, 3), lantern.arange(6.0).reshape(2, 3))
    tensor([ 3., 12.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(
            "Only allowed values for randomness are 'error', 'different', or 'same'. Got "
            f"{randomness}"
        )

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places, size = _mapped(args, in_dims)
        state = lantern.get_rng_state() if randomness == "same" else None
        results = []
        for i in range(size):
            if state is not None:
                lantern.set_rng_state(state)
            picked = [
                rebuilt(arg, map(_picked, leaves(arg), spread, repeat(i)))
                for arg, spread in zip(args, places, strict=True)
            ]
            results.append(func(*picked, **kwargs))
        return _stacked(results, out_dims)

    return wrapped


def _mapped(args: tuple, in_dims: Any) -> tuple[list[list[int | None]], int]:
    """Returns the mapped dimension of each tensor of each argument, and the size they share."""
    dims = in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args)
    if len(dims) != len(args):
        raise ValueError(
            f"vmap: in_dims is not compatible with the structure of inputs: {len(dims)} "
            f"entries for {len(args)} inputs"
        )
    places = [_spread(dim, arg) for dim, arg in zip(dims, args, strict=True)]
    sizes = {
        leaf.shape[dim]
        for arg, spread in zip(args, places, strict=True)
        for leaf, dim in zip(leaves(arg), spread, strict=True)
        if dim is not None
    }
    if not sizes:
        raise ValueError("vmap: no argument has a dimension to map over")
    if len(sizes) > 1:
        raise ValueError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got "
            f"sizes {sorted(sizes)} for the mapped dimension"
        )
    return places, sizes.pop()


def _spread(dim: Any, arg: Any) -> list[int | None]:
    """Returns the mapped dimension of each tensor of an argument."""
    if dim is None or isinstance(dim, int):
        found = []
        for leaf in leaves(arg):
            if dim is not None and isinstance(leaf, Tensor) and not -leaf.ndim <= dim < leaf.ndim:
                raise ValueError(
                    f"vmap: Got in_dim={dim} for some input, but that input is a Tensor of "
                    f"dimensionality {leaf.ndim} so expected in_dim to satisfy {-leaf.ndim} <= "
                    f"in_dim < {leaf.ndim}."
                )
            found.append(dim if isinstance(leaf, Tensor) else None)
        return found
    if isinstance(arg, Mapping):
        return [place for key, value in arg.items() for place in _spread(dim[key], value)]
    return [place for d, value in zip(dim, arg, strict=True) for place in _spread(d, value)]


def _picked(leaf: Any, dim: int | None, index: int) -> Any:
    return leaf if dim is None else leaf.select(dim, index)


def _stacked(results: list[Any], out_dims: Any) -> Any:
    if not results:
        raise RuntimeError("vmap: the mapped dimension is empty, so there is no result to shape")
    first = results[0]
    columns = zip(*(leaves(each) for each in results), strict=True)
    several = isinstance(out_dims, (tuple, list))
    dims = list(out_dims) if several else [out_dims] * len(leaves(first))
    if len(dims) != len(leaves(first)):
        raise ValueError(
            f"vmap: {len(dims)} out_dims for {len(leaves(first))} results of the function"
        )
    stacked = []
    for column, dim in zip(columns, dims, strict=True):
        if not isinstance(column[0], Tensor):
            raise ValueError(
                f"vmap: must only return Tensors, got type {type(column[0])} as a return"
            )
        stacked.append(column[0] if dim is None else lantern.stack(list(column), dim))
    return rebuilt(first, stacked)


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Returns parameters and buffers of models of one kind, each stacked over the models.

    >>> import lantern
    >>> parameters, buffers = stack_module_state([lantern.nn.Linear(2, 1) for _ in range(3)])
    >>> parameters["weight"].shape
    torch.Size([3, 1, 2])
    """
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not (all(m.training for m in models) or not any(m.training for m in models)):
        raise RuntimeError(
            "stack_module_state: Expected all models to have the same training/eval mode."
        )
    if any(type(m) is not type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def joined(named: list[dict[str, Tensor]], tracked: bool) -> dict[str, Tensor]:
        found = {}
        for name, first in named[0].items():
            stacked = lantern.stack([each[name].detach() for each in named])
            found[name] = stacked.requires_grad_(tracked and first.requires_grad)
        return found

    parameters = joined([dict(m.named_parameters()) for m in models], True)
    return parameters, joined([dict(m.named_buffers()) for m in models], False)


__getattr__ = missing(__name__)
