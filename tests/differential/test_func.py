"""`torch.func` beside PyTorch's: gradients, Jacobians, maps and calls of modules as functions."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import lantern  # noqa: E402
from lantern.testing import assert_close  # noqa: E402

# PyTorch says of its own machinery for forward mode that it is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def both(*shape: int) -> tuple:
    array = np.random.default_rng().standard_normal(shape)
    return lantern.from_numpy(array.copy()), torch.from_numpy(array.copy())


def flat(value) -> list:
    if isinstance(value, dict):
        return [x for key in sorted(value) for x in flat(value[key])]
    return [x for each in value for x in flat(each)] if isinstance(value, tuple) else [value]


def compare(ours, theirs) -> None:
    ours, theirs = flat(ours), flat(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.requires_grad is b.requires_grad
        assert_close(a.detach(), lantern.from_numpy(b.detach().numpy()), rtol=1e-8, atol=1e-10)


CALLS = {
    "grad": lambda t, x, y: t.func.grad(lambda a: (a.sin() * y).sum())(x),
    "grad of the second": lambda t, x, y: t.func.grad(lambda a, b: (a * b).sum(), argnums=1)(x, y),
    "grads": lambda t, x, y: t.func.grad(lambda a, b: (a * b**2).sum(), argnums=(0, 1))(x, y),
    "grad and value": lambda t, x, y: t.func.grad_and_value(lambda a: (a**3).sum())(x),
    "aux": lambda t, x, y: t.func.grad(lambda a: ((a**3).sum(), a.exp()), has_aux=True)(x)[0],
    "grad of grad": lambda t, x, y: t.func.grad(
        lambda a: t.func.grad(lambda b: (b**4).sum())(a).sum()
    )(x),
    "grad of a dictionary": lambda t, x, y: t.func.grad(lambda p: (p["a"] * p["b"]).sum())(
        {"a": x, "b": y}
    ),
    "vjp": lambda t, x, y: t.func.vjp(lambda a: a.tanh() * 2, x)[1](y),
    "jvp": lambda t, x, y: t.func.jvp(lambda a: a.tanh() * 2, (x,), (y,)),
    "jacrev": lambda t, x, y: t.func.jacrev(lambda a: a.sin() * y.sum())(x),
    "jacrev, two": lambda t, x, y: t.func.jacrev(lambda a, b: a * b, argnums=(0, 1))(x, y),
    "jacfwd": lambda t, x, y: t.func.jacfwd(lambda a: a**2 + y)(x),
    "hessian": lambda t, x, y: t.func.hessian(lambda a: (a**3 * y).sum())(x),
    "vmap": lambda t, x, y: t.func.vmap(t.dot)(x.reshape(2, 2), y.reshape(2, 2)),
    "vmap, dims": lambda t, x, y: t.func.vmap(lambda a, b: a * b, in_dims=(1, None), out_dims=1)(
        x.reshape(2, 2), y[:2]
    ),
    "vmap of grad": lambda t, x, y: t.func.vmap(t.func.grad(lambda a, b: (a * b).sin().sum()))(
        x.reshape(2, 2), y.reshape(2, 2)
    ),
    "vmap of vmap": lambda t, x, y: t.vmap(t.vmap(lambda a: a * 2))(x.reshape(2, 2)),
}


@pytest.mark.parametrize("name", CALLS)
def test_transformations_of_functions_are_pytorchs(name: str) -> None:
    (x, their_x), (y, their_y) = both(4), both(4)
    compare(CALLS[name](lantern, x, y), CALLS[name](torch, their_x, their_y))


def test_a_module_is_a_function_of_its_parameters() -> None:
    torch.manual_seed(0), lantern.manual_seed(0)

    def gradients(t, x):
        net = t.nn.Sequential(t.nn.Linear(4, 3), t.nn.ReLU(), t.nn.Linear(3, 1))
        parameters = {n: p.detach() for n, p in net.named_parameters()}

        def loss(parameters, row):
            return (t.func.functional_call(net, parameters, (row[None],)) ** 2).sum()

        each = t.func.vmap(t.func.grad(loss), in_dims=(None, 0))(parameters, x)
        assert all(p.grad is None for p in net.parameters())
        return each

    x, their_x = (each.float() for each in both(5, 4))
    ours, theirs = gradients(lantern, x), gradients(torch, their_x)
    for name in theirs:
        assert_close(ours[name], lantern.from_numpy(theirs[name].numpy()), rtol=1e-4, atol=1e-6)


def test_tied_parameters_are_replaced_together_and_put_back() -> None:
    net = lantern.nn.Sequential(lantern.nn.Linear(2, 2, bias=False), lantern.nn.Linear(2, 2, False))
    net[1].weight = net[0].weight
    kept = net[0].weight
    double = {"0.weight": 2 * lantern.eye(2)}
    x = lantern.ones(1, 2)
    assert lantern.equal(lantern.func.functional_call(net, double, x), 4 * x)
    loose = lantern.func.functional_call(net, double, x, tie_weights=False)
    assert lantern.equal(loose, net[1](2 * x))
    assert net[0].weight is kept and net[1].weight is kept
    with pytest.raises(RuntimeError, match="Unexpected key"):
        lantern.func.functional_call(net, double | {"2.weight": kept}, x, strict=True)
    assert lantern.equal(lantern.func.functional_call(net, double | {"2.weight": kept}, x), 4 * x)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        lantern.func.functional_call(net, {"0.weight": lantern.ones(3, 3)}, x)
    assert net[0].weight is kept


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.func.grad(lambda x: x)(t.ones(2)),
        lambda t: t.func.grad(lambda x: 3.0)(t.ones(2)),
        lambda t: t.func.grad(lambda x: x.sum(), argnums=1)(t.ones(2)),
        lambda t: t.func.vmap(lambda x, y: x + y)(t.ones(2), t.ones(3)),
        lambda t: t.func.vmap(lambda x: x, randomness="often")(t.ones(2)),
        lambda t: t.func.vmap(lambda x: x)(t.ones(())),
        lambda t: t.func.vmap(lambda x: x, in_dims=2)(t.ones(2, 2)),
        lambda t: t.func.vmap(lambda x: x, in_dims=-3)(t.ones(2, 2)),
    ],
)
def test_wrong_arguments_are_refused_as_pytorch_does(call) -> None:
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type):
        call(lantern)
