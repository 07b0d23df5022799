"""The regions of a plane that a classifier gives to each class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lantern

from .figures import present, pyplot


def decision_boundary(
    model: Callable[[lantern.Tensor], lantern.Tensor],
    X: Any,
    y: Any,
    n_samples: int = 200,
    axes: Any = None,
    title: str = "",
) -> Any:
    """Draws the samples `X` of shape `(N, 2)` over the class that `model` gives to each place.

    A model of one output per sample is binary: above 0.5 if all outputs lie in [0, 1], else above
    0, is class 1. Of several outputs the largest names the class. Raises `ValueError` for samples
    that are no points of a plane. Returns the axes.
    """
    points = lantern.as_tensor(X).detach().to("cpu", lantern.float32)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"a decision boundary needs X of shape (N, 2), not {tuple(points.shape)}")
    classes = lantern.as_tensor(y).detach().reshape(-1)
    low, high = points.amin(0), points.amax(0)
    margin = 0.1 * (high - low).clamp(min=1e-6)
    low, high = low - margin, high + margin
    across = lantern.linspace(low[0].item(), high[0].item(), n_samples)
    up = lantern.linspace(low[1].item(), high[1].item(), n_samples)
    rows, columns = lantern.meshgrid(up, across, indexing="ij")
    guesses = predicted_classes(model, lantern.stack([columns.ravel(), rows.ravel()], 1))
    own = axes is None
    if own:
        _, axes = pyplot().subplots(figsize=(5, 4))
    extent = (low[0].item(), high[0].item(), low[1].item(), high[1].item())
    colors = [f"C{i % 10}" for i in range(1 + int(max(guesses.max(), classes.max())))]
    axes.imshow(
        _painted(guesses.reshape(n_samples, n_samples), colors),
        origin="lower", extent=extent, aspect="auto", alpha=0.3,
    )  # fmt: skip
    for each in classes.unique().long().tolist():
        mine = points[classes == each].T.tolist()
        axes.scatter(*mine, s=12, color=colors[each], edgecolors="white", linewidths=0.4,
                     label=f"class {each}")  # fmt: skip
    axes.legend()
    axes.set_title(title)
    if own:
        present(axes.figure, "boundary")
    return axes


plot_decision_regions = decision_boundary


def _painted(classes: lantern.Tensor, colors: list[str]) -> Any:
    """Returns an image `(rows, columns, 3)` that has each class in its color."""
    from matplotlib.colors import to_rgb

    return lantern.tensor([to_rgb(color) for color in colors])[classes].numpy()


def predicted_classes(model: Callable[..., Any], points: lantern.Tensor) -> lantern.Tensor:
    """Returns the class of each row, in evaluation mode and without gradients.

    >>> import lantern
    >>> predicted_classes(lantern.nn.Identity(), lantern.tensor([[0.1, 0.9], [2.0, 1.0]]))
    tensor([1, 0])
    """
    training = getattr(model, "training", False)
    if training:
        model.eval()  # type: ignore[attr-defined]
    try:
        with lantern.no_grad():
            scores = model(points)
    finally:
        if training:
            model.train()  # type: ignore[attr-defined]
    if scores.ndim == 2 and scores.shape[1] > 1:
        return scores.argmax(1)
    probabilities = bool(((scores >= 0) & (scores <= 1)).all())
    return (scores.reshape(-1) > (0.5 if probabilities else 0.0)).long()
