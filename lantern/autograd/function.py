"""`Function`: an operation with a backward written by the user."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ..backends import NAMESPACES
from ..naming import type_name
from ..tensor import Tensor, current_node, share, wrap
from .graph import Edge, Node
from .mode import active, mode
from .plan import fit


class FunctionCtx:
    """What a `Function` carries from forward to backward."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: list[tuple[Tensor | None, int]] | None = []
        self._dirty: tuple[Tensor, ...] = ()
        self._constant: tuple[Tensor, ...] = ()
        self._materialize = True
        self._node: Node | None = None
        self._outputs: list[Tensor] = []

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keeps tensors for backward, where `saved_tensors` gives them."""
        for each in tensors:
            if each is not None and not isinstance(each, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument is of type "
                    f"{type(each).__name__}"
                )
        self._saved = [(each, 0 if each is None else each._version) for each in tensors]

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The tensors given to `save_for_backward`."""
        if self._saved is None:
            from .plan import RELEASED

            raise RuntimeError(RELEASED)
        for tensor, version in self._saved:
            if tensor is not None and tensor._version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: [{tensor.type()} {list(tensor.shape)}] is at version "
                    f"{tensor._version}; expected version {version} instead."
                )
        return tuple(self._again(tensor) for tensor, _ in self._saved)

    def _again(self, tensor: Tensor | None) -> Tensor | None:
        # An output was saved without history (that would be a cycle); give it back with it.
        for index, output in enumerate(self._outputs):
            if output is tensor:
                fresh = share(Tensor, tensor)
                fresh._node, fresh._index = self._node, index
                return fresh
        return tensor

    def mark_dirty(self, *args: Tensor) -> None:
        """Says that forward changed these inputs in place."""
        self._dirty = args

    def mark_non_differentiable(self, *args: Tensor) -> None:
        """Says that these outputs have no gradient."""
        self._constant = args

    def set_materialize_grads(self, value: bool) -> None:
        """Says whether backward gets zeros (True) or None for outputs without gradient."""
        self._materialize = value


class FunctionNode(Node):
    """A recorded call of a `Function`."""

    calls_user = True

    def __init__(self, function: type, ctx: FunctionCtx, edges: list[Edge], outputs: int):
        super().__init__(edges, outputs)
        self.function, self.ctx = function, ctx
        self.shapes: list[tuple] = []
        self.inputs: list[tuple] = []  # their shapes and dtypes

    def name(self) -> str:
        """Returns the name of the function's backward."""
        return f"{self.function.__name__}Backward"

    def release(self) -> None:
        """Lets go of what was saved."""
        self.ctx._saved = None
        self.ctx._outputs = []

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns what the user's `backward` gives, one gradient per input."""
        given = g if self.outputs > 1 else [g]
        grads = [self._tensor(each, i) for i, each in enumerate(given)]
        results = self.function.backward(self.ctx, *grads)  # type: ignore[attr-defined]
        results = results if isinstance(results, tuple) else (results,)
        count = len(self.edges)
        if len(results) < count or any(each is not None for each in results[count:]):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected "
                f"{count}, got {len(results)})"
            )
        return [
            self._value(each, edge, i, create_graph)
            for i, (each, edge) in enumerate(zip(results, self.edges, strict=False))
        ]

    def _tensor(self, value: Any, index: int) -> Tensor | None:
        if value is None:
            if not self.ctx._materialize:
                return None
            shape, dtype = self.shapes[index]
            return NAMESPACES[Tensor].full(shape, 0, dtype)
        return value if isinstance(value, Tensor) else wrap(NAMESPACES[type(value)].asarray(value))

    def _value(self, grad: Any, edge: Edge, index: int, create_graph: bool) -> Any:
        if grad is None or edge is None:
            return None
        if not isinstance(grad, Tensor):
            raise RuntimeError(
                f"expected Variable or None (got {type_name(grad)}) from {self.name()} as the "
                f"gradient at index {index}"
            )
        shape, dtype = self.inputs[index]
        if grad.shape != shape and not _sums_to(grad.shape, shape):
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {index} - got "
                f"{list(grad.shape)} but expected shape compatible with {list(shape)}"
            )
        grad = fit(NAMESPACES[Tensor], grad, shape, dtype)
        if create_graph:
            return grad
        return grad._array if not (active.recording and active.trace) else active.trace.read(grad)


def _sums_to(given: tuple, shape: tuple) -> bool:
    """Says whether a tensor of `shape` could have been broadcast to the shape given."""
    lead = len(given) - len(shape)
    return lead >= 0 and all(
        want in (1, size) for size, want in zip(given[lead:], shape, strict=True)
    )


@functools.cache
def _parameters(forward: Callable[..., Any]) -> list[inspect.Parameter]:
    """Returns the parameters of a forward that can be given by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p for p in inspect.signature(forward).parameters.values() if p.kind in kinds]


class Function:
    """The base of operations with a backward of their own: `forward(ctx, ...)`, `backward(ctx, g)`.

    >>> import lantern
    >>> class Double(lantern.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = lantern.ones(1, requires_grad=True)
    >>> Double.apply(x).backward(); x.grad
    tensor([2.])
    """

    def __init__(self, *args: Any, **kwargs: Any):
        raise RuntimeError(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself. Instantiating an autograd "
            "function will raise an error in a future version of PyTorch."
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Computes the result; defined by the subclass."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        """Saves for backward, where forward does not take `ctx`."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Computes the gradients of the inputs; defined by the subclass."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Runs forward and records the call."""
        separate = cls.setup_context is not Function.setup_context
        if kwargs or separate:
            args = cls._bound(args, kwargs, separate)
        ctx = FunctionCtx()
        tracked = [isinstance(each, Tensor) and current_node(each) is not None for each in args]
        ctx.needs_input_grad = tuple(tracked)
        recording = mode.enabled and any(tracked)
        edges = [(a._node, a._index) if t else None for a, t in zip(args, tracked, strict=True)]
        before, mode.enabled = mode.enabled, False
        try:
            if separate:
                result = cls.forward(*args)
                cls.setup_context(ctx, args, result)
            else:
                result = cls.forward(ctx, *args)
        finally:
            mode.enabled = before
        return cls._record(ctx, args, result, edges) if recording else result

    @classmethod
    def _bound(cls, args: tuple, kwargs: dict, separate: bool) -> tuple:
        """Returns the arguments of forward by position; `setup_context` is shown defaults, too."""
        parameters = _parameters(cls.forward)[0 if separate else 1 :]
        names = [each.name for each in parameters]
        for name in kwargs:
            if name not in names[len(args) :]:
                wrong = "multiple values for" if name in names else "an unexpected keyword"
                raise TypeError(f"forward() got {wrong} argument '{name}'")
        bound, used = list(args), 0
        for place, each in enumerate(parameters[len(args) :], len(args)):
            if each.name in kwargs:
                bound.append(kwargs[each.name])
                used += 1
            elif separate and each.default is not each.empty:
                bound.append(each.default)
            elif used < len(kwargs):
                raise TypeError(
                    f"forward() missing required argument: '{each.name}' (position {place})"
                )
        return tuple(bound)

    @classmethod
    def _record(cls, ctx: FunctionCtx, args: tuple, result: Any, edges: list[Edge]) -> Any:
        several = isinstance(result, (tuple, list))
        results = list(result) if several else [result]
        node = FunctionNode(cls, ctx, edges, max(len(results), 1))
        node.inputs = [
            (tuple(each.shape), each.dtype) if isinstance(each, Tensor) else () for each in args
        ]
        ctx._node = node
        for index, each in enumerate(results):
            if not isinstance(each, Tensor):
                node.shapes.append(((), None))
                continue
            node.shapes.append((tuple(each.shape), each.dtype))
            if any(each is c for c in ctx._constant) or not each.is_floating_point():
                continue
            if any(each is a for a in args) and not any(each is d for d in ctx._dirty):
                each = results[index] = share(Tensor, each)  # an input handed on is a new tensor
            saved = any(each is s for s, _ in ctx._saved or ())
            if saved:
                plain = share(Tensor, each)
                ctx._saved = [(plain if s is each else s, v) for s, v in ctx._saved or ()]
                ctx._outputs += [None] * (index + 1 - len(ctx._outputs))  # type: ignore[list-item]
                ctx._outputs[index] = plain
            each._node, each._index = node, index
        return type(result)(results) if several else results[0]


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Says of a `backward` that its result cannot be differentiated again."""

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        tracked = mode.enabled and any(g is not None and g.requires_grad for g in grads)
        before, mode.enabled = mode.enabled, False
        try:
            results = backward(ctx, *grads)
        finally:
            mode.enabled = before
        if not tracked:
            return results
        results = results if isinstance(results, tuple) else (results,)
        return tuple(None if each is None else _Twice.apply(each, *grads) for each in results)

    return wrapped


class _Twice(Function):
    """Passes a gradient on and refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, *grads: Any) -> Tensor:
        return share(Tensor, value)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable"
        )
