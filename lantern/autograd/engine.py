"""Backward: visits the tape from the newest node to the oldest and adds up what arrives.

Nodes are numbered as they are made, and a node is newer than all it depends on; so when the newest
waiting node is taken, everything that contributes to it has been visited. No recursion, no sorting.
"""

from __future__ import annotations

import sys
from heapq import heappop, heappush
from typing import Any

from ..backends import NAMESPACES, gpu, restore, silence
from ..naming import type_name
from ..tensor import Tensor, current_node, share, wrap
from .graph import AccumulateGrad, Node, OpNode
from .mode import active, flags, mode


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Adds the gradients of `tensors` to the `.grad` of the leaves (of `inputs`, if given).

    >>> import lantern
    >>> x = lantern.tensor(3.0, requires_grad=True)
    >>> lantern.autograd.backward(x * x)
    >>> x.grad
    tensor(6.)
    """
    keep = create_graph if retain_graph is None else retain_graph
    if (
        grad_tensors is None
        and inputs is None
        and not create_graph
        and not (active.recording and active.trace)
    ):
        start = _plain_start(tensors)
        if start is not None:
            run([start], keep, False)
            return
    starts = starts_of(tensors, grad_tensors, create_graph)
    if inputs is not None:
        inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        if not inputs:
            raise RuntimeError("'inputs' argument to backward cannot be empty.")
    if inputs is None:
        run(starts, keep, create_graph)
        return
    found = run(starts, keep, create_graph, capture=[_place(each) for each in inputs])
    for tensor, grad in zip(inputs, found, strict=True):
        if grad is not None:
            tensor._grad = grad if tensor._grad is None else tensor._grad + grad
            flags.grads += 1


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple:
    """Returns the gradients of `outputs` by each of `inputs`, without touching any `.grad`.

    Raises RuntimeError for an input that the outputs do not depend on, unless `allow_unused`.

    >>> import lantern
    >>> x = lantern.tensor(3.0, requires_grad=True)
    >>> (first,) = lantern.autograd.grad(x**3, x, create_graph=True)
    >>> lantern.autograd.grad(first, x)
    (tensor(18.),)
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    if is_grads_batched:
        settings = (retain_graph, create_graph, allow_unused, materialize_grads)
        return _batched(outputs, inputs, grad_outputs, *settings)
    starts = starts_of(outputs, grad_outputs, create_graph)
    for each in inputs:
        if not each.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    keep = create_graph if retain_graph is None else retain_graph
    found = run(starts, keep, create_graph, capture=[_place(each) for each in inputs])
    for i, (tensor, value) in enumerate(zip(inputs, found, strict=True)):
        if value is not None:
            continue
        if materialize_grads:
            zeros = NAMESPACES[type(tensor._array)].full(tensor.shape, 0, tensor.dtype)
            found[i] = wrap(zeros)
        elif not allow_unused:
            raise RuntimeError(
                f"The differentiated Tensor at index {i} appears to not have been used in the "
                "graph. Set allow_unused=True if this is the desired behavior."
            )
    return tuple(found)


def _batched(
    outputs: Any,
    inputs: list,
    grad_outputs: Any,
    retain_graph: bool | None,
    create_graph: bool,
    allow_unused: bool | None,
    materialize_grads: bool,
) -> tuple:
    """Returns gradients for each of the `grad_outputs` along their first dimension, stacked."""
    seeds = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs)
    listed = [outputs] if isinstance(outputs, Tensor) else outputs
    for i, (each, out) in enumerate(zip(seeds, listed, strict=True)):
        if each.shape[1:] != out.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output "
                "as the batch dimension. The sizes of the remaining dimensions are expected to "
                f"match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {each.shape} and output[{i}] has a shape of "
                f"{out.shape}."
            )
    count = seeds[0].shape[0]
    keep = create_graph if retain_graph is None else retain_graph
    rows = [
        grad(
            outputs, inputs, [each[i] for each in seeds], keep or i < count - 1, create_graph,
            allow_unused=allow_unused, materialize_grads=materialize_grads,
        )
        for i in range(count)
    ]  # fmt: skip
    stack = NAMESPACES[Tensor].stack
    columns = zip(*rows, strict=True)
    return tuple(None if column[0] is None else stack(list(column)) for column in columns)


def _place(tensor: Tensor) -> tuple[Node, int]:
    node = current_node(tensor)
    if node is None:
        raise RuntimeError("One of the differentiated Tensors does not require grad")
    return node, tensor._index


Start = tuple[Node, int, Any]  # a node, which of its outputs, and the gradient of that


def _plain_start(tensor: Any) -> Start | None:
    """Returns where backward of a loss starts, the usual case, in few steps."""
    if type(tensor) is Tensor and tensor._base is None and type(tensor._node) is OpNode:
        array = tensor._array
        if not array.ndim:
            # Not an array: arithmetic on a number of the backend takes a tenth of the time.
            return tensor._node, tensor._index, NAMESPACES[type(array)].unit(array)
    return None


def starts_of(tensors: Any, grads: Any, create_graph: bool = False) -> list[Start]:
    """Returns where a backward starts that sends `grads` (1 where there is none) to `tensors`."""
    roots, seeds = _roots(tensors, grads)
    starts: list[Start] = []
    for tensor, seed in zip(roots, seeds, strict=True):
        assert tensor._node is not None
        starts.append((tensor._node, tensor._index, seed if create_graph else _value(seed)))
    return starts


def _roots(tensors: Any, grads: Any) -> tuple[list[Tensor], list[Tensor]]:
    if isinstance(tensors, Tensor):
        return [tensors], [_root(tensors, _only(grads), 0)]
    tensors = list(tensors)
    given = [grads] if isinstance(grads, Tensor) else list(grads or [None] * len(tensors))
    if len(given) != len(tensors):
        raise RuntimeError(f"got {len(tensors)} tensors and {len(given)} gradients")
    pairs = zip(tensors, given, strict=True)
    return tensors, [_root(tensor, value, i) for i, (tensor, value) in enumerate(pairs)]


def _only(grads: Any) -> Tensor | None:
    if grads is None or isinstance(grads, Tensor):
        return grads
    if isinstance(grads, str) or not hasattr(grads, "__len__"):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(grads).__name__}")
    if len(grads) != 1:
        raise RuntimeError(f"got 1 tensors and {len(grads)} gradients")
    return grads[0]


def _root(tensor: Tensor, value: Tensor | None, place: int) -> Tensor:
    """Returns the gradient to start with; 1 for a scalar that was given none."""
    if current_node(tensor) is None:
        raise RuntimeError(
            f"element {place} of tensors does not require grad and does not have a grad_fn"
        )
    array = tensor._array
    if value is None:
        if array.ndim and tensor.numel() != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if active.recording and active.trace:
            array = active.trace.read(tensor)
        return wrap(NAMESPACES[type(array)].full(array.shape, 1, array))
    if tuple(value.shape) != array.shape:
        raise RuntimeError(
            f"Mismatch in shape: grad_output[{place}] has a shape of {value.shape} and "
            f"output[{place}] has a shape of {tensor.shape}."
        )
    return value


class _Quiet:
    """Computes without NumPy's warnings, but for the code of users that is called meanwhile."""

    __slots__ = ("token",)

    def __init__(self) -> None:
        self.token = silence()

    def aloud(self, function: Any, *args: Any) -> Any:
        """Calls what is the user's own."""
        restore(self.token)
        try:
            return function(*args)
        finally:
            self.token = silence()


def run(
    starts: list[Start],
    retain_graph: bool,
    create_graph: bool,
    capture: list[tuple[Node, int]] | None = None,
) -> list[Tensor | None]:
    """Sends gradients from the starts down the tape; returns those captured on the way."""
    if gpu.kind is not None and starts:
        from ..moving import beside

        with beside(starts[0][2]):
            return _run(starts, retain_graph, create_graph, capture)
    return _run(starts, retain_graph, create_graph, capture)


class _Waiting:
    """What has arrived where, as long as the nodes that wait for it are to be visited."""

    __slots__ = ("heap", "inner", "leaves")

    def __init__(self) -> None:
        self.heap: list[tuple[int, Node]] = []  # the nodes within the graph, the newest first
        self.inner: dict[Node, Any] = {}  # what has arrived at them
        self.leaves: dict[Node, Any] = {}  # and at the ends

    def send(self, node: Node, index: int, value: Any) -> None:
        """Adds a gradient, of one of the outputs of a node, to what the node is waiting for."""
        if not node.inner:
            leaves = self.leaves
            leaves[node] = value if node not in leaves else leaves[node] + value
            return
        held = self.inner.get(node)
        if held is None:
            heappush(self.heap, (-node.sequence, node))
            if node.outputs > 1:
                held = self.inner[node] = [None] * node.outputs
            else:
                self.inner[node] = value
                return
        if node.outputs == 1:
            self.inner[node] = held + value
        else:
            held[index] = value if held[index] is None else held[index] + value


def _run(
    starts: list[Start],
    retain_graph: bool,
    create_graph: bool,
    capture: list[tuple[Node, int]] | None,
) -> list[Tensor | None]:
    waiting = _Waiting()
    first = None
    if len(starts) == 1 and starts[0][0].inner and starts[0][0].outputs == 1:
        first = starts[0]
    else:
        for start in starts:
            waiting.send(*start)
    wanted = useful = None
    if capture is not None:
        wanted = dict.fromkeys(capture)
        useful = _reaching([node for node, _, _ in starts], {node for node, _ in capture})
    before, mode.enabled = mode.enabled, create_graph
    quiet = _Quiet()
    try:
        _visit(waiting, first, wanted, useful, retain_graph, create_graph, quiet)
        _finish(waiting.leaves, wanted, quiet)
    finally:
        restore(quiet.token)
        mode.enabled = before
    if capture is None:
        return []
    return [_tensor(wanted[place]) for place in capture]  # type: ignore[index]


def _visit(
    waiting: _Waiting,
    first: Start | None,
    wanted: dict | None,
    useful: Any,
    retain_graph: bool,
    create_graph: bool,
    quiet: _Quiet,
) -> None:
    """Visits the nodes within the graph; what arrives at its ends is added up and stays there."""
    heap, inner, leaves = waiting.heap, waiting.inner, waiting.leaves
    node: Any
    node, _, g = first or (None, 0, None)
    value = results = None
    while node is not None or heap:
        if node is None:
            node = heappop(heap)[1]
            g = inner.pop(node)
        hooks = node.hooks
        if wanted is not None:
            _take(wanted, node, g)  # of a result before its hooks, of a leaf after them
        if hooks is not None:
            g = quiet.aloud(_before_hooks, node, g)
        if wanted is not None and node not in useful:
            node = None
            continue
        if type(node) is OpNode and node.plan.quick is not None and not create_graph:
            results = node.plan.quick(node, g)
        elif node.calls_user:
            results = quiet.aloud(node.backward, g, create_graph)
        else:
            results = node.backward(g, create_graph)
        if checks_nan:
            _refuse_nan(node, results)
        if hooks is not None and hooks.after:
            results = quiet.aloud(_after_hooks, node, results, g)
        follow = g = None  # a lone next node is visited at once, without the heap
        for edge, value in zip(node.edges, results, strict=True):
            if edge is None or value is None:
                continue
            target, index = edge
            if type(target) is AccumulateGrad:
                leaves[target] = leaves[target] + value if target in leaves else value
            elif target is follow:
                g = g + value
            elif follow is None and not heap and target.inner and target.outputs == 1:
                follow, g = target, value
            else:
                if follow is not None:
                    waiting.send(follow, 0, g)
                    follow = g = None
                waiting.send(target, index, value)
        value = results = None  # so that a gradient no one else holds can be kept as it is
        if not retain_graph:
            node.release()
        node = follow


def _finish(leaves: dict[Node, Any], wanted: dict | None, quiet: _Quiet) -> None:
    """Adds what has arrived at the leaves to their `.grad`."""
    order = list(leaves)
    for node in order:
        if node.hooks is not None:  # users see in which order they are called
            order.sort(key=lambda node: -node.sequence)
            break
    for node in order:
        g = leaves.pop(node)
        if node.hooks is not None:
            g = quiet.aloud(_before_hooks, node, g)
        if wanted is not None:
            _take(wanted, node, g)
        elif type(node) is AccumulateGrad:
            _accumulate(node, g)
            if node.hooks is not None:
                for hook in tuple(node.hooks.accumulated.values()):
                    quiet.aloud(hook, node.variable)


checks_nan = False  # set by `autograd.detect_anomaly`


def _refuse_nan(node: Node, results: Any) -> None:
    for i, value in enumerate(results):
        if value is not None and not (active.recording and active.trace):
            xp = NAMESPACES[type(value)]
            if bool(xp.any(xp.isnan(value))):
                raise RuntimeError(
                    f"Function '{node.name()}' returned nan values in its {i}th output."
                )


def _reaching(roots: list, targets: set[Node]) -> set[Node]:
    """Returns the nodes from which one of `targets` can be reached (the targets excluded)."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = [node for node in roots if node is not None]
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        order.append(node)
        stack.extend(edge[0] for edge in node.edges if edge is not None)
    order.sort(key=lambda node: node.sequence)
    useful: set[Node] = set()
    for node in order:
        for edge in node.edges:
            if edge is not None and (edge[0] in targets or edge[0] in useful):
                useful.add(node)
                break
    return useful


def _take(wanted: dict, node: Node, g: Any) -> None:
    values = g if node.outputs > 1 else [g]
    for index, value in enumerate(values):
        if (node, index) in wanted and value is not None:
            wanted[node, index] = value


def _tensor(value: Any) -> Tensor | None:
    if value is None or isinstance(value, Tensor):
        return value
    return wrap(NAMESPACES[type(value)].asarray(value))


def _references(value: Any) -> int:
    return sys.getrefcount(value)


def _only_here() -> int:
    # What `_references` says of a value that the caller alone holds; it differs between Pythons.
    value = object()
    return _references(value)


_ALONE = _only_here()


def _accumulate(node: AccumulateGrad, g: Any) -> None:
    leaf = node._leaf()
    if leaf is None:
        return
    if active.recording and active.trace:
        active.trace.accumulates(leaf)
    held = leaf._grad
    flags.grads += 1
    if type(g) is Tensor or isinstance(g, Tensor):
        leaf._grad = share_history(g) if held is None else held + g
    elif held is None:
        shared = sys.getrefcount(g) > _ALONE  # someone else may still look at this memory
        leaf._grad = wrap(NAMESPACES[type(g)].keep(g, shared))
    else:
        from .views import assign

        assign(held, wrap(_value(held) + g))


def share_history(g: Tensor) -> Tensor:
    """Returns another tensor with the same memory and the same place on the tape."""
    tensor = share(Tensor, g)
    tensor._node, tensor._index = g._node, g._index
    return tensor


def _value(tensor: Tensor) -> Any:
    return active.trace.read(tensor) if (active.recording and active.trace) else tensor._array


def _before_hooks(node: Node, g: Any) -> Any:
    """Runs the tensor hooks and pre-hooks of a node and keeps gradients that were asked for."""
    hooks = node.hooks
    assert hooks is not None
    values = list(g) if node.outputs > 1 else [g]
    for index, functions in hooks.tensor.items():
        for function in tuple(functions.values()):
            given = _tensor(values[index])
            if given is not None:
                new = function(given)
                if new is not None:
                    values[index] = _replacement(function, new, given, values[index])
    for function in tuple(hooks.before.values()):
        seen = tuple(_tensor(each) for each in values)
        values = _replacements(function, function(seen), seen, values)
    for index, reference in hooks.retained.items():
        tensor = reference()
        if tensor is not None and values[index] is not None:
            kept = _tensor(values[index])
            tensor._grad = kept if tensor._grad is None else tensor._grad + kept
            flags.grads += 1
    return values if node.outputs > 1 else values[0]


def _after_hooks(node: Node, results: Any, g: Any) -> Any:
    assert node.hooks is not None
    results = list(results)
    for function in tuple(node.hooks.after.values()):
        outs = g if isinstance(g, list) else [g]
        seen = tuple(_tensor(each) for each in results)
        new = function(seen, tuple(_tensor(each) for each in outs))
        results = _replacements(function, new, seen, results)
    return results


def _replacements(hook: Any, new: Any, given: tuple, values: list) -> list:
    """Returns gradients after a hook that may have put others in their place."""
    if new is None:
        return values
    new = new if isinstance(new, tuple) else (new,)
    return [_replacement(hook, *each) for each in zip(new, given, values, strict=True)]


def _replacement(hook: Any, new: Any, given: Tensor | None, value: Any) -> Any:
    """Returns what a hook gave for the gradient `given`, whose form was that of `value`."""
    if new is None or given is None:
        return new if new is None or isinstance(value, Tensor) else _value(new)
    if not isinstance(new, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type_name(new)}'")
    name = getattr(hook, "__name__", "<unknown>")
    if new.shape != given.shape:
        raise RuntimeError(
            f"hook '{name}' has changed the size of value (from {list(given.shape)} to "
            f"{list(new.shape)})"
        )
    if new.dtype is not given.dtype:
        raise RuntimeError(
            f"hook '{name}' has changed the type of value (was {given.type()} got "  # type: ignore[attr-defined]
            f"{new.type()})"  # type: ignore[attr-defined]
        )
    return new if isinstance(value, Tensor) else _value(new)


def call_node(node: Node, grads: tuple) -> Any:
    """Runs one node by hand on tensors, as calling a `grad_fn` does."""
    with_graph = mode.enabled
    values = [g if with_graph or g is None else _value(g) for g in grads]
    results = node.backward(values if node.outputs > 1 else values[0], with_graph)
    tensors = tuple(_tensor(each) for each in results)
    return tensors[0] if len(tensors) == 1 else tensors
