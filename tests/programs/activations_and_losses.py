"""The common activations and losses, with their reductions and gradients."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
x = torch.tensor([[-2.0, -0.5, 0.0], [0.5, 2.0, 30.0]], requires_grad=True)
for layer in (
    nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.Softmax(dim=1), nn.LogSoftmax(dim=1), nn.LeakyReLU(0.1),
    nn.ELU(), nn.GELU(), nn.SiLU(), nn.Softplus(), nn.Softsign(), nn.Hardtanh(), nn.ReLU6(),
    nn.LogSigmoid(), nn.Identity(), nn.Flatten(0),
):
    y = layer(x)
    (grad,) = torch.autograd.grad((y * torch.arange(6.0).reshape(y.shape)).sum(), x)
    print(layer, y, grad, sep="\n")
print(F.relu(x), F.sigmoid(x), F.softmax(x, dim=0), torch.relu(x), F.linear(x, torch.eye(3)), sep="\n")

prediction = torch.randn(4, 3, requires_grad=True)
target = torch.randn(4, 3)
truth = torch.tensor([[0.0, 1.0, 1.0]]).expand(4, 3)
labels = torch.tensor([0, 2, 1, 2])
for reduction in ("mean", "sum", "none"):
    for loss, value in (
        (nn.MSELoss(reduction=reduction), lambda f: f(prediction, target)),
        (nn.L1Loss(reduction=reduction), lambda f: f(prediction, target)),
        (nn.SmoothL1Loss(reduction=reduction), lambda f: f(prediction, target)),
        (nn.BCELoss(reduction=reduction), lambda f: f(torch.sigmoid(prediction), truth)),
        (nn.BCEWithLogitsLoss(reduction=reduction), lambda f: f(prediction, truth)),
        (nn.CrossEntropyLoss(reduction=reduction), lambda f: f(prediction, labels)),
        (nn.NLLLoss(reduction=reduction), lambda f: f(F.log_softmax(prediction, 1), labels)),
    ):
        l = value(loss)
        (grad,) = torch.autograd.grad(l.sum(), prediction)
        print(loss, l, grad[0])
print(nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))(prediction, labels))
print(nn.CrossEntropyLoss(ignore_index=2, label_smoothing=0.1)(prediction, labels))
print(nn.CrossEntropyLoss()(prediction, torch.softmax(target, 1)))
print(nn.CrossEntropyLoss()(prediction[0], labels[0]), F.cross_entropy(prediction, labels))
print(nn.BCEWithLogitsLoss(pos_weight=torch.tensor([1.0, 2.0, 3.0]))(prediction, truth))
by_hand = -torch.log(torch.exp(prediction) / torch.exp(prediction).sum(1, keepdim=True))
print(by_hand[range(4), labels].mean(), (prediction - target).abs().mean(), sep="\n")
print(nn.BCELoss()(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])))
print(nn.BCELoss()(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0])))

drop = nn.Dropout(p=0.5)
kept = drop(torch.ones(1000))
print(set(kept.tolist()), 400 < (kept > 0).sum() < 600, drop.eval()(torch.ones(3)), drop)

for what, call in (
    ("BCE range", lambda: nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.0]))),
    ("BCE shape", lambda: nn.BCELoss()(torch.rand(3, 1), torch.rand(3))),
    ("class", lambda: nn.CrossEntropyLoss()(prediction, torch.tensor([0, 1, 2, 3]))),
    ("batch", lambda: nn.CrossEntropyLoss()(prediction, labels[:3])),
    ("float labels", lambda: nn.CrossEntropyLoss()(prediction, labels.float())),
    ("reduction", lambda: nn.MSELoss(reduction="average")(prediction, target)),
    ("linear", lambda: F.linear(torch.ones(2, 3), torch.ones(4, 2))),
    ("dropout", lambda: nn.Dropout(1.5)),
    ("softmax", lambda: torch.softmax(x, 2)),
    ("softmax of integers", lambda: torch.softmax(labels, 0)),
):
    try:
        print(what, call())
    except Exception as error:
        print(what, type(error).__name__, str(error)[:25])
