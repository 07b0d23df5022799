"""Figures as the book draws them: `plot`, `show_images`, and curves that grow in `Animator`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lantern
from lantern.viz.figures import LiveFigure, in_notebook, present, pyplot
from lantern.viz.fonts import prepare_labels

__all__ = [
    "Animator", "annotate", "plot", "set_axes", "set_figsize", "show_heatmaps", "show_images",
    "show_trace_2d", "train_2d", "use_svg_display",
]  # fmt: skip

FORMATS = ("-", "m--", "g-.", "r:")


def use_svg_display() -> None:
    """Lets a notebook show figures as SVG; elsewhere there is nothing to set."""
    if in_notebook():
        from matplotlib_inline import backend_inline

        backend_inline.set_matplotlib_formats("svg")


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Sets the size of the figures to come, in inches."""
    use_svg_display()
    pyplot().rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Any, xlabel: Any, ylabel: Any, xlim: Any, ylim: Any, xscale: str, yscale: str, legend: Any
) -> None:
    """Labels, limits, scales, legend and grid of axes."""
    prepare_labels(xlabel, ylabel, *(legend or ()))
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.set_xscale(xscale)
    axes.set_yscale(yscale)
    axes.set_xlim(xlim)
    axes.set_ylim(ylim)
    if legend:
        axes.legend(legend)
    axes.grid()


def _values(x: Any) -> Any:
    return x.detach().cpu().numpy() if isinstance(x, lantern.Tensor) else x


def _is_curve(x: Any) -> bool:
    """Says whether `x` is one curve: numbers, not several curves."""
    if hasattr(x, "ndim"):
        return x.ndim == 1
    return isinstance(x, Sequence) and not hasattr(x[0], "__len__")


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] | None = None,
    xlim: Any = None,
    ylim: Any = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = (3.5, 2.5),
    axes: Any = None,
) -> None:
    """Draws one curve or several; with `Y` left out, `X` holds the heights."""
    own = axes is None
    if own:
        set_figsize(figsize)
        _, axes = pyplot().subplots()
    xs = [X] if _is_curve(X) else list(X)
    if Y is None:
        xs, ys = [range(len(x)) for x in xs], xs
    else:
        ys = [Y] if _is_curve(Y) else list(Y)
    if len(xs) == 1:
        xs = xs * len(ys)
    if len(xs) != len(ys):
        raise ValueError(f"plot: {len(xs)} curves in X, but {len(ys)} in Y")
    axes.cla()
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        axes.plot(_values(x), _values(y), fmts[i % len(fmts)])
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)
    if own:
        present(axes.figure, "plot")


def show_images(
    imgs: Any, num_rows: int, num_cols: int, titles: Any = None, scale: float = 1.5
) -> Any:
    """Shows images in rows and columns; returns their axes."""
    prepare_labels(*(titles or ()))
    size = (num_cols * scale, num_rows * scale)
    figure, axes = pyplot().subplots(num_rows, num_cols, figsize=size, squeeze=False)
    axes = axes.flatten()
    for i, (ax, img) in enumerate(zip(axes, imgs, strict=False)):
        ax.imshow(_values(img))
        ax.axes.get_xaxis().set_visible(False)
        ax.axes.get_yaxis().set_visible(False)
        if titles:
            ax.set_title(titles[i])
    present(figure, "images")
    return axes


def show_heatmaps(
    matrices: Any, xlabel: str, ylabel: str, titles: Any = None,
    figsize: tuple[float, float] = (2.5, 2.5), cmap: str = "Reds",
) -> None:  # fmt: skip
    """Shows matrices of shape `(rows, columns, queries, keys)` as heat maps."""
    rows, columns = matrices.shape[:2]
    figure, axes = pyplot().subplots(
        rows, columns, figsize=figsize, sharex=True, sharey=True, squeeze=False
    )
    for i, (row_axes, row) in enumerate(zip(axes, matrices, strict=True)):
        for j, (ax, matrix) in enumerate(zip(row_axes, row, strict=True)):
            image = ax.imshow(_values(matrix), cmap=cmap)
            if i == rows - 1:
                ax.set_xlabel(xlabel)
            if j == 0:
                ax.set_ylabel(ylabel)
            if titles:
                ax.set_title(titles[j])
    figure.colorbar(image, ax=axes, shrink=0.6)
    present(figure, "heatmaps")


class Animator:
    """Curves that grow while a network is trained: `animator.add(epoch, (loss, accuracy))`.

    In a notebook the figure is drawn again under the cell, in a script in a window or, without a
    display, to one PNG file whose path is printed.
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        use_svg_display()
        self._live = LiveFigure(nrows, ncols, figsize=figsize, kind="training")
        self.fig, self.axes = self._live.figure, self._live.axes
        self.X: list[list[Any]] = []
        self.Y: list[list[Any]] = []
        self.fmts = fmts
        self._settings = (xlabel, ylabel, xlim, ylim, xscale, yscale, legend or [])

    def config_axes(self) -> None:
        """Labels the first axes again."""
        set_axes(self.axes[0], *self._settings)

    def add(self, x: Any, y: Any) -> None:
        """Adds a point to each curve; None leaves a curve as it is."""
        ys = list(y) if hasattr(y, "__len__") else [y]
        xs = list(x) if hasattr(x, "__len__") else [x] * len(ys)
        while len(self.X) < len(ys):
            self.X.append([])
            self.Y.append([])
        for i, (place, height) in enumerate(zip(xs, ys, strict=True)):
            if place is not None and height is not None:
                self.X[i].append(float(place))
                self.Y[i].append(float(height))
        self.axes[0].cla()
        for i, (places, heights) in enumerate(zip(self.X, self.Y, strict=True)):
            self.axes[0].plot(places, heights, self.fmts[i % len(self.fmts)])
        self.config_axes()
        self._live.update()


def annotate(text: str, xy: Any, xytext: Any) -> None:
    """Writes `text` at `xytext`, with an arrow to `xy`."""
    pyplot().gca().annotate(text, xy=xy, xytext=xytext, arrowprops={"arrowstyle": "->"})


def train_2d(
    trainer: Callable[..., Any], steps: int = 20, f_grad: Callable[..., Any] | None = None
) -> list[tuple[float, float]]:
    """Follows a rule of descent from (-5, -2); returns the places that it comes to.

    >>> train_2d(lambda x1, x2, s1, s2: (x1 / 2, x2 / 2, 0, 0), steps=1)
    epoch 1, x1: -2.500000, x2: -1.000000
    [(-5, -2), (-2.5, -1.0)]
    """
    x1, x2, s1, s2 = -5, -2, 0, 0
    places: list[tuple[float, float]] = [(x1, x2)]
    for _ in range(steps):
        more = (f_grad,) if f_grad else ()
        x1, x2, s1, s2 = trainer(x1, x2, s1, s2, *more)
        places.append((x1, x2))
    print(f"epoch {steps}, x1: {float(x1):f}, x2: {float(x2):f}")
    return places


def show_trace_2d(f: Callable[..., Any], results: Any) -> None:
    """Draws the places that a descent came to over the contours of `f`."""
    set_figsize()
    figure, axes = pyplot().subplots()
    axes.plot(*zip(*results, strict=True), "-o", color="#ff7f0e")
    x1, x2 = lantern.meshgrid(
        lantern.arange(-5.5, 1.0, 0.1), lantern.arange(-3.0, 1.0, 0.1), indexing="ij"
    )
    axes.contour(_values(x1), _values(x2), _values(f(x1, x2)), colors="#1f77b4")
    axes.set_xlabel("x1")
    axes.set_ylabel("x2")
    present(figure, "descent")
