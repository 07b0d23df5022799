"""The line y = w x through three points: a scan over w, then gradient descent in plain Python.
The same with a tensor, whose gradient comes from `backward()`, ends at the same w.

用三个点拟合 y = w x:先扫描 w,再用纯 Python 实现梯度下降与随机梯度下降。
换成张量后,梯度由 `backward()` 得到,结果相同。
"""

import matplotlib.pyplot as plt
import numpy as np
from common import picture

import lantern as torch

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]


def forward(x):
    return x * w


def loss(x, y):
    return (forward(x) - y) ** 2


w_list, mse_list = [], []
for w in np.arange(0.0, 4.1, 0.1):
    w_list.append(w)
    mse_list.append(sum(loss(x, y) for x, y in zip(x_data, y_data)) / 3)
print(
    f"scan 扫描: the smallest MSE is {min(mse_list):.4f} at w = {w_list[np.argmin(mse_list)]:.1f}"
)

w = 1.0
costs = []
for epoch in range(100):
    costs.append(sum(loss(x, y) for x, y in zip(x_data, y_data)) / 3)
    w -= 0.01 * sum(2 * x * (x * w - y) for x, y in zip(x_data, y_data)) / 3
print(f"gradient descent 梯度下降: w = {w:.6f}, prediction for 4: {forward(4):.6f}")

w = 1.0
for epoch in range(100):
    for x, y in zip(x_data, y_data):
        w -= 0.01 * 2 * x * (x * w - y)
print(f"stochastic 随机梯度下降: w = {w:.6f}, prediction for 4: {forward(4):.6f}")

w = torch.Tensor([1.0])
w.requires_grad = True
for epoch in range(100):
    for x, y in zip(x_data, y_data):
        l = loss(x, y)
        l.backward()
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
print(f"with backward(): w = {w.item():.6f}, prediction for 4: {forward(4).item():.6f}")

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
left.plot(w_list, mse_list)
left.set(xlabel="w", ylabel="MSE")
right.plot(costs)
right.set(xlabel="epoch", ylabel="MSE", yscale="log")
picture(figure)
