"""Softmax regression on Fashion-MNIST, or on Lantern's digits: one linear layer, ten classes.
It is trained with `train_ch3`, after softmax itself is computed from its formula.

在 Fashion-MNIST(没有时用自带的手写数字)上做 softmax 回归:一个线性层,十个类别。
先按公式计算 softmax,再用 `train_ch3` 训练。
"""

from common import images

import lantern as torch
from lantern import nn
from lantern.compat import d2l
from lantern.utils import data
from lantern.vision import transforms

o = torch.tensor([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
by_formula = torch.exp(o) / torch.exp(o).sum(1, keepdim=True)
print(by_formula, torch.allclose(by_formula, nn.Softmax(dim=1)(o)))
y = torch.tensor([2, 0])
print(
    torch.allclose(-torch.log(by_formula[[0, 1], y]), nn.CrossEntropyLoss(reduction="none")(o, y))
)

torch.manual_seed(0)
batch_size = 256
trans = transforms.ToTensor()
train_set, test_set = (images(part, trans, "FashionMNIST") for part in (True, False))
print(len(train_set), len(test_set), train_set[0][0].shape)
train_iter = data.DataLoader(train_set, batch_size, shuffle=True)
test_iter = data.DataLoader(test_set, batch_size)
X, y = next(iter(data.DataLoader(train_set, batch_size=18)))
d2l.show_images(X.reshape(18, 28, 28), 2, 9, titles=[train_set.classes[i] for i in y])

net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def init_weights(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, std=0.01)


net.apply(init_weights)
loss = nn.CrossEntropyLoss(reduction="none")
trainer = torch.optim.SGD(net.parameters(), lr=0.1)
train_loss, train_acc, test_acc = d2l.train_ch3(net, train_iter, test_iter, loss, 10, trainer)
print(f"loss {train_loss:.3f}, train acc {train_acc:.3f}, test acc {test_acc:.3f}")
