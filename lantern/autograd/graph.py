"""The tape: nodes that know how to send a gradient back to the nodes before them.

A node stands for one call of an op. Its edges go to nodes, never to tensors, so a graph keeps
alive just what its formulas saved. `sequence` numbers the nodes as they are made; since a node is
made after all it depends on, the engine may visit nodes by falling number and needs no sorting.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import weakref
from collections.abc import Callable
from typing import Any

from .mode import flags

numbers = itertools.count()

Edge = tuple["Node", int] | None


class Node:
    """One recorded operation; `edges[i]` is where the gradient of its i-th input goes."""

    outputs = 1  # how many tensors the operation returned
    inner = True  # gradients go on from here
    calls_user = False  # its backward is code of the user's
    hooks: Hooks | None = None
    edges: list[Edge]

    def __init__(self, edges: list[Edge], outputs: int = 1):
        self.edges = edges
        self.sequence = next(numbers)
        if outputs != 1:
            self.outputs = outputs

    def backward(self, g: Any, create_graph: bool) -> Any:
        """Returns the gradients for `edges`, given that of the output (a list if several)."""
        raise NotImplementedError

    def release(self) -> None:
        """Lets go of what was saved; a second backward then says so."""

    def name(self) -> str:
        """Returns the name that PyTorch gives this operation, such as MulBackward0."""
        return type(self).__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes that the gradients of the inputs go to, each with the place of its output."""
        return tuple(_shown_edge(edge) for edge in self.edges)

    @functools.cached_property
    def metadata(self) -> dict:
        """A dictionary of nothing: there is no anomaly data."""
        return {}

    def __call__(self, *grads: Any) -> Any:
        """Returns the gradients of the inputs for those of the outputs."""
        from . import engine

        return engine.call_node(self, grads)

    def register_hook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Calls `fn(grad_inputs, grad_outputs)` after this node; it may return new grad_inputs."""
        return RemovableHandle(hooks_of(self).after, fn)

    def register_prehook(self, fn: Callable[..., Any]) -> RemovableHandle:
        """Calls `fn(grad_outputs)` before this node; it may return new grad_outputs."""
        return RemovableHandle(hooks_of(self).before, fn)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


class Hooks:
    """What users asked to be called when a gradient passes a node."""

    __slots__ = ("tensor", "before", "after", "retained", "accumulated")

    def __init__(self) -> None:
        self.tensor: dict[int, dict] = {}  # by output, handle -> function of one gradient
        self.before: dict = {}
        self.after: dict = {}
        self.retained: dict[int, weakref.ref] = {}  # by output, the tensor that keeps its gradient
        self.accumulated: dict = {}


def hooks_of(node: Node) -> Hooks:
    """Returns the node's hooks, making room for some."""
    if node.hooks is None:
        node.hooks = Hooks()
    return node.hooks


class RemovableHandle:
    """Takes a hook out again by `remove()` or at the end of a `with` block."""

    _ids = itertools.count()

    def __init__(self, hooks: dict, fn: Callable[..., Any] | None = None):
        self.id = next(RemovableHandle._ids)
        self._hooks = hooks
        flags.version += 1
        if fn is not None:
            hooks[self.id] = fn

    def remove(self) -> None:
        """Takes the hook away."""
        flags.version += 1
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class AccumulateGrad(Node):
    """The end of a path: adds what arrives to the `.grad` of a leaf tensor."""

    inner = False

    def __init__(self, leaf: Any):
        super().__init__([])
        self._leaf = weakref.ref(leaf)
        self.hooks = None

    def name(self) -> str:
        """Returns PyTorch's name for the node of a leaf."""
        return "torch::autograd::AccumulateGrad"

    def __repr__(self) -> str:
        return f"<AccumulateGrad object at {id(self):#x}>"

    @property
    def variable(self) -> Any:
        """The leaf whose `.grad` is added to."""
        return self._leaf()


class Nowhere(AccumulateGrad):
    """The end of a path that leads to no leaf: gradients that arrive are dropped.

    Views made in no_grad mode of what requires a gradient have it, as they require one too.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(self)

    def backward(self, g: Any, create_graph: bool) -> tuple:
        """Returns nothing."""
        return ()


# PyTorch makes tensors of the numbers that these are given. The nodes of others are named by it:
# with 0 at the end for a number, with 1 for a tensor.
WRAPPING = frozenset(("add", "sub", "mul", "true_divide", "where"))


class OpNode(Node):
    """A recorded call of an `Op`, with what the formulas of its tracked inputs need.

    `values` are the arrays (and plain arguments) that the formulas name; `saved` the tensors they
    came from, for gradients of gradients; `checks` the storages and how often each had been
    written; `facts` the shapes and dtypes that gradients are brought back to, where they differ.
    """

    saved: list | None
    values: list | None
    label = ""  # the name, where it depends on the arguments of the call

    def __init__(
        self, plan: Any, edges: list[Edge], saved: list, values: list, checks: list, facts: Any
    ):
        self.plan = plan
        self.edges = edges
        self.saved = saved
        self.values = values
        self.checks = checks
        self.facts = facts
        self.sequence = next(numbers)
        self.hooks = None  # found sooner here than in the class
        self.outputs = 1

    @property
    def op(self) -> Any:
        """The op that was called."""
        return self.plan.op

    def name(self) -> str:
        """Returns PyTorch's name for the call."""
        return self.label or self.plan.op.grad_name(self)

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """As of every node, with `(None, 0)` for operands that want no gradient."""
        found, result = iter(self.edges), []
        for tracked, numeric in self.plan.ways:
            if tracked:
                result.append(_shown_edge(next(found)))
            elif not numeric or self.op.name in WRAPPING or self._of_tensors():
                result.append((None, 0))
        return tuple(result)

    def _of_tensors(self) -> bool:
        return self.name()[-1] == ("0" if self.op.name == "rsub" else "1")

    def release(self) -> None:
        """Lets go of what was saved."""
        if self.plan.named_by_values:
            self.label = self.name()
        self.saved = self.values = None

    def backward(self, g: Any, create_graph: bool) -> Any:
        """Returns the gradients of the tracked inputs, given that of the output."""
        return self.plan.backward(self, g, create_graph)


def shown(node: Node) -> Node:
    """Returns the node as programs see it, of a class with PyTorch's name: AddBackward0."""
    if type(node) is OpNode:
        node.__class__ = _class_of(node.name())
    return node


def _shown_edge(edge: Edge) -> tuple[Node | None, int]:
    return (None, 0) if edge is None else (shown(edge[0]), edge[1])


@functools.cache
def _class_of(name: str) -> type:
    return type(name, (OpNode,), {})


# --- what programs ask `torch.autograd.graph` for
def increment_version(tensor: Any) -> None:
    """Counts a write of each tensor, as for values that were changed behind autograd's back."""
    for each in [tensor] if hasattr(tensor, "_storage") else tensor:
        each._storage.version += 1


class save_on_cpu(contextlib.nullcontext):
    """Does nothing for a `with` block: what is saved stays on the device where it is."""

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda"):
        super().__init__()


class saved_tensors_hooks:
    """Raises NotImplementedError: what the tape saves cannot be packed."""

    def __init__(self, pack_hook: Callable[..., Any], unpack_hook: Callable[..., Any]):
        raise NotImplementedError(
            "saved_tensors_hooks is not in Lantern yet; to hold less memory use "
            "torch.utils.checkpoint.checkpoint"
        )


def register_multi_grad_hook(
    tensors: Any, fn: Callable[..., Any], *, mode: str = "all"
) -> _MultiHook:
    """Calls `fn` when the gradients of these tensors are there; the handle has `remove()`.

    It gets a list of the gradients once all have come. Raises NotImplementedError for mode "any"
    and ValueError for a mode that PyTorch does not know either.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    if mode == "any":
        raise NotImplementedError('register_multi_grad_hook(mode="any") is not in Lantern yet')
    return _MultiHook(tensors, fn)


class _MultiHook:
    def __init__(self, tensors: Any, fn: Callable[..., Any]):
        self.fn = fn
        self.grads: list[Any] = [None] * len(tensors)
        self.come = 0
        self.handles = [
            each.register_hook(functools.partial(self._arrive, index))
            for index, each in enumerate(tensors)
        ]

    def _arrive(self, index: int, grad: Any) -> None:
        self.grads[index] = grad
        self.come += 1
        if self.come == len(self.grads):
            grads, self.grads, self.come = self.grads, [None] * len(self.grads), 0
            self.fn(grads)

    def remove(self) -> None:
        """Takes the hooks away."""
        for each in self.handles:
            each.remove()
