"""Optimizers: PyTorch's trajectories, state, errors; and the same under `lantern.compile`."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import optim_cases as cases
import pytest

import lantern

GOLDENS = np.load(Path(__file__).parent / "goldens" / "optim.npz")
ALL = pytest.mark.parametrize(
    ("name", "settings", "key"), list(cases.names()), ids=[key for _, _, key in cases.names()]
)


def check(params, key, dtype):
    rtol, atol = (2e-5, 2e-6) if dtype == "float32" else (1e-12, 1e-13)
    if key.startswith("Muon"):  # works in bfloat16
        rtol = atol = 0.02
    if key.startswith("NAdam") and dtype == "float32":  # PyTorch itself is 4e-4 from its float64
        rtol = 5e-5
    for i, each in enumerate(cases.corners(params)):
        np.testing.assert_allclose(each, GOLDENS[f"{key}.{dtype}.{i}"], rtol=rtol, atol=atol)


@ALL
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_twenty_steps_end_where_torch_ends(name, settings, key, dtype):
    params, _ = cases.run(lantern, name, settings, dtype=dtype)
    check(params, key, dtype)


@ALL
def test_a_closure_gives_the_same_steps(name, settings, key):
    params, _ = cases.run(lantern, name, settings, closure=True)
    check(params, key, "float32")


@ALL
def test_a_compiled_step_is_the_eager_step(name, settings, key):
    params = cases.parameters(lantern, name=name)
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": settings["lr"] / 2}]
    optimizer = getattr(lantern.optim, name)(groups, **settings)
    factor = lantern.tensor(0.0)

    @lantern.compile
    def step():
        optimizer.zero_grad()
        loss = cases.loss_of(params, factor)
        loss.backward()
        optimizer.step()
        return loss

    for i in range(20):
        factor.fill_(float(i))
        step()
    assert len(step.graphs) <= 2
    check(params, key, "float32")


def test_a_schedule_of_the_learning_rate_records_nothing_anew():
    w = lantern.ones(3, requires_grad=True)
    optimizer = lantern.optim.SGD([w], lr=0.1)

    @lantern.compile
    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()

    expected = 1.0
    for lr in (0.1, 0.2, 0.3, 0.05, 0.01):
        optimizer.param_groups[0]["lr"] = lr
        step()
        expected -= lr * 2 * expected
    assert len(step.graphs) == 1
    np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-6)


def test_momentum_may_begin_while_the_step_is_compiled():
    def train(compiled):
        w = lantern.ones(3, requires_grad=True)
        optimizer = lantern.optim.SGD([w], lr=0.1)

        def step():
            optimizer.zero_grad()
            (w * w).sum().backward()
            optimizer.step()

        step = lantern.compile(step) if compiled else step
        for momentum in (0.0, 0.9, 0.9, 0.9, 0.5, 0.0, 0.9):
            optimizer.param_groups[0]["momentum"] = momentum
            step()
        return w.detach().numpy()

    np.testing.assert_allclose(train(True), train(False), rtol=1e-6)


@ALL
def test_training_resumes_from_a_state_dict(name, settings, key):
    params, optimizer = cases.run(lantern, name, settings, steps=10)
    saved = copy.deepcopy(optimizer.state_dict())
    fresh = [p.detach().clone().requires_grad_() for p in params]
    groups = [{"params": fresh[:2]}, {"params": fresh[2:]}]
    again = getattr(lantern.optim, name)(groups, **settings)
    again.load_state_dict(saved)
    for step in range(10, 20):
        again.zero_grad()
        cases.loss_of(fresh, step).backward()
        again.step()
    check(fresh, key, "float32")


def test_state_dict_has_torchs_layout():
    _, optimizer = cases.run(lantern, "Adam", {"lr": 0.1}, steps=2)
    state = optimizer.state_dict()
    assert list(state) == ["state", "param_groups"]
    assert list(state["state"]) == [0, 1, 2, 3, 4]
    assert list(state["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    assert state["state"][0]["step"].item() == 2.0
    assert state["param_groups"][1]["params"] == [2, 3, 4]
    assert list(state["param_groups"][0]) == [
        "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "foreach", "capturable",
        "differentiable", "fused", "decoupled_weight_decay", "params",
    ]  # fmt: skip


def test_parameters_without_gradient_are_left_alone():
    a, b = lantern.ones(2, requires_grad=True), lantern.ones(2, requires_grad=True)
    optimizer = lantern.optim.Adam([a, b])
    a.sum().backward()
    optimizer.step()
    assert b.tolist() == [1.0, 1.0] and b not in optimizer.state


def test_zero_grad_takes_away_or_fills():
    a = lantern.ones(2, requires_grad=True)
    optimizer = lantern.optim.SGD([a], lr=0.1)
    a.sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert a.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert a.grad is None


def test_half_precision_parameters_are_updated_in_their_dtype():
    a = lantern.ones(4, dtype=lantern.bfloat16, requires_grad=True)
    optimizer = lantern.optim.SGD([a], lr=0.5)
    (a * 1).sum().backward()
    optimizer.step()
    assert a.dtype is lantern.bfloat16 and a.tolist() == [0.5] * 4


def test_step_hooks_run_around_the_step():
    a = lantern.ones(1, requires_grad=True)
    optimizer = lantern.optim.SGD([a], lr=1.0)
    seen = []
    before = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(a.item()))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(a.item()))
    a.sum().backward()
    optimizer.step()
    before.remove()
    optimizer.step()
    assert seen == [1.0, 0.0, -1.0]


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda p: lantern.optim.SGD([], lr=0.1), ValueError, "optimizer got an empty parameter"),
        (lambda p: lantern.optim.SGD(p, lr=0.1), TypeError, "params argument given to the optim"),
        (lambda p: lantern.optim.SGD([p], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda p: lantern.optim.SGD([p], momentum=-1), ValueError, "Invalid momentum value: -1"),
        (lambda p: lantern.optim.SGD([p * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda p: lantern.optim.SGD([3.0]), TypeError, "optimizer can only optimize Tensors"),
        (lambda p: lantern.optim.SGD([{"params": {p}}]), TypeError, "in ordered collections"),
        (lambda p: lantern.optim.SGD([p], nesterov=True), ValueError, "Nesterov momentum requires"),
        (lambda p: lantern.optim.Adam([p], betas=(1.0, 0.9)), ValueError, "beta parameter at ind"),
        (
            lambda p: lantern.optim.SGD([{"params": [p]}, {"params": [p]}]),
            ValueError,
            "some parameters appear in more than one parameter group",
        ),
    ],
)
def test_wrong_settings_are_refused(make, error, text):
    with pytest.raises(error, match=text):
        make(lantern.ones(2, requires_grad=True))


def test_loading_another_shape_of_groups_is_refused():
    a = lantern.ones(2, requires_grad=True)
    optimizer = lantern.optim.SGD([a])
    state = optimizer.state_dict()
    state["param_groups"][0]["params"] = [0, 1]
    with pytest.raises(ValueError, match="doesn't match the size of optimizer's group"):
        optimizer.load_state_dict(state)


def test_repr_lists_the_settings():
    text = repr(lantern.optim.SGD([lantern.ones(1, requires_grad=True)], lr=0.1))
    assert text.splitlines()[:3] == ["SGD (", "Parameter Group 0", "    dampening: 0"]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_twenty_iterations_of_lbfgs_are_those_of_torch(search):
    found = cases.lbfgs_losses(lantern, search)
    np.testing.assert_allclose(found, GOLDENS[f"LBFGS.{search}"], rtol=1e-7, atol=1e-12)


def test_lbfgs_with_a_compiled_closure():
    w = lantern.ones(3, requires_grad=True)
    optimizer = lantern.optim.LBFGS([w], line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = ((w - 3) ** 2).sum()
        loss.backward()
        return loss

    fast = lantern.compile(closure, keep_grads=True)
    for _ in range(3):
        optimizer.step(fast)
    np.testing.assert_allclose(w.detach().numpy(), 3.0, rtol=1e-6)
    step = lantern.compile(lambda: optimizer.step(closure))
    w.detach().fill_(1.0)
    step()
    with pytest.raises(RuntimeError, match="how far LBFGS goes"):
        step()


def test_sparse_adam_says_what_to_use():
    w = lantern.ones(3, requires_grad=True)
    optimizer = lantern.optim.SparseAdam([w])
    optimizer.step()
    w.sum().backward()
    with pytest.raises(RuntimeError, match="does not support dense gradients, please consider Ad"):
        optimizer.step()


def test_an_optimizer_of_the_user_runs_between_hooks():
    class Signs(lantern.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @lantern.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad.sign(), alpha=-group["lr"])
                    self.state[p]["count"] = self.state[p].get("count", 0) + 1
            return "done"

    w = lantern.ones(2, requires_grad=True)
    optimizer = Signs([w], lr=0.5)
    seen = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(len(args)))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(w.tolist()))
    w.sum().backward()
    assert optimizer.step() == "done"
    assert seen == [1, [0.5, 0.5]] and optimizer.state_dict()["state"] == {0: {"count": 1}}


def test_hooks_may_change_state_dicts():
    w = lantern.ones(2, requires_grad=True)
    optimizer = lantern.optim.Adam([w])
    seen = []
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("before"))
    optimizer.register_state_dict_post_hook(lambda o, s: {**s, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, s: seen.append(s.pop("more")))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("last"))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("first"), prepend=True)
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen == ["before", 1, "first", "last"]


def test_files_of_older_versions_are_completed():
    w = lantern.ones(2, requires_grad=True)
    optimizer = lantern.optim.Adam([w])
    w.sum().backward()
    optimizer.step()
    state = copy.deepcopy(optimizer.state_dict())
    state["state"][0]["step"] = 1  # a number, as up to PyTorch 1.11
    del state["param_groups"][0]["fused"]
    optimizer.load_state_dict(state)
    assert optimizer.state[w]["step"].dtype is lantern.float32
    assert optimizer.param_groups[0]["fused"] is None
    optimizer.step()


@pytest.mark.parametrize("warmup", [True, False])
def test_a_rate_that_passes_through_zero_records_nothing_anew(warmup):
    w = lantern.ones(3, requires_grad=True)
    optimizer = lantern.optim.Adam([w], lr=lantern.tensor(0.0) if warmup else 0.0)

    @lantern.compile
    def step():
        optimizer.zero_grad()
        (w * w).sum().backward()
        optimizer.step()

    for i in range(5):
        if warmup:
            optimizer.param_groups[0]["lr"].fill_(i / 10)
        else:
            optimizer.param_groups[0]["lr"] = i / 10
        step()
    assert len(step.graphs) == 1
    np.testing.assert_allclose(w.detach().numpy(), 1 - 1.0, atol=0.06)


@pytest.mark.parametrize("name", [each for each in cases.CASES if each != "Muon"])
def test_special_gradients_do_the_same_when_compiled(name):
    def run(compiled):
        w = lantern.ones(6, requires_grad=True)
        slopes = lantern.ones(6)
        optimizer = getattr(lantern.optim, name)([w], **cases.CASES[name][-1])

        def step():
            optimizer.zero_grad()
            (w * slopes).sum().backward()
            optimizer.step()

        step = lantern.compile(step) if compiled else step
        for special in (1.0, 1.0, 1.0, np.nan, np.inf, -np.inf, 2.0):
            slopes[1], slopes[2] = special, -special
            step()
        return w.detach().numpy()

    np.testing.assert_allclose(run(True), run(False), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [lantern.optim.Adam, lantern.optim.AdamW])
def test_betas_are_two_floats_or_two_tensors(kind):
    w = [lantern.ones(2, requires_grad=True)]
    for betas in ((0, 0.9), (0.9, 0), (0.9, lantern.tensor(0.9))):
        with pytest.raises(ValueError, match="betas must be either both floats or both Tensors"):
            kind(w, betas=betas)
    kind(w, betas=(lantern.tensor(0.9), lantern.tensor(0.99)))


@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "RAdam", "Adamax", "RMSprop"])
def test_what_is_captured_on_a_gpu_only_is_refused_on_the_cpu(name):
    w = lantern.ones(2, requires_grad=True)
    optimizer = getattr(lantern.optim, name)([w], capturable=True)
    w.sum().backward()
    with pytest.raises(AssertionError, match="^If capturable=True, params"):
        optimizer.step()
