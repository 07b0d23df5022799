"""A network of two layers, 1000-100-10, six times: by NumPy, tensors, autograd, nn, optim, Module.
All start from the same weights, so the first four print the same losses.

两层神经网络(1000-100-10)的六种写法:NumPy、张量、autograd、nn、optim、自定义 Module。
初始权重相同,所以前四种写法的损失相同。
"""

import matplotlib.pyplot as plt
import numpy as np
from common import device, picture

import lantern as torch
from lantern import nn

N, D_in, H, D_out = 64, 1000, 100, 10
STEPS, learning_rate = 200, 1e-6
torch.manual_seed(0)
X, Y = torch.randn(N, D_in), torch.randn(N, D_out)
W1, W2 = torch.randn(D_in, H), torch.randn(H, D_out)
here = device()


def with_numpy():
    x, y, w1, w2 = (t.numpy().copy() for t in (X, Y, W1, W2))
    for _ in range(STEPS):
        h = x.dot(w1)
        h_relu = np.maximum(h, 0)
        y_pred = h_relu.dot(w2)
        yield np.square(y_pred - y).sum()
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.T.dot(grad_y_pred)
        grad_h = grad_y_pred.dot(w2.T)
        grad_h[h < 0] = 0
        w1 -= learning_rate * x.T.dot(grad_h)
        w2 -= learning_rate * grad_w2


def with_tensors():
    x, y, w1, w2 = (t.to(here, copy=True) for t in (X, Y, W1, W2))
    for _ in range(STEPS):
        h = x.mm(w1)
        h_relu = h.clamp(min=0)
        y_pred = h_relu.mm(w2)
        yield (y_pred - y).pow(2).sum().item()
        grad_y_pred = 2.0 * (y_pred - y)
        grad_w2 = h_relu.t().mm(grad_y_pred)
        grad_h = grad_y_pred.mm(w2.t()).clone()
        grad_h[h < 0] = 0
        w1 -= learning_rate * x.t().mm(grad_h)
        w2 -= learning_rate * grad_w2


def with_autograd():
    x, y = X.to(here), Y.to(here)
    w1, w2 = (t.to(here, copy=True).requires_grad_() for t in (W1, W2))
    for _ in range(STEPS):
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        yield loss.item()
        loss.backward()
        with torch.no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()


def sequential():
    model = nn.Sequential(
        nn.Linear(D_in, H, bias=False), nn.ReLU(), nn.Linear(H, D_out, bias=False)
    )
    model[0].weight.data, model[2].weight.data = W1.t().clone(), W2.t().clone()
    return model.to(here)


def with_nn():
    model, loss_fn, x, y = sequential(), nn.MSELoss(reduction="sum"), X.to(here), Y.to(here)
    for _ in range(STEPS):
        loss = loss_fn(model(x), y)
        yield loss.item()
        loss.backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= learning_rate * param.grad
        model.zero_grad()


def trained(model, optimizer):
    loss_fn, x, y = nn.MSELoss(reduction="sum"), X.to(here), Y.to(here)
    for _ in range(STEPS):
        loss = loss_fn(model(x), y)
        yield loss.item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def with_optim():
    model = sequential()
    return trained(model, torch.optim.SGD(model.parameters(), lr=learning_rate))


class TwoLayerNet(nn.Module):
    def __init__(self, D_in, H, D_out):
        super().__init__()
        self.linear1 = nn.Linear(D_in, H, bias=False)
        self.linear2 = nn.Linear(H, D_out, bias=False)

    def forward(self, x):
        return self.linear2(self.linear1(x).clamp(min=0))


def with_module():
    model = TwoLayerNet(D_in, H, D_out).to(here)
    return trained(model, torch.optim.Adam(model.parameters(), lr=1e-4))


figure, axes = plt.subplots(figsize=(5, 3.5))
for way in (with_numpy, with_tensors, with_autograd, with_nn, with_optim, with_module):
    losses = list(way())
    name = way.__name__.removeprefix("with_")
    print(f"{name:9} first {losses[0]:.6g}, after {STEPS} steps {losses[-1]:.4g}")
    axes.plot(losses, label=name)
axes.set(xlabel="step", ylabel="loss", yscale="log")
axes.legend()
picture(figure)
