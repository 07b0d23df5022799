"""Logistic regression with the cross entropy written by hand, and with `nn.BCELoss`.
Both learn where the classes meet, and the picture shows the way over the loss surface.

逻辑回归:手写交叉熵损失与内置的 `nn.BCELoss`。
两者都学到分类的边界,图中显示参数在损失曲面上的路径。
"""

import lantern as torch
from lantern import nn
from lantern.utils.data import DataLoader, Dataset
from lantern.viz import decision_boundary, plot_error_surfaces

torch.manual_seed(0)


class Data(Dataset):
    def __init__(self):
        self.x = torch.arange(-1, 1, 0.1).view(-1, 1)
        self.y = torch.zeros(self.x.shape[0], 1)
        self.y[self.x[:, 0] > 0.2] = 1

    def __getitem__(self, index):
        return self.x[index], self.y[index]

    def __len__(self):
        return self.x.shape[0]


class logistic_regression(nn.Module):
    def __init__(self, n_inputs):
        super().__init__()
        self.linear = nn.Linear(n_inputs, 1)

    def forward(self, x):
        return torch.sigmoid(self.linear(x))


def by_hand(yhat, y):
    return -1 * torch.mean(y * torch.log(yhat) + (1 - y) * torch.log(1 - yhat))


data_set = Data()
for name, criterion in (("by hand", by_hand), ("BCELoss", nn.BCELoss())):
    model = logistic_regression(1)
    model.state_dict()["linear.weight"][0] = -5
    model.state_dict()["linear.bias"][0] = -10
    get_surface = plot_error_surfaces(15, 13, *data_set[:], 30, go=False)
    trainloader = DataLoader(dataset=data_set, batch_size=3)
    optimizer = torch.optim.SGD(model.parameters(), lr=2)
    for epoch in range(100):
        for x, y in trainloader:
            loss = criterion(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            get_surface.set_para_loss(model, loss.tolist())
        if epoch % 20 == 0:
            get_surface.plot_ps()
    label = model(data_set.x) > 0.5
    accuracy = torch.mean((label == data_set.y).type(torch.float)).item()
    edge = -(model.linear.bias / model.linear.weight).item()
    print(
        f"{name}: loss {loss.item():.4f}, accuracy {accuracy:.2f}, the classes meet at {edge:.2f}"
    )

points = torch.randn(200, 2)
inside = (points.norm(dim=1) < 1).float().view(-1, 1)
net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1), nn.Sigmoid())
optimizer = torch.optim.Adam(net.parameters(), lr=0.05)
for step in range(300):
    optimizer.zero_grad()
    loss = nn.BCELoss()(net(points), inside)
    loss.backward()
    optimizer.step()
print(f"a circle 圆形边界: accuracy {((net(points) > 0.5) == inside).float().mean().item():.2f}")
decision_boundary(net, points, inside, title="two classes")
