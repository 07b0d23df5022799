"""Linear regression as a Module: one input, then several inputs and several outputs.
The weights are set through `state_dict`, which shares memory with the model, before training.

用 Module 实现线性回归:单输入,以及多输入多输出。
训练前通过与模型共享内存的 `state_dict` 设置初始参数。
"""

import matplotlib.pyplot as plt
from common import picture

import lantern as torch
from lantern import nn, optim
from lantern.utils.data import DataLoader, TensorDataset

x_data = torch.Tensor([[1.0], [2.0], [3.0]])
y_data = torch.Tensor([[2.0], [4.0], [6.0]])


class LinearModel(nn.Module):
    def __init__(self, input_size, output_size):
        super(LinearModel, self).__init__()
        self.linear = nn.Linear(input_size, output_size)

    def forward(self, x):
        return self.linear(x)


torch.manual_seed(0)
model = LinearModel(1, 1)
criterion = nn.MSELoss(reduction="sum")
optimizer = optim.SGD(model.parameters(), lr=0.01)
losses = []
for epoch in range(100):
    loss = criterion(model(x_data), y_data)
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {losses[0]:.4f} -> {losses[-1]:.6f}")
print("w = ", model.linear.weight.item())
print("b = ", model.linear.bias.item())
print("y_pred = ", model(torch.Tensor([[4.0]])).data)

print("--- parameters set by hand 手动初始化")
model.state_dict()["linear.weight"][0] = -15
model.state_dict()["linear.bias"][0] = -10
print(model.linear.weight.item(), model.linear.bias.item())

print("--- two inputs, three outputs 多输入多输出")
torch.manual_seed(1)
X = torch.randn(200, 2)
truth = torch.tensor([[1.0, -2.0], [0.5, 3.0], [-1.0, 1.0]])
Y = X @ truth.T + torch.tensor([1.0, 2.0, 3.0]) + 0.05 * torch.randn(200, 3)
model = LinearModel(2, 3)
optimizer = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(10):
    for x, y in DataLoader(TensorDataset(X, Y), batch_size=20, shuffle=True):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(model.linear.weight.data, model.linear.bias.data, sep="\n")
print(f"largest error of a weight: {(model.linear.weight - truth).abs().max().item():.3f}")

figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(losses)
axes.set(xlabel="epoch", ylabel="loss", yscale="log")
picture(figure)
