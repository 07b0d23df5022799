"""Tensors, lists, dictionaries, state dicts and optimizers to files and back."""

import collections
import io
import os
import tempfile

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
folder = tempfile.TemporaryDirectory()
os.chdir(folder.name)

x = torch.arange(4)
torch.save(x, "x-file")
print(torch.load("x-file"))
y = torch.zeros(4)
torch.save([x, y], "x-files")
x2, y2 = torch.load("x-files")
print((x2, y2))
mydict = {"x": x, "y": y, "n": 3, "name": "text", "nested": [(1.5, None, True)]}
torch.save(mydict, "mydict")
print(torch.load("mydict"))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(20, 16)
        self.out = nn.Linear(16, 10)

    def forward(self, X):
        return self.out(F.relu(self.hidden(X)))


net = MLP()
X = torch.randn(size=(2, 20))
Y = net(X)
torch.save(net.state_dict(), "mlp.params")
clone = MLP()
print(clone.load_state_dict(torch.load("mlp.params")))
print(clone.eval(), clone(X) == Y, sep="\n")

wide = nn.Linear(20, 8)
for what in (
    lambda: wide.load_state_dict(net.hidden.state_dict()),
    lambda: net.load_state_dict({"hidden.weight": net.hidden.weight, "more": torch.ones(1)}),
    lambda: net.load_state_dict([1]),
    lambda: torch.load("not-there"),
    lambda: torch.load("mlp.params", map_location="cpu").keys(),
    lambda: net.load_state_dict({"more": torch.ones(1)}, strict=False),
):
    try:
        print(what())
    except Exception as error:
        print(type(error).__name__, error)

optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
adam = torch.optim.Adam(clone.parameters(), lr=0.01)
for step in range(3):
    for model, optim in ((net, optimizer), (clone, adam)):
        optim.zero_grad()
        model(X).pow(2).sum().backward()
        optim.step()
checkpoint = {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict(),
              "adam": adam.state_dict(), "loss": torch.tensor(0.5)}
torch.save(checkpoint, "checkpoint.pt")
loaded = torch.load("checkpoint.pt", weights_only=True)
print(list(loaded), loaded["epoch"], loaded["optimizer"]["param_groups"], loaded["adam"]["param_groups"])
other, another = MLP(), MLP()
other.load_state_dict(loaded["model"])
again = torch.optim.SGD(other.parameters(), lr=5.0)
again.load_state_dict(loaded["optimizer"])
print(again)
for model, optim in ((net, optimizer), (other, again)):
    optim.zero_grad()
    model(X).pow(2).sum().backward()
    optim.step()
print(torch.equal(net.out.weight, other.out.weight), net.out.bias)

buffer = io.BytesIO()
base = torch.arange(12.0).reshape(3, 4)
torch.save({"base": base, "row": base[1], "turned": base.T, "leaf": nn.Parameter(base[:1])}, buffer)
buffer.seek(0)
views = torch.load(buffer)
views["base"][1, 0] = -1
print(views["row"], views["turned"][:, 1], views["turned"].stride(), views["leaf"])
buffer = io.BytesIO()
kinds = [torch.tensor([1, 0], dtype=kind) for kind in (
    torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
    torch.bfloat16, torch.float32, torch.float64)]
torch.save((kinds, torch.Size([2, 3]), torch.float64, collections.OrderedDict(a=1), {1, 2}), buffer)
buffer.seek(0)
print(torch.load(buffer))
os.chdir("/")
folder.cleanup()
