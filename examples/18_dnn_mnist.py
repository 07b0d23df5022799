"""The lecture's network of five layers reads handwritten digits: MNIST, or the digits of Lantern.
It is trained with SGD and momentum for `--epochs` epochs, one by default, and tested.

讲义第六章的五层网络识别手写数字:MNIST,或 Lantern 自带的数字。
用带动量的 SGD 训练(`--epochs`,默认 1 个 epoch)并测试。
"""

import sys

import matplotlib.pyplot as plt
from common import device, images, picture

import lantern as torch
from lantern import nn
from lantern.utils.data import DataLoader
from lantern.vision import transforms

here = device()
torch.manual_seed(0)
transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.1307, 0.3081)])
train_Data, test_Data = images(True, transform), images(False, transform)
train_loader = DataLoader(train_Data, shuffle=True, batch_size=64)
test_loader = DataLoader(test_Data, shuffle=False, batch_size=64)


class DNN(nn.Module):
    def __init__(self):
        super(DNN, self).__init__()
        self.net = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 512), nn.ReLU(),
            nn.Linear(512, 256), nn.ReLU(),
            nn.Linear(256, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(),
            nn.Linear(64, 10),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)


model = DNN().to(here)
print(model)
loss_fn = nn.CrossEntropyLoss()
small = len(train_Data) < 10000
optimizer = torch.optim.SGD(model.parameters(), lr=0.1 if small else 0.01, momentum=0.5)
epochs = 12 if small else 1
if "--epochs" in sys.argv:
    epochs = int(sys.argv[sys.argv.index("--epochs") + 1])
losses = []
for epoch in range(epochs):
    for x, y in train_loader:
        x, y = x.to(here), y.to(here)
        loss = loss_fn(model(x), y)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

correct = total = 0
with torch.no_grad():
    for x, y in test_loader:
        x, y = x.to(here), y.to(here)
        a, b = torch.max(model(x).data, dim=1)
        correct += torch.sum(b == y)
        total += y.size(0)
print(f"测试集精准度: {100 * correct / total} %")

figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(losses, linewidth=0.7)
axes.set(xlabel="batch", ylabel="cross entropy")
picture(figure)
