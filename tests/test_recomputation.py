"""`torch.utils.checkpoint`: the same numbers and gradients, computed again instead of kept."""

from __future__ import annotations

import gc
import weakref

import pytest

import lantern
from lantern import nn
from lantern.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential

BOTH = pytest.mark.parametrize("reentrant", [True, False])


def network():
    lantern.manual_seed(0)
    return nn.Sequential(
        nn.Linear(4, 16), nn.Tanh(), nn.Dropout(0.5), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 2)
    )


def gradients(run, net, x):
    lantern.manual_seed(5)
    net.zero_grad()
    x.grad = None
    y = run(x)
    y.square().sum().backward()
    return y.tolist(), x.grad.tolist(), [p.grad.tolist() for p in net.parameters()], lantern.rand(1)


@BOTH
def test_results_gradients_and_random_numbers_are_those_of_the_plain_run(reentrant):
    net, x = network(), lantern.randn(3, 4, requires_grad=True)
    plain = gradients(net, net, x)
    assert plain == gradients(lambda x: checkpoint(net, x, use_reentrant=reentrant), net, x)
    for segments in (1, 2, 3):
        parts = gradients(
            lambda x, n=segments: checkpoint_sequential(net, n, x, use_reentrant=reentrant), net, x
        )
        assert parts == plain
    first, last = net[:3], net[3:]
    inner = gradients(
        lambda x: last(checkpoint(lambda y: first(y), x, use_reentrant=reentrant)), net, x
    )
    assert inner == plain


def test_parameters_get_gradients_where_no_input_has_one():
    net, x = network(), lantern.ones(2, 4)
    checkpoint(net, x, use_reentrant=False).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    with pytest.warns(UserWarning, match="None of the inputs have requires_grad=True"):
        assert not checkpoint(net, x, use_reentrant=True).requires_grad
    with pytest.warns(UserWarning, match="use_reentrant parameter should be passed explicitly"):
        checkpoint(net, x.requires_grad_())


def test_what_a_closure_brings_along_gets_its_gradient():
    w = lantern.tensor(2.0, requires_grad=True)
    x = lantern.tensor(3.0, requires_grad=True)
    seen = []
    w.register_hook(lambda g: seen.append(g.item()))
    h = w * w
    y = checkpoint(lambda x: (x * h).sin() * w, x, use_reentrant=False) + h
    y.backward()
    got = w.grad, x.grad
    hooks = list(seen)
    w.grad = x.grad = None
    ((x * (h := w * w)).sin() * w + h).backward()
    assert [g.item() for g in got] == pytest.approx([w.grad.item(), x.grad.item()])
    assert hooks == seen[len(hooks) :] and len(hooks) == 1


def test_gradients_of_gradients():
    x = lantern.tensor([0.3, 0.7], requires_grad=True)
    w = lantern.tensor([1.5, -2.0], requires_grad=True)

    def twice(run):
        (first,) = lantern.autograd.grad(run(x).sum(), x, create_graph=True)
        return [g.tolist() for g in lantern.autograd.grad(first.square().sum(), (x, w))]

    def function(x):
        return (x * w).exp() * x

    assert twice(function) == twice(lambda x: checkpoint(function, x, use_reentrant=False))


def test_several_results_some_without_history():
    x = lantern.ones(3, requires_grad=True)

    def function(x, *, scale):
        return {"a": x * scale, "b": [x.detach() + 1, x], "n": 5}

    result = checkpoint(function, x, use_reentrant=False, scale=3)
    assert result["n"] == 5 and not result["b"][0].requires_grad and result["b"][1] is x
    (result["a"].sum() + result["b"][1].sum()).backward()
    assert x.grad.tolist() == [4.0] * 3
    unused = checkpoint(lambda x: (x * 2, x * 3), x, use_reentrant=False)
    x.grad = None
    unused[1].sum().backward()
    assert x.grad.tolist() == [3.0] * 3


def test_intermediate_results_are_not_kept():
    references = []

    def function(x):
        for _ in range(3):
            x = x.exp().log()
            references.append(weakref.ref(x))
        return x * 2

    x = lantern.ones(3, requires_grad=True)
    y = checkpoint(function, x, use_reentrant=False)
    gc.collect()
    assert len(references) == 3 and all(each() is None for each in references)
    y.sum().backward()
    assert x.grad.tolist() == pytest.approx([2.0] * 3)


def test_a_second_run_with_other_results_is_an_error():
    sizes = [2, 3]
    x = lantern.ones(3, requires_grad=True)
    y = checkpoint(lambda x: x[: sizes.pop(0)] * 2, x, use_reentrant=False)
    with pytest.raises(CheckpointError, match="different metadata"):
        y.sum().backward()
    with pytest.raises(ValueError, match="Unexpected keyword arguments: scale"):
        checkpoint(lambda x, scale: x, x, use_reentrant=True, scale=1)
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        checkpoint(lambda x: x, x, use_reentrant=False, determinism_check="maybe")


def test_nothing_is_remembered_in_no_grad_mode():
    net = network().eval()
    with lantern.no_grad():
        assert checkpoint(net, lantern.ones(1, 4), use_reentrant=False).grad_fn is None


def test_a_compiled_step_may_use_it():
    net, x = network().eval(), lantern.ones(2, 4)

    @lantern.compile(keep_grads=True)
    def step(x):
        loss = checkpoint(net, x, use_reentrant=False).square().sum()
        loss.backward()
        return loss

    losses = []
    for _ in range(3):
        net.zero_grad()
        losses.append(step(x).item())
        grads = [p.grad.tolist() for p in net.parameters()]
    assert losses == pytest.approx([losses[0]] * 3) and all(grads)
