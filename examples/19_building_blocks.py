"""Modules made of modules: an own Sequential, nested blocks, parameters, tied and own layers.
Each part prints what the notes show of it.

模型构造:自定义 Sequential、嵌套块、参数管理、参数绑定与自定义层。
每一部分打印笔记中展示的内容。
"""

import lantern as torch
from lantern import nn
from lantern.nn import functional as F
from lantern.viz import summary

torch.manual_seed(0)
X = torch.rand(2, 20)


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 256)
        self.out = nn.Linear(256, 10)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


net = MLP()
print(net(X).shape, net)
print(summary(net, (2, 20)))


class MySequential(nn.Module):
    def __init__(self, *args):
        super().__init__()
        for index, block in enumerate(args):
            self._modules[str(index)] = block

    def forward(self, X):
        for block in self._modules.values():
            X = block(X)
        return X


print(MySequential(nn.Linear(20, 256), nn.ReLU(), nn.Linear(256, 10))(X).shape)


def block1():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4), nn.ReLU())


def block2():
    net = nn.Sequential()
    for i in range(4):
        net.add_module(f"block{i}", block1())
    return net


rgnet = nn.Sequential(block2(), nn.Linear(4, 1))
print(rgnet(torch.rand(2, 4)).shape, rgnet[0][1][0].bias.data.shape)
print(list(rgnet.state_dict())[:4])

print("--- initial values 初始化")
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))


def init_normal(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, mean=0, std=0.01)
        nn.init.zeros_(m.bias)


def init_constant(m):
    if type(m) == nn.Linear:
        nn.init.constant_(m.weight, 1)


def xavier(m):
    if type(m) == nn.Linear:
        nn.init.xavier_uniform_(m.weight)


def init_42(m):
    if type(m) == nn.Linear:
        nn.init.constant_(m.weight, 42)


net.apply(init_normal)
print(net[0].weight.data[0], net[0].bias.data[0])
net.apply(init_constant)
print(net[0].weight.data[0])
net[0].apply(xavier)
net[2].apply(init_42)
print(net[0].weight.data[0], net[2].weight.data)

print("--- tied layers 参数绑定")
shared = nn.Linear(8, 8)
net = nn.Sequential(
    nn.Linear(4, 8), nn.ReLU(), shared, nn.ReLU(), shared, nn.ReLU(), nn.Linear(8, 1)
)
net(torch.rand(2, 4)).sum().backward()
net[2].weight.data[0, 0] = 100
print(torch.equal(net[2].weight.data[0], net[4].weight.data[0]), len(list(net.parameters())))

print("--- own layers 自定义层")


class CenteredLayer(nn.Module):
    def forward(self, X):
        return X - X.mean()


class MyLinear(nn.Module):
    def __init__(self, in_units, units):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(in_units, units))
        self.bias = nn.Parameter(torch.randn(units))

    def forward(self, X):
        return F.relu(torch.matmul(X, self.weight.data) + self.bias.data)


print(CenteredLayer()(torch.FloatTensor([1, 2, 3, 4, 5])))
dense = MyLinear(5, 3)
print(dense.weight, dense(torch.rand(2, 5)), sep="\n")
