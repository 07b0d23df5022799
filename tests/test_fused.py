"""Optimizers whose updates have been compiled give what NumPy gives, whatever changes meanwhile."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

import lantern
from lantern import fused, nn, optim

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "SGD nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.01),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.5, centered=True),
    "Adadelta": lambda p: optim.Adadelta(p),
    "Adamax": lambda p: optim.Adamax(p),
    "NAdam": lambda p: optim.NAdam(p),
    "RAdam": lambda p: optim.RAdam(p),
    "Rprop": lambda p: optim.Rprop(p),
    "ASGD": lambda p: optim.ASGD(p),
}
needs_llvmlite = pytest.mark.skipif(
    importlib.util.find_spec("llvmlite") is None, reason="needs llvmlite"
)


def run(make, patience, monkeypatch, meddle=lambda i, net, optimizer: None, steps=12, dtype=None):
    """Trains a small net; returns its parameters as lists, and the optimizer."""
    soon, late = patience if isinstance(patience, tuple) else (patience, patience)
    monkeypatch.setattr(fused, "SOON", soon)
    monkeypatch.setattr(fused, "PATIENCE", late)
    lantern.manual_seed(0)
    net = nn.Sequential(nn.Linear(5, 700), nn.Tanh(), nn.Linear(700, 2)).to(dtype)
    optimizer = make(net.parameters())
    x, y = lantern.randn(8, 5, dtype=dtype), lantern.randn(8, 2, dtype=dtype)
    for i in range(steps):
        meddle(i, net, optimizer)
        optimizer.zero_grad()
        ((net(x) - y) ** 2).mean().backward()
        optimizer.step()
    return [p.detach() for p in net.parameters()], optimizer


def same(make, monkeypatch, meddle=lambda i, net, optimizer: None, dtype=None):
    """Asserts that training with compiled updates ends where training by NumPy does."""
    want, _ = run(make, float("inf"), monkeypatch, meddle, dtype=dtype)
    got, optimizer = run(make, 0.0, monkeypatch, meddle, dtype=dtype)
    for a, b in zip(got, want, strict=True):
        lantern.testing.assert_close(a, b, rtol=2e-5, atol=1e-6)
    return optimizer


@needs_llvmlite
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_compiled_updates_are_those_of_numpy(name, monkeypatch):
    same(OPTIMIZERS[name], monkeypatch)


@needs_llvmlite
def test_the_usual_optimizers_are_compiled(monkeypatch):
    for name in ("SGD", "SGD momentum", "Adam", "AdamW"):
        optimizer = same(OPTIMIZERS[name], monkeypatch)
        assert any(each.program is not None for each in optimizer._fused.values()), name


@needs_llvmlite
def test_compiled_updates_in_double_precision(monkeypatch):
    optimizer = same(OPTIMIZERS["Adam"], monkeypatch, dtype=lantern.float64)
    assert any(each.program is not None for each in optimizer._fused.values())


def _schedule(i, net, optimizer):
    optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)


def _settings(i, net, optimizer):
    optimizer.param_groups[0]["weight_decay"] = (0, 0.1, 0, 1.0)[i // 3]


def _data(i, net, optimizer):
    if i == 6:
        for p in net.parameters():
            p.data = p.data * 0.5


def _reload(i, net, optimizer):
    if i == 6:
        optimizer.load_state_dict(optimizer.state_dict())


def _freeze(i, net, optimizer):
    net[0].weight.requires_grad_(i % 4 != 0)
    net[0].weight.grad = None


def _group(i, net, optimizer):
    if i == 6:
        net.extra = nn.Parameter(lantern.ones(3))
        optimizer.add_param_group({"params": [net.extra], "lr": 0.5})


def _empty(i, net, optimizer):
    if i == 5:
        optimizer.state.clear()


@needs_llvmlite
@pytest.mark.parametrize("meddle", [_schedule, _settings, _data, _reload, _freeze, _group, _empty])
@pytest.mark.parametrize("name", ["SGD momentum", "Adam"])
def test_what_users_change_between_steps_counts(name, meddle, monkeypatch):
    same(OPTIMIZERS[name], monkeypatch, meddle)


@needs_llvmlite
def test_gradients_may_lie_anywhere(monkeypatch):
    def place(i, net, optimizer):
        weight = net[2].weight
        for p in net.parameters():
            p.register_post_accumulate_grad_hook(
                lambda p: setattr(
                    p, "_grad", p._grad.t().contiguous().t() if p.ndim > 1 else p._grad
                )
            ) if not i else None
        assert weight.is_leaf

    same(OPTIMIZERS["Adam"], monkeypatch, place)


@needs_llvmlite
def test_a_gradient_may_be_the_parameter_itself(monkeypatch):
    def train(patience):
        monkeypatch.setattr(fused, "PATIENCE", patience)
        p = nn.Parameter(lantern.arange(1000.0))
        optimizer = optim.SGD([p], lr=0.1, momentum=0.5)
        for _ in range(5):
            p.grad = p.detach()
            optimizer.step()
        return p.detach()

    lantern.testing.assert_close(train(0.0), train(float("inf")))


@needs_llvmlite
def test_memory_shared_with_numpy_and_versions_stay_right(monkeypatch):
    monkeypatch.setattr(fused, "PATIENCE", 0.0)
    p = nn.Parameter(lantern.zeros(3))
    seen = p.detach().numpy()
    optimizer = optim.SGD([p], lr=1.0 / 3)
    for i in range(4):
        loss = (p * p).sum()
        p.grad = lantern.ones(3)
        optimizer.step()
        assert seen.tolist() == pytest.approx([-(i + 1) / 3] * 3)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


def test_without_llvmlite_numpy_goes_on(monkeypatch):
    monkeypatch.setattr(fused, "possible", lambda: False)
    _, optimizer = run(OPTIMIZERS["Adam"], 0.0, monkeypatch)
    assert all(each.program is None for each in optimizer._fused.values())


def test_the_environment_can_be_against_it(monkeypatch):
    monkeypatch.setenv("LANTERN_FUSED", "0")
    assert not fused.possible()


def test_a_short_training_does_not_load_llvmlite():
    code = (
        "import sys, lantern as torch\n"
        "net = torch.nn.Linear(3, 1); optimizer = torch.optim.Adam(net.parameters())\n"
        "for _ in range(20):\n"
        "    net(torch.ones(4, 3)).sum().backward(); optimizer.step()\n"
        "assert 'llvmlite' not in sys.modules and 'lantern.compiler' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@needs_llvmlite
def test_what_was_compiled_before_is_taken_soon(monkeypatch, tmp_path):
    monkeypatch.setenv("LANTERN_CACHE", str(tmp_path))
    never = float("inf")

    def is_compiled(soon, late):
        _, optimizer = run(OPTIMIZERS["Adam"], (soon, late), monkeypatch)
        return any(each.program is not None for each in optimizer._fused.values())

    assert not is_compiled(0.0, never)  # nothing says yet that it was
    assert is_compiled(0.0, 0.0)
    assert is_compiled(0.0, never)
    assert not is_compiled(never, never)
