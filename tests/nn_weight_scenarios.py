"""What users do with computed weights: weight and spectral norm, parametrizations, pruning."""

from __future__ import annotations

import copy
import importlib

from nn_record import scenario, tries

WEIGHTS = {}


def trained(torch, model, *shape, steps=3):
    """Some steps of training, and what the model is then."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(1)
    x = torch.rand(*shape) - 0.5
    for _ in range(steps):
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()
    return [model(x), repr(model), dict(model.state_dict())]


def seeded(torch, make):
    torch.manual_seed(0)
    return make()


@scenario(WEIGHTS)
def weight_norm_by_hook(torch, log):
    nn, utils = torch.nn, torch.nn.utils
    log.append(trained(torch, seeded(torch, lambda: utils.weight_norm(nn.Linear(3, 4))), 5, 3))
    whole = seeded(torch, lambda: utils.weight_norm(nn.Conv2d(3, 4, 2), dim=None))
    log.append(trained(torch, whole, 2, 3, 4, 4))
    other = seeded(torch, lambda: utils.weight_norm(nn.Conv1d(3, 4, 2), dim=1))
    trained(torch, other, 2, 3, 4)
    utils.remove_weight_norm(other)
    log.append(trained(torch, other, 2, 3, 4))
    tries(log, lambda: utils.remove_weight_norm(nn.Linear(3, 3)))


@scenario(WEIGHTS)
def spectral_norm_by_hook(torch, log):
    nn, utils = torch.nn, torch.nn.utils
    log.append(trained(torch, seeded(torch, lambda: utils.spectral_norm(nn.Linear(3, 4))), 5, 3))
    layer = nn.ConvTranspose2d
    other = seeded(torch, lambda: utils.spectral_norm(layer(3, 4, 2), n_power_iterations=2))
    trained(torch, other, 2, 3, 4, 4)
    other.eval()
    log.append(trained(torch, other, 2, 3, 4, 4))
    utils.remove_spectral_norm(other)
    log.append(trained(torch, other, 2, 3, 4, 4))
    tries(log, lambda: utils.spectral_norm(nn.Linear(2, 2), n_power_iterations=0))


@scenario(WEIGHTS)
def ready_made_parametrizations(torch, log):
    nn, ready = torch.nn, torch.nn.utils.parametrizations
    made = seeded(torch, lambda: ready.weight_norm(nn.Linear(3, 4)))
    log.append(trained(torch, made, 5, 3))
    torch.nn.utils.parametrize.remove_parametrizations(made, "weight")
    log.append([type(made).__name__, *trained(torch, made, 5, 3)])
    made = seeded(torch, lambda: ready.spectral_norm(nn.Conv1d(3, 4, 2)))
    log.append(trained(torch, made, 2, 3, 4))
    made.eval()
    log.append(trained(torch, made, 2, 3, 4))
    square = nn.Linear(4, 4)
    made = seeded(torch, lambda: ready.orthogonal(square, orthogonal_map="cayley"))
    log.append((made.weight @ made.weight.T).round(decimals=3).abs())
    tries(log, lambda: ready.spectral_norm(nn.Linear(3, 3), "other"))


@scenario(WEIGHTS)
def parametrizations_of_ones_own(torch, log):
    nn, tools = torch.nn, torch.nn.utils.parametrize

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

        def right_inverse(self, value):
            return value.triu()

    layer = seeded(torch, lambda: nn.Linear(3, 3))
    tools.register_parametrization(layer, "weight", Symmetric())
    log.append(trained(torch, layer, 2, 3))
    tools.register_parametrization(layer, "weight", nn.Tanh())
    log.append(trained(torch, layer, 2, 3))
    log.append([tools.is_parametrized(layer), tools.is_parametrized(layer, "bias")])
    log.append([tools.type_before_parametrizations(layer).__name__, type(layer).__name__])
    with tools.cached():
        log.append(layer.weight is layer.weight)
    log.append(copy.deepcopy(layer).weight)
    tools.remove_parametrizations(layer, "weight", leave_parametrized=False)
    log.append(trained(torch, layer, 2, 3))
    tools.register_parametrization(layer, "weight", Symmetric())
    layer.weight = torch.ones(3, 3)
    log.append(layer.parametrizations.weight.original)
    tries(
        log,
        lambda: tools.register_parametrization(nn.Linear(3, 3), "other", nn.Identity()),
        lambda: tools.register_parametrization(nn.Linear(3, 3), "weight", nn.Flatten(0)),
        lambda: tools.remove_parametrizations(nn.Linear(3, 3), "weight"),
    )


@scenario(WEIGHTS)
def layers_fused_with_batch_norms(torch, log):
    nn, utils = torch.nn, torch.nn.utils
    for layer, norm, fuse, shape, more in (
        (nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), utils.fuse_conv_bn_eval, (2, 3, 4, 4), ()),
        (
            nn.ConvTranspose1d(3, 4, 2),
            nn.BatchNorm1d(4),
            utils.fuse_conv_bn_eval,
            (2, 3, 4),
            [True],
        ),
        (nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), utils.fuse_linear_bn_eval, (5, 3), ()),
    ):
        model = nn.Sequential(layer, norm)
        trained(torch, model, *shape)
        tries(log, lambda fuse=fuse, layer=layer, norm=norm: fuse(layer, norm))
        model.eval()
        x = torch.rand(*shape)
        log.append(bool(torch.allclose(fuse(layer, norm, *more)(x), model(x), atol=1e-5)))


@scenario(WEIGHTS)
def pruning(torch, log):
    nn, prune = torch.nn, importlib.import_module(f"{torch.__name__}.nn.utils.prune")

    def layer():
        return seeded(torch, lambda: nn.Linear(4, 3))

    def shown(made):
        return [made.weight, dict(made.state_dict()), prune.is_pruned(made)]

    log.append(shown(prune.l1_unstructured(layer(), "weight", 0.4)))
    log.append(shown(prune.random_unstructured(layer(), "weight", 5)))
    log.append(shown(prune.ln_structured(layer(), "weight", 1, n=2, dim=0)))
    log.append(shown(prune.random_structured(layer(), "weight", 0.5, dim=1)))
    log.append(shown(prune.identity(layer(), "bias")))
    mask = torch.tensor([1.0, 0.0, 1.0])
    log.append(shown(prune.custom_from_mask(layer(), "bias", mask)))
    twice = prune.ln_structured(layer(), "weight", 1, n=1, dim=0)
    prune.l1_unstructured(twice, "weight", 2)
    log.append([shown(twice), len(next(iter(twice._forward_pre_hooks.values())))])
    log.append(trained(torch, twice, 2, 4))
    log.append(shown(prune.remove(twice, "weight")))
    model = seeded(torch, lambda: nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2)))
    pairs = [(model[0], "weight"), (model[1], "weight")]
    prune.global_unstructured(pairs, prune.L1Unstructured, amount=0.5)
    log.append([model[0].weight_mask, model[1].weight_mask])
    log.append(prune.L1Unstructured(2).prune(torch.tensor([3.0, -1.0, 0.5])))
    tries(
        log,
        lambda: prune.remove(nn.Linear(2, 2), "weight"),
        lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 1.5),
        lambda: prune.l1_unstructured(nn.Linear(2, 2), "weight", 9),
        lambda: prune.ln_structured(nn.Linear(2, 2), "bias", 1, 2, 0),
    )
