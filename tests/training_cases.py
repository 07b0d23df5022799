"""Whole training runs, written once for Lantern and PyTorch: what the documents' programs do."""

from __future__ import annotations

import numpy as np


def dnn_on_generated_data(torch):
    """The lecture's chapter 3: sums of three uniforms, one-hot targets, full batch."""
    nn = torch.nn
    x1, x2, x3 = (torch.rand(500, 1) for _ in range(3))
    total = x1 + x2 + x3
    y1 = (total < 1).float()
    y2 = ((1 < total) & (total < 2)).float()
    y3 = (total > 2).float()
    data = torch.cat([x1, x2, x3, y1, y2, y3], axis=1)
    data = data[torch.randperm(data.size(0)), :]
    train, test = data[:350, :], data[350:, :]

    class DNN(nn.Module):
        def __init__(self):
            super(DNN, self).__init__()  # noqa: UP008  (as the lecture writes it)
            self.net = nn.Sequential(
                nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3)
            )

        def forward(self, x):
            return self.net(x)

    model = DNN()
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(100):
        prediction = model(train[:, :3])
        loss = criterion(prediction, train[:, -3:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()
    with torch.no_grad():
        prediction = model(test[:, :3])
        prediction[:, torch.argmax(prediction, axis=1)] = 1
        prediction[prediction != 1] = 0
        yield torch.sum((prediction == test[:, -3:]).all(1)).item()


def diabetes_in_mini_batches(torch):
    """Chapter 5: a Dataset of NumPy rows, random_split, shuffled batches, BCE and Adam."""
    nn = torch.nn
    rows = np.random.RandomState(3).standard_normal((159, 9)).astype(np.float32)
    rows[:, 8] = rows[:, :3].sum(1) > 0

    class Data(torch.utils.data.Dataset):
        def __init__(self):
            self.x = torch.tensor(rows[:, :8])
            self.y = torch.tensor(rows[:, [8]])

        def __getitem__(self, index):
            return self.x[index], self.y[index]

        def __len__(self):
            return len(self.x)

    parts = torch.utils.data.random_split(Data(), [120, 39])
    loader = torch.utils.data.DataLoader(dataset=parts[0], batch_size=32, shuffle=True)
    model = nn.Sequential(
        nn.Linear(8, 32),
        nn.Sigmoid(),
        nn.Linear(32, 8),
        nn.Sigmoid(),
        nn.Linear(8, 1),
        nn.Sigmoid(),
    )
    criterion = nn.BCELoss(reduction="mean")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(10):
        for x, y in loader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield loss.item()


def classes_with_dropout(torch):
    """Cross entropy of classes, dropout, momentum, gradient clipping."""
    nn = torch.nn
    random = np.random.RandomState(4)
    images = torch.tensor(random.rand(256, 1, 8, 8).astype(np.float32))
    labels = torch.tensor(random.randint(0, 10, 256))
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(images, labels), batch_size=50, shuffle=True
    )
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 40), nn.ReLU(), nn.Dropout(0.2), nn.Linear(40, 10)
    )
    nn.init.xavier_uniform_(model[1].weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    for _ in range(8):
        model.train()
        for x, y in loader:
            loss = nn.CrossEntropyLoss()(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            yield loss.item()
        model.eval()
        with torch.no_grad():
            yield (model(images).argmax(1) == labels).float().mean().item()


def by_hand(torch):
    """Tensors and autograd alone: a two-layer network whose weights are updated by hand."""
    x, y = torch.randn(64, 100), torch.randn(64, 10)
    w1 = torch.randn(100, 30, requires_grad=True)
    w2 = torch.randn(30, 10, requires_grad=True)
    for _ in range(60):
        loss = (x.mm(w1).clamp(min=0).mm(w2) - y).pow(2).sum()
        loss.backward()
        with torch.no_grad():
            w1 -= 1e-6 * w1.grad
            w2 -= 1e-6 * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
        yield loss.item()


CASES = [dnn_on_generated_data, diabetes_in_mini_batches, classes_with_dropout, by_hand]


def run(torch, case, seed=0):
    """Returns the numbers that a run gives, from a seed."""
    torch.manual_seed(seed)
    return list(case(torch))
