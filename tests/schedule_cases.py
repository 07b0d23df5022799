"""Learning rate schedules that are compared with PyTorch's, and the run that they are put to."""

from __future__ import annotations

import warnings

SCHEDULES = {
    "lambda": "S.LambdaLR(o, lambda n: 0.95 ** n)",
    "lambdas": "S.LambdaLR(o, [lambda n: 1 / (n + 1), lambda n: n / 10])",
    "multiplicative": "S.MultiplicativeLR(o, lambda n: 0.9 + 0.01 * n)",
    "step": "S.StepLR(o, 3, 0.5)",
    "milestones": "S.MultiStepLR(o, [2, 5, 5, 9], 0.3)",
    "constant": "S.ConstantLR(o, 0.4, 4)",
    "linear": "S.LinearLR(o, 0.2, 0.9, 6)",
    "linear default": "S.LinearLR(o)",
    "exponential": "S.ExponentialLR(o, 0.7)",
    "polynomial": "S.PolynomialLR(o, 8, 2.0)",
    "cosine": "S.CosineAnnealingLR(o, 5, 0.01)",
    "cosine once": "S.CosineAnnealingLR(o, 30)",
    "restarts": "S.CosineAnnealingWarmRestarts(o, 3, 2, 0.01)",
    "even restarts": "S.CosineAnnealingWarmRestarts(o, 4)",
    "cyclic": "S.CyclicLR(o, 0.01, 0.2, 3, 4)",
    "cyclic 2": "S.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], 2, mode='triangular2')",
    "cyclic exp": "S.CyclicLR(o, 0.01, 0.2, 3, mode='exp_range', gamma=0.9)",
    "cyclic own": "S.CyclicLR(o, 0.01, 0.2, 3, scale_fn=lambda x: 1 / x, cycle_momentum=False)",
    "one cycle": "S.OneCycleLR(o, 0.5, total_steps=20)",
    "one cycle linear": "S.OneCycleLR(o, [0.5, 0.1], epochs=5, steps_per_epoch=4, "
    "anneal_strategy='linear', pct_start=0.4, div_factor=10.0)",
    "three phases": "S.OneCycleLR(o, 0.5, total_steps=24, three_phase=True)",
    "plateau": "S.ReduceLROnPlateau(o, patience=1, factor=0.5, cooldown=1)",
    "plateau max": "S.ReduceLROnPlateau(o, 'max', 0.5, 2, 0.1, 'abs', min_lr=[0.02, 0.001])",
    "chained": "S.ChainedScheduler([S.ConstantLR(o, 0.1, 2), S.ExponentialLR(o, 0.9)], o)",
    "sequential": "S.SequentialLR(o, [S.LinearLR(o, 0.1, total_iters=4), "
    "S.CosineAnnealingLR(o, 8), S.ExponentialLR(o, 0.5)], [4, 12])",
    "nested": "S.SequentialLR(o, [S.SequentialLR(o, [S.StepLR(o, 2, 0.5), S.PolynomialLR(o, 4)], "
    "[4]), S.ExponentialLR(o, 0.5)], [9])",
    "swa": "W.SWALR(o, 0.02, 4)",
    "swa linear": "W.SWALR(o, [0.02, 0.5], 3, 'linear')",
}
LOSSES = [5, 4, 4, 4.2, 3, 3, 3, 3, 2.9, 2.9, 2.9, 3, 3, 1, 1.1, 1.2, 1.1, 1, 1, 1]


def optimizer_of(torch, kind="SGD", tensor=False):
    """An optimizer of two groups."""
    params = [torch.ones(1, requires_grad=True) for _ in range(2)]
    rate = (lambda x: torch.tensor(x, dtype=torch.float64)) if tensor else float
    settings = {"momentum": 0.9} if kind == "SGD" else {}
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": rate(0.05)}]
    return getattr(torch.optim, kind)(groups, lr=rate(0.1), **settings)


def make(torch, text, optimizer):
    """The schedule that an expression makes for an optimizer."""
    names = {"S": torch.optim.lr_scheduler, "W": torch.optim.swa_utils, "o": optimizer}
    return eval(text, names)


def advance(schedule, step):
    """One step of a schedule."""
    if "Plateau" in type(schedule).__name__:
        schedule.step(LOSSES[step])
    else:
        schedule.step()


def run(torch, text, kind="SGD", tensor=False, steps=19):
    """The settings of both groups after each step, and the schedule."""
    optimizer = optimizer_of(torch, kind, tensor)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        schedule = make(torch, text, optimizer)
        found = [settings_of(optimizer)]
        for step in range(steps):
            optimizer.step()
            advance(schedule, step)
            found.append(settings_of(optimizer))
    return found, schedule


def settings_of(optimizer):
    """Rate and momentum of each group."""
    found = []
    for group in optimizer.param_groups:
        momentum = group["betas"][0] if "betas" in group else group.get("momentum", 0)
        found.append((float(group["lr"]), momentum))
    return found
