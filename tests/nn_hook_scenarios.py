"""What users do with the hooks of modules."""

from __future__ import annotations

import sys

from nn_record import attempt, data, network, scenario, tries

HOOKS = {}


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
