"""What one op does for one set of tracked inputs: what a call saves, which formulas go back."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..backends import NAMESPACES
from ..storage import Storage
from ..tensor import Tensor, _new
from .graph import OpNode


OUT, SHAPE, DTYPE = -1, 64, 128


def _code(op: Any, name: str) -> int:
    if name == "out":
        return OUT
    if name.endswith("_shape") and name not in op.parameters:
        return op.parameters.index(name.removesuffix("_shape")) + SHAPE
    if name.endswith("_dtype") and name not in op.parameters:
        return op.parameters.index(name.removesuffix("_dtype")) + DTYPE
    return op.parameters.index(name)


class Plan:
    """The formulas that a call needs, and how to hand them what they name.

    `saves` are positions of parameters, `OUT` for the output, `SHAPE` or
    `DTYPE` added where a formula names `input_shape` or `input_dtype` and needs no more; each step is a formula with the places
    of its arguments in the context `[g, xp, needs, *saved]`.
    """

    __slots__ = ("op", "inputs", "saves", "steps", "needs")

    def __init__(self, op: Any, mask: int):
        self.op = op
        tracked = [op.parameters[p] for bit, p in op.tensors if mask & bit]
        known = op.joint[0] if op.joint else tuple(op.formulas)
        names = [n for n in tracked if n in known]
        if not names:
            raise NotImplementedError(f"the derivative for '{op.name}' is not implemented")
        self.inputs = tuple(op.parameters.index(n) for n in names)
        self.needs = tuple(n in names for n in known)
        formulas = [op.joint[1:]] if op.joint else [op.formulas[n] for n in names]
        wanted = dict.fromkeys(each for _, want in formulas for each in want)
        saved = [n for n in wanted if n not in ("g", "xp", "needs")]
        self.saves = tuple(_code(op, n) for n in saved)
        context = ["g", "xp", "needs", *saved]
        self.steps = tuple((f, tuple(context.index(n) for n in want)) for f, want in formulas)

    def facts(self, values: list, args: tuple, out: Any, converted: Any) -> list | None:
        """Returns the shapes and dtypes of the inputs, where gradients may have to be fitted."""
        if converted is None:
            shape = out.shape
            for position in self.inputs:
                if values[position].shape != shape:
                    return [(values[p].shape, None) for p in self.inputs]
            return None
        return [(values[p].shape, args[p].dtype) for p in self.inputs]

    def backward(self, node: OpNode, g: Any, create_graph: bool) -> Any:
        """Returns the gradients of the tracked inputs, given that of the output."""
        saved = node.saved
        if saved is None:
            raise RuntimeError(_RELEASED)
        for each, version in zip(saved, node.versions, strict=True):
            if version != version_of(each):
                _refuse_modified(node, each, version)
        values = self._tensors(node) if create_graph else node.values
        some = next(each for each in g if each is not None) if type(g) is list else g
        xp = NAMESPACES[type(some)]
        if some.dtype.char in "eE" and not create_graph and self.op.promote != "keep":
            g = _each(g, lambda x: xp.cast(x, dtypes.float32))
        context = [g, xp, self.needs, *values]
        grads = [formula(*[context[i] for i in wanted]) for formula, wanted in self.steps]
        if self.op.joint:
            grads = [each for each, need in zip(grads[0], self.needs, strict=True) if need]
        if node.facts is None:
            return grads
        return [fit(xp, each, *known) for each, known in zip(grads, node.facts, strict=True)]

    def _tensors(self, node: OpNode) -> list:
        """Returns what was saved as tensors with history, in the dtypes the forward computed in."""
        result: list[Any] = []
        for each, value in zip(node.saved, node.values, strict=True):
            if isinstance(each, Storage):
                tensor = _new(Tensor)
                tensor._array, tensor._storage, tensor._node = value, each, node
                result.append(tensor)
            elif isinstance(each, Tensor):
                want = NAMESPACES[type(value)].dtype_of(value)
                have = each.dtype
                same = have is want or have.char in "eE"
                result.append(each if same else NAMESPACES[Tensor].cast(each, want))
            else:
                result.append(value)
        return result


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


def version_of(saved: Any) -> int:
    """Returns the count of writes to a saved operand; 0 for what is no tensor."""
    if isinstance(saved, Tensor):
        return saved._storage.version
    return saved.version if isinstance(saved, Storage) else 0


_RELEASED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after "
    "they have already been freed). Saved intermediate values of the graph are freed when you call "
    ".backward() or autograd.grad(). Specify retain_graph=True if you need to backward through the "
    "graph a second time or if you need to access saved tensors after calling backward."
)


def _refuse_modified(node: OpNode, saved: Any, version: int) -> None:
    value = node.values[next(i for i, each in enumerate(node.saved) if each is saved)]
    kind = NAMESPACES[type(value)].dtype_of(value).legacy
    which = "" if isinstance(saved, Tensor) and saved.is_leaf else (
        f", which is output 0 of {(saved.grad_fn or node).name() if isinstance(saved, Tensor) else node.name()},"
    )
    raise RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: [torch.{kind}Tensor {list(value.shape)}]{which} is at version "
        f"{version_of(saved)}; expected version {version} instead. Hint: enable anomaly detection "
        "to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True)."
    )
