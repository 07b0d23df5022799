"""Linear regression in few lines, with the helpers of Dive into Deep Learning and built-in layers.
It finds w = (2, -3.4) and b = 4.2 again, which the data were made with.

用《动手学深度学习》的辅助函数和预定义的层,简洁地实现线性回归。
训练后得到的参数接近生成数据所用的 w = (2, -3.4) 与 b = 4.2。
"""

import lantern as torch
from lantern import nn
from lantern.compat import d2l  # under `lantern run`: from d2l import torch as d2l
from lantern.utils import data

torch.manual_seed(0)
true_w = torch.tensor([2, -3.4])
true_b = 4.2
features, labels = d2l.synthetic_data(true_w, true_b, 1000)


def load_array(data_arrays, batch_size, is_train=True):
    """构造一个数据迭代器"""
    dataset = data.TensorDataset(*data_arrays)
    return data.DataLoader(dataset, batch_size, shuffle=is_train)


batch_size = 10
data_iter = load_array((features, labels), batch_size)
print(next(iter(data_iter)))

net = nn.Sequential(nn.Linear(2, 1))
net[0].weight.data.normal_(0, 0.01)
net[0].bias.data.fill_(0)
loss = nn.MSELoss()
trainer = torch.optim.SGD(net.parameters(), lr=0.03)

num_epochs = 3
for epoch in range(num_epochs):
    for X, y in data_iter:
        l = loss(net(X), y)
        trainer.zero_grad()
        l.backward()
        trainer.step()
    l = loss(net(features), labels)
    print(f"epoch {epoch + 1}, loss {l:f}")
print("error of w:", true_w - net[0].weight.data.reshape(true_w.shape))
print("error of b:", true_b - net[0].bias.data)
