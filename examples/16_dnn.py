"""A deep network learns in which range a sum of three numbers lies, all samples in one batch.
It is saved whole, loaded, and the loaded network gives the same accuracy.

深度网络学习三个数之和落在哪个区间,采用批量梯度下降。
整个网络保存后重新导入,准确率相同。
"""

import os
import tempfile

import matplotlib.pyplot as plt
from common import device, picture

import lantern as torch
from lantern import nn

here = device()
torch.manual_seed(0)
X1, X2, X3 = torch.rand(10000, 1), torch.rand(10000, 1), torch.rand(10000, 1)
Y1 = ((X1 + X2 + X3) < 1).float()
Y2 = ((1 < (X1 + X2 + X3)) & ((X1 + X2 + X3) < 2)).float()
Y3 = ((X1 + X2 + X3) > 2).float()
Data = torch.cat([X1, X2, X3, Y1, Y2, Y3], axis=1).to(here)
print(Data.shape)
train_size = int(len(Data) * 0.7)
Data = Data[torch.randperm(Data.size(0)), :]
train_Data, test_Data = Data[:train_size, :], Data[train_size:, :]
print(train_Data.shape, test_Data.shape)


class DNN(nn.Module):
    def __init__(self):
        super(DNN, self).__init__()
        self.net = nn.Sequential(
            nn.Linear(3, 5), nn.ReLU(),
            nn.Linear(5, 5), nn.ReLU(),
            nn.Linear(5, 5), nn.ReLU(),
            nn.Linear(5, 3),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


model = DNN().to(here)
print(model)
for name, param in model.named_parameters():
    print(f"参数:{name} 形状:{param.shape}")
print(model.net[6].bias)

loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []
X, Y = train_Data[:, :3], train_Data[:, -3:]
for epoch in range(1000):
    Pred = model(X)
    loss = loss_fn(Pred, Y)
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {losses[0]:.4f} -> {losses[-1]:.4f}")


def test(model):
    X, Y = test_Data[:, :3], test_Data[:, -3:]
    with torch.no_grad():
        Pred = model(X)
        Pred[torch.arange(len(Pred)), torch.argmax(Pred, axis=1)] = 1
        Pred[Pred != 1] = 0
        correct = torch.sum((Pred == Y).all(1))
        total = Y.size(0)
        print(f"测试集精准度: {100 * correct / total} %")


test(model)
path = os.path.join(tempfile.mkdtemp(), "model.pth")
torch.save(model, path)
test(torch.load(path))

figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(range(len(losses)), losses)
axes.set(xlabel="epoch", ylabel="loss")
picture(figure)
