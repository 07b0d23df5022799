"""A line is trained from (-15, -10) by stochastic and by mini-batch gradient descent.
The pictures show the way of both over the surface of the loss.

直线模型从 (-15, -10) 出发,分别用随机梯度下降与小批量梯度下降训练。
图中画出两者在损失曲面上走过的路径。
"""

import lantern as torch
from lantern.utils.data import DataLoader, Dataset
from lantern.viz import plot_error_surfaces

torch.manual_seed(1)


class Data(Dataset):
    def __init__(self):
        self.x = torch.arange(-3, 3, 0.1).view(-1, 1)
        self.y = 1 * self.x - 1 + 0.1 * torch.randn(self.x.size())
        self.len = self.x.shape[0]

    def __getitem__(self, index):
        return self.x[index], self.y[index]

    def __len__(self):
        return self.len


dataset = Data()
X, Y = dataset[:]


def forward(x):
    return w * x + b


def criterion(yhat, y):
    return torch.mean((yhat - y) ** 2)


lr = 0.1
for batch_size in (1, 10):
    w = torch.tensor(-15.0, requires_grad=True)
    b = torch.tensor(-10.0, requires_grad=True)
    get_surface = plot_error_surfaces(15, 13, X, Y, 30, go=batch_size == 1)
    trainloader = DataLoader(dataset=dataset, batch_size=batch_size)
    LOSS = []
    for epoch in range(4):
        LOSS.append(criterion(forward(X), Y).tolist())
        for x, y in trainloader:
            loss = criterion(forward(x), y)
            get_surface.set_para_loss(w.data.tolist(), b.data.tolist(), loss.tolist())
            loss.backward()
            w.data = w.data - lr * w.grad.data
            b.data = b.data - lr * b.grad.data
            w.grad.data.zero_()
            b.grad.data.zero_()
        get_surface.plot_ps()
    losses = ", ".join(f"{loss:.4f}" for loss in LOSS)
    print(f"batch size {batch_size}: losses {losses}; w = {w.item():.2f}, b = {b.item():.2f}")
