"""Optimizers beside PyTorch's: fresh settings, special gradients, state that goes both ways."""

from __future__ import annotations

import io
import random
import warnings

import numpy as np
import pytest

import lantern

torch = pytest.importorskip("torch")

SEED = random.SystemRandom().getrandbits(32)


def settings_of(name, rng):
    """Random settings of an optimizer."""
    settings = {"lr": 10 ** rng.uniform(-2.5, -0.5)}
    free = {
        "weight_decay": rng.choice([0, 0.1, 0.01]),
        "maximize": rng.choice([True, False]),
        "momentum": rng.choice([0, 0.5, 0.9]),
        "dampening": rng.choice([0, 0.3]),
        "betas": (rng.uniform(0, 0.95), rng.uniform(0.5, 0.999)),
        "eps": 10 ** rng.uniform(-8, -3),
        "rho": rng.uniform(0.1, 0.99),
        "lr_decay": rng.choice([0, 0.1]),
        "initial_accumulator_value": rng.choice([0, 0.3]),
        "amsgrad": rng.choice([True, False]),
        "decoupled_weight_decay": rng.choice([True, False]),
        "momentum_decay": rng.uniform(0, 0.1),
        "alpha": rng.uniform(0.5, 0.99),
        "lambd": rng.choice([1e-4, 0.1]),
        "t0": rng.choice([3, 1e6]),
        "centered": rng.choice([True, False]),
        "etas": (rng.uniform(0.1, 0.9), rng.uniform(1.1, 2)),
        "step_sizes": (1e-4, rng.uniform(0.1, 10)),
        "beta2_decay": -rng.uniform(0.1, 1),
        "d": rng.uniform(1, 2),
        "nesterov": rng.choice([True, False]),
        "adjust_lr_fn": rng.choice([None, "original", "match_rms_adamw"]),
    }
    import inspect

    names = inspect.signature(getattr(torch.optim, name)).parameters
    settings |= {each: value for each, value in free.items() if each in names}
    if name == "Adafactor":
        settings["eps"] = (rng.choice([None, 1e-6]), 1e-3)
    if name == "AdamW":
        settings.pop("decoupled_weight_decay", None)
    if settings.get("nesterov") and name == "SGD":
        settings |= {"momentum": 0.9, "dampening": 0}
    return settings


NAMES = [
    "SGD", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop",
    "Rprop", "Adafactor", "Muon",
]  # fmt: skip


def train(lt, name, settings, steps=12, special=None, dtype="float64", optimizer=None, params=None):
    """Takes steps with made-up gradients; returns the parameters and the optimizer."""
    data = np.random.RandomState(SEED)
    shapes = [(4, 3), (2, 5)] if name == "Muon" else [(4, 3), (7,), (), (2, 3, 4), (0, 3)]
    if name == "Adafactor":
        shapes = shapes[:-1]
    values = [data.standard_normal(shape) for shape in shapes]
    kind = getattr(lt, dtype)
    if params is None:
        params = [lt.tensor(each, dtype=kind, requires_grad=True) for each in values]
    optimizer = optimizer or getattr(lt.optim, name)(params, **settings)
    for step in range(steps):
        for i, param in enumerate(params):
            grad = np.array(data.standard_normal(shapes[i]) * 3 + values[i])
            if special is not None and step >= 2 and grad.size > 3:
                grad.reshape(-1)[1] = special
            param.grad = lt.tensor(grad, dtype=kind)
        optimizer.step()
    return params, optimizer


def close(found, expected, tolerance, label=""):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(
            a.detach().double().numpy(),
            b.detach().double().numpy(),
            rtol=tolerance,
            atol=tolerance,
            err_msg=label,
        )


@pytest.mark.parametrize("name", NAMES)
def test_random_settings_take_the_steps_of_torch(name):
    rng = random.Random(f"{SEED} {name}")
    for _ in range(6):
        settings = settings_of(name, rng)
        for dtype, tolerance in (("float64", 1e-9), ("float32", 5e-4)):
            tolerance = 0.05 if name == "Muon" else tolerance
            found, optimizer = train(lantern, name, settings, dtype=dtype)
            expected, other = train(torch, name, settings, dtype=dtype)
            close(found, expected, tolerance, f"{name} {settings} {dtype} seed {SEED}")
        assert repr(optimizer) == repr(other)


@pytest.mark.parametrize("name", [each for each in NAMES if each != "Muon"])
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_special_gradients_do_what_they_do_in_torch(name, special):
    rng = random.Random(f"{SEED} {name}")
    for _ in range(3):
        settings = settings_of(name, rng)
        found, _ = train(lantern, name, settings, special=special)
        expected, _ = train(torch, name, settings, special=special)
        close(found, expected, 1e-9, f"{name} {settings} seed {SEED}")


def to_other(value, lt):
    """A state dict with tensors of the other library."""
    if hasattr(value, "numpy"):
        return lt.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: to_other(each, lt) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_other(each, lt) for each in value)
    return value


def outline(value):
    """The keys, types and shapes of a state dict."""
    if hasattr(value, "numpy"):
        return (str(value.dtype), tuple(value.shape))
    if isinstance(value, dict):
        return {key: outline(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [outline(each) for each in value]
    return value


@pytest.mark.parametrize("name", NAMES)
def test_state_goes_to_torch_and_back(name):
    settings = settings_of(name, random.Random(f"{SEED} {name}"))
    found, ours = train(lantern, name, settings, steps=5)
    expected, theirs = train(torch, name, settings, steps=5)
    state = ours.state_dict()
    assert outline(state) == outline(theirs.state_dict())
    assert [list(each) for each in state["param_groups"]] == [
        list(each) for each in theirs.state_dict()["param_groups"]
    ]
    theirs.load_state_dict(to_other(state, torch))
    ours.load_state_dict(to_other(theirs.state_dict(), lantern))
    found, _ = train(lantern, name, settings, 5, optimizer=ours, params=found)
    expected, _ = train(torch, name, settings, 5, optimizer=theirs, params=expected)
    close(found, expected, {"Muon": 0.05, "ASGD": 1e-6}.get(name, 1e-9))


@pytest.mark.parametrize("name", ["Adam", "NAdam", "ASGD"])
def test_a_file_of_torch_is_loaded(name):
    settings = settings_of(name, random.Random(f"{SEED} {name}"))
    _, theirs = train(torch, name, settings, steps=3)
    file = io.BytesIO()
    torch.save(theirs.state_dict(), file)
    file.seek(0)
    _, ours = train(lantern, name, settings, steps=1)
    ours.load_state_dict(lantern.load(file))
    close(ours.state_dict()["state"][0].values(), theirs.state_dict()["state"][0].values(), 0)


WRONG = [
    {"lr": -1}, {"lr": -0.5, "eps": -1}, {"eps": -1.0}, {"weight_decay": -1}, {"betas": (1.0, 0.9)},
    {"betas": (0.9, -1.0)}, {"rho": 2.0}, {"lr_decay": -1}, {"initial_accumulator_value": -3},
    {"momentum": -0.1}, {"alpha": -0.1}, {"etas": (1.5, 1.2)}, {"momentum_decay": -1},
    {"beta2_decay": 1.0}, {"d": 0.5}, {"eps": (-1.0, 1.0)}, {"eps": (1.0, -1.0)},
    {"adjust_lr_fn": "x"}, {"fused": True, "foreach": True}, {"nope": 1}, {"lr": "two"},
    {"nesterov": True}, {"fused": True, "differentiable": True},
]  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, "LBFGS", "SparseAdam"])
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_settings_are_refused_in_the_words_of_torch(name, wrong):
    def message(lt):
        settings = dict(wrong)
        if settings.get("lr") == "two":
            settings["lr"] = lt.tensor([0.1, 0.2])
        try:
            getattr(lt.optim, name)([lt.ones(2, 2, requires_grad=True)], **settings)
        except Exception as error:
            return type(error), str(error)

    expected, found = message(torch), message(lantern)
    if expected and expected[0] is TypeError:
        assert found and found[0] is TypeError
    else:
        assert found == expected


PROBLEMS = ["quadratic", "rosenbrock", "quartic"]


@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_lbfgs_takes_the_way_of_torch(problem, search, dtype):
    def way(lt):
        data = np.random.RandomState(SEED)
        kind = getattr(lt, dtype)
        x = lt.tensor(data.standard_normal(3), dtype=kind, requires_grad=True)
        y = lt.tensor(data.standard_normal((2, 2)), dtype=kind, requires_grad=True)
        lr = 1 if search else 0.05
        optimizer = lt.optim.LBFGS([x, y], lr=lr, max_iter=6, history_size=4, line_search_fn=search)
        losses = []

        def closure():
            optimizer.zero_grad()
            if problem == "quadratic":
                loss = ((x - 3) ** 2).sum() * 2 + (y * y).sum() + (x.sum() * y).sum() * 0.1
            elif problem == "rosenbrock":
                loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() * 0.01
                loss = loss + (y**2).sum()
            else:
                loss = (x**4).sum() + ((y - 1) ** 4).mean()
            loss.backward()
            losses.append(loss.item())
            return loss

        for _ in range(4):
            optimizer.step(closure)
        return losses, optimizer.state_dict()

    (found, state), (expected, other) = way(lantern), way(torch)
    tolerance = 1e-8 if dtype == "float64" else 2e-3
    count = len(expected) if dtype == "float64" else min(8, len(expected), len(found))
    np.testing.assert_allclose(found[:count], expected[:count], rtol=tolerance, atol=tolerance)
    assert sorted(state["state"][0]) == sorted(other["state"][0])
    assert state["param_groups"] == other["param_groups"]


def test_tensor_learning_rates_are_read():
    for name in NAMES:
        if name == "Muon":
            continue
        found, ours = train(lantern, name, {"lr": lantern.tensor(0.05)})
        expected, theirs = train(torch, name, {"lr": torch.tensor(0.05)})
        close(found, expected, 1e-6, name)  # PyTorch goes on in the precision of the rate
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_flow_through_a_differentiable_step(name):
    if name in ("Muon", "Adafactor", "Rprop", "Adamax"):
        pytest.skip("not in PyTorch either")

    def slope(lt):
        start = lt.tensor([0.5, -1.0, 2.0], dtype=lt.float64, requires_grad=True)
        param = start.clone()
        optimizer = getattr(lt.optim, name)([param], lr=0.1, differentiable=True)
        for step in range(2):
            param.grad = (start * start * (step + 1)).sin()
            optimizer.step()
        (param * param).sum().backward()
        return start.grad

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        close([slope(lantern)], [slope(torch)], 1e-4)  # PyTorch counts steps in float32
