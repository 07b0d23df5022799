"""What users do with modules, as functions of the framework: `torch` is PyTorch or Lantern.

Each scenario logs what it sees and returns something. `record` runs one and gives everything that
came out of it (result, log, warnings, error) in a form that can be compared and stored as JSON.
"""

from __future__ import annotations

import copy
import pickle
import sys
import types
import warnings
from collections import OrderedDict
from functools import partial

MODULE, HOOKS, CONTAINERS, UTILS = {}, {}, {}, {}


def scenario(group):
    def add(function):
        group[function.__name__] = function
        return function

    return add


def record(torch, function):
    """Runs a scenario; what both frameworks word differently on purpose is left out."""
    log, result, error = [], None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(torch, log)
        except Exception as raised:
            error = [type(raised).__name__, text(raised.args[0] if raised.args else "")]
    found = {"result": plain(torch, result), "log": plain(torch, log), "error": error}
    found["warnings"] = [[each.category.__name__, text(each.message)] for each in caught]
    return found


def text(message):
    message = str(message).replace("lantern.", "torch.")
    for end in (" (in ", " Please file an issue", " See https", " Open an issue"):
        message = message.split(end)[0]
    return message


def plain(torch, value):
    if isinstance(value, torch.Tensor):
        return [round(each, 4) for each in value.detach().reshape(-1).tolist()]
    if isinstance(value, dict):
        return {str(key): plain(torch, each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, types.GeneratorType, type({}.keys()))):
        return [plain(torch, each) for each in value]
    if isinstance(value, (int, float, type(None))):
        return value
    return text(value if isinstance(value, str) else repr(value))


def attempt(log, function, *args):
    """Logs what a call returns or raises."""
    try:
        log.append(function(*args))
    except Exception as raised:
        log.append(f"{type(raised).__name__}: {text(raised.args[0])}")


def tries(log, *calls):
    for call in calls:
        attempt(log, call)


def network(torch):
    """A small network with a buffer, a nested Sequential and known weights."""
    nn = torch.nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2)
            self.register_buffer("count", torch.tensor(3))
            self.net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
            with torch.no_grad():
                for i, each in enumerate(self.parameters()):
                    values = torch.arange(each.numel()).reshape(each.shape) * 0.1 + i * 0.3 - 0.5
                    each.copy_(values)

        def forward(self, x, scale=1.0):
            return self.net(self.a(x)) * scale

    return Net()


def data(torch, requires_grad=False):
    return torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=requires_grad)


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


def hook_that_doubles(module, args, output):
    return output * 2


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


# --- hooks
@scenario(HOOKS)
def forward_hooks_in_order(torch, log):
    net = network(torch)
    net.register_forward_pre_hook(lambda m, args: log.append(["pre", args]))
    net.register_forward_pre_hook(lambda m, args: args[0] * 2)
    net.register_forward_pre_hook(
        lambda m, args, kwargs: ((args[0] + 1,), {"scale": 3.0}), with_kwargs=True, prepend=True
    )
    net.register_forward_hook(lambda m, args, out: log.append(["one", args, out]))
    net.register_forward_hook(
        lambda m, args, kwargs, out: log.append(["two", args, kwargs]) or out * 2, with_kwargs=True
    )
    net.register_forward_hook(lambda m, args, out: log.append(["zero", out]), prepend=True)
    return net(data(torch))


@scenario(HOOKS)
def handles_remove_hooks(torch, log):
    net = network(torch)
    handle = net.register_forward_hook(lambda m, args, out: out * 5)
    log.append(net(data(torch)))
    handle.remove()
    handle.remove()
    with net.register_forward_pre_hook(lambda m, args: log.append("pre")):
        net(data(torch))
    return net(data(torch))


@scenario(HOOKS)
def a_pre_hook_returns_both_or_nothing(torch, log):
    net = network(torch)
    net.register_forward_pre_hook(lambda m, args, kwargs: 3, with_kwargs=True)
    return net(data(torch))


@scenario(HOOKS)
def always_called_hooks_run_after_errors(torch, log):
    net = network(torch)
    net.register_forward_hook(lambda m, args, out: log.append(["always", out]), always_call=True)
    net.register_forward_hook(lambda m, args, out: 1 / 0, always_call=True)
    net.register_forward_hook(lambda m, args, out: log.append("not reached"))
    return net(torch.zeros(2, 3))


@scenario(HOOKS)
def always_called_hooks_run_after_a_failing_hook(torch, log):
    net = network(torch)

    def failing(module, args, output):
        raise KeyError("x")

    net.register_forward_hook(failing)
    net.register_forward_hook(lambda m, args, out: log.append(["always", out]), always_call=True)
    return net(data(torch))


def watched_backward(torch, log, requires_grad):
    net = network(torch)
    for name, module in net.named_modules():
        module.register_full_backward_hook(
            lambda m, grad_in, grad_out, name=name: log.append([name, grad_in, grad_out])
        )
    net.net.register_full_backward_pre_hook(lambda m, grad_out: log.append(["pre", grad_out]))
    x = data(torch, requires_grad)
    net(x).sum().backward()
    return x.grad, [each.grad for each in net.parameters()]


@scenario(HOOKS)
def backward_hooks_see_gradients(torch, log):
    return watched_backward(torch, log, True)


@scenario(HOOKS)
def backward_hooks_without_input_gradients(torch, log):
    return watched_backward(torch, log, False)


@scenario(HOOKS)
def backward_hooks_replace_gradients(torch, log):
    net, x = network(torch), data(torch, True)
    net.net.register_full_backward_hook(lambda m, grad_in, grad_out: (grad_in[0] * 10,))
    net.a.register_full_backward_pre_hook(lambda m, grad_out: (grad_out[0] * 2,))
    net.a.register_full_backward_pre_hook(lambda m, grad: log.append(grad), prepend=True)
    net(x).sum().backward()
    return x.grad, [each.grad for each in net.parameters()]


@scenario(HOOKS)
def backward_hooks_must_return_as_many(torch, log):
    def failing(register, hook):
        net = network(torch)
        getattr(net, register)(hook)
        return lambda: net(data(torch, True)).sum().backward()

    tries(
        log,
        failing("register_full_backward_hook", lambda m, grad_in, grad_out: grad_in * 2),
        failing("register_full_backward_pre_hook", lambda m, grad_out: grad_out * 2),
    )
    net = network(torch)
    net.register_full_backward_hook(lambda m, grad_in, grad_out: (torch.ones(2, 2),))
    tries(log, lambda: net(data(torch)).sum().backward())


@scenario(HOOKS)
def backward_hooks_with_many_inputs_and_outputs(torch, log):
    class Many(torch.nn.Module):
        def forward(self, x, y, k=None):
            return x * y, x + 1, y.detach(), 7

    net = Many()
    net.register_full_backward_hook(lambda m, *grads: log.append(grads))
    x, y = data(torch, True), data(torch, True)
    out = net(x, y, 3)
    out[0].sum().backward()
    log.append([x.grad, y.grad, [getattr(each, "requires_grad", None) for each in out]])
    net(x, data(torch), k=x)[1].sum().backward()
    return x.grad


@scenario(HOOKS)
def backward_hooks_need_tensors(torch, log):
    class Named(torch.nn.Module):
        def forward(self, x):
            return {"out": x * 2}

    net, x = Named(), data(torch, True)
    net.register_full_backward_hook(lambda m, *grads: log.append(grads))
    net(x)["out"].sum().backward()
    with torch.no_grad():
        log.append(net(x)["out"].requires_grad)
    return x.grad


@scenario(HOOKS)
def backward_hooks_on_repeated_and_second_backward(torch, log):
    net, x = network(torch), data(torch, True)
    net.register_full_backward_hook(lambda m, *grads: log.append(grads))
    loss = net(x).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    (first,) = torch.autograd.grad((net(x) ** 2).sum(), x, create_graph=True)
    return x.grad, first, torch.autograd.grad(first.sum(), x)


@scenario(HOOKS)
def backward_hooks_of_two_kinds_do_not_mix(torch, log):
    for first, second in (("full_", ""), ("", "full_")):
        net = network(torch)
        getattr(net, f"register_{first}backward_hook")(print)
        attempt(log, getattr(net, f"register_{second}backward_hook"), print)


@scenario(HOOKS)
def hooks_of_all_modules(torch, log):
    module = sys.modules[torch.nn.Module.__module__]
    net, x = network(torch), data(torch, True)
    net.register_forward_pre_hook(lambda m, args: log.append("own"))

    def name(m):
        return type(m).__name__

    handles = [
        module.register_module_forward_pre_hook(lambda m, args: log.append(["pre", name(m)])),
        module.register_module_forward_hook(lambda m, args, out: log.append(["after", name(m)])),
        module.register_module_full_backward_hook(lambda m, *grads: log.append([name(m), grads])),
    ]
    net(x).sum().backward()
    for handle in handles:
        handle.remove()
    net(x)
    return x.grad


@scenario(HOOKS)
def state_dict_hooks(torch, log):
    net = network(torch)
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append([prefix, keep]))
    net.register_state_dict_post_hook(lambda m, state, prefix, meta: log.append([state, prefix]))
    net.a._register_state_dict_hook(lambda m, state, prefix, meta: {**state, "extra": meta})
    log.append(list(net.state_dict()))
    net.register_state_dict_post_hook(lambda m, state, prefix, meta: 3)
    return net.state_dict()


@scenario(HOOKS)
def load_state_dict_hooks(torch, log):
    net = network(torch)
    net._register_load_state_dict_pre_hook(lambda *args: log.append([list(args[0]), args[1:]]))
    net.a.register_load_state_dict_pre_hook(lambda m, *args: log.append([m, list(args[0])]))

    def forgive(module, incompatible):
        log.append([incompatible.missing_keys, incompatible.unexpected_keys])
        incompatible.missing_keys.clear()

    net.register_load_state_dict_post_hook(forgive)
    state = net.state_dict()
    del state["a.bias"]
    log.append(repr(net.load_state_dict(state)))
    net.register_load_state_dict_post_hook(lambda m, incompatible: 3)
    return net.load_state_dict(state)


# --- containers
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


GROUPS = {"module": MODULE, "hooks": HOOKS, "containers": CONTAINERS, "utils": UTILS}
