"""What one op does for one set of tracked inputs: what a call saves, which formulas go back."""

from __future__ import annotations

import operator
from typing import Any

from .. import dtypes
from ..backends import NAMESPACES
from ..storage import Storage
from ..tensor import Tensor, _new
from .graph import OpNode

OUT, SHAPE, DTYPE = -1, 64, 128
OFTEN = 48  # calls after which a function is written; it takes as long as some hundred calls gain
CONTEXT = ("g", "xp", "needs")  # what every formula may name without anything being saved


def _picker(places: list[int]) -> Any:
    """Returns a function from the context to the arguments of a formula, always a tuple."""
    if len(places) == 1:
        (place,) = places
        return lambda context: (context[place],)
    return operator.itemgetter(*places)


def _code(op: Any, name: str) -> int:
    if name == "out":
        return OUT
    if name.startswith("out") and name[3:].isdigit() and name not in op.parameters:
        return OUT - int(name[3:])
    if name.endswith("_shape") and name not in op.parameters:
        return op.parameters.index(name.removesuffix("_shape")) + SHAPE
    if name.endswith("_dtype") and name not in op.parameters:
        return op.parameters.index(name.removesuffix("_dtype")) + DTYPE
    return op.parameters.index(name)


class Plan:
    """The formulas that a call needs, and how to hand them what they name.

    `saves` are positions of parameters, `OUT` for the output (`OUT - i` for the i-th of those that
    follow it), `SHAPE` or `DTYPE` added where a
    formula names `input_shape` or `input_dtype` and needs no more; each step is a formula with the
    places of its arguments in the context `(g, xp, needs, *saved)`.
    """

    __slots__ = (
        "op", "inputs", "saves", "steps", "needs", "named_by_values", "formulas", "calls", "quick",
        "ways",
    )  # fmt: skip

    def __init__(self, op: Any, mask: int):
        self.op = op
        self.named_by_values = not isinstance(op._grad_name, str)
        tracked = [op.parameters[p] for bit, p, _ in op.tensors if mask & bit]
        known = op.joint[0] if op.joint else tuple(op.formulas)
        names = [n for n in tracked if n in known]
        if len(names) != len(tracked):
            wrong = next(n for n in tracked if n not in known)
            raise NotImplementedError(
                f"the derivative for '{op.name}' by its argument '{wrong}' is not implemented"
            )
        self.inputs = tuple(op.parameters.index(n) for n in names)
        # Per operand that may have a gradient: is it wanted by this call, and may it be a number?
        self.ways = [
            (bool(mask & bit), numeric)
            for bit, p, numeric in op.tensors
            if mask & bit or op.parameters[p] in known and op.parameters[p] not in op.defaults
        ]
        self.needs = tuple(n in names for n in known)
        formulas = [op.joint[1:]] if op.joint else [op.formulas[n] for n in names]
        wanted = dict.fromkeys(each for _, want in formulas for each in want)
        saved = [n for n in wanted if n not in CONTEXT]
        self.saves = tuple(_code(op, n) for n in saved)
        context = [*CONTEXT, *saved]
        self.formulas = [(f, [context.index(n) for n in want]) for f, want in formulas]
        self.steps = tuple((f, _picker(places)) for f, places in self.formulas)
        self.calls = 0
        self.quick: Any = None  # a function written for this plan, once it has been called often

    def described(self, position: int, args: tuple, values: list) -> Any:
        """Returns the shape or the dtype of an operand, for a formula that names just that."""
        if position >= DTYPE:
            return args[position - DTYPE].dtype
        return values[position - SHAPE].shape

    def same_shape(self, values: list, out: Any) -> bool:
        """Says whether no input was broadcast."""
        shape = out.shape
        for position in self.inputs:
            if values[position].shape != shape:
                return False
        if not shape:  # a loss of one number may have been broadcast before it was reduced
            return not any(getattr(each, "shape", ()) for each in values)
        return True

    def facts(self, args: tuple, values: list, converted: Any) -> list:
        """Returns the shapes (and, where operands were cast, dtypes) to bring gradients back to."""
        if converted is None:
            return [(values[p].shape, None) for p in self.inputs]
        return [(values[p].shape, args[p].dtype) for p in self.inputs]

    def backward(self, node: OpNode, g: Any, create_graph: bool) -> Any:
        """Returns the gradients of the tracked inputs, given that of the output."""
        if node.saved is None or node.values is None:
            raise RuntimeError(RELEASED)
        self.calls += 1
        if self.calls == OFTEN:
            from ..quick import write_backward

            self.quick = write_backward(self)
        for storage, version in node.checks:
            if storage.version != version:
                _refuse_modified(node, storage, version)
        some = g
        if type(g) is list:
            some = next(each for each in g if each is not None)
        xp = NAMESPACES[type(some)]
        if create_graph:
            values: Any = self._tensors(node)
        else:
            values = node.values
            if some.dtype.char in "eE" and self.op.promote != "keep":
                g = _each(g, lambda x: xp.cast(x, dtypes.float32))
                pairs = zip(node.saved, values, strict=True)
                values = [_widened(xp, saved, value) for saved, value in pairs]
        context = (g, xp, self.needs, *values)
        grads = [formula(*pick(context)) for formula, pick in self.steps]
        if self.op.joint:
            grads = [each for each, need in zip(grads[0], self.needs, strict=True) if need]
        if node.facts is None:
            return grads
        return [fit(xp, each, *known) for each, known in zip(grads, node.facts, strict=True)]

    def _tensors(self, node: OpNode) -> list:
        """Returns what was saved as tensors with history, in the dtypes the forward computed in."""
        result: list[Any] = []
        saved = zip(self.saves, node.saved or (), node.values or (), strict=True)
        for position, each, value in saved:
            if type(each) is Storage:
                tensor = _new(Tensor)
                tensor._array, tensor._storage, tensor._node = value, each, node
                tensor._index = OUT - position
                result.append(tensor)
            elif isinstance(each, Tensor):
                want = NAMESPACES[type(value)].dtype_of(value)
                have = each.dtype
                same = have is want or have.char in "eE"
                result.append(each if same else NAMESPACES[Tensor].cast(each, want))
            else:
                result.append(value)
        return result


def _widened(xp: Any, saved: Any, value: Any) -> Any:
    """Returns an array of a half type in float32, and anything else as it is."""
    if not isinstance(saved, (Tensor, Storage)) or value.dtype.char not in "eE":
        return value
    return xp.cast(value, dtypes.float32)


def _each(g: Any, function: Any) -> Any:
    if type(g) is list:
        return [None if x is None else function(x) for x in g]
    return function(g)


def fit(xp: Any, grad: Any, shape: tuple, dtype: Any) -> Any:
    """Returns a gradient summed over broadcast dimensions and cast to the input's own dtype."""
    if grad is None:
        return None
    if grad.shape != shape:
        grad = sum_to(xp, grad, shape)
    if dtype is not None and xp.dtype_of(grad) is not dtype:
        grad = xp.cast(grad, dtype)
    return grad


def sum_to(xp: Any, grad: Any, shape: tuple) -> Any:
    """Sums a gradient over the dimensions along which an input of `shape` was broadcast."""
    lead = len(grad.shape) - len(shape)
    dims = tuple(
        i for i, size in enumerate(grad.shape) if i < lead or (shape[i - lead] == 1 and size != 1)
    )
    if dims:
        grad = xp.sum(grad, dims, False)
    return grad if grad.shape == tuple(shape) else xp.reshape(grad, shape)


RELEASED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


def _refuse_modified(node: OpNode, storage: Storage, version: int) -> None:
    pairs = zip(node.saved or (), node.values or (), strict=True)
    checked = [(s, v) for s, v in pairs if isinstance(s, (Tensor, Storage))]
    saved, value = checked[node.checks.index((storage, version))]
    kind = NAMESPACES[type(value)].dtype_of(value).legacy
    which = ""
    if not isinstance(saved, Tensor):
        which = f", which is output 0 of {_short(node.name())},"
    elif saved.grad_fn is not None:
        which = f", which is output {saved.output_nr} of {_short(saved.grad_fn.name())},"
    raise RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.{kind}Tensor {list(value.shape)}]{which} is at version "
        f"{storage.version}; expected version {version} instead. Hint: enable anomaly detection "
        "to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )


def _short(name: str) -> str:
    """Returns the name of a node as messages give it: `Exp` for ExpBackward0."""
    start, backward, _ = name.partition("Backward")
    return "torch::autograd::CopySlices" if name == "CopySlices" else start if backward else name
