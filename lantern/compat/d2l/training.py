"""The book's training loops: chapter 3 for classifiers, chapter 6 for convolutional networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import lantern
from lantern import nn

from .datasets import get_fashion_mnist_labels
from .plotting import Animator, show_images
from .tools import Accumulator, Timer, accuracy

__all__ = [
    "Residual", "evaluate_accuracy", "evaluate_accuracy_gpu", "evaluate_loss", "predict_ch3",
    "train_ch3", "train_ch6", "train_epoch_ch3",
]  # fmt: skip

Loss = Callable[[lantern.Tensor, lantern.Tensor], lantern.Tensor]


def evaluate_accuracy(net: Any, data_iter: Iterable[Any]) -> float:
    """Returns the share of right predictions, with the net in evaluation mode."""
    if isinstance(net, nn.Module):
        net.eval()
    metric = Accumulator(2)  # right ones, all
    with lantern.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def evaluate_accuracy_gpu(net: Any, data_iter: Iterable[Any], device: Any = None) -> float:
    """As `evaluate_accuracy`, on the device that the net's parameters are on."""
    if isinstance(net, nn.Module):
        net.eval()
        if device is None:
            device = next(iter(net.parameters())).device
    metric = Accumulator(2)
    with lantern.no_grad():
        for X, y in data_iter:
            X = [x.to(device) for x in X] if isinstance(X, list) else X.to(device)
            y = y.to(device)
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def evaluate_loss(net: Any, data_iter: Iterable[Any], loss: Loss) -> float:
    """Returns the mean loss per sample."""
    metric = Accumulator(2)
    for X, y in data_iter:
        out = net(X)
        each = loss(out, y.reshape(out.shape))
        metric.add(each.sum(), each.numel())
    return metric[0] / metric[1]


def train_epoch_ch3(
    net: Any, train_iter: Iterable[Any], loss: Loss, updater: Any
) -> tuple[float, float]:
    """Trains for one epoch; returns the mean loss and the share of right predictions.

    `updater` is an optimizer, or a function of the batch size that updates the parameters.
    """
    if isinstance(net, nn.Module):
        net.train()
    metric = Accumulator(3)  # loss, right ones, samples
    for X, y in train_iter:
        y_hat = net(X)
        each = loss(y_hat, y)
        if isinstance(updater, lantern.optim.Optimizer):
            updater.zero_grad()
            each.mean().backward()
            updater.step()
        else:
            each.sum().backward()
            updater(X.shape[0])
        total = each.sum() if each.ndim else each * y.numel()  # a mean counts for all
        metric.add(total.detach(), accuracy(y_hat, y), y.numel())
    return metric[0] / metric[2], metric[1] / metric[2]


def train_ch3(
    net: Any,
    train_iter: Iterable[Any],
    test_iter: Iterable[Any],
    loss: Loss,
    num_epochs: int,
    updater: Any,
) -> tuple[float, float, float]:
    """Trains a classifier and draws its curves; returns loss, training and test accuracy."""
    animator = Animator(
        xlabel="epoch", xlim=[1, num_epochs], ylim=[0.3, 0.9],
        legend=["train loss", "train acc", "test acc"],
    )  # fmt: skip
    train_metrics, test_acc = (0.0, 0.0), 0.0
    for epoch in range(num_epochs):
        train_metrics = train_epoch_ch3(net, train_iter, loss, updater)
        test_acc = evaluate_accuracy(net, test_iter)
        animator.add(epoch + 1, (*train_metrics, test_acc))
    return (*train_metrics, test_acc)


def predict_ch3(net: Any, test_iter: Iterable[Any], n: int = 6) -> None:
    """Shows the first `n` images of a test set with their labels and the predicted ones."""
    X, y = next(iter(test_iter))
    with lantern.no_grad():
        guesses = net(X).argmax(dim=1)
    names = zip(get_fashion_mnist_labels(y), get_fashion_mnist_labels(guesses), strict=True)
    titles = [f"{true}\n{guess}" for true, guess in names]
    n = min(n, len(X))
    show_images(X[:n].reshape(n, *X.shape[-2:]), 1, n, titles=titles[:n])


def train_ch6(
    net: nn.Module,
    train_iter: Any,
    test_iter: Iterable[Any],
    num_epochs: int,
    lr: float,
    device: Any,
) -> None:
    """Trains a network from Xavier weights on a device, draws its curves and prints its speed."""

    def init_weights(m: nn.Module) -> None:
        if type(m) is nn.Linear or type(m) is nn.Conv2d:
            nn.init.xavier_uniform_(m.weight)

    net.apply(init_weights)
    print("training on", device)
    net.to(device)
    optimizer = lantern.optim.SGD(net.parameters(), lr=lr)
    loss = nn.CrossEntropyLoss()
    legend = ["train loss", "train acc", "test acc"]
    animator = Animator(xlabel="epoch", xlim=[1, num_epochs], legend=legend)
    timer, num_batches = Timer(), len(train_iter)
    for epoch in range(num_epochs):
        metric = Accumulator(3)  # loss, right ones, samples
        net.train()
        for i, (X, y) in enumerate(train_iter):
            timer.start()
            X, y = X.to(device), y.to(device)
            optimizer.zero_grad()
            y_hat = net(X)
            batch_loss = loss(y_hat, y)
            batch_loss.backward()
            optimizer.step()
            metric.add(batch_loss.detach() * X.shape[0], accuracy(y_hat, y), X.shape[0])
            timer.stop()
            train_l, train_acc = metric[0] / metric[2], metric[1] / metric[2]
            if (i + 1) % max(num_batches // 5, 1) == 0 or i == num_batches - 1:
                animator.add(epoch + (i + 1) / num_batches, (train_l, train_acc, None))
        test_acc = evaluate_accuracy_gpu(net, test_iter)
        animator.add(epoch + 1, (None, None, test_acc))
    print(f"loss {train_l:.3f}, train acc {train_acc:.3f}, test acc {test_acc:.3f}")
    print(f"{metric[2] * num_epochs / timer.sum():.1f} examples/sec on {device}")


class Residual(nn.Module):
    """The residual block of ResNet: two 3x3 convolutions beside a shortcut (He et al., 2016)."""

    def __init__(
        self, input_channels: int, num_channels: int, use_1x1conv: bool = False, strides: int = 1
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(input_channels, num_channels, 3, padding=1, stride=strides)
        self.conv2 = nn.Conv2d(num_channels, num_channels, 3, padding=1)
        self.conv3 = (
            nn.Conv2d(input_channels, num_channels, 1, stride=strides) if use_1x1conv else None
        )
        self.bn1 = nn.BatchNorm2d(num_channels)
        self.bn2 = nn.BatchNorm2d(num_channels)

    def forward(self, X: lantern.Tensor) -> lantern.Tensor:
        """`(N, C, H, W)` to the same with `num_channels`, smaller by `strides`."""
        Y = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(X)))))
        shortcut = X if self.conv3 is None else self.conv3(X)
        return nn.functional.relu(Y + shortcut)
