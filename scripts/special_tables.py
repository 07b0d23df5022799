"""Print the polynomials of `lantern/backends/special.py`; needs mpmath.

Each is a Chebyshev series, cut where its terms fall below the accuracy of float64 and written as a
polynomial in `t`, which runs from -1 to 1 over the interval; the last coefficient comes first.
"""

from __future__ import annotations

from collections.abc import Callable

from mpmath import besseli, cos, erfc, exp, inf, loggamma, mp, mpf, pi, polyval, sqrt

mp.dps = 60
NODES = 200


def chebyshev(function: Callable[[mpf], mpf], count: int) -> list[mpf]:
    """Returns the first coefficients of a function of `t` in [-1, 1]."""
    angles = [pi * (k + mpf(1) / 2) / NODES for k in range(NODES)]
    values = [function(cos(angle)) for angle in angles]
    series = [
        2 / mpf(NODES) * sum(v * cos(j * a) for v, a in zip(values, angles, strict=True))
        for j in range(count)
    ]
    return [series[0] / 2, *series[1:]]


def polynomial(series: list[mpf]) -> list[mpf]:
    """Returns a Chebyshev series as coefficients of powers, the highest first."""
    before, last = [mpf(1)], [mpf(0), mpf(1)]
    total = [series[0]]
    for each in series[1:]:
        total += [mpf(0)] * (len(last) - len(total))
        total = [t + each * p for t, p in zip(total, last, strict=True)]
        shifted = [mpf(0), *(2 * p for p in last)]
        before += [mpf(0)] * (len(shifted) - len(before))
        before, last = last, [s - b for s, b in zip(shifted, before, strict=True)]
    return total[::-1]


def between(low: float, high: float, function: Callable[[mpf], mpf]) -> Callable[[mpf], mpf]:
    """Returns a function of `t` that runs over [low, high]."""
    return lambda t: function((mpf(high) - low) / 2 * t + (mpf(high) + low) / 2)


def erf_over_x(z: mpf) -> mpf:
    """erf(x) / x as a function of x**2."""
    x = sqrt(z)
    return (1 - erfc(x)) / x if x else 2 / sqrt(pi)


def scaled_erfc(t: mpf) -> mpf:
    """exp(x**2) erfc(x) (x + 3), where t = (x - 3) / (x + 3)."""
    x = inf if t == 1 else 3 * (1 + t) / (1 - t)
    if x > 60:
        terms, term, k = mpf(1), mpf(1), 0
        while abs(term) > mpf(10) ** -40:
            k += 1
            term *= -(2 * k - 1) / (2 * x * x)
            terms += term
        return terms / sqrt(pi) * (1 + 3 / x)
    return exp(x * x) * erfc(x) * (x + 3)


def bessel_near(order: int) -> Callable[[mpf], mpf]:
    """exp(-x) I(x) for I0, and over x for I1, for x in [0, 8]."""
    return between(
        0, 8, lambda x: exp(-x) * (besseli(order, x) / x**order if x else mpf(1) / 2**order)
    )


def bessel_far(order: int) -> Callable[[mpf], mpf]:
    """exp(-x) I(x) sqrt(x) for x >= 8, where t = 16 / x - 1."""

    def function(t: mpf) -> mpf:
        if t <= -1:
            return 1 / sqrt(2 * pi)
        x = 16 / (t + 1)
        return exp(-x) * besseli(order, x) * sqrt(x)

    return function


TABLES = {
    "ERF": (between(0, 1, erf_over_x), 13),
    "ERFC": (scaled_erfc, 23),
    "LGAMMA_1_3": (between(1, 3, lambda x: loggamma(x) / ((x - 1) * (x - 2))), 28),
    "LGAMMA_3_8": (between(3, 8, loggamma), 27),
    "I0_NEAR": (bessel_near(0), 29),
    "I0_FAR": (bessel_far(0), 24),
    "I1_NEAR": (bessel_near(1), 28),
    "I1_FAR": (bessel_far(1), 24),
}

if __name__ == "__main__":
    for name, (function, count) in TABLES.items():
        coefficients = polynomial(chebyshev(function, count))
        assert abs(polyval(coefficients, mpf("0.3")) - function(mpf("0.3"))) < mpf(10) ** -15
        print(f"{name} = (")
        print(*(f"    {float(each)!r}," for each in coefficients), ")", sep="\n")
