"""Optimizer runs that are compared with PyTorch's: the settings, and the problem they work on."""

from __future__ import annotations

import numpy as np

CASES = {
    "SGD": [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.5, "dampening": 0.3, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.05, "maximize": True},
    ],
    "Adam": [
        {"lr": 0.1},
        {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1},
        {"lr": 0.1, "amsgrad": True},
        {"lr": 0.1, "maximize": True, "weight_decay": 0.1},
    ],
    "AdamW": [
        {"lr": 0.1},
        {"lr": 0.05, "weight_decay": 0.5, "amsgrad": True},
        {"lr": 0.1, "weight_decay": 0.0},
    ],
    "Adadelta": [
        {"lr": 1.0},
        {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1, "maximize": True},
    ],
    "Adagrad": [
        {"lr": 0.1},
        {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5},
    ],
    "Adamax": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1, "maximize": True},
    ],
    "ASGD": [
        {"lr": 0.05},
        {"lr": 0.05, "lambd": 0.1, "alpha": 0.5, "t0": 5, "weight_decay": 0.1},
    ],
    "NAdam": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.8, 0.95), "momentum_decay": 0.1, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    "RAdam": [
        {"lr": 0.1},
        {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.1},
        {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True, "maximize": True},
    ],
    "RMSprop": [
        {"lr": 0.1},
        {"lr": 0.05, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.8},
        {"lr": 0.05, "alpha": 0.8, "centered": True, "eps": 1e-2},
        {"lr": 0.05, "centered": True, "momentum": 0.5, "eps": 1e-2, "maximize": True},
    ],
    "Rprop": [
        {"lr": 0.1},
        {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-2, 0.4), "maximize": True},
    ],
    "Adafactor": [
        {"lr": 0.1},
        {"lr": 0.5, "beta2_decay": -0.5, "eps": (1e-6, 1e-2), "d": 1.5, "weight_decay": 0.1},
    ],
    "Muon": [
        {"lr": 0.1},
        {"lr": 0.1, "nesterov": False, "weight_decay": 0, "adjust_lr_fn": "match_rms_adamw"},
    ],
}


def names():
    """Yields (optimizer, settings, key of the golden)."""
    for name, settings in CASES.items():
        for i, each in enumerate(settings):
            yield name, each, f"{name}.{i}"


def parameters(torch, dtype="float32", name=""):
    """Returns the parameters, some small and one large enough to be updated in blocks."""
    random = np.random.RandomState(0)
    shapes = [(3, 4), (4,), (), (1, 2), (140, 150)]
    if name == "Muon":  # takes matrices only
        shapes = [(3, 4), (4, 3), (1, 2), (40, 50)]
    arrays = [random.standard_normal(shape) for shape in shapes]
    return [torch.tensor(each, dtype=getattr(torch, dtype), requires_grad=True) for each in arrays]


def loss_of(params, step):
    """A loss whose gradients change from step to step."""
    return sum(((p - 0.5 * (i + 1)) ** 2 * (1 + 0.1 * step)).sum() for i, p in enumerate(params))


def run(torch, name, settings, steps=20, dtype="float32", closure=False):
    """Returns, after some steps, the parameters with the large one cut to its corner."""
    params = parameters(torch, dtype, name)
    groups = [{"params": params[:2]}, {"params": params[2:], "lr": settings["lr"] / 2}]
    optimizer = getattr(torch.optim, name)(groups, **settings)
    for step in range(steps):

        def evaluate(step=step):
            optimizer.zero_grad()
            loss = loss_of(params, step)
            loss.backward()
            return loss

        if closure:
            optimizer.step(evaluate)
        else:
            evaluate()
            optimizer.step()
    return params, optimizer


def corners(params):
    """Returns the values as arrays; of the large parameter some rows."""
    arrays = [p.detach().numpy() for p in params]
    return [*arrays[:-1], arrays[-1][::35, ::37]]


def lbfgs_losses(torch, search):
    """The losses at each evaluation of LBFGS on the valley of Rosenbrock."""
    x = torch.tensor([-1.2, 1.0, -0.5], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[2.0]], dtype=torch.float64, requires_grad=True)
    settings = {"lr": 1 if search else 0.1, "max_iter": 5, "history_size": 3}
    optimizer = torch.optim.LBFGS([x, y], line_search_fn=search, **settings)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = (10 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() + (y**4).sum()
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(4):
        optimizer.step(closure)
    return losses
