"""Activation checkpointing: a part of a network is computed again in backward, not remembered.

The forward pass of the part is recorded and its tape thrown away at once; one node takes its
place, with the edges by which the tape left the part. Backward runs the part again with the same
random numbers and sends the gradient through that tape.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import lantern

from ..autograd import engine
from ..autograd.graph import AccumulateGrad, Edge, Node, numbers
from ..autograd.mode import active, enable_grad, mode, no_grad
from ..tensor import Tensor, current_node, share
from ..trees import leaves, mapped

__all__ = ["CheckpointError", "checkpoint", "checkpoint_sequential", "noop_context_fn"]


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function gave other results than the first."""


def noop_context_fn() -> tuple[Any, Any]:
    """Returns two contexts that do nothing, for the first run and the second."""
    return contextlib.nullcontext(), contextlib.nullcontext()


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Returns `function(*args)`, whose intermediate results are not kept but computed again.

    Costs a second forward pass and saves the memory of the first (Chen et al. 2016,
    arXiv:1604.06174). Raises CheckpointError in backward where the second run gives other shapes.

    >>> import lantern
    >>> from lantern.utils.checkpoint import checkpoint
    >>> x = lantern.ones(2, requires_grad=True)
    >>> checkpoint(lambda x: (x * 3).exp().log(), x, use_reentrant=False).sum().backward()
    >>> x.grad
    tensor([3., 3.])
    """
    if determinism_check not in ("default", "none"):
        raise ValueError(
            f"determinism_check should be one of ['default', 'none'] but got {determinism_check}"
        )
    if use_reentrant is None:
        warnings.warn(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. "
            "use_reentrant=False is recommended.",
            stacklevel=2,
        )
        use_reentrant = True
    if use_reentrant and kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if not mode.enabled or active.trace is not None:
        return function(*args, **kwargs)
    if use_reentrant and not any(isinstance(a, Tensor) and a.requires_grad for a in args):
        warnings.warn(
            "None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2
        )
        with no_grad():
            return function(*args)
    first, second = context_fn()
    part = _Part(function, args, kwargs, second, preserve_rng_state, determinism_check == "default")
    with first:
        return part.result()


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Runs a Sequential, or a list of functions, in `segments` parts of which all but the last
    are checkpointed.

    >>> import lantern
    >>> layers = lantern.nn.Sequential(*(lantern.nn.Linear(2, 2) for _ in range(4)))
    >>> y = checkpoint_sequential(layers, 2, lantern.ones(1, 2), use_reentrant=False)
    >>> lantern.equal(y, layers(lantern.ones(1, 2)))
    True
    """  # noqa: D205
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    layers = list(functions.children() if isinstance(functions, lantern.nn.Module) else functions)
    size = len(layers) // segments
    for start in range(0, size * (segments - 1), size or 1):
        input = checkpoint(
            _chain(layers[start : start + size]),
            input,
            use_reentrant=use_reentrant,
            preserve_rng_state=preserve,
        )
    return _chain(layers[size * (segments - 1) :])(input)


def _chain(layers: list[Callable[..., Any]]) -> Callable[..., Any]:
    def run(input: Any) -> Any:
        for layer in layers:
            input = layer(input)
        return input

    return run


class _Part:
    """A function and its arguments, to be run once more."""

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple,
        kwargs: dict[str, Any],
        context: Any,
        preserve_rng_state: bool,
        check: bool,
    ):
        self.call = function, args, kwargs
        self.context = context
        self.check = check
        self.random_state = lantern.get_rng_state() if preserve_rng_state else None

    def result(self) -> Any:
        """Returns the result of the first run, with one node in place of its tape."""
        start = next(numbers)
        function, args, kwargs = self.call
        result = function(*args, **kwargs)
        tensors = _made_since(start, result)
        edges = list(dict.fromkeys(edge for _, _, edge in _leaving(tensors, start)))
        node = _PartNode(self, edges, max(len(tensors), 1))
        node.facts = [(tuple(each.shape), each.dtype) for each in tensors]
        fresh = {}
        for index, each in enumerate(tensors):
            shown = fresh[id(each)] = share(Tensor, each)
            shown._node, shown._index = node, index
        return mapped(result, lambda each: fresh.get(id(each), each))

    def again(self) -> tuple[int, list[Tensor]]:
        """Runs the function once more; returns the number its tape starts at, and its results."""
        function, args, kwargs = self.call
        with self.context, _random_state(self.random_state), enable_grad():
            start = next(numbers)
            result = function(*args, **kwargs)
        return start, _made_since(start, result)


class _PartNode(Node):
    """Stands on the tape for a part that is run again."""

    calls_user = True

    facts: list[tuple]

    def __init__(self, part: _Part, edges: list[Edge], outputs: int):
        super().__init__(edges, outputs)
        self.part = part

    def name(self) -> str:
        """Returns PyTorch's name for the node."""
        return "CheckpointFunctionBackward"

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns the gradients at the edges, for those of the results."""
        start, tensors = self.part.again()
        facts = [(tuple(each.shape), each.dtype) for each in tensors]
        if len(facts) != len(self.facts) or (self.part.check and facts != self.facts):
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have "
                f"different metadata than during the forward pass: {self.facts} became {facts}"
            )
        given = g if self.outputs > 1 else [g]
        pairs = [(t, engine._tensor(v)) for t, v in zip(tensors, given, strict=True)]
        pairs = [(tensor, grad) for tensor, grad in pairs if grad is not None]
        ways_out = {
            edge: _WayOut(edge, start + (i + 1) / (len(self.edges) + 2))
            for i, edge in enumerate(self.edges)
        }
        elsewhere = _WayOut(None, start + 0.1 / (len(self.edges) + 2))
        for node, place, edge in _leaving([tensor for tensor, _ in pairs], start):
            node.edges[place] = (ways_out.get(edge, elsewhere), 0)
        tensors, grads = [tensor for tensor, _ in pairs], [grad for _, grad in pairs]
        found = engine.run(
            engine.starts_of(tensors, grads, create_graph),
            create_graph,
            create_graph,
            capture=[(ways_out[edge], 0) for edge in self.edges],
        )
        return [grad if create_graph or grad is None else grad._array for grad in found]


class _WayOut(Node):
    """Stands where the tape of a second run ends; gradients of gradients pass through it.

    Its number lies between those of the nodes made in that run and of all nodes before.
    """

    def __init__(self, edge: Edge, sequence: float):
        self.edges = [edge]
        self.sequence = sequence  # type: ignore[assignment]

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns the gradient as it came."""
        return [g]


def _made_since(start: int, result: Any) -> list[Tensor]:
    """Returns the tensors in a result whose nodes were made after `start`."""
    found = [(each, current_node(each)) for each in leaves(result) if isinstance(each, Tensor)]
    return [
        each
        for each, node in found
        if node is not None and node.sequence > start and not isinstance(node, AccumulateGrad)
    ]


def _leaving(tensors: list[Tensor], start: int) -> list[tuple[Node, int, Any]]:
    """Returns the edges of a tape that lead to leaves, or to nodes made before `start`."""
    leaving = []
    seen: set[Node] = set()
    stack = [tensor._node for tensor in tensors]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for place, edge in enumerate(node.edges):
            if edge is None:
                continue
            if isinstance(edge[0], AccumulateGrad) or edge[0].sequence < start:
                leaving.append((node, place, edge))
            else:
                stack.append(edge[0])
    return leaving


@contextlib.contextmanager
def _random_state(state: Any) -> Iterator[None]:
    """Draws from a state inside, and goes on from where it was afterwards."""
    if state is None:
        yield
        return
    before = lantern.get_rng_state()
    lantern.set_rng_state(state)
    try:
        yield
    finally:
        lantern.set_rng_state(before)
