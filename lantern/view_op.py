"""Ops whose results are views: they share the memory of their first argument.

A view op says how to look at a value (its forward, over any namespace) and how to replace in the
base what it shows (`put`). Its gradient and in-place writes through it follow from these two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .autograd.graph import Edge, Node, Nowhere
from .autograd.mode import active, mode
from .autograd.views import geometry_of, rederive
from .backends import NAMESPACES
from .binding import refuse
from .op import KEEP, Op, declare
from .tensor import Tensor, mark, share, wrap_view


class View(Op):
    """An op that returns a view; `put` replaces the viewed part, and `vjp` follows or is given.

    `prepare` checks the arguments of a call and brings them to the one form that is kept in the
    history of the view: tuples of integers counted from the front.
    """

    view = True
    prepare: Callable[..., tuple] | None = None

    def __init__(self, forward: Callable[..., Any], **options: Any):
        super().__init__(forward, promote=KEEP, **options)
        self.put: Callable[..., Any] = self._no_put

    def _no_put(self, *args: Any) -> Any:
        raise RuntimeError(f"cannot write in place through a view made by {self.name}()")

    def preparing(self, prepare: Callable[..., tuple]) -> Callable[..., tuple]:
        """Declares how arguments are checked and made uniform: `prepare(input, *args) -> args`."""
        self.prepare = prepare
        return prepare

    def putting(self, put: Callable[..., Any]) -> Callable[..., Any]:
        """Declares how the viewed part of a base is replaced: `put(xp, base, value, *args)`."""
        self.put = put
        rest = self.parameters[1:]

        def gradient(xp: Any, g: Any, input_shape: tuple, *args: Any) -> Any:
            return put(xp, xp.full(input_shape, 0, g), g, *args)

        self.formulas.setdefault("input", (gradient, ("xp", "g", "input_shape", *rest)))
        return put

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the view, or views, of the first argument."""
        if kwargs or len(args) != self.arity:
            args = self.complete(args, kwargs)
        source = args[0]
        if not isinstance(source, Tensor):
            refuse(self, 0, source)
        rest = args[1:]
        if self.prepare is not None:
            rest = self.prepare(source._array, *rest)
        return self.show(source, rest)

    def show(self, source: Tensor, rest: tuple) -> Tensor:
        """Returns the view for prepared arguments."""
        base = source._base
        if base is not None and base._node is not source._seen:
            rederive(source)
        trace = active.recording and active.trace
        value = source._array if trace is None else trace.read(source)
        tensor = wrap_view(
            source, self.forward(NAMESPACES[type(value)], value, *rest), (self, rest)
        )
        if source._node is None and mode.enabled:
            return tensor
        return self._track(source, value, tensor, rest)

    def _track(self, source: Tensor, value: Any, tensor: Tensor, rest: tuple) -> Tensor:
        if not mode.enabled:
            mark(tensor, tensor._made or "no_grad")
            tensor._node = None if source._node is None else Nowhere()
        elif source._node is not None:
            self._record((source, *rest), [value, *rest], tensor._array, 1, None, tensor)
        return tensor


class Window(View):
    """A view that strides describe: `geometry` gives its sizes, strides and offset in elements.

    Its forward computes the same by values, for symbols and for gradients.
    """

    def placed(self, geometry: Callable[..., tuple]) -> Callable[..., tuple]:
        """Declares `geometry(shape, strides, offset, *args) -> (shape, strides, offset)`."""
        self.geometry = geometry
        return geometry

    def show(self, source: Tensor, rest: tuple) -> Tensor:
        """Returns the view for prepared arguments."""
        place = self.geometry(source.shape, source.stride(), source.storage_offset(), *rest)
        if active.trace is not None:
            tensor = super().show(source, rest)
            tensor._array.lies(*place[1:])
            return tensor
        base = source._base
        if base is not None and base._node is not source._seen:
            rederive(source)
        out = NAMESPACES[type(source._array)].window(source._storage.array, *place)
        return self._track(source, source._array, wrap_view(source, out, (self, rest)), rest)


class Memory(Window):
    """A view that starts anew from the storage, whatever part of it the first argument shows.

    The last of its arguments is the place of what it is applied to, since values alone do not
    tell where in memory they lie.
    """

    def show(self, source: Tensor, rest: tuple) -> Tensor:
        """Returns the view for the sizes, strides and offset that `rest` begins with."""
        base = source._base
        if base is not None and base._node is not source._seen:
            rederive(source)
        size, stride, offset = rest[:3]
        storage, trace = source._storage, active.recording and active.trace
        root = share(Tensor, source)
        root._array, root._layout = storage.array, ()
        step = (self, (size, stride, offset, geometry_of(root)))
        if trace is None:
            out = NAMESPACES[type(storage.array)].window(storage.array, size, stride, offset)
        else:
            out = self.forward(trace.namespace, trace.read(root), *step[1])
            out.lies(stride, offset)
        tensor = wrap_view(source, out, step)
        tensor._layout = (step,)
        rest = (size, stride, offset, geometry_of(source))
        return self._track(source, source._array, tensor, rest)


class Parts(Op):
    """An op that returns several views at once; its forward gives the index of each.

    They have one node in common, and PyTorch forbids to write in place through any of them.
    """

    view = True

    def __init__(self, forward: Callable[..., Any], slicing: View, **options: Any):
        super().__init__(forward, promote=KEEP, **options)
        self.slicing = slicing

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Returns the view, or views, of the first argument."""
        if kwargs or len(args) != self.arity:
            args = self.complete(args, kwargs)
        source = args[0]
        if not isinstance(source, Tensor):
            refuse(self, 0, source)
        base = source._base
        if base is not None and base._node is not source._seen:
            rederive(source)
        trace = active.recording and active.trace
        value = source._array if trace is None else trace.read(source)
        xp = NAMESPACES[type(value)]
        dim, places = self.forward(xp, value, *args[1:])
        parts = []
        for place in places:
            index = ((slice(None),) * dim + (place,),)
            part = wrap_view(source, self.slicing.forward(xp, value, *index), (self.slicing, index))
            mark(part, part._made or ("several" if mode.enabled else "no_grad several"))
            if source._node is not None and not mode.enabled:
                part._node = Nowhere()
            parts.append(part)
        if source._node is not None and mode.enabled and parts and self.differentiable:
            edges: list[Edge] = [(source._node, source._index)]
            node = PartsNode(self, edges, dim, value.shape, places)
            for i, part in enumerate(parts):
                part._node, part._index = node, i
        return tuple(parts)


class PartsNode(Node):
    """History of the views that one call made."""

    __slots__ = ("op", "dim", "shape", "places")

    def __init__(self, op: Op, edges: list[Edge], dim: int, shape: tuple, places: list):
        super().__init__(edges, len(places))
        self.op, self.dim, self.shape, self.places = op, dim, shape, places

    def name(self) -> str:
        """Returns PyTorch's name for the operation."""
        return self.op.grad_name(self)  # type: ignore[arg-type]

    def backward(self, g: Any, create_graph: bool) -> Any:
        """Returns the gradients of all parts joined; that of an unused part is zero."""
        grads = g if self.outputs > 1 else [g]
        like = next(each for each in grads if each is not None)
        xp = NAMESPACES[type(like)]
        pieces = []
        for place, grad in zip(self.places, grads, strict=True):
            length = 1 if isinstance(place, int) else place.stop - place.start
            shape = (*self.shape[: self.dim], length, *self.shape[self.dim + 1 :])
            if grad is None:
                pieces.append(xp.full(shape, 0, like))
            else:
                pieces.append(grad if grad.shape == shape else xp.reshape(grad, shape))
        return [xp.cat(pieces, self.dim)]


def view(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op whose result shares the memory of its first argument.

    Its `put` gives the base with the viewed part replaced; the gradient of the base follows.
    """
    return declare(View, forward, options)


def window(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares a view that needs strides of its own; `placed` says which."""
    return declare(Window, forward, options)


def memory(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares a view of the whole storage, which is also what a view is when all else fails."""
    return declare(Memory, forward, options)


def parts(forward: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Declares an op that returns several views; its forward is `-> (dim, ints or slices)`."""
    return declare(Parts, forward, options)
