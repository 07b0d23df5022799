"""Jacobians, Hessians and products with vectors, beside PyTorch's, on fresh numbers."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

import lantern  # noqa: E402
from lantern.testing import assert_close  # noqa: E402

FUNCTIONS = {
    "one to one": (lambda t, x: x.sin() * x.sum(), 1),
    "matrix": (lambda t, x: (x.reshape(2, 2) @ x.reshape(2, 2)).tanh(), 1),
    "two inputs": (lambda t, x, y: (x * y).exp(), 2),
    "two outputs": (lambda t, x, y: (x * y, x.sum()), 2),
    "unused": (lambda t, x, y: x**2, 2),
    "constant": (lambda t, x: t.ones(3), 1),
}
SCALARS = {
    "cubes": (lambda t, x: (x**3).sum(), 1),
    "mixed": (lambda t, x, y: (x * x * y).sum() + (x.sin() * y.exp()).sum(), 2),
    "linear": (lambda t, x: (2 * x).sum(), 1),
    "unused": (lambda t, x, y: (y**4).mean(), 2),
}


def arguments(count: int) -> tuple:
    random = np.random.default_rng()
    arrays = [random.standard_normal(4) for _ in range(count)]
    ours = tuple(lantern.from_numpy(a.copy()) for a in arrays)
    theirs = tuple(torch.from_numpy(a.copy()) for a in arrays)
    return (ours, theirs) if count > 1 else (ours[0], theirs[0])


def flat(value) -> list:
    return [x for each in value for x in flat(each)] if isinstance(value, tuple) else [value]


def compare(ours, theirs) -> None:
    assert isinstance(ours, tuple) is isinstance(theirs, tuple)
    ours, theirs = flat(ours), flat(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.requires_grad is b.requires_grad
        assert_close(a.detach(), lantern.from_numpy(b.detach().numpy()), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_jacobians_are_pytorchs(name: str, create_graph: bool) -> None:
    function, count = FUNCTIONS[name]
    ours, theirs = arguments(count)
    if create_graph:
        for each in flat(ours) + flat(theirs):
            each.requires_grad_()
    compare(
        lantern.autograd.functional.jacobian(lambda *x: function(lantern, *x), ours, create_graph),
        torch.autograd.functional.jacobian(lambda *x: function(torch, *x), theirs, create_graph),
    )


@pytest.mark.parametrize("name", SCALARS)
def test_hessians_and_their_products_are_pytorchs(name: str) -> None:
    function, count = SCALARS[name]
    ours, theirs = arguments(count)
    vectors, their_vectors = arguments(count)
    for which in ("hessian", "vhp", "hvp"):
        more, their_more = ((), ()) if which == "hessian" else ((vectors,), (their_vectors,))
        compare(
            getattr(lantern.autograd.functional, which)(
                lambda *x: function(lantern, *x), ours, *more
            ),
            getattr(torch.autograd.functional, which)(
                lambda *x: function(torch, *x), theirs, *their_more
            ),
        )


@pytest.mark.parametrize("name", ["one to one", "matrix", "two inputs", "unused"])
def test_products_with_jacobians_are_pytorchs(name: str) -> None:
    function, count = FUNCTIONS[name]
    ours, theirs = arguments(count)
    vectors, their_vectors = arguments(count)
    compare(
        lantern.autograd.functional.jvp(lambda *x: function(lantern, *x), ours, vectors),
        torch.autograd.functional.jvp(lambda *x: function(torch, *x), theirs, their_vectors),
    )
    like = function(torch, *theirs) if count > 1 else function(torch, theirs)
    row = np.random.default_rng().standard_normal(tuple(like.shape))
    compare(
        lantern.autograd.functional.vjp(
            lambda *x: function(lantern, *x), ours, lantern.from_numpy(row)
        ),
        torch.autograd.functional.vjp(
            lambda *x: function(torch, *x), theirs, torch.from_numpy(row)
        ),
    )


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.autograd.functional.jacobian(lambda x: 3, t.ones(2)),
        lambda t: t.autograd.functional.jacobian(lambda x: x, 3.0),
        lambda t: t.autograd.functional.jacobian(lambda x: t.ones(2), t.ones(2), strict=True),
        lambda t: t.autograd.functional.vjp(lambda x: x, t.ones(2)),
        lambda t: t.autograd.functional.vjp(lambda x: x, t.ones(2), t.ones(3)),
        lambda t: t.autograd.functional.jvp(lambda x: x, t.ones(2)),
        lambda t: t.autograd.functional.jvp(lambda x: x, t.ones(2), (t.ones(2), t.ones(2))),
        lambda t: t.autograd.functional.hessian(lambda x: x, t.ones(2)),
        lambda t: t.autograd.functional.hvp(lambda x: (x, x), t.ones(2), t.ones(2)),
        lambda t: t.autograd.functional.jacobian(lambda x: x, t.ones(2), strategy="sideways"),
    ],
)
def test_wrong_arguments_are_refused_as_pytorch_does(call) -> None:
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(theirs.type) as ours:
        call(lantern)
    assert str(ours.value)[:60].replace("lantern", "torch") == str(theirs.value)[:60]
