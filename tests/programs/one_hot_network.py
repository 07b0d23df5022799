"""A deep network on generated one-hot targets: made, trained, tested, saved, loaded, tested."""

import os
import tempfile

import torch
import torch.nn as nn

torch.manual_seed(0)
X1 = torch.rand(1000, 1)
X2 = torch.rand(1000, 1)
X3 = torch.rand(1000, 1)
Y1 = ((X1 + X2 + X3) < 1).float()
Y2 = ((1 < (X1 + X2 + X3)) & ((X1 + X2 + X3) < 2)).float()
Y3 = ((X1 + X2 + X3) > 2).float()
Data = torch.cat([X1, X2, X3, Y1, Y2, Y3], axis=1)
print(Data.shape)
train_size = int(len(Data) * 0.7)
test_size = len(Data) - train_size
Data = Data[torch.randperm(Data.size(0)), :]
train_Data = Data[:train_size, :]
test_Data = Data[train_size:, :]
print((train_Data.shape, test_Data.shape))


class DNN(nn.Module):
    def __init__(self):
        super(DNN, self).__init__()
        self.net = nn.Sequential(
            nn.Linear(3, 5), nn.ReLU(),
            nn.Linear(5, 5), nn.ReLU(),
            nn.Linear(5, 5), nn.ReLU(),
            nn.Linear(5, 3),
        )

    def forward(self, x):
        y = self.net(x)
        return y


model = DNN().to("cpu")
print(model)
for name, param in model.named_parameters():
    print(f"name: {name}\n shape: {param.shape}\n value: {param}\n")
loss_fn = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
losses = []
X = train_Data[:, :3]
Y = train_Data[:, -3:]
for epoch in range(300):
    Pred = model(X)
    loss = loss_fn(Pred, Y)
    losses.append(loss.item())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(*(f"{value:.4f}" for value in losses[::30]))


def test(model):
    X = test_Data[:, :3]
    Y = test_Data[:, -3:]
    with torch.no_grad():
        Pred = model(X)
        Pred[:, torch.argmax(Pred, axis=1)] = 1
        Pred[Pred != 1] = 0
        correct = torch.sum((Pred == Y).all(1))
        total = Y.size(0)
        print(f"accuracy: {100*correct/total} %")
        print((model(X).argmax(1) == Y.argmax(1)).float().mean() > 0.5)


test(model)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "model.pth")
    torch.save(model, path)
    new_model = torch.load(path, weights_only=False)
    print(type(new_model) is DNN, new_model)
    test(new_model)
    print(torch.equal(model.net[2].weight, new_model.net[2].weight))
    new_model.net[2].weight.data.zero_()
    print(model.net[2].weight.abs().sum() > 0)
