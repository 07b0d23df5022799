"""Ops that are called often take a short way; it is the general way with fewer questions."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest

import lantern
from lantern import ops
from lantern.autograd.plan import OFTEN, OUT, Plan
from lantern.op import REGISTRY, Composite, Op
from lantern.quick import write_backward, write_call, write_record
from lantern.sequence_op import SequenceOp
from lantern.view_op import Parts, View

PLAIN = {
    name: op
    for name, op in REGISTRY.items()
    if not isinstance(op, (Composite, SequenceOp, View, Parts)) and op.variadic is None
}


def warm(op: Op) -> None:
    """Calls an op of one operand until it takes the short way."""
    for _ in range(OFTEN + 1):
        op(lantern.ones(1))


@pytest.mark.parametrize("name", PLAIN)
def test_the_short_way_of_every_op_can_be_written(name):
    op = PLAIN[name]
    if any(bit for bit, _, _ in op.tensors):
        write_call(op, op.run)
    known = op.joint[0] if op.joint else tuple(op.formulas)
    bits = [bit for bit, p, _ in op.tensors if op.parameters[p] in known]
    for mask in {sum(bits), *bits} - {0}:
        plan = Plan(op, mask)
        write_backward(plan)
        if all(position >= OUT for position in plan.saves):  # calls with several results do that
            write_record(plan)  # the general way


def both_ways(op, *args, **kwargs):
    """Asserts that value, history and gradients, or what is raised, are the same both ways."""
    found = []
    for call in (op.run, write_call(op, op.run)):
        given = [a.detach().requires_grad_(a.requires_grad) if hasattr(a, "_node") else a
                 for a in args]  # fmt: skip
        try:
            result = call(*given, **kwargs)
        except Exception as error:
            found.append((type(error), str(error)))
            continue
        grads = []
        if result.requires_grad:
            result.sum().backward()
            grads = [each.grad for each in given if hasattr(each, "_node") and each.requires_grad]
        name = result.grad_fn and result.grad_fn.name()
        found.append((result.detach(), result.dtype, name, grads))
    lantern.testing.assert_close(found[0][0], found[1][0]) if len(found[0]) == 4 else None
    assert str(found[0]) == str(found[1])


X = lantern.tensor([[1.0, -2.0, 0.5]], requires_grad=True)
Y = lantern.tensor([[3.0], [4.0]], requires_grad=True)
CALLS = [
    (ops.mul, (X, Y), {}),
    (ops.mul, (X, 2), {}),
    (ops.mul, (2.5, X), {}),
    (ops.mul, (X, Y.double()), {}),
    (ops.mul, (X, lantern.tensor([1, 2, 3])), {}),
    (ops.mul, (X, lantern.tensor(2.0, dtype=lantern.float64)), {}),
    (ops.mul, (X.half(), Y.half()), {}),
    (ops.mul, (X, 10**30), {}),
    (ops.mul, (X, True), {}),
    (ops.mul, (X, np.float32(2)), {}),
    (ops.mul, (X, "2"), {}),
    (ops.mul, (X, None), {}),
    (ops.mul, (X,), {}),
    (ops.mul, (X, Y, Y), {}),
    (ops.mul, (X,), {"other": Y}),
    (ops.mul, (X, Y), {"axis": 1}),
    (ops.mul, (), {"input": X, "other": Y}),
    (ops.mul, (X, lantern.ones(2, 2)), {}),
    (ops.mul, (1, 2), {}),
    (ops.add, (X, Y), {"alpha": 3}),
    (ops.add, (X, Y, 3), {}),
    (ops.add, (X.detach().long(), Y.detach().long()), {"alpha": 0.5}),
    (ops.exp, (lantern.tensor([1, 2]),), {}),
    (ops.exp, (lantern.tensor(1e30, requires_grad=True),), {}),
    (ops.exp, ([1.0],), {}),
    (ops.sum, (X,), {}),
    (ops.sum, (X, 1), {}),
    (ops.sum, (X,), {"axis": 0, "keepdims": True}),
    (ops.sum, (X,), {"dim": 1, "dtype": lantern.float64}),
    (ops.sum, (X, 5), {}),
    (ops.linear, (X, lantern.ones(2, 3), lantern.ones(2)), {}),
    (ops.linear, (X, lantern.ones(2, 3)), {"bias": None}),
    (ops.linear, (X, lantern.ones(2, 4)), {}),
    (ops.linear, (X, None), {}),
    (ops.eq, (X, Y), {}),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_both_ways_give_the_same(number):
    op, args, kwargs = CALLS[number]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        both_ways(op, *args, **kwargs)


def test_out_is_taken_on_the_short_way():
    warm(ops.exp)
    out = lantern.zeros(2)
    assert ops.exp(lantern.zeros(2), out=out) is out and out.tolist() == [1.0, 1.0]


def test_methods_and_operators_change_over_and_keep_their_errors():
    x = lantern.ones(2, requires_grad=True)
    for _ in range(OFTEN + 2):
        y = (x * 2 + x).mul(3)
    assert y.tolist() == [9.0, 9.0] and y.grad_fn.name() == "MulBackward0"
    with pytest.raises(TypeError, match="unsupported operand"):
        x * {}
    with pytest.raises(TypeError, match="must be Tensor, not str"):
        x.mul("a")
    assert lantern.Tensor.mul.__doc__ == ops.mul.__doc__


def test_a_method_that_a_user_replaced_stays_replaced(monkeypatch):
    op = ops.erfcx if hasattr(ops, "erfcx") else ops.erfc
    monkeypatch.setattr(lantern.Tensor, op.name, lambda self: "mine", raising=False)
    warm(op)
    assert getattr(lantern.ones(1), op.name)() == "mine"


def test_nodes_and_modified_values_are_seen_on_the_short_way():
    for _ in range(OFTEN + 2):
        x = lantern.ones(2, requires_grad=True)
        y = x * 1
        z = y * y
        z.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    x = lantern.ones(2, requires_grad=True)
    y = x * 1
    z = y * y
    y.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        z = (x * 1) ** 2
        z.sum().backward()
        z.sum().backward()


# --- NumPy's warnings are the user's
def test_importing_lantern_leaves_numpy_as_it_was():
    code = (
        "import numpy as np, warnings; before = np.geterr(); import lantern as torch\n"
        "x = torch.zeros(2, requires_grad=True)\n"
        "(1 / x).log().sum().backward(); torch.optim.SGD([x], lr=1).step()\n"
        "assert np.geterr() == before, np.geterr()\n"
        "warnings.simplefilter('error')\n"
        "try: np.ones(1) / 0\n"
        "except RuntimeWarning: print('warned')\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert done.stdout == "warned\n", done.stderr


def test_numpy_warns_within_hooks_and_functions_of_the_user():
    seen = []

    def warns(grad):
        with pytest.warns(RuntimeWarning):
            np.ones(1) / 0
        seen.append(1)

    class Same(lantern.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, grad):
            warns(grad)
            return grad

    x = lantern.zeros(2, requires_grad=True)
    y = x / 0
    y.register_hook(warns)
    x.register_hook(warns)
    Same.apply(y).sum().backward()
    assert len(seen) == 3


def test_an_error_in_a_hook_leaves_numpy_as_it_was():
    before = np.geterr()
    x = lantern.zeros(2, requires_grad=True)
    x.register_hook(lambda grad: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (x * 2).sum().backward()
    with pytest.raises(RuntimeError):
        x + lantern.ones(3)
    assert np.geterr() == before


def test_ops_are_silent_in_threads_too():
    import threading

    errors = []

    def work():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                lantern.tensor([0.0]).log()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not errors
