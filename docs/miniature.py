"""Lantern in one sitting: the whole idea, small enough to read at once, and it runs.

Four parts. (1) An op is a formula over a namespace `xp`, with its derivative beside it. (2) Run it
with NumPy as `xp` and it computes; the tape remembers what was called. (3) Run the derivatives with
the ops themselves as `xp` and they can be differentiated again. (4) Run the very same ops with a
namespace that only writes down what is asked, and a training step becomes a program.

The files of Lantern do the same with more care. An op's formulas name the values that they need,
and a call saves those alone (`op.py`, `autograd/plan.py`); edges go from node to node, so that the
tape keeps nothing else alive (`autograd/graph.py`, `engine.py`); operands of different dtypes are
brought together (`promotion.py`); views share memory (`autograd/views.py`); what is recorded is
simplified, fused and compiled (`compiler/`).
"""

from __future__ import annotations

import heapq
import itertools
import sys

import numpy as np

# --- 1. Namespaces: what an op may ask for. One computes; `Recorder` below writes down.


class NumPy:
    """The primitives, computed."""

    add, sub, mul, div = np.add, np.subtract, np.multiply, np.divide
    exp, matmul, sign = np.exp, np.matmul, np.sign

    @staticmethod
    def sum(x, axis=None):
        """Adds up along an axis, which stays with size 1 so that the result broadcasts back."""
        return np.sum(x, axis=axis, keepdims=True)

    @staticmethod
    def transpose(x):
        """Exchanges rows and columns."""
        return np.transpose(x)


# --- 2. Ops, tensors and the tape.

numbers = itertools.count()


class Node:
    """One call: the op, what it was given, and where its inputs came from."""

    def __init__(self, op, inputs, out):
        self.op, self.inputs, self.out = op, inputs, out
        self.sequence = next(numbers)  # a node is younger than everything it depends on


class Tensor:
    """A value, and the node that made it (None for data, `"leaf"` for parameters)."""

    def __init__(self, value, node=None):
        self.value, self.node, self.grad = value, node, None
        self.shape = value.shape

    def __add__(self, other):
        return add(self, other)

    def __sub__(self, other):
        return sub(self, other)

    def __mul__(self, other):
        return mul(self, other)

    def __truediv__(self, other):
        return div(self, other)

    def __matmul__(self, other):
        return matmul(self, other)


class Op:
    """A forward over `xp`, and one formula per input that takes a gradient back."""

    def __init__(self, forward, *formulas):
        self.forward, self.formulas = forward, formulas

    def __call__(self, *args):
        tensors = [each if isinstance(each, Tensor) else constant(each) for each in args]
        if active is not None:  # a trace is being recorded: concrete values become inputs
            values, xp = [active.read(each) for each in tensors], active
        else:
            values, xp = [each.value for each in tensors], NumPy
        out = Tensor(self.forward(xp, *values))
        if any(each.node is not None for each in tensors):
            out.node = Node(self, tensors, out)
        return out


def constant(number):
    """A Python number as a tensor."""
    return Tensor(np.asarray(number, dtype=np.float64))


add = Op(lambda xp, x, y: xp.add(x, y), lambda xp, g, x, y, out: g, lambda xp, g, x, y, out: g)
sub = Op(
    lambda xp, x, y: xp.sub(x, y),
    lambda xp, g, x, y, out: g,
    lambda xp, g, x, y, out: xp.mul(g, -1.0),
)
mul = Op(
    lambda xp, x, y: xp.mul(x, y),
    lambda xp, g, x, y, out: xp.mul(g, y),
    lambda xp, g, x, y, out: xp.mul(g, x),
)
div = Op(
    lambda xp, x, y: xp.div(x, y),
    lambda xp, g, x, y, out: xp.div(g, y),
    lambda xp, g, x, y, out: xp.mul(xp.div(xp.mul(g, out), y), -1.0),
)
exp = Op(lambda xp, x: xp.exp(x), lambda xp, g, x, out: xp.mul(g, out))
transpose = Op(lambda xp, x: xp.transpose(x), lambda xp, g, x, out: xp.transpose(g))
sign = Op(lambda xp, x: xp.sign(x), lambda xp, g, x, out: xp.mul(g, 0.0))
matmul = Op(
    lambda xp, x, y: xp.matmul(x, y),
    lambda xp, g, x, y, out: xp.matmul(g, xp.transpose(y)),
    lambda xp, g, x, y, out: xp.matmul(xp.transpose(x), g),
)


def sum(x, axis=None):
    """The sum along an axis; its gradient broadcasts back by a product with ones."""
    ones = np.ones(x.shape)
    return Op(lambda xp, x: xp.sum(x, axis), lambda xp, g, x, out: xp.mul(g, ones))(x)


# --- 3. The engine: the youngest waiting node first. No recursion, no sorting.


def gradients(root, again=False):
    """Returns {leaf: gradient}. With `again`, gradients are tensors that remember their making."""
    xp = sys.modules[__name__] if again else (active or NumPy)
    read = (lambda t: t) if again else (active.read if active else lambda t: t.value)
    one = constant(1.0)
    pending, heap, found = {root: read(one)}, [], {}
    if root.node is not None:
        heap = [(-root.node.sequence, root)]
    while heap:
        tensor = heapq.heappop(heap)[1]
        g = pending.pop(tensor)
        node = tensor.node
        saved = [read(each) for each in node.inputs]
        for each, formula in zip(node.inputs, node.op.formulas, strict=False):
            if each.node is None:
                continue
            grad = shrink(xp, formula(xp, g, *saved, read(tensor)), each.shape)
            where = found if each.node == "leaf" else pending
            if each in where:
                where[each] = xp.add(where[each], grad)
            else:
                where[each] = grad
                if each.node != "leaf":
                    heapq.heappush(heap, (-each.node.sequence, each))
    return found


def shrink(xp, grad, shape):
    """Undoes broadcasting in one place, so that no formula has to speak of it."""
    for axis, (have, want) in enumerate(zip(grad.shape, shape, strict=False)):
        if have != want and len(grad.shape) == len(shape):
            grad = xp.sum(grad, axis)
    return grad


# --- 4. The recorder: the same ops, written down.

active = None


class Symbol:
    """A value that will exist when the program runs."""

    def __init__(self, number, shape):
        self.number, self.shape = number, shape


class Recorder:
    """A namespace whose primitives add a line to a program."""

    def __init__(self):
        self.lines, self.inputs, self.written = [], {}, {}

    def read(self, tensor):
        """Returns the symbol of a tensor; a concrete one becomes an input of the program."""
        if isinstance(tensor.value, Symbol):
            return tensor.value
        if tensor not in self.inputs:
            self.inputs[tensor] = self.emit("input", (), tensor.value.shape)
        return self.written.get(tensor, self.inputs[tensor])

    def emit(self, name, args, shape):
        """Adds a line."""
        symbol = Symbol(len(self.lines), shape)
        self.lines.append((symbol, name, args))
        return symbol

    def __getattr__(self, name):
        def primitive(*args):
            zeros = [np.zeros(a.shape) if isinstance(a, Symbol) else a for a in args]
            with np.errstate(all="ignore"):
                shape = getattr(NumPy, name)(*zeros).shape
            return self.emit(name, args, shape)

        return primitive


def record(step):
    """Returns a function that does what `step` does, from a program recorded once."""
    global active
    trace = active = Recorder()
    try:
        result = step()
    finally:
        active = None

    def run():
        known = {}
        for tensor, symbol in trace.inputs.items():
            known[symbol] = tensor.value
        for symbol, name, args in trace.lines:
            if name != "input":
                known[symbol] = getattr(NumPy, name)(
                    *[known.get(a, a) if isinstance(a, Symbol) else a for a in args]
                )
        for tensor, symbol in trace.written.items():  # what was assigned is written back at the end
            tensor.value = known[symbol]
        return known[result.value]

    run.program = trace
    return run


def assign(tensor, new):
    """The one function that writes: memory when eager, a new symbol under trace."""
    if active is not None:
        active.read(tensor)
        active.written[tensor] = new
    else:
        tensor.value = new


# --- All of it at work.


def main():
    """Fits a plane, differentiates twice, and runs a recorded training step."""
    random = np.random.default_rng(0)
    x = Tensor(random.normal(size=(64, 3)))
    y = Tensor(x.value @ np.array([[2.0], [-1.0], [0.5]]) + 0.3)

    def make_step():
        weight, bias = Tensor(np.zeros((3, 1)), "leaf"), Tensor(np.zeros((1, 1)), "leaf")

        def step():
            error = x @ weight + bias - y
            loss = sum(error * error) / 64.0
            for parameter, grad in gradients(loss).items():
                xp = active or NumPy
                value = active.read(parameter) if active else parameter.value
                assign(parameter, xp.sub(value, xp.mul(grad, 0.1)))
            return loss

        return step, weight

    step, weight = make_step()
    eager = [step().value.item() for _ in range(50)]
    step, compiled_weight = make_step()
    program = record(step)
    compiled = [program().item() for _ in range(50)]
    assert np.allclose(eager, compiled) and eager[-1] < 1e-3
    assert np.allclose(weight.value, compiled_weight.value)

    point = Tensor(np.array([[0.5]]), "leaf")
    (first,) = gradients(exp(point * point), again=True).values()
    (second,) = gradients(first).values()
    assert np.allclose(second, (2 + 4 * 0.25) * np.exp(0.25))
    print(f"loss {eager[0]:.3f} -> {eager[-1]:.6f}; second derivative {second.item():.4f}")
    print(f"the step as a program has {len(program.program.lines)} lines")


if __name__ == "__main__":
    main()
