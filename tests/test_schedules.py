"""Learning rate schedules, averaged weights: PyTorch's numbers, saving, order, compiled steps."""

from __future__ import annotations

import copy
import json
import warnings
from pathlib import Path

import numpy as np
import pytest
import schedule_cases as cases

import lantern
from lantern import nn
from lantern.optim import lr_scheduler, swa_utils

GOLDENS = json.loads((Path(__file__).parent / "goldens" / "schedules.json").read_text())
ALL = pytest.mark.parametrize("name", cases.SCHEDULES)


@ALL
def test_rates_and_momenta_are_those_of_torch(name):
    found, _ = cases.run(lantern, cases.SCHEDULES[name])
    np.testing.assert_allclose(found, GOLDENS[name], rtol=1e-14, atol=1e-16)


@ALL
def test_a_rate_in_a_tensor_takes_the_same_way(name):
    found, schedule = cases.run(lantern, cases.SCHEDULES[name], tensor=True)
    np.testing.assert_allclose(found, GOLDENS[name], rtol=1e-12, atol=1e-12)
    assert all(isinstance(g["lr"], lantern.Tensor) for g in schedule.optimizer.param_groups)


@ALL
def test_a_schedule_goes_on_from_its_state(name):
    _, schedule = cases.run(lantern, cases.SCHEDULES[name], steps=7)
    state = copy.deepcopy(schedule.state_dict())
    settings = copy.deepcopy(schedule.optimizer.state_dict())
    optimizer = cases.optimizer_of(lantern)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = cases.make(lantern, cases.SCHEDULES[name], optimizer)
    optimizer.load_state_dict(settings)
    again.load_state_dict(state)
    found = []
    for step in range(7, 19):
        optimizer.step()
        cases.advance(again, step)
        found.append(cases.settings_of(optimizer))
    np.testing.assert_allclose(found, GOLDENS[name][8:], rtol=1e-12)


def test_no_schedule_records_a_compiled_step_anew():
    w, v = lantern.ones(3, requires_grad=True), lantern.ones(2, requires_grad=True)
    optimizer = lantern.optim.SGD(
        [{"params": [w]}, {"params": [v], "lr": 0.05}], lr=0.1, momentum=0.9
    )

    @lantern.compile
    def step():
        optimizer.zero_grad()
        (w.sum() + v.sum()).backward()
        optimizer.step()

    expected, speed = 1.0, 0.0
    for text in cases.SCHEDULES.values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schedule = cases.make(lantern, text, optimizer)
            for i in range(15):
                group = optimizer.param_groups[0]
                speed = group["momentum"] * speed + 1.0
                expected -= group["lr"] * speed
                step()
                cases.advance(schedule, i)
        np.testing.assert_allclose(w.detach().numpy(), expected, rtol=1e-4, atol=1e-4)
    assert len(step.graphs) == 1


def test_a_step_before_the_optimizers_is_warned_of():
    schedule = lr_scheduler.StepLR(cases.optimizer_of(lantern), 2)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before"):
        schedule.step()
    optimizer = cases.optimizer_of(lantern)
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match=r"Seems like `optimizer.step\(\)` has been overridden"):
        schedule.step()
    optimizer = cases.optimizer_of(lantern)
    optimizer.step = lambda: None
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    schedule.step()


def test_get_lr_outside_of_a_step_is_warned_of():
    schedule = lr_scheduler.StepLR(cases.optimizer_of(lantern), 2)
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        schedule.get_lr()


def test_an_epoch_is_deprecated_and_followed():
    optimizer = cases.optimizer_of(lantern)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match="The epoch parameter in"):
        schedule.step(3)
    assert schedule.get_last_lr() == [0.1 * 0.125, 0.05 * 0.125]


def test_resuming_needs_the_first_rates():
    optimizer = cases.optimizer_of(lantern)
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        lr_scheduler.StepLR(optimizer, 2, last_epoch=3)
    for group in optimizer.param_groups:
        group["initial_lr"] = 0.8
    schedule = lr_scheduler.LambdaLR(optimizer, lambda n: 0.5**n, last_epoch=1)
    assert schedule.last_epoch == 2 and schedule.get_last_lr() == [0.2, 0.2]


def test_a_users_schedule_of_the_former_name():
    class Warm(lr_scheduler._LRScheduler):
        def __init__(self, optimizer, steps, last_epoch=-1):
            self.steps = steps
            super().__init__(optimizer, last_epoch)

        def get_lr(self):
            return [lr * min(1, (self.last_epoch + 1) / self.steps) for lr in self.base_lrs]

    optimizer = cases.optimizer_of(lantern)
    schedule = Warm(optimizer, 2)
    assert schedule.get_last_lr() == [0.05, 0.025]
    optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.1, 0.05]


def test_functions_that_are_objects_are_saved():
    class Fall:
        def __init__(self, base):
            self.base = base

        def __call__(self, step):
            return self.base**step

    schedule = lr_scheduler.LambdaLR(cases.optimizer_of(lantern), [Fall(0.5), lambda n: 1])
    assert schedule.state_dict()["lr_lambdas"] == [{"base": 0.5}, None]
    other = lr_scheduler.LambdaLR(cases.optimizer_of(lantern), [Fall(0.9), lambda n: 1])
    other.load_state_dict(schedule.state_dict())
    assert other.lr_lambdas[0].base == 0.5


def models():
    """Three models of one shape, with batch normalisation."""
    lantern.manual_seed(0)
    return [nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)) for _ in range(3)]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("fading", [False, True])
def test_averaged_models(many, fading):
    choose = {
        (False, False): {"avg_fn": swa_utils.get_swa_avg_fn()},
        (False, True): {"avg_fn": swa_utils.get_ema_avg_fn(0.7)},
        (True, False): {},
        (True, True): {"multi_avg_fn": swa_utils.get_ema_multi_avg_fn(0.7)},
    }
    several = models()
    averaged = swa_utils.AveragedModel(several[0], **choose[many, fading])
    for model in several:
        averaged.update_parameters(model)
    weights = [each[0].weight.detach().numpy() for each in several]
    expected = sum(weights) / 3
    if fading:
        expected = 0.7 * (0.7 * weights[0] + 0.3 * weights[1]) + 0.3 * weights[2]
    np.testing.assert_allclose(averaged.module[0].weight.detach().numpy(), expected, rtol=1e-5)
    assert averaged.n_averaged.item() == 3 and "n_averaged" in averaged.state_dict()


def test_update_bn_takes_the_statistics_of_all_data():
    model = models()[0].eval()
    data = lantern.randn(12, 3)
    swa_utils.update_bn([(data[:6], 0), (data[6:], 1)], model)
    with lantern.no_grad():
        hidden = model[0](data)
    np.testing.assert_allclose(
        model[1].running_mean.numpy(), hidden.mean(0).numpy(), rtol=1e-4, atol=1e-6
    )
    assert not model.training and model[1].momentum == 0.1


REFUSED = [
    ("S.StepLR(3, 2)", TypeError, "int is not an Optimizer"),
    ("S.LambdaLR(o, [lambda n: 1])", ValueError, "Expected 2 lr_lambdas, but got 1"),
    ("S.MultiplicativeLR(o, 0.5)", TypeError, "lr_lambda should be a function, but got float"),
    ("S.ConstantLR(o, 2.0)", ValueError, "Constant multiplicative factor expected"),
    ("S.LinearLR(o, 0)", ValueError, "Starting multiplicative factor expected"),
    ("S.LinearLR(o, 1, 2)", ValueError, "Ending multiplicative factor expected"),
    ("S.CosineAnnealingWarmRestarts(o, 0)", ValueError, "Expected positive integer T_0, but got 0"),
    ("S.CosineAnnealingWarmRestarts(o, 1, 0)", ValueError, "Expected integer T_mult >= 1"),
    ("S.CyclicLR(o, [0.1], 0.2)", ValueError, "base_lr must have the same length as optimizer"),
    ("S.CyclicLR(o, 0.1, 0.2, mode='x')", ValueError, "mode is invalid and scale_fn is None"),
    ("S.OneCycleLR(o, 0.1)", ValueError, "You must define either total_steps OR"),
    ("S.OneCycleLR(o, 0.1, 0)", ValueError, "Expected positive integer total_steps, but got 0"),
    ("S.OneCycleLR(o, 0.1, 5, pct_start=2)", ValueError, "Expected float between 0 and 1 pct_sta"),
    ("S.ReduceLROnPlateau(o, factor=1.0)", ValueError, "Factor should be < 1.0."),
    ("S.ReduceLROnPlateau(o, 'x')", ValueError, "mode x is unknown!"),
    ("S.ReduceLROnPlateau(o, min_lr=[1])", ValueError, "expected 2 min_lrs, got 1"),
    ("S.SequentialLR(o, [], [])", ValueError, "SequentialLR expects at least one scheduler"),
    ("S.SequentialLR(o, [S.StepLR(o, 1)], [3])", ValueError, "Sequential Schedulers expects numb"),
    ("S.ChainedScheduler([S.ReduceLROnPlateau(o)])", ValueError, "ChainedScheduler does not supp"),
    ("W.SWALR(o, 0.1, anneal_strategy='x')", ValueError, "anneal_strategy must be one of"),
    ("W.get_ema_avg_fn(2)", ValueError, "Invalid decay value 2 provided"),
]


@pytest.mark.parametrize(("text", "error", "start"), REFUSED)
def test_wrong_settings_are_refused(text, error, start):
    with pytest.raises(error) as caught:
        cases.make(lantern, text, cases.optimizer_of(lantern))
    assert str(caught.value).startswith(start)
