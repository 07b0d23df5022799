"""LeNet, a convolutional network with average pooling, trained with `train_ch6`.
It sees MNIST, or the digits that come with Lantern, and prints how many images a second it learns.

LeNet:使用平均汇聚层的卷积网络,用 `train_ch6` 训练。
数据为 MNIST 或 Lantern 自带的数字,并打印每秒处理的图像数。
"""

from common import device, images

import lantern as torch
from lantern import nn
from lantern.compat import d2l
from lantern.utils.data import DataLoader
from lantern.vision import transforms

torch.manual_seed(0)
train_set, test_set = (images(part, transforms.ToTensor()) for part in (True, False))
large = len(train_set) > 10000
train_iter = DataLoader(train_set, 64 if large else 32, shuffle=True)
test_iter = DataLoader(test_set, 256)
act = nn.Tanh  # the nn.Sigmoid of the first LeNet takes many epochs to begin to learn
net = nn.Sequential(
    nn.Conv2d(1, 6, kernel_size=5, padding=2), act(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Conv2d(6, 16, kernel_size=5), act(),
    nn.AvgPool2d(kernel_size=2, stride=2), nn.Flatten(),
    nn.Linear(16 * 5 * 5, 120), act(),
    nn.Linear(120, 84), act(),
    nn.Linear(84, 10),
)  # fmt: skip
X = torch.rand(size=(1, 1, 28, 28), dtype=torch.float32)
for layer in net:
    X = layer(X)
    print(f"{layer.__class__.__name__:10} output shape: {tuple(X.shape)}")
d2l.train_ch6(net, train_iter, test_iter, 1 if large else 5, 0.2, device())
