"""A binary classifier on the rows of a CSV file, in one batch with Adam and in mini-batches."""

import os
import tempfile

import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset, random_split

random = np.random.RandomState(0)
features = random.randn(300, 8).round(3)
target = (features @ random.randn(8) > 0.3).astype(int)
folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "Data.csv")
with open(path, "w") as file:
    file.write(",".join(["", *(f"x{i}" for i in range(8)), "y"]) + "\n")
    for i, (row, y) in enumerate(zip(features, target)):
        file.write(",".join([str(i), *map(str, row), str(y)]) + "\n")


class MyData(Dataset):
    def __init__(self, filepath):
        arr = np.genfromtxt(filepath, delimiter=",", skip_header=1)[:, 1:]
        arr = arr.astype(np.float32)
        ts = torch.tensor(arr)
        self.X = ts[:, :-1]
        self.Y = ts[:, -1].reshape((-1, 1))
        self.len = ts.shape[0]

    def __getitem__(self, index):
        return self.X[index], self.Y[index]

    def __len__(self):
        return self.len


class DNN(nn.Module):
    def __init__(self):
        super(DNN, self).__init__()
        self.net = nn.Sequential(
            nn.Linear(8, 32), nn.Sigmoid(),
            nn.Linear(32, 8), nn.Sigmoid(),
            nn.Linear(8, 4), nn.Sigmoid(),
            nn.Linear(4, 1), nn.Sigmoid(),
        )

    def forward(self, x):
        return self.net(x)


torch.manual_seed(5)
Data = MyData(path)
train_size = int(len(Data) * 0.7)
test_size = len(Data) - train_size
train_Data, test_Data = random_split(Data, [train_size, test_size])
print(len(train_Data), len(test_Data), train_Data.indices[:5], train_Data[0])
train_loader = DataLoader(dataset=train_Data, shuffle=True, batch_size=64)
test_loader = DataLoader(dataset=test_Data, shuffle=False, batch_size=32)
print(len(train_loader), [y.sum().item() for x, y in train_loader], [len(x) for x, _ in test_loader])

model = DNN()
loss_fn = nn.BCELoss(reduction="mean")
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
X, Y = Data.X[:210], Data.Y[:210]
for epoch in range(100):
    Pred = model(X)
    loss = loss_fn(Pred, Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print(epoch, loss.item())
with torch.no_grad():
    Pred = model(Data.X[210:])
    Pred[Pred >= 0.5] = 1
    Pred[Pred < 0.5] = 0
    correct = torch.sum((Pred == Data.Y[210:]).all(1))
    total = Pred.size(0)
    print(f"accuracy: {100*correct/total} %")

model = DNN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
losses = []
for epoch in range(25):
    for (x, y) in train_loader:
        Pred = model(x)
        loss = loss_fn(Pred, y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print([round(value, 3) for value in losses[::12]])
correct = 0
total = 0
with torch.no_grad():
    for (x, y) in test_loader:
        Pred = model(x)
        Pred[Pred >= 0.5] = 1
        Pred[Pred < 0.5] = 0
        correct += torch.sum((Pred == y).all(1))
        total += y.size(0)
print(f"accuracy: {100*correct/total} %", correct, total)
folder.cleanup()
