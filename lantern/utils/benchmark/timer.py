"""A timer of statements, with warm-up and with a chosen number of threads."""

from __future__ import annotations

import statistics
import timeit as _timeit
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import lantern

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


@dataclass
class Measurement:
    """What a `Timer` found: the seconds of each block of `number_per_run` runs."""

    number_per_run: int
    raw_times: list[float]
    title: str
    num_threads: int = 1
    metadata: dict | None = field(default=None, repr=False)

    @property
    def times(self) -> list[float]:
        """The seconds of one run, one figure for each block."""
        return [each / self.number_per_run for each in self.raw_times]

    @property
    def mean(self) -> float:
        """The mean of `times`."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """The median of `times`."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """How far apart the quarters in the middle of `times` are."""
        if len(self.times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    def __repr__(self) -> str:
        name = f"<torch.utils.benchmark.utils.common.Measurement object at {id(self):#x}>"
        count = len(self.raw_times)
        lines = [name, self.title]
        if count > 1:
            lines += [f"  Median: {_shown(self.median)}", f"  IQR:    {_shown(self.iqr)}"]
        else:
            lines += [f"  {_shown(self.median)}"]
        runs = f"{self.number_per_run} run{'s' if self.number_per_run > 1 else ''}"
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        lines += [f"  {count} measurement{'s' if count > 1 else ''}, {runs} "
                  f"{'per measurement, ' if count > 1 else ', '}{threads}"]  # fmt: skip
        return "\n".join(lines)


class Timer:
    """Runs `stmt` and says how long it takes, with `num_threads` threads.

    Statements find the names in `globals`, and `torch`.

    >>> import lantern
    >>> timer = Timer("x + x", globals={"x": lantern.ones(3)})
    >>> timer.timeit(10).mean > 0
    True
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = _timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "python",
    ):
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if global_setup or language not in ("python", "py"):
            raise NotImplementedError("Timer takes statements of Python only")
        self.num_threads = num_threads
        parts = [label or stmt, sub_label]
        self._title = ": ".join(part for part in parts if part)
        if description:
            self._title += f"\n  {description}"
        names = {"torch": lantern, **(globals or {})}
        self._timer = _timeit.Timer(stmt, setup, timer, names)

    def timeit(self, number: int = 1000000) -> Measurement:
        """Runs the statement `number` times, after a warm-up, as one block."""
        return self._measured(number, lambda: [self._timer.timeit(number)])

    def blocked_autorange(
        self,
        callback: Callable[[int, float], Any] | None = None,
        min_run_time: float = 0.2,
    ) -> Measurement:
        """Runs blocks of the statement for at least `min_run_time` seconds."""
        number = 1
        with _Threads(self.num_threads):
            while self._timer.timeit(number) < min(min_run_time / 1000, 1e-2):
                number *= 10

        def blocks() -> list[float]:
            found: list[float] = []
            while sum(found) < min_run_time:
                found.append(self._timer.timeit(number))
                if callback is not None:
                    callback(number, found[-1])
            return found

        return self._measured(number, blocks)

    def _measured(self, number: int, blocks: Callable[[], list[float]]) -> Measurement:
        with _Threads(self.num_threads):
            self._timer.timeit(max(number // 100, 2))
            return Measurement(number, blocks(), self._title, self.num_threads)


class _Threads:
    def __init__(self, count: int):
        self.count = count

    def __enter__(self) -> None:
        self.before = lantern.get_num_threads()
        lantern.set_num_threads(self.count)

    def __exit__(self, *exception: object) -> None:
        lantern.set_num_threads(self.before)


def _shown(seconds: float) -> str:
    size, unit = next((each for each in _UNITS if seconds >= each[0]), _UNITS[-1])
    return f"{seconds / size:.2f} {unit}"
