"""Random numbers drawn one after another, by rejection: Poisson, binomial, gamma.

How many uniform numbers a draw takes depends on what they are, so these run one Python step a
draw. The recipes are those that PyTorch's draws on the CPU follow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from ctypes import c_float
from typing import Any


class InTurn:
    """Takes numbers from a stream one by one; `close` leaves it behind the last one taken."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self._start = stream._source.get_state(legacy=False)
        self._taken = 0
        self._ready: Iterator[float] = iter(())

    def unit(self) -> float:
        """The next number in [0, 1)."""
        self._taken += 1
        for value in self._ready:
            return value
        self._ready = iter(self.stream._unit64(1024).tolist())
        return next(self._ready)

    def normal(self) -> float:
        """The next normal number; every second one is the spare of the pair before."""
        spare, self.stream._spare = self.stream._spare, None
        if spare is not None:
            return spare
        turn, fall = self.unit(), self.unit()
        radius, angle = math.sqrt(-2.0 * math.log1p(-fall)), 2.0 * math.pi * turn
        self.stream._spare = radius * math.sin(angle)
        return radius * math.cos(angle)

    def close(self) -> None:
        """Takes the stream back to the last number used: they were drawn in batches."""
        self.stream._source.set_state(self._start)
        self.stream.words32(2 * self._taken)


THIRD = 0.3333333432674408  # in single precision, as PyTorch has it


def gamma(alpha: float, source: InTurn, single: bool = False) -> float:
    """One gamma number of rate 1 (Marsaglia and Tsang 2000).

    `single` rounds what follows from `alpha` alone to single precision.
    """
    if alpha == 0:
        return 0.0
    rounded: Callable[[float], float] = _single if single else float
    scale = 1.0
    if alpha < 1:
        scale = (1 - source.unit()) ** rounded(1 / alpha)
        alpha = rounded(alpha + 1)
    d = rounded(alpha - THIRD)
    c = rounded(1 / math.sqrt(9 * d))
    while True:
        x = source.normal()
        y = 1 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u, square = 1 - source.unit(), x * x
        if u < 1 - 0.0331 * square * square:
            return scale * d * v
        if math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v


def _single(value: float) -> float:
    return c_float(value).value


def poisson(rate: float, draw: Callable[[], float]) -> float:
    """One Poisson number: products of uniforms for small rates, else Hormann's rejection (1993)."""
    if rate == 0:
        return 0.0
    if rate < 10:
        limit, product, count = math.exp(-rate), draw(), 0
        while product > limit:
            product *= draw()
            count += 1
        return float(count)
    spread, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * spread
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    accept = 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = draw() - 0.5, draw()
        side = 0.5 - abs(u)
        k = math.floor((2 * a / side + b) * u + rate + 0.43) if side else -1.0
        if side >= 0.07 and v <= accept:
            return float(k)
        if k < 0 or (side < 0.013 and v > side):
            continue
        height = v * inverse_alpha / (a / (side * side) + b)
        if not height or math.log(height) <= k * log_rate - rate - math.lgamma(k + 1):
            return float(k)


def binomial(count: float, chance: float, draw: Callable[[], float]) -> float:
    """One binomial number: the successes, or the failures where these are fewer, of `count`."""
    if count <= 0 or chance <= 0:
        return 0.0
    if chance >= 1:
        return count
    if chance != chance:
        return math.nan
    if chance > 0.5:
        return count - binomial(count, 1 - chance, draw)
    if count * chance >= 10:
        return _binomial_by_rejection(count, chance, draw)
    return _binomial_by_gaps(count, chance, draw)


def _binomial_by_gaps(count: float, chance: float, draw: Callable[[], float]) -> float:
    """Adds up the trials between successes."""
    base, trials, successes = math.log1p(-chance), 0.0, 0
    while True:
        unit = draw()
        trials += math.ceil(math.log(unit) / base) if unit else math.inf
        if trials > count:
            return float(successes)
        successes += 1


def _binomial_by_rejection(count: float, chance: float, draw: Callable[[], float]) -> float:
    """Hormann's rejection with a transformed density (1993)."""
    spread = math.sqrt(count * chance * (1 - chance))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * chance
    c = count * chance + 0.5
    accept = 0.92 - 4.2 / b
    odds = chance / (1 - chance)
    alpha = (2.83 + 5.1 / b) * spread
    m = math.floor((count + 1) * chance)
    while True:
        u, v = draw() - 0.5, draw()
        side = 0.5 - abs(u)
        k = math.floor((2 * a / side + b) * u + c) if side else -1
        if side >= 0.07 and v <= accept:
            return float(k)
        if k < 0 or k > count:
            continue
        height = v * alpha / (a / (side * side) + b)
        bound = (
            (m + 0.5) * math.log((m + 1) / (odds * (count - m + 1)))
            + (count + 1) * math.log((count - m + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + _rest(m)
            + _rest(count - m)
            - _rest(k)
            - _rest(count - k)
        )
        if not height or math.log(height) <= bound:
            return float(k)


def _rest(k: float) -> float:
    """What Stirling's formula for log k! leaves over."""
    return math.lgamma(k + 1) - (
        (k + 0.5) * math.log(k + 1) - (k + 1) + 0.5 * math.log(2 * math.pi)
    )
