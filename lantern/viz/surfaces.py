"""The loss of a line over its two parameters, and the way that training takes across it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lantern
from lantern import nn

from .figures import LiveFigure, present, pyplot


class plot_error_surfaces:  # the name that the courses' notebooks use
    """The loss over slope and bias, with the path of a training on it.

    `w_range` and `b_range`: the surface goes from `-w_range` to `w_range`, and for the bias alike.
    `X`, `Y`: the data, shape `(N,)` or `(N, 1)`. `n_samples`: points of the surface in each
    direction. `go=False` computes the surface without drawing it.

    By default the model is `w * x + b` and the loss the mean square error. Labels that are all 0 or
    1 are classes: then the model is `sigmoid(w * x + b)` and the loss is the cross entropy.
    `forward(x, w, b)` and `criterion(yhat, y)` say it differently; both work on tensors and
    broadcast.

        get_surface = plot_error_surfaces(15, 13, X, Y, 30)
        get_surface.set_para_loss(w.data.tolist(), b.data.tolist(), loss.tolist())  # each step
        get_surface.plot_ps()                                                     # each epoch
    """

    def __init__(
        self,
        w_range: float,
        b_range: float,
        X: Any,
        Y: Any,
        n_samples: int = 30,
        go: bool = True,
        forward: Callable[..., Any] | None = None,
        criterion: Callable[..., Any] | None = None,
    ) -> None:
        with lantern.no_grad():
            self.x = _column(X)
            self.y = _column(Y)
            if len(self.x) != len(self.y):
                raise ValueError(f"X has {len(self.x)} samples and Y has {len(self.y)}")
            classes = bool(((self.y == 0) | (self.y == 1)).all())
            self._forward = forward or (_logistic if classes else _line)
            self._criterion = criterion or (_cross_entropy if classes else _square_error)
            slopes = lantern.linspace(-w_range, w_range, n_samples, dtype=lantern.float64)
            biases = lantern.linspace(-b_range, b_range, n_samples, dtype=lantern.float64)
            self.b, self.w = lantern.meshgrid(biases, slopes, indexing="ij")  # (n, n)
            self.Z = lantern.stack([self._row(slopes, bias) for bias in biases])
        self.W: list[float] = []
        self.B: list[float] = []
        self.LOSS: list[float] = []
        self.n = 0
        self._live: LiveFigure | None = None
        if go:
            self._draw_surface()

    def _row(self, slopes: lantern.Tensor, bias: lantern.Tensor) -> lantern.Tensor:
        """Returns the losses of all slopes with one bias."""
        return lantern.stack(
            [self._criterion(self._forward(self.x, slope, bias), self.y) for slope in slopes]
        )

    def set_para_loss(self, W: Any, B: Any = None, loss: Any = None) -> None:
        """Notes where a training is: `(w, b, loss)`, or `(model, loss)` with a linear model."""
        if isinstance(W, nn.Module):
            if loss is None:
                loss = B
            W, B = _parameters(W)
        if B is None or loss is None:
            raise TypeError("set_para_loss() takes (w, b, loss) or (model, loss)")
        self.n += 1
        self.W.append(_number(W))
        self.B.append(_number(B))
        self.LOSS.append(_number(loss))

    def _draw_surface(self) -> None:
        figure = pyplot().figure(figsize=(8.5, 3.6), layout="constrained")
        raised = figure.add_subplot(121, projection="3d")
        flat = figure.add_subplot(122)
        slopes, biases, losses = (each.tolist() for each in (self.w, self.b, self.Z))
        raised.plot_surface(
            self.w.numpy(), self.b.numpy(), self.Z.numpy(), cmap="viridis", edgecolor="none"
        )
        flat.contour(slopes, biases, losses, levels=20)
        raised.set_title("Loss surface")
        flat.set_title("Loss surface contour")
        for axes in (raised, flat):
            axes.set_xlabel("w")
            axes.set_ylabel("b")
        present(figure, "surface")

    def final_plot(self) -> None:
        """Draws the whole way over the surface, raised and from above."""
        figure = pyplot().figure(figsize=(8.5, 3.6), layout="constrained")
        raised = figure.add_subplot(121, projection="3d")
        raised.plot_wireframe(self.w.numpy(), self.b.numpy(), self.Z.numpy(), alpha=0.4)
        if self.W:
            raised.scatter(self.W, self.B, self.LOSS, c="r", marker="x", s=60)
        raised.set_title("Loss surface")
        raised.set_xlabel("w")
        raised.set_ylabel("b")
        self._draw_path(figure.add_subplot(122))
        present(figure, "way")

    def plot_ps(self) -> None:
        """Draws the data with the line that training is at, and its way over the contours."""
        if self._live is None:
            self._live = LiveFigure(
                1, 2, figsize=(8.5, 3.6), kind="parameters", layout="constrained"
            )
        data, contour = self._live.axes
        data.cla()
        contour.cla()
        self._draw_data(data)
        self._draw_path(contour)
        self._live.update()

    def _draw_data(self, axes: Any) -> None:
        axes.plot(self.x.tolist(), self.y.tolist(), "ro", markersize=3, label="training points")
        low, high = self.x.min().item(), self.x.max().item()
        places = lantern.linspace(low, high, 100, dtype=lantern.float64)
        if self.W:
            with lantern.no_grad():
                slope, bias = (lantern.tensor(v[-1], dtype=lantern.float64)
                               for v in (self.W, self.B))  # fmt: skip
                heights = self._forward(places, slope, bias)
            axes.plot(places.tolist(), heights.tolist(), label="estimated line")
        axes.set_xlabel("x")
        axes.set_ylabel("y")
        axes.set_title(f"Data space, iteration {self.n}")
        axes.legend()

    def _draw_path(self, axes: Any) -> None:
        axes.contour(self.w.tolist(), self.b.tolist(), self.Z.tolist(), levels=20)
        axes.plot(self.W, self.B, "r-", linewidth=0.6)
        axes.scatter(self.W, self.B, c="r", marker="x", s=20)
        axes.set_title(f"Loss surface contour, iteration {self.n}")
        axes.set_xlabel("w")
        axes.set_ylabel("b")


def _line(x: Any, w: Any, b: Any) -> Any:
    return w * x + b


def _logistic(x: Any, w: Any, b: Any) -> Any:
    return lantern.sigmoid(w * x + b)


def _square_error(yhat: Any, y: Any) -> Any:
    return ((yhat - y) ** 2).mean()


def _cross_entropy(yhat: Any, y: Any) -> Any:
    return nn.functional.binary_cross_entropy(yhat, y)


def _column(values: Any) -> lantern.Tensor:
    tensor = lantern.as_tensor(values).detach().to("cpu", lantern.float64).reshape(-1)
    if not len(tensor):
        raise ValueError("a loss surface needs at least one sample")
    return tensor


def _parameters(model: nn.Module) -> tuple[float, float]:
    """Returns slope and bias of the model of one input and one output."""
    found = list(model.parameters())
    if [each.numel() for each in found] != [1, 1]:
        sizes = [tuple(each.shape) for each in found]
        raise ValueError(f"a loss surface has one slope and one bias; the model has {sizes}")
    return found[0].item(), found[1].item()


def _number(value: Any) -> float:
    while isinstance(value, (list, tuple)) and len(value) == 1:
        (value,) = value
    return float(value)
