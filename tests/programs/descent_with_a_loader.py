"""Batch, stochastic and mini-batch descent on a line, data sets, transforms and loaders."""

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset


class toy_set(Dataset):
    def __init__(self, length=100, transform=None):
        self.len = length
        self.x = 2 * torch.ones(length, 2)
        self.y = torch.ones(length, 1)
        self.transform = transform

    def __len__(self):
        return self.len

    def __getitem__(self, index):
        sample = self.x[index], self.y[index]
        if self.transform:
            sample = self.transform(sample)
        return sample


class add_mult(object):
    def __init__(self, addx=1, muly=2):
        self.addx = addx
        self.muly = muly

    def __call__(self, sample):
        x = sample[0] + self.addx
        y = sample[1] * self.muly
        return x, y


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, sample):
        for transform in self.transforms:
            sample = transform(sample)
        return sample


data_set = toy_set()
print(len(data_set), data_set[0], add_mult()(data_set[0]), toy_set(transform=add_mult())[3])
print(Compose([add_mult(), lambda s: (s[0] * 100, s[1])])(data_set[0]), data_set[:3])


class Data(Dataset):
    def __init__(self):
        self.x = torch.arange(-3, 3, 0.5).view(-1, 1)
        self.y = 1 * self.x - 1 + 0.1 * torch.randn(self.x.size())
        self.len = self.x.shape[0]

    def __getitem__(self, index):
        return self.x[index], self.y[index]

    def __len__(self):
        return self.len


torch.manual_seed(1)
dataset = Data()
X, Y = dataset.x, dataset.y
print(X.shape, Y)


def forward(x):
    return w * x + b


def criterion(yhat, y):
    return torch.mean((yhat - y) ** 2)


def step(loss):
    loss.backward()
    w.data = w.data - lr * w.grad.data
    b.data = b.data - lr * b.grad.data
    w.grad.data.zero_()
    b.grad.data.zero_()


lr = 0.1
for size in (None, 1, 5, 12):
    w = torch.tensor(-15.0, requires_grad=True)
    b = torch.tensor(-10.0, requires_grad=True)
    history = []
    trainloader = DataLoader(dataset=dataset, batch_size=size or 1)
    for epoch in range(4):
        history.append(criterion(forward(X), Y).tolist())
        for x, y in trainloader if size else zip(X, Y):
            step(criterion(forward(x), y))
    print(size, len(trainloader), [round(value, 3) for value in history], w, b)


class linear_regression(nn.Module):
    def __init__(self, input_size, output_size):
        super(linear_regression, self).__init__()
        self.linear = nn.Linear(input_size, output_size)

    def forward(self, x):
        return self.linear(x)


criterion = nn.MSELoss()
model = linear_regression(1, 1)
optimizer = optim.SGD(model.parameters(), lr=0.01)
model.state_dict()["linear.weight"][0] = -15
model.state_dict()["linear.bias"][0] = -10
print(model.state_dict())
trainloader = DataLoader(dataset=dataset, batch_size=4, shuffle=True)
for epoch in range(5):
    for x, y in trainloader:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.tolist())
print(model.state_dict(), optimizer.state_dict(), sep="\n")

# several inputs and outputs, and the choice of a learning rate on a validation set
torch.manual_seed(3)
W = torch.tensor([[1.0, -1.0], [2.0, 0.5]])
X = torch.randn(40, 2)
Y = X @ W + 1 + 0.1 * torch.randn(40, 2)
train, validation = (X[:30], Y[:30]), (X[30:], Y[30:])
for rate in (1e-4, 1e-2, 1e-1, 1.0):
    torch.manual_seed(0)
    model = linear_regression(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=rate)
    for epoch in range(15):
        optimizer.zero_grad()
        criterion(model(train[0]), train[1]).backward()
        optimizer.step()
    with torch.no_grad():
        print(rate, f"{criterion(model(validation[0]), validation[1]):.4g}")


class logistic_regression(nn.Module):
    def __init__(self, n_inputs):
        super(logistic_regression, self).__init__()
        self.linear = nn.Linear(n_inputs, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x))


def cross_entropy(yhat, y):
    return -1 * torch.mean(y * torch.log(yhat) + (1 - y) * torch.log(1 - yhat))


x = torch.arange(-1, 1, 0.1).view(-1, 1)
points = torch.utils.data.TensorDataset(x, (x > 0.2).float())
for criterion in (cross_entropy, nn.BCELoss()):
    torch.manual_seed(0)
    model = logistic_regression(1)
    optimizer = torch.optim.SGD(model.parameters(), lr=2)
    for epoch in range(20):
        for a, b in DataLoader(dataset=points, batch_size=3):
            loss = criterion(model(a), b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    label = model(x) > 0.5
    print(loss.item(), torch.mean((label == (x > 0.2)).type(torch.float)))
