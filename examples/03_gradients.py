"""`backward()` fills `grad` of the leaves, adds up over calls, and refuses what has no gradient.
A last part draws the graph that it walks, as an SVG file.

`backward()` 计算叶子张量的 `grad`,多次调用会累加;不能求导的情况会给出明确的错误。
最后把反向传播所走的计算图画成 SVG 文件。
"""

import os

import lantern as torch
from lantern import nn, viz

x = torch.tensor(2.0, requires_grad=True)
y = x**2
y.backward()
print("d(x^2)/dx at 2:", x.grad)

u = torch.tensor(1.0, requires_grad=True)
v = torch.tensor(2.0, requires_grad=True)
f = u * v + u**2
f.backward()
print("partial derivatives 偏导数:", u.grad, v.grad)

x = torch.tensor(1.0, requires_grad=True)
w = torch.tensor(2.0, requires_grad=True)
b = torch.tensor(3.0, requires_grad=True)
y = w * x + b
y.backward()
print(w.grad, x.grad, b.grad)

(w * x).backward()
print("added up 累加:", w.grad)
w.grad.zero_()
print("cleared 清零:", w.grad)

for attempt in (
    lambda: torch.tensor(2, requires_grad=True),  # an integer
    lambda: (w * torch.ones(3)).backward(),  # not a scalar
    lambda: y.backward(),  # a second time
):
    try:
        attempt()
    except RuntimeError as error:
        print("RuntimeError:", str(error).splitlines()[0])

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
(X**2).sum(1).sum().backward()  # losses by sample, summed
print(X.grad)
(second,) = torch.autograd.grad(torch.autograd.grad(w**3, w, create_graph=True), w)
print("second derivative of w^3 at 2 二阶导数:", second)

net = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1))
loss = nn.MSELoss()(net(torch.ones(4, 3)), torch.zeros(4, 1))
folder = os.environ.get("LANTERN_FIGURES", ".")
graph = viz.make_dot(loss, dict(net.named_parameters()))
print("picture:", graph.save(os.path.join(folder, "03_gradients.svg")).name)
