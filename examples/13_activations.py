"""The seven sigmoid-like functions of the notes, scaled to slope 1 at 0, and their derivatives.
Then a table of all activation layers with their values at five places.

笔记中的七个 σ 函数(在 0 处斜率均为 1)及其导数的图像。
然后列出所有激活层在五个点处的取值。
"""

import math

import matplotlib.pyplot as plt
from common import picture

import lantern as torch
from lantern import nn

functions = {
    "logistic, 2/(1+exp(-2x))-1": lambda x: 2 * torch.sigmoid(2 * x) - 1,
    "erf(sqrt(pi)/2 x)": lambda x: torch.erf(math.sqrt(math.pi) / 2 * x),
    "tanh": torch.tanh,
    "Gudermann, 2/pi gd(pi/2 x)": lambda x: (
        2 / math.pi * 2 * torch.atan(torch.tanh(math.pi / 4 * x))
    ),
    "x/sqrt(1+x^2)": lambda x: x / torch.sqrt(1 + x**2),
    "2/pi arctan(pi/2 x)": lambda x: 2 / math.pi * torch.atan(math.pi / 2 * x),
    "x/(1+|x|)": lambda x: x / (1 + torch.abs(x)),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
for name, function in functions.items():
    x = torch.linspace(-4, 4, 201, requires_grad=True)
    y = function(x)
    y.sum().backward()
    left.plot(x.tolist(), y.tolist(), label=name)
    right.plot(x.tolist(), x.grad.tolist())
    print(f"{name:28} slope at 0: {x.grad[100].item():.4f}, at 4: {y[-1].item():.4f}")
left.legend(fontsize=7)
right.set_title("derivatives")
picture(figure)

layers = (
    "ELU Hardshrink Hardsigmoid Hardtanh Hardswish LeakyReLU LogSigmoid PReLU ReLU ReLU6 SELU CELU "
    "GELU Sigmoid SiLU Mish Softplus Softshrink Softsign Tanh Tanhshrink"
).split()
places = torch.tensor([-3.0, -1.0, 0.0, 1.0, 3.0])
for name in layers:
    values = getattr(nn, name)()(places)
    print(f"{name:12}", " ".join(f"{value:8.4f}" for value in values.tolist()))
print(nn.Threshold(0.1, 20), nn.GLU(), nn.Softmax(dim=0)(places), nn.Softmin(dim=0)(places))
