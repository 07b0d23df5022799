"""Where a figure appears: under a notebook's cell, in a window, or in a file whose path is printed.

`LiveFigure` is drawn again and again while a program runs; `present` shows a figure once.
"""

from __future__ import annotations

import atexit
import itertools
import os
import sys
import time
from pathlib import Path
from typing import Any

from lantern.serialization.atomic import replacing

# A file is written again at most this often while a program runs, and once more at its end.
SECONDS_BETWEEN_FILES = 2.0

_numbers = itertools.count(1)


def pyplot() -> Any:
    """Returns `matplotlib.pyplot`; without matplotlib, an error that names the extra."""
    try:
        from matplotlib import pyplot as plt
    except ModuleNotFoundError as error:
        if error.name != "matplotlib":
            raise
        raise ModuleNotFoundError(
            "plots need matplotlib: pip install 'lantern-dl[plots]'", name="matplotlib"
        ) from error
    return plt


def in_notebook() -> bool:
    """Says whether the program runs in a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")


def in_window(figure: Any) -> bool:
    """Says whether matplotlib shows this figure in a window."""
    return figure.canvas.required_interactive_framework is not None


def figure_path(kind: str) -> Path:
    """Returns where the next picture of a script goes: `SCRIPT-KIND-1.png`, `-2`, …"""
    script = Path(getattr(sys.modules.get("__main__"), "__file__", None) or "figure").stem
    folder = Path(os.environ.get("LANTERN_FIGURES", "."))
    return folder / f"{script}-{kind}-{next(_numbers)}.png"


def write(figure: Any, path: Path) -> None:
    """Writes a figure to `path`, where a half-written file is never seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(str(path)) as file:
        figure.savefig(file, format=path.suffix[1:] or "png", bbox_inches="tight")


def announce(path: Path) -> None:
    """Says on standard error where a picture is: what a program prints stays its own."""
    print(f"figure: {path}", file=sys.stderr, flush=True)


def present(figure: Any, kind: str = "figure") -> Path | None:
    """Shows a finished figure; returns the path where it was written to a file."""
    if in_notebook():
        return None  # the notebook shows what is open at the end of a cell
    if in_window(figure):
        pyplot().pause(0.001)
        return None
    path = figure_path(kind)
    write(figure, path)
    announce(path)
    pyplot().close(figure)
    return path


class LiveFigure:
    """A figure that a program draws again and again: `update` shows what `figure` holds by now."""

    def __init__(
        self, nrows: int = 1, ncols: int = 1, figsize: tuple[float, float] = (3.5, 2.5),
        kind: str = "figure", **subplots: Any,
    ) -> None:  # fmt: skip
        self.figure, axes = pyplot().subplots(
            nrows, ncols, figsize=figsize, squeeze=False, **subplots
        )
        self.axes = list(axes.flat)
        self.path: Path | None = None
        self._kind = kind
        self._written = 0.0
        self._waiting = False

    def update(self) -> None:
        """Shows the figure as it is now."""
        if in_notebook():
            from IPython import display

            display.display(self.figure)
            display.clear_output(wait=True)
        elif in_window(self.figure):
            self.figure.canvas.draw_idle()
            pyplot().pause(0.001)
        else:
            self._write_at_times()

    def _write_at_times(self) -> None:
        if self.path is None:
            self.path = figure_path(self._kind)
            atexit.register(self.finish)
            announce(self.path)
        self._waiting = True
        if time.monotonic() - self._written > SECONDS_BETWEEN_FILES:
            self.finish()

    def finish(self) -> None:
        """Writes what was not written yet, where figures go to files."""
        if self._waiting and self.path is not None:
            write(self.figure, self.path)
            self._written = time.monotonic()
            self._waiting = False
