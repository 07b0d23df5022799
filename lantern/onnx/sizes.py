"""Sizes that depend on axes whose length is left open, found by recording at several lengths.

Numbers that differ between recordings are polynomials in the open lengths, linear in each: a batch
of N sequences of length T flattens to N·T rows. The coefficients follow from recordings at two
lengths of each axis; further recordings check that the numbers do follow them.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any


class Size:
    """A polynomial in the lengths of open axes; `terms` maps sets of names to coefficients."""

    def __init__(self, terms: dict[tuple[str, ...], Fraction]):
        self.terms = {names: c for names, c in terms.items() if c}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.terms.items())))

    def __repr__(self) -> str:
        parts = ["*".join([str(c), *names]) if c != 1 or not names else "*".join(names)
                 for names, c in sorted(self.terms.items())]  # fmt: skip
        return " + ".join(parts)


class OneOver(Size):
    """One over a polynomial: what sums are multiplied by where a mean is taken."""


class Open:
    """The axes of open length: their names, their lengths in each recording."""

    def __init__(self, names: Sequence[str], lengths: Sequence[int]):
        self.names = list(names)
        self.low = list(lengths)
        count = len(self.names)
        corners = [[low + (mask >> i & 1) for i, low in enumerate(self.low)]
                   for mask in range(1 << count)]  # fmt: skip
        checks = [[low + 2 for low in self.low], [low + 3 + i for i, low in enumerate(self.low)]]
        self.corners = len(corners)
        self.points = corners + (checks if count else [])

    def fit(self, values: Sequence[Any]) -> Any:
        """Returns the number that all recordings have, or the Size that they follow.

        Raises ValueError where they follow none.
        """
        if len({repr(each) for each in values}) == 1:  # so that NaN equals itself
            return values[0]
        exact = [Fraction(each) for each in values]
        terms = self._terms(exact)
        if terms is not None:
            return Size(terms)
        if all(exact):
            terms = self._terms([Fraction(1 / each).limit_denominator(10**6) for each in exact])
            if terms is not None and all(c.denominator == 1 for c in terms.values()):
                return OneOver(terms)
        raise ValueError(f"it takes the values {list(values)} at the lengths {self.points}")

    def _terms(self, values: list[Fraction]) -> dict[tuple[str, ...], Fraction] | None:
        found = list(values[: self.corners])
        for i, low in enumerate(self.low):
            for mask in range(self.corners):
                if mask >> i & 1:
                    slope = found[mask] - found[mask ^ 1 << i]
                    found[mask], found[mask ^ 1 << i] = slope, found[mask ^ 1 << i] - slope * low
        terms = {
            tuple(n for i, n in enumerate(self.names) if mask >> i & 1): c
            for mask, c in enumerate(found)
        }
        for point, value in zip(self.points, values, strict=True):
            lengths = dict(zip(self.names, point, strict=True))
            if sum(c * prod(lengths[n] for n in names) for names, c in terms.items()) != value:
                return None
        return terms
