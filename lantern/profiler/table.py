"""The sums over calls of the same op, and the table that shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..autograd.profiling import Event

_HEADS = (
    "Name",
    "Self CPU %",
    "Self CPU",
    "CPU total %",
    "CPU total",
    "CPU time avg",
    "# of Calls",
)
_SORTS = ("cpu_time", "cpu_time_total", "self_cpu_time_total", "count")


@dataclass
class FunctionEventAvg:
    """All calls of one op: microseconds within it and by itself, and how many they were."""

    key: str
    count: int = 0
    cpu_time_total: float = 0.0
    self_cpu_time_total: float = 0.0
    input_shapes: tuple = ()

    @property
    def cpu_time(self) -> float:
        """Microseconds of a call, on average."""
        return self.cpu_time_total / self.count


class EventList(list):
    """The sums for each op; `table()` shows them."""

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """Returns a table, the largest of the column `sort_by` first.

        It has up to `row_limit` rows, with -1 all of them. Raises AttributeError for a column that
        there is not; those of GPUs are not there.
        """
        rows = list(self)
        if sort_by is not None:
            if sort_by not in _SORTS:
                raise AttributeError(f"cannot sort by {sort_by!r}, only by one of {list(_SORTS)}")
            rows.sort(key=lambda row: getattr(row, sort_by), reverse=True)
        whole = self.self_cpu_time_total
        shapes = any(row.input_shapes for row in rows)
        if row_limit >= 0:
            rows = rows[:row_limit]
        lines = [(*_HEADS, *(["Input Shapes"] if shapes else []))]
        lines += [_line(row, whole, max_name_column_width, shapes) for row in rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rule = "  ".join("-" * width for width in widths)
        texts = ["  ".join(map(str.rjust, line, widths)) for line in lines]
        return "\n".join(
            [*([header] if header else []), rule, texts[0], rule, *texts[1:], rule]
            + [f"Self CPU time total: {_time(whole)}", ""]
        )

    def __str__(self) -> str:
        return self.table()

    @property
    def self_cpu_time_total(self) -> float:
        """Microseconds in all ops together."""
        return sum(row.self_cpu_time_total for row in self)

    def total_average(self) -> FunctionEventAvg:
        """Returns the sum over all rows."""
        return FunctionEventAvg(
            "Total",
            sum(row.count for row in self),
            sum(row.cpu_time_total for row in self),
            self.self_cpu_time_total,
        )


def averages(events: Iterable[Event], by_shape: bool) -> EventList:
    """Adds up the calls of each op, or of each op and shape of its inputs."""
    sums: dict[Any, FunctionEventAvg] = {}
    for event in events:
        shapes = event.shapes if by_shape else ()
        row = sums.setdefault((event.name, shapes), FunctionEventAvg(event.name))
        row.input_shapes = shapes
        row.count += 1
        row.cpu_time_total += event.total * 1e6
        row.self_cpu_time_total += event.own * 1e6
    return EventList(sums.values())


def _line(row: FunctionEventAvg, whole: float, width: int, shapes: bool) -> tuple[str, ...]:
    name = row.key if len(row.key) <= width else row.key[: width - 3] + "..."
    return (
        name,
        f"{100 * row.self_cpu_time_total / (whole or 1.0):.2f}%",
        _time(row.self_cpu_time_total),
        f"{100 * row.cpu_time_total / (whole or 1.0):.2f}%",
        _time(row.cpu_time_total),
        _time(row.cpu_time),
        str(row.count),
        *([str([list(shape) for shape in row.input_shapes])] if shapes else []),
    )


def _time(microseconds: float) -> str:
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"
