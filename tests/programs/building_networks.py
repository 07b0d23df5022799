"""Blocks, parameters, rules of initialisation, tied layers and layers of one's own."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
X = torch.rand(2, 20)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 16)
        self.out = nn.Linear(16, 10)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


class MySequential(nn.Module):
    def __init__(self, *args):
        super().__init__()
        for idx, module in enumerate(args):
            self._modules[str(idx)] = module

    def forward(self, X):
        for block in self._modules.values():
            X = block(X)
        return X


class FixedHiddenMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.rand_weight = torch.rand((20, 20), requires_grad=False)
        self.linear = nn.Linear(20, 20)

    def forward(self, X):
        X = self.linear(X)
        X = F.relu(torch.mm(X, self.rand_weight) + 1)
        X = self.linear(X)
        while X.abs().sum() > 1:
            X /= 2
        return X.sum()


class Keyed(nn.Module):
    """Uses the modules themselves as keys."""

    def __init__(self, *blocks):
        super().__init__()
        for block in blocks:
            self._modules[block] = block

    def forward(self, X):
        for block in self._modules.values():
            X = block(X)
        return X


net = MLP()
print(net(X), net, sep="\n")
net = MySequential(nn.Linear(20, 16), nn.ReLU(), nn.Linear(16, 10))
print(net(X), net, sep="\n")
net = FixedHiddenMLP()
print(net(X), net)
print(Keyed(nn.Linear(20, 4), nn.ReLU())(X))


def block1():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())


def block2():
    net = nn.Sequential()
    for i in range(4):
        net.add_module(f"block{i}", block1())
    return net


X = torch.rand(size=(2, 4))
rgnet = nn.Sequential(block2(), nn.Linear(4, 1))
print(rgnet(X), rgnet, rgnet[0][1][0].bias.data, sep="\n")

net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
print(net[2].state_dict())
print(type(net[2].bias).__name__, net[2].bias, net[2].bias.data, net[2].weight.grad is None, sep="\n")
print(*[(name, param.shape) for name, param in net[0].named_parameters()])
print(*[(name, param.shape) for name, param in net.named_parameters()])
print(net.state_dict()["2.bias"].data, [name for name, _ in rgnet.named_modules()][:4])
print(net[:2], len(net), [type(layer).__name__ for layer in net], list(net.children())[1])
print(sum(p.numel() for p in rgnet.parameters()), dict(net.named_children()).keys())


def init_normal(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, mean=0, std=0.01)
        nn.init.zeros_(m.bias)


net.apply(init_normal)
print(net[0].weight.data[0], net[0].bias.data[0])


def init_constant(m):
    if type(m) == nn.Linear:
        nn.init.constant_(m.weight, 1)
        nn.init.zeros_(m.bias)


net.apply(init_constant)
print(net[0].weight.data[0], net[0].bias.data[0])


def init_xavier(m):
    if type(m) == nn.Linear:
        nn.init.xavier_uniform_(m.weight)


def init_42(m):
    if type(m) == nn.Linear:
        nn.init.constant_(m.weight, 42)


net[0].apply(init_xavier)
net[2].apply(init_42)
print(net[0].weight.data[0])
print(net[2].weight.data)


def my_init(m):
    if type(m) == nn.Linear:
        print("Init", *[(name, param.shape) for name, param in m.named_parameters()][0])
        nn.init.uniform_(m.weight, -10, 10)
        m.weight.data *= m.weight.data.abs() >= 5


net.apply(my_init)
print(net[0].weight[:2])
net[0].weight.data[:] += 1
net[0].weight.data[0, 0] = 42
print(net[0].weight.data[0])
for rule in (nn.init.xavier_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_,
             nn.init.ones_, nn.init.eye_, nn.init.orthogonal_, nn.init.trunc_normal_):
    w = torch.empty(3, 3)
    print(rule.__name__, rule(w).abs().sum() > 0, w if "orthogonal" not in rule.__name__ else "")
print(nn.init.calculate_gain("relu"), nn.init.calculate_gain("leaky_relu", 0.2))

shared = nn.Linear(8, 8)
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(),
                    nn.Linear(8, 1))
net(X).sum().backward()
print(net[2].weight.data[0] == net[4].weight.data[0], net[2].weight.grad is net[4].weight.grad)
net[2].weight.data[0, 0] = 100
print(net[2].weight.data[0] == net[4].weight.data[0], len(list(net.parameters())))
print(list(net.state_dict()), net[4].weight.grad.sum(), sep="\n")


class CenteredLayer(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, X):
        return X - X.mean()


layer = CenteredLayer()
print(layer(torch.FloatTensor([1, 2, 3, 4, 5])))
net = nn.Sequential(nn.Linear(8, 16), CenteredLayer())
print(net(torch.rand(4, 8)).mean().abs() < 1e-6, net)


class MyLinear(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_units, units))
        self.bias = nn.Parameter(torch.randn(units,))

    def forward(self, X):
        linear = torch.matmul(X, self.weight.data) + self.bias.data
        return F.relu(linear)


dense = MyLinear(5, 3)
print(dense.weight, dense(torch.rand(2, 5)), dense, sep="\n")
net = nn.Sequential(MyLinear(8, 4), MyLinear(4, 1))
print(net(torch.rand(2, 8)), net.training, net.eval()[0].training, net.train().training)


class Choice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
        self.named = nn.ModuleDict({"relu": nn.ReLU(), "tanh": nn.Tanh()})
        self.register_buffer("scale", torch.tensor(2.0))
        self.drop = nn.Dropout(0.5)
        self.same = nn.Identity()
        self.nothing = None

    def forward(self, x, which="relu"):
        for layer in self.layers:
            x = self.named[which](layer(x))
        return self.drop(self.same(x * self.scale))


net = Choice()
print(net, list(net.state_dict()), net(torch.ones(1, 2), which="tanh"), sep="\n")
net.eval()
print(net(torch.ones(3, 2)), [name for name, _ in net.named_buffers()], net.double().scale.dtype)
handle = net.register_forward_hook(lambda module, inputs, output: output.sum())
print(net(torch.ones(1, 2).double()))
handle.remove()
for parameter in net.layers[0].parameters():
    parameter.requires_grad_(False)
print([parameter.requires_grad for parameter in net.parameters()])
print(net.get_submodule("layers.1"), net.get_parameter("layers.1.bias").shape, hasattr(net, "drop"))
