"""Tensors, lists, dictionaries and the parameters of a network go to files and come back equal.
Files are PyTorch's: each reads what the other wrote.

张量、列表、字典以及网络参数写入文件后再读回,结果完全一致。
文件格式与 PyTorch 相同,可以互相读取。
"""

import os
import tempfile

import lantern as torch
from lantern import nn
from lantern.nn import functional as F

os.chdir(tempfile.mkdtemp())
torch.manual_seed(0)
x, y = torch.arange(4), torch.zeros(4)
torch.save(x, "x-file")
print(torch.load("x-file"))
torch.save([x, y], "x-files")
x2, y2 = torch.load("x-files")
print((x2, y2))
mydict = {"x": x, "y": y}
torch.save(mydict, "mydict")
print(torch.load("mydict"))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 256)
        self.out = nn.Linear(256, 10)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


net = MLP()
X = torch.randn(size=(2, 20))
Y = net(X)
torch.save(net.state_dict(), "mlp.params")
clone = MLP()
print(clone.load_state_dict(torch.load("mlp.params")))
print(torch.equal(clone.eval()(X), Y))
try:
    nn.Linear(20, 3).load_state_dict(torch.load("mlp.params"))
except RuntimeError as error:
    print("RuntimeError:", str(error).splitlines()[0])
with open("mlp.params", "r+b") as file:
    file.truncate(os.path.getsize("mlp.params") - 100)
try:
    torch.load("mlp.params")
except Exception as error:
    print("a damaged file 损坏的文件:", type(error).__name__)
