"""Histories of the tensors that a compiled function takes and gives.

Arguments stand in a recording for leaves; results have one node, which runs the recorded backward.
"""

from __future__ import annotations

from typing import Any

from ..autograd.graph import AccumulateGrad, Node
from .interpret import run
from .ir import Value
from .trace import TraceError, user_line


class ArgumentNode(Node):
    """Stands for the history of an argument that was computed before the call."""

    def backward(self, g: Any, create_graph: bool) -> Any:
        """Raises TraceError: where the gradient would go lies outside of the recording."""
        raise TraceError(
            "backward() in a compiled function comes to an argument that was computed outside of "
            f"it ({user_line()}). Detach the argument, or do the whole forward inside."
        )


class CompiledNode(Node):
    """History of the results of a compiled function: its recorded backward."""

    __slots__ = ("hooks",)  # native code looks whether there are some

    def __init__(
        self, record: Any, edges: list, known: Any, outputs: int, versions: list | None = None
    ):
        super().__init__(edges, outputs)
        self.hooks = None
        self.record, self.known, self.versions = record, known, versions or ()

    def release(self) -> None:
        """Lets go of what the forward pass computed."""
        self.known = None  # type: ignore[assignment]

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns the gradients of the inputs, computed by the recorded backward pass."""
        if create_graph:
            raise NotImplementedError(
                "torch.compile does not currently support double backward: create_graph=True goes "
                "through a compiled function. Compile the whole step, with both backward passes "
                "inside the function, or call the uncompiled function where this gradient is taken."
            )
        for i, error in self.record.back_errors.items():
            if (g[i] if self.outputs > 1 else g) is not None:
                raise RuntimeError(error)
        if self.known is None:
            raise RuntimeError(
                "Trying to backward through the graph a second time: a compiled function's values "
                "are freed by backward unless retain_graph=True."
            )
        for storage, version in self.versions:
            if storage.version != version:
                raise RuntimeError(
                    "one of the variables needed for gradient computation has been modified by an "
                    f"inplace operation: an input of a compiled function is at version "
                    f"{storage.version}; expected version {version} instead."
                )
        given = list(zip(self.record.back_inputs, g if self.outputs > 1 else [g], strict=True))
        absent = {value for value, grad in given if grad is None}
        grads = [_zeros(value) if grad is None else grad for value, grad in given]
        if self.record.machine is not None:
            found = self.record.machine.backward(self.known, grads)
        else:
            known = {**self.known, **dict(zip(self.record.back_inputs, grads, strict=True))}
            run(self.record.graph.values[self.record.split :], known)
            found = [known[value] for value in self.record.back_values]
        if not absent:
            return found
        sources = self.record.sources
        return [
            None if source <= absent else each for each, source in zip(found, sources, strict=True)
        ]


def _zeros(value: Value) -> Any:
    from ..backends import default

    return default().full(value.shape, 0, value.dtype)


def ends_of(roots: list) -> tuple[list[Node], bool]:
    """Returns where gradients go out of a recording, and whether backward has been there."""
    released = False
    found: list[Node] = []
    seen: set[Node] = set()
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        released = released or getattr(node, "saved", ()) is None
        if isinstance(node, (AccumulateGrad, ArgumentNode)):
            found.append(node)
        stack.extend(edge[0] for edge in node.edges if edge is not None)
    return found, released
