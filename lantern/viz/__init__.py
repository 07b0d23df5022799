"""Pictures of what is trained: loss surfaces, live curves, the graph, summaries, boundaries.

They need matplotlib (`pip install 'lantern-dl[plots]'`), except `summary` and `make_dot`. In a
notebook a picture appears under the cell, on a machine with a display in a window; elsewhere it is
written to a file whose path is printed (`LANTERN_FIGURES` names another folder than the current
one).
"""

from __future__ import annotations

from .boundary import decision_boundary, plot_decision_regions
from .curves import Curves
from .figures import LiveFigure
from .fonts import use_chinese_font
from .graph import make_dot
from .summary import summary
from .surfaces import plot_error_surfaces

__all__ = [
    "Curves",
    "LiveFigure",
    "decision_boundary",
    "make_dot",
    "plot_decision_regions",
    "plot_error_surfaces",
    "summary",
    "use_chinese_font",
]
