"""One weight, by Python, by autograd and by nn; logistic regression with the old loss arguments."""

import torch
import torch.nn as nn
import torch.nn.functional as F

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]
w = 1.0


def forward(x):
    return x * w


def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) ** 2


for epoch in range(20):
    for x, y in zip(x_data, y_data):
        w -= 0.01 * 2 * x * (x * w - y)
print("python", w)

w = torch.Tensor([1.0])
w.requires_grad = True
print("predict (before training)", 4, forward(4).item())
for epoch in range(20):
    for x, y in zip(x_data, y_data):
        l = loss(x, y)
        l.backward()
        print("\tgrad:", x, y, w.grad.item())
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
    print("progress:", epoch, l.item())
print("predict (after training)", 4, forward(4).item())

torch.manual_seed(0)
x_data = torch.Tensor([[1.0], [2.0], [3.0]])
y_data = torch.Tensor([[2.0], [4.0], [6.0]])


class LinearModel(nn.Module):
    def __init__(self):
        super(LinearModel, self).__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        y_pred = self.linear(x)
        return y_pred


model = LinearModel()
criterion = torch.nn.MSELoss(size_average=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(100):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    if epoch % 10 == 0:
        print(epoch, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print("w = ", model.linear.weight.item())
print("b = ", model.linear.bias.item())
x_test = torch.Tensor([[4.0]])
y_test = model(x_test)
print("y_pred = ", y_test.data)

x_data = torch.Tensor([[1.0], [2.0], [3.0]])
y_data = torch.Tensor([[0], [0], [1]])


class LogisticRegressionModel(torch.nn.Module):
    def __init__(self):
        super(LogisticRegressionModel, self).__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        y_pred = F.sigmoid(self.linear(x))
        return y_pred


model = LogisticRegressionModel()
criterion = torch.nn.BCELoss(size_average=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(100):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    if epoch % 20 == 0:
        print(epoch, loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(model(torch.Tensor([[4.0]])), list(model.parameters()))

x = torch.linspace(-3, 3, 7)
for sigma in (
    lambda x: 1 / (1 + torch.exp(-x)),
    lambda x: torch.erf(torch.pi**0.5 / 2 * x),
    torch.tanh,
    lambda x: 2 / torch.pi * 2 * torch.atan(torch.tanh(torch.pi / 4 * x)),
    lambda x: x / torch.sqrt(1 + x**2),
    lambda x: 2 / torch.pi * torch.atan(torch.pi / 2 * x),
    lambda x: x / (1 + torch.abs(x)),
):
    print(sigma(x))


class Layer:
    def __call__(self, *args, **kwargs):
        return len(args), sorted(kwargs)


print(Layer()(1, 2, x=3))
