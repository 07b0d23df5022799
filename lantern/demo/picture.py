"""The picture of a demo: the course of the loss, some digits with the answers, the confusions."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from lantern.demo.tasks import Task
from lantern.demo.training import History
from lantern.serialization.atomic import replacing

_INK, _FAINT, _WRONG, _ACCENT = "#22303c", "#bccad6", "#c8442b", "#1f6fb2"
_ROWS, _COLUMNS = 4, 6


def draw(path: Path, task: Task, history: History, guesses: list[int], labels: list[int]) -> None:
    """Writes the picture to `path`, as PNG, where a half-written file is never seen."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    figure = Figure(figsize=(14, 5), dpi=110, layout=layout, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    parts = figure.subfigures(1, 3, squeeze=False, width_ratios=(1.05, 1.15, 1.0), wspace=0.03)
    loss, digits, confusion = parts[0]
    right = sum(guess == label for guess, label in zip(guesses, labels, strict=True))
    figure.suptitle(
        f"Lantern, {task.title}: {right / len(labels):.1%} of {len(labels):,} held-out images "
        f"right after {history.seconds:.1f} s of training",
        fontsize=14,
        color=_INK,
    )
    for part, title in (
        (loss, "Loss"),
        (digits, "What it read (mistakes in red)"),
        (confusion, "Confusion matrix"),
    ):
        part.suptitle(title, fontsize=12, color=_INK)
    _draw_loss(loss.subplots(), history)
    _draw_digits(digits, task, guesses, labels)
    _draw_confusion(confusion.subplots(), guesses, labels)
    with replacing(str(path)) as file:
        canvas.print_png(file)


def _draw_loss(axes: Axes, history: History) -> None:
    epochs = len(history.held_out_loss)
    per_epoch = len(history.batch_loss) // epochs
    steps = [(step + 1) / per_epoch for step in range(len(history.batch_loss))]
    means = [
        sum(history.batch_loss[epoch * per_epoch : (epoch + 1) * per_epoch]) / per_epoch
        for epoch in range(epochs)
    ]
    ends = range(1, epochs + 1)
    middles = [end - 0.5 for end in ends]  # where an epoch's mean belongs
    axes.plot(steps, history.batch_loss, color=_FAINT, linewidth=0.7, label="each batch")
    axes.plot(
        middles, means, color=_ACCENT, linewidth=2, marker="o", markersize=3, label="training"
    )
    axes.plot(
        ends, history.held_out_loss, color=_WRONG, linewidth=2, marker="o", markersize=3,
        label="held out",
    )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.set_ylabel("cross entropy")
    axes.grid(True, which="major", color="#e8edf2")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _draw_digits(figure: SubFigure, task: Task, guesses: list[int], labels: list[int]) -> None:
    """Three rows of images as they come, and one of mistakes as far as there are any."""
    wrong = [i for i, guess in enumerate(guesses) if guess != labels[i]][:_COLUMNS]
    usual = [i for i in range(len(labels)) if i not in wrong][: _ROWS * _COLUMNS - len(wrong)]
    images: Any = task.held_out.data
    for axes, index in zip(figure.subplots(_ROWS, _COLUMNS).flat, usual + wrong, strict=True):
        axes.imshow(images[index].tolist(), cmap="gray_r", interpolation="nearest")
        axes.set_xticks([])
        axes.set_yticks([])
        mistaken = guesses[index] != labels[index]
        for spine in axes.spines.values():
            spine.set_color(_WRONG if mistaken else _FAINT)
        text = f"{guesses[index]}, not {labels[index]}" if mistaken else str(guesses[index])
        axes.set_title(text, fontsize=9, pad=3, color=_WRONG if mistaken else _INK)


def _draw_confusion(axes: Axes, guesses: list[int], labels: list[int]) -> None:
    counts = [[0] * 10 for _ in range(10)]
    for guess, label in zip(guesses, labels, strict=True):
        counts[label][guess] += 1
    most = max(map(max, counts))
    for colors, shown in (("Blues", True), ("Reds", False)):  # right answers, then mistakes
        cells = [
            [n if n and (label == guess) is shown else math.nan for guess, n in enumerate(row)]
            for label, row in enumerate(counts)
        ]
        axes.imshow(cells, cmap=colors, norm=LogNorm(vmin=0.3, vmax=1.5 * most))
    for label, row in enumerate(counts):
        for guess, n in enumerate(row):
            if n:
                color = "white" if n > 0.1 * most else _INK
                axes.text(guess, label, f"{n}", ha="center", va="center", fontsize=8, color=color)
    axes.set_xlabel("what it read")
    axes.set_ylabel("what was written")
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.tick_params(length=0)
    axes.spines[:].set_color(_FAINT)
