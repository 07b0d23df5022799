"""What users do with containers of modules and parameters, and with `nn.utils`."""

from __future__ import annotations

from collections import OrderedDict

from nn_record import attempt, data, scenario, tries

CONTAINERS, UTILS = {}, {}


@scenario(CONTAINERS)
def sequential(torch, log):
    nn = torch.nn
    net = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3))
    for index in (0, -1, 5, -4, slice(0, 2), slice(None, None, -1), "a", 1.5, True):
        attempt(log, lambda index: repr(net[index]), index)
    tries(
        log,
        lambda: net.__setitem__(5, nn.Tanh()),
        lambda: net.__setitem__(-1, nn.Tanh()),
        lambda: net.__setitem__(0, 3),
        lambda: net.__delitem__(1),
        lambda: net.__delitem__(7),
        lambda: list(net._modules),
        lambda: net.append(nn.SELU()) is net,
        lambda: net.append(3),
        lambda: net.insert(0, nn.ELU()) is net,
        lambda: net.insert(-1, nn.CELU()),
        lambda: net.insert(99, nn.CELU()),
        lambda: net.extend([nn.GELU(), nn.Mish()]) is net,
        lambda: net.extend([3]),
        lambda: repr(net.pop(1)),
        lambda: repr(net.pop(slice(0, 2))),
        lambda: net.pop(99),
    )
    log.append([len(net), bool(net), [type(each).__name__ for each in net], list(net._modules)])
    log.append([each for each in dir(net) if each.isdigit()])
    return net


@scenario(CONTAINERS)
def sequential_arithmetic(torch, log):
    nn = torch.nn
    a, b = nn.Sequential(nn.ReLU()), nn.Sequential(nn.Tanh(), nn.ELU())
    tries(log, lambda: repr(a + b), lambda: repr(b * 2), lambda: repr(2 * b), lambda: a + 3)
    tries(log, lambda: b * 0, lambda: b * "x", lambda: a.__iadd__(3), lambda: a.__imul__(-1))
    a += b
    log.append(repr(a))
    a *= 2
    return a, [each is a[i] for i, each in enumerate(a)]


@scenario(CONTAINERS)
def sequential_is_made_of(torch, log):
    nn = torch.nn
    named = nn.Sequential(OrderedDict(a=nn.Linear(1, 2), b=nn.ReLU()))
    tries(
        log,
        lambda: repr(named),
        lambda: repr(named.a),
        lambda: repr(named[0:1]),
        lambda: nn.Sequential({"a": nn.ReLU()}),
        lambda: nn.Sequential([nn.ReLU()]),
        lambda: nn.Sequential(3),
        lambda: repr(nn.Sequential(None)),
        lambda: nn.Sequential(OrderedDict({"a.b": nn.ReLU()})),
        lambda: [nn.Sequential()(3), len(nn.Sequential()), bool(nn.Sequential())],
    )
    del named[0]
    named.append(nn.Tanh())
    named.add_module("last", nn.ReLU())
    return named, named(data(torch))


@scenario(CONTAINERS)
def module_list(torch, log):
    nn = torch.nn
    held = nn.ModuleList([nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 3)])
    for index in (0, -1, 5, slice(0, 2), slice(None, None, -1), "a"):
        attempt(log, lambda index: repr(held[index]), index)
    tries(
        log,
        lambda: held.__setitem__(-1, nn.Tanh()),
        lambda: held.__setitem__(9, nn.Tanh()),
        lambda: held.__delitem__(0),
        lambda: list(held._modules),
        lambda: repr(held + [nn.ELU()]),
        lambda: held.append(3),
        lambda: held.extend(3),
        lambda: held.extend(nn.ReLU()),
        lambda: held.insert(0, nn.ELU()),
        lambda: held.insert(100, nn.ELU()),
        lambda: repr(held.pop(0)),
        lambda: held.pop(100),
        lambda: held(1),
        lambda: nn.ModuleList(3),
        lambda: nn.ModuleList([3]),
        lambda: repr(nn.ModuleList()),
        lambda: repr(nn.ModuleList([None, nn.ReLU()])),
    )
    held += [nn.ReLU()]
    log.append([len(held), [type(each).__name__ for each in held]])
    blocks = [nn.Linear(1, 2), nn.Linear(1, 2), nn.ReLU(), nn.Sequential(nn.ReLU())]
    return held, nn.ModuleList([*blocks, nn.Sequential(nn.ReLU())])


@scenario(CONTAINERS)
def module_dict(torch, log):
    nn = torch.nn
    held = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    tries(
        log,
        lambda: repr(held),
        lambda: repr(held["a"]),
        lambda: held["zz"],
        lambda: held.__setitem__("c", 3),
        lambda: held.__setitem__(3, nn.ReLU()),
        lambda: held.__setitem__("x.y", nn.ReLU()),
        lambda: held.__setitem__("keys", nn.ReLU()),
        lambda: held.__delitem__("q"),
        lambda: repr(held.pop("a")),
        lambda: held.pop("a"),
        lambda: held.update([("z", nn.ELU()), ("y", nn.GELU())]),
        lambda: held.update({"q": nn.ELU()}),
        lambda: held.update(nn.ModuleDict({"m": nn.ELU()})),
        lambda: held.update(3),
        lambda: held.update([(1,)]),
        lambda: [list(held.keys()), list(held), len(held), "z" in held, "w" in held],
        lambda: repr([list(held.items()), list(held.values())]),
        lambda: held(1),
        lambda: nn.ModuleDict(3),
    )
    held.clear()
    return held


@scenario(CONTAINERS)
def parameter_list(torch, log):
    nn = torch.nn
    held = nn.ParameterList([nn.Parameter(torch.ones(2, 3)), torch.ones(2), 3, "x"])
    tries(
        log,
        lambda: repr(held),
        lambda: [name for name, _ in held.named_parameters()],
        lambda: type(held[1]).__name__,
        lambda: [held[-1], held[2]],
        lambda: held[9],
        lambda: repr(held[0:2]),
        lambda: held["a"],
        lambda: held.__setitem__(0, torch.ones(1)),
        lambda: held.__setitem__(9, torch.ones(1)),
        lambda: held.append(torch.ones(4)) is held,
        lambda: held.extend([torch.ones(5)]) is held,
        lambda: held.extend(3),
        lambda: held.extend(torch.ones(1)),
        lambda: held(1),
        lambda: nn.ParameterList(3),
    )
    held += [torch.zeros(1)]
    log.append([len(held), len(list(held)), list(held.state_dict())])
    return nn.ModuleList([held, nn.ParameterList([torch.ones(1)])])


@scenario(CONTAINERS)
def parameter_dict(torch, log):
    nn = torch.nn
    held = nn.ParameterDict({"b": nn.Parameter(torch.ones(2)), "a": torch.ones(3), "c": 4})
    tries(
        log,
        lambda: repr(held),
        lambda: [name for name, _ in held.named_parameters()],
        lambda: held["a"],
        lambda: held["zz"],
        lambda: held.__setitem__("q", torch.ones(1)),
        lambda: held.__delitem__("zz"),
        lambda: held.pop("a"),
        lambda: held.pop("a"),
        lambda: held.popitem(),
        lambda: [list(held.keys()), list(held.items()), list(held.values())],
        lambda: [held.get("nothing", 3), held.get("b"), "b" in held, len(held)],
        lambda: [held.setdefault("w", torch.ones(1)), held.setdefault("w", torch.zeros(1))],
        lambda: held.setdefault("n"),
        lambda: repr(held.fromkeys(["x"], 5)),
        lambda: repr(held.copy()),
        lambda: list(held | nn.ParameterDict({"n2": torch.ones(1)})),
        lambda: list({"zz": 1} | held),
        lambda: held.update([("u", torch.ones(1))]),
        lambda: held.update(3),
        lambda: held.update([(1,)]),
        lambda: list(reversed(held)),
        lambda: held(1),
        lambda: list(nn.ParameterDict([("z", 1), ("a", 1)])),
        lambda: list(nn.ParameterDict({"z": 1, "a": 1})),
    )
    held |= nn.ParameterDict({"n3": 1})
    log.append(list(held))
    held.clear()
    return held


# --- nn.utils
def with_grads(torch):
    a, b = torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.ones(2))
    a.grad = torch.tensor([3.0, -4.0, 0.0])
    return a, b


@scenario(UTILS)
def clipping_the_norm(torch, log):
    clip = torch.nn.utils.clip_grad_norm_
    for given in ({}, {"norm_type": 1}, {"norm_type": float("inf")}, {"norm_type": 3.5}):
        for bound in (1.0, 100.0):
            a, b = with_grads(torch)
            log.append([clip([a, b], bound, **given), a.grad, b.grad])
    a, b = with_grads(torch)
    log.append([clip(iter([a]), 2), clip(a, 1.0), clip([], 1.0), clip([b], 1.0)])
    a.grad = torch.tensor([float("nan"), 1.0, 2.0])
    tries(log, lambda: clip([a], 1.0, error_if_nonfinite=True), lambda: clip([a], "a"))
    return torch.nn.utils.clip_grad_norm(b, 1.0)


@scenario(UTILS)
def clipping_values(torch, log):
    a, b = with_grads(torch)
    torch.nn.utils.clip_grad_value_([a, b], 2)
    log.append(a.grad)
    torch.nn.utils.clip_grads_with_norm_([a, b], 1.0, torch.tensor(4.0))
    return a.grad, torch.nn.utils.get_total_norm([a, b])


@scenario(UTILS)
def parameters_as_a_vector(torch, log):
    utils, (a, b) = torch.nn.utils, with_grads(torch)
    log.append([utils.parameters_to_vector([a, b])])
    utils.vector_to_parameters(torch.arange(5.0), [a, b])
    log.append([a, b, a.is_leaf and a.requires_grad])
    tries(
        log,
        lambda: utils.vector_to_parameters([1], [a, b]),
        lambda: utils.vector_to_parameters(torch.arange(4.0), [a, b]),
    )


@scenario(UTILS)
def skipping_the_initial_values(torch, log):
    torch.manual_seed(0)
    log.append(repr(torch.nn.utils.skip_init(torch.nn.Linear, 2, 3)))
    log.append(torch.rand(3))
    tries(log, lambda: torch.nn.utils.skip_init(torch.nn.ReLU))
