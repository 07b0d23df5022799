"""What users do with modules: attributes, paths, saving and loading, conversions, copies, repr."""

from __future__ import annotations

import copy
import pickle
from collections import OrderedDict
from functools import partial

import nn_container_scenarios
import nn_hook_scenarios
import nn_sequence_scenarios
import nn_weight_scenarios
from nn_record import attempt, data, hook_that_doubles, network, scenario, text, tries

MODULE = {}


# --- attributes and registration
@scenario(MODULE)
def assigning_registers(torch, log):
    net, nn = network(torch), torch.nn
    net.w = nn.Parameter(torch.ones(1))
    net.plain = torch.ones(1)
    net.buf = nn.Buffer(torch.ones(1))
    net.quiet = nn.Buffer(torch.ones(2), persistent=False)
    log.append([name for name, _ in net.named_parameters()])
    log.append([name for name, _ in net.named_buffers()])
    log.append([name for name, _ in net.named_modules()])
    log.append(list(net.state_dict()))
    net.buf = torch.zeros(3)
    net.count = None
    net.a = nn.Parameter(torch.ones(1))
    del net.w
    net.w = nn.ReLU()
    log.append([name for name, _ in net.named_buffers()])
    del net.buf
    log.append([list(net._parameters), list(net._buffers), list(net._modules)])
    return net


@scenario(MODULE)
def a_name_keeps_its_kind(torch, log):
    net = network(torch)

    def put(owner, name, value):
        return lambda: setattr(owner, name, value)

    tries(
        log,
        put(net.a, "weight", torch.ones(2, 2)),
        put(net.a, "weight", 3),
        put(net, "a", torch.ones(1)),
        put(net, "a", "text"),
        put(net, "count", "text"),
        put(net.a, "bias", None),
        put(net, "net", None),
        lambda: delattr(net, "nothing"),
        lambda: net.nothing,
    )
    return net


@scenario(MODULE)
def nothing_works_before_init(torch, log):
    nn = torch.nn

    def made_with(value):
        class Early(nn.Module):
            def __init__(self):
                self.thing = value

        return Early

    class Bare(nn.Module):
        def __init__(self):
            pass

    tries(
        log,
        made_with(nn.ReLU()),
        made_with(nn.Parameter(torch.ones(1))),
        made_with(nn.Buffer(torch.ones(1))),
        lambda: Bare()(1),
        lambda: list(Bare().parameters()),
        lambda: repr(Bare()),
        lambda: Bare().register_parameter("a", None),
        lambda: Bare().register_buffer("a", None),
    )


@scenario(MODULE)
def register_checks_its_arguments(torch, log):
    net, nn = network(torch), torch.nn
    good = {"parameter": nn.Parameter(torch.ones(1)), "buffer": torch.ones(1), "module": nn.ReLU()}
    for kind, value in good.items():
        register = partial(attempt, log, getattr(net, f"register_{kind}"))
        for name in (3, "a.b", "", "forward", f"good_{kind}"):
            register(name, value)
        register("new", "text")
        register(f"none_{kind}", None)
    tries(log, lambda: net.register_parameter("p", torch.ones(1)))
    tries(log, lambda: net.register_parameter("a", nn.Parameter(torch.ones(1))))
    net.register_buffer("count", torch.tensor(1), persistent=False)
    return list(net.state_dict()), [name for name, _ in net.named_buffers()]


@scenario(MODULE)
def paths_find_things(torch, log):
    net, nn = network(torch), torch.nn
    paths = ("", "a", "a.weight", "net.0", "net.0.bias", "count", "zz", "a.zz", "a.z.q", "a.bias.x")
    for find in (net.get_submodule, net.get_parameter, net.get_buffer):
        for path in paths:
            attempt(log, lambda find, path: type(find(path)).__name__, find, path)
    for args in (
        ("net.0", nn.Tanh()),
        ("zz", nn.Tanh(), True),
        ("", nn.Tanh()),
        ("q.b", nn.Tanh()),
        ("q", 3),
        ("a.weight", nn.Tanh()),
        ("fresh", nn.Tanh()),
    ):
        attempt(log, net.set_submodule, *args)
    return net


@scenario(MODULE)
def shared_modules_and_parameters_come_once(torch, log):
    nn = torch.nn
    layer = nn.Linear(2, 2)
    net = nn.Sequential(layer, nn.ReLU(), layer, nn.Linear(2, 2))
    net[3].weight = layer.weight
    net.tied = net[3].bias
    for each in (net.named_parameters, net.named_modules):
        log.append([name for name, _ in each()])
        log.append([name for name, _ in each(remove_duplicate=False)])
    log.append([name for name, _ in net.named_parameters(prefix="p", recurse=False)])
    log.append([name for name, _ in net.named_children()])
    log.append([len(list(net.parameters())), len(list(net.modules())), len(list(net.children()))])
    return list(net.state_dict())


# --- saving and loading
@scenario(MODULE)
def state_dicts(torch, log):
    net = network(torch)
    state = net.state_dict()
    log.append([dict(state), dict(state._metadata), type(state).__name__])
    state["a.weight"][0] = 7.0
    log.append(net.a.weight)
    log.append([each.requires_grad for each in state.values()])
    log.append([each.requires_grad for each in net.state_dict(keep_vars=True).values()])
    mine = {}
    log.append(net.state_dict(destination=mine, prefix="p.") is mine)
    log.append(list(mine))
    return list(net.state_dict(OrderedDict(), "q."))


@scenario(MODULE)
def loading(torch, log):
    net = network(torch)
    good = net.state_dict()
    log.append([repr(net.load_state_dict(good)), str(net.load_state_dict(good))])
    lacking = {key: value for key, value in good.items() if key != "count"} | {"extra": 1}
    found = net.load_state_dict(lacking, strict=False)
    log.append([repr(found), found.missing_keys, found.unexpected_keys, isinstance(found, tuple)])
    bad = dict(good, **{"a.weight": torch.zeros(4, 4), "net.0.bias": torch.zeros(7), "q.z": 1})
    bad["a.zz"] = 1
    del bad["count"], bad["a.bias"]
    misfits = [bad, {"a": 1}, [1], dict(good, count="text"), {**good, "a.weight": [1, 2]}]
    misfits += [{**good, "_extra_state": 3}, {**good, "net.7.weight": 1}, {}]
    for state in misfits:
        attempt(log, net.load_state_dict, state)
        attempt(log, net.load_state_dict, state, False)
    wide = {key: value.double() for key, value in good.items()}
    net.load_state_dict(wide)
    log.append(str(net.a.weight.dtype))
    net.load_state_dict(wide, assign=True)
    log.append([str(net.a.weight.dtype), type(net.a.weight).__name__, net.a.weight.requires_grad])
    return net.net[0].weight


@scenario(MODULE)
def numbers_load_from_one_element(torch, log):
    net = torch.nn.Module()
    net.p = torch.nn.Parameter(torch.tensor(0.0))
    net.register_buffer("b", torch.tensor(0.0))
    net.load_state_dict({"p": torch.ones(1), "b": torch.ones(1) * 2})
    tries(log, lambda: net.load_state_dict({"p": torch.ones(2), "b": torch.ones(1, 1)}))
    return net.state_dict()


@scenario(MODULE)
def extra_state(torch, log):
    class Counter(torch.nn.Module):
        def get_extra_state(self):
            return {"steps": 3}

        def set_extra_state(self, state):
            log.append(state)

    net = torch.nn.Sequential(Counter())
    log.append(net.state_dict())
    net.load_state_dict({"0._extra_state": 5})
    tries(log, lambda: net.load_state_dict({}))
    tries(log, torch.nn.Module().get_extra_state, lambda: torch.nn.Module().set_extra_state(1))


# --- modes, gradients, conversions
@scenario(MODULE)
def train_and_eval(torch, log):
    net = network(torch)
    log.append(net.eval() is net)
    log.append([each.training for each in net.modules()])
    net.net.train()
    log.append([each.training for each in net.modules()])
    tries(log, lambda: net.train(1))
    net.requires_grad_(False)
    log.append([each.requires_grad for each in net.parameters()])
    order = []
    log.append(net.apply(lambda module: order.append(type(module).__name__)) is net)
    return order


@scenario(MODULE)
def gradients_are_dropped_or_zeroed(torch, log):
    net = network(torch)
    net(data(torch)).sum().backward()
    log.append([each.grad for each in net.parameters()])
    kept = net.a.weight.grad
    net.zero_grad(set_to_none=False)
    log.append([kept, kept is net.a.weight.grad])
    net.zero_grad()
    return [each.grad for each in net.parameters()]


@scenario(MODULE)
def conversions_keep_the_parameters(torch, log):
    net = network(torch)
    net(data(torch)).sum().backward()
    before = list(net.parameters())
    for change in (
        net.double,
        net.float,
        lambda: net.to(torch.float64),
        lambda: net.to("cpu", torch.float32),
        lambda: net.to(dtype=torch.float64, device="cpu", non_blocking=True),
        lambda: net.to(torch.ones(1)),
        lambda: net.to(torch.device("cpu")),
        net.half,
        net.bfloat16,
        net.cpu,
        lambda: net.type(torch.float64),
        lambda: net.to(torch.int64),
        lambda: net.to(),
    ):
        try:
            log.append(change() is net)
        except Exception as error:
            log.append([type(error).__name__, text(error)])
        log.append([str(net.a.weight.dtype), str(net.a.weight.grad.dtype), str(net.count.dtype)])
    log.append([a is b for a, b in zip(before, net.parameters(), strict=True)])
    return [each.is_leaf and each.requires_grad for each in net.parameters()]


@scenario(MODULE)
def constructing(torch, log):
    nn = torch.nn

    class Loose(nn.Module):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    class Other:
        def __init__(self, size):
            self.size = size

    class Mixed(nn.Module, Other):
        call_super_init = True

    tries(
        log,
        lambda: Loose(1),
        lambda: Loose(a=1),
        lambda: nn.Module()(1),
        lambda: Mixed(5).size,
        lambda: nn.Sigmoid(3),
        lambda: len(nn.Module()),
    )


@scenario(MODULE)
def copies_are_independent(torch, log):
    net = network(torch)
    net.b_frozen = torch.nn.Parameter(torch.ones(1), requires_grad=False)
    net.register_forward_hook(hook_that_doubles)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net.net)), copy.copy(net)):
        log.append(repr(other))
        log.append([each.requires_grad for each in other.parameters()])
    other = copy.deepcopy(net)
    before = net(data(torch))
    with torch.no_grad():
        other.a.weight.zero_()
    log.append([before, net(data(torch)), other(data(torch))])
    newer = ("_non_persistent_buffers_set", "_forward_hooks_with_kwargs", "_state_dict_pre_hooks")
    old = {k: v for k, v in vars(torch.nn.ReLU()).items() if k not in newer}
    relu = torch.nn.ReLU.__new__(torch.nn.ReLU)
    relu.__setstate__(old)
    return relu(data(torch)), relu.state_dict()


@scenario(MODULE)
def printing(torch, log):
    nn = torch.nn

    class Lines(nn.Module):
        def extra_repr(self):
            return "first=1\nsecond=2"

    class Sharp(nn.Linear):
        pass

    outer = nn.Sequential(OrderedDict(lines=Lines(), deep=nn.Sequential(nn.Sequential(Lines()))))
    outer.gone = None
    outer.add_module("none", None)
    return [repr(each) for each in (outer, Lines(), Sharp(1, 2), nn.Module(), network(torch))]


@scenario(MODULE)
def parameters_themselves(torch, log):
    nn = torch.nn
    base = torch.ones(2)
    shared = nn.Parameter(base)
    base[0] = 5.0
    log.append([repr(shared), repr(nn.Parameter(torch.ones(2), requires_grad=False))])
    log.append([isinstance(shared, torch.Tensor), type(shared * 1).__name__, shared.is_leaf])
    twin = copy.deepcopy(shared)
    log.append([type(twin).__name__, twin.requires_grad, twin is shared])
    log.append(type(pickle.loads(pickle.dumps(shared))).__name__)
    log.append([nn.Parameter().shape == (0,), isinstance(torch.ones(1), nn.Parameter)])
    log.append(nn.Parameter(nn.Parameter(torch.ones(2)) * 2).is_leaf)
    buffer = nn.Buffer(torch.ones(1))
    log.append([type(buffer).__name__, isinstance(buffer, nn.Buffer), buffer.persistent])
    tries(log, lambda: nn.Parameter(torch.tensor([1, 2])), lambda: nn.Parameter([1.0]))
    return nn.Parameter(torch.tensor([1, 2]), requires_grad=False)


GROUPS = {
    "module": MODULE,
    "hooks": nn_hook_scenarios.HOOKS,
    "containers": nn_container_scenarios.CONTAINERS,
    "utils": nn_container_scenarios.UTILS,
    "weights": nn_weight_scenarios.WEIGHTS,
    "sequences": nn_sequence_scenarios.SEQUENCES,
}
