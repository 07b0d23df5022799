"""The optimizers of the notes' list on one task: a line through noisy points.
LBFGS takes a closure, all others a step after `backward()`; the picture compares their losses.

在同一个任务(拟合带噪声的直线)上比较笔记中列出的优化器。
LBFGS 需要闭包,其余优化器在 `backward()` 之后调用 step;图中比较各自的损失曲线。
"""

import matplotlib.pyplot as plt
from common import picture

import lantern as torch
from lantern import nn, optim

torch.manual_seed(0)
X = torch.linspace(-1, 1, 100).view(-1, 1)
Y = 2 * X + 1 + 0.1 * torch.randn(X.shape)
optimizers = {
    optim.SGD: {"lr": 0.1},
    optim.Adagrad: {"lr": 0.5},
    optim.Adadelta: {"lr": 5.0},
    optim.Adam: {"lr": 0.1},
    optim.AdamW: {"lr": 0.1},
    optim.Adamax: {"lr": 0.1},
    optim.NAdam: {"lr": 0.1},
    optim.RAdam: {"lr": 0.1},
    optim.ASGD: {"lr": 0.1},
    optim.RMSprop: {"lr": 0.05},
    optim.Rprop: {"lr": 0.05},
    optim.LBFGS: {"lr": 0.5},
}
figure, axes = plt.subplots(figsize=(6, 4))
for kind, options in optimizers.items():
    torch.manual_seed(1)
    model = nn.Linear(1, 1)
    optimizer = kind(model.parameters(), **options)

    def closure(model=model, optimizer=optimizer):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(X), Y)
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(60)]
    print(
        f"{kind.__name__:9} loss {losses[0]:.4f} -> {losses[-1]:.4f}, "
        f"w = {model.weight.item():.3f}, b = {model.bias.item():.3f}"
    )
    axes.plot(losses, label=kind.__name__)
axes.set(xlabel="step", ylabel="loss", yscale="log")
axes.legend(fontsize=7, ncols=2)
picture(figure)
