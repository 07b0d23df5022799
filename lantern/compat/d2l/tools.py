"""Clocks, sums and devices: what the book's training loops count with."""

from __future__ import annotations

import time

import lantern
from lantern import nn

__all__ = [
    "Accumulator", "Timer", "accuracy", "corr2d", "grad_clipping", "linreg", "sgd", "squared_loss",
    "try_all_gpus", "try_gpu",
]  # fmt: skip


class Timer:
    """A clock that is started and stopped many times.

    >>> timer = Timer()
    >>> timer.stop() >= 0 and timer.sum() == timer.times[0] == timer.avg()
    True
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Starts the clock."""
        self.tik = time.perf_counter()

    def stop(self) -> float:
        """Stops the clock; notes and returns the seconds since it was started."""
        self.times.append(time.perf_counter() - self.tik)
        return self.times[-1]

    def avg(self) -> float:
        """Returns the mean of the noted times."""
        return sum(self.times) / len(self.times)

    def sum(self) -> float:
        """Returns the sum of the noted times."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """Returns the running sums of the noted times."""
        total, sums = 0.0, []
        for seconds in self.times:
            total += seconds
            sums.append(total)
        return sums


class Accumulator:
    """`n` sums that grow together.

    >>> metric = Accumulator(2)
    >>> metric.add(3, 4.5)
    >>> metric.add(1, 2)
    >>> metric[0], metric[1]
    (4.0, 6.5)
    """

    def __init__(self, n: int) -> None:
        self.data = [0.0] * n

    def add(self, *args: float | lantern.Tensor) -> None:
        """Adds one number to each sum; tensors of one element will do."""
        self.data = [sum_ + float(value) for sum_, value in zip(self.data, args, strict=False)]

    def reset(self) -> None:
        """Sets all sums to 0."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, idx: int) -> float:
        return self.data[idx]


def accuracy(y_hat: lantern.Tensor, y: lantern.Tensor) -> float:
    """Returns how many predictions are right: the largest score of each row, or class numbers.

    >>> import lantern
    >>> accuracy(lantern.tensor([[0.1, 0.9], [0.8, 0.2]]), lantern.tensor([1, 1]))
    1.0
    """
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(dim=1)
    return float((y_hat.to(y.dtype) == y).sum())


def linreg(X: lantern.Tensor, w: lantern.Tensor, b: lantern.Tensor) -> lantern.Tensor:
    """The linear model X w + b."""
    return lantern.matmul(X, w) + b


def squared_loss(y_hat: lantern.Tensor, y: lantern.Tensor) -> lantern.Tensor:
    """Half the square of each error."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: list[lantern.Tensor], lr: float, batch_size: int) -> None:
    """One step of minibatch stochastic gradient descent; sets the gradients to 0 after it."""
    with lantern.no_grad():
        for param in params:
            assert param.grad is not None, "call backward() before sgd()"
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def grad_clipping(net: nn.Module, theta: float) -> None:
    """Scales the gradients down where their common norm is above `theta`."""
    params = net.parameters() if isinstance(net, nn.Module) else net.params
    grads = [p.grad for p in params if p.requires_grad and p.grad is not None]
    norm = lantern.sqrt(sum(((g**2).sum() for g in grads), lantern.tensor(0.0)))
    if norm > theta:
        for grad in grads:
            grad *= theta / norm


def corr2d(X: lantern.Tensor, K: lantern.Tensor) -> lantern.Tensor:
    """The two-dimensional cross-correlation of a matrix with a kernel.

    >>> import lantern
    >>> corr2d(lantern.arange(9.0).reshape(3, 3), lantern.arange(4.0).reshape(2, 2))
    tensor([[19., 25.],
            [37., 43.]])
    """
    return nn.functional.conv2d(X[None, None], K[None, None])[0, 0]


def try_gpu(i: int = 0) -> lantern.device:
    """Returns GPU number `i` if there is one, else the CPU."""
    return lantern.device(f"cuda:{i}" if lantern.cuda.device_count() > i else "cpu")


def try_all_gpus() -> list[lantern.device]:
    """Returns all GPUs, or the CPU where there is none."""
    found = [lantern.device(f"cuda:{i}") for i in range(lantern.cuda.device_count())]
    return found or [lantern.device("cpu")]
