"""A deep network on the diabetes table, 759 rows of eight features: one batch, mini-batches.
The data go from a CSV file through pandas (or NumPy) to float32 tensors.

在糖尿病数据(759 行、8 个特征)上训练深度网络:批量与小批量两种方式。
数据从 CSV 文件经 pandas(或 NumPy)转为 float32 张量。
"""

import matplotlib.pyplot as plt
import numpy as np
from common import device, picture, table

import lantern as torch
from lantern import nn
from lantern.utils.data import DataLoader, Dataset, random_split

here = device()
torch.manual_seed(0)


class MyData(Dataset):
    def __init__(self, arr):
        ts = torch.tensor(arr.astype(np.float32)).to(here)
        self.X, self.Y = ts[:, :-1], ts[:, -1].reshape((-1, 1))
        self.len = ts.shape[0]

    def __getitem__(self, index):
        return self.X[index], self.Y[index]

    def __len__(self):
        return self.len


Data = MyData(table())
train_size = int(len(Data) * 0.7)
train_Data, test_Data = random_split(Data, [train_size, len(Data) - train_size])
print(Data.X.shape, Data.Y.shape, len(train_Data), len(test_Data))


class DNN(nn.Module):
    def __init__(self):
        super(DNN, self).__init__()
        self.net = nn.Sequential(
            nn.Linear(8, 32), nn.Sigmoid(),
            nn.Linear(32, 8), nn.Sigmoid(),
            nn.Linear(8, 4), nn.Sigmoid(),
            nn.Linear(4, 1), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


def trained(batch_size, epochs):
    loader = DataLoader(dataset=train_Data, shuffle=True, batch_size=batch_size)
    model = DNN().to(here)
    loss_fn = nn.BCELoss(reduction="mean")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    losses = []
    for epoch in range(epochs):
        for x, y in loader:
            loss = loss_fn(model(x), y)
            losses.append(loss.item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model, losses


def accuracy(model):
    correct = total = 0
    with torch.no_grad():
        for x, y in DataLoader(dataset=test_Data, shuffle=False, batch_size=64):
            Pred = model(x)
            Pred[Pred >= 0.5] = 1
            Pred[Pred < 0.5] = 0
            correct += torch.sum((Pred == y).all(1))
            total += y.size(0)
    return f"测试集精准度: {100 * correct / total} %"


figure, axes = plt.subplots(figsize=(5, 3))
for batch_size, epochs in ((train_size, 500), (128, 150)):
    model, losses = trained(batch_size, epochs)
    print(f"batch size {batch_size}: loss {losses[0]:.4f} -> {losses[-1]:.4f}, {accuracy(model)}")
    axes.plot(losses, label=f"batches of {batch_size}")
axes.set(xlabel="step", ylabel="BCE")
axes.legend()
picture(figure)
