"""The incomplete gamma function, and how draws of gamma and beta distributions move.

A draw x of a distribution with the function F(x; a) moves with `a` by -(dF/da) / (dF/dx) when the
place in the distribution is kept (Figurnov, Mohamed and Mnih 2018). F and dF/da come from the
series and continued fractions of the incomplete gamma and beta functions, each term carried along
with its derivative.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .special import digamma, lgamma

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LARGE = 1e4  # where the gamma distribution is a normal one with few corrections
ROUNDS = 4000  # more than the series and fractions take up to there
TINY = 1e-300


def gamma_slope(x: Array, y: Array) -> Array:
    """Returns dy/dx of draws y of the gamma distribution of shape x and rate 1."""
    dtype = x.dtype
    a, x = np.broadcast_arrays(x.astype(np.float64), y.astype(np.float64))
    result = np.full(a.shape, np.nan)
    with np.errstate(all="ignore"):
        usual = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
        low = usual & (a <= LARGE) & (x < a + 1)
        high = usual & (a <= LARGE) & ~low
        for part, slope in (low, _by_series), (high, _by_fraction), (usual & (a > LARGE), _large):
            if part.any():
                result[part] = slope(a[part], x[part])
    return result.astype(dtype)


def gammainc(x: Array, y: Array) -> Array:
    """The part of the gamma function of x that lies below y: P(x, y)."""
    return _gamma_part(x, y, True)


def gammaincc(x: Array, y: Array) -> Array:
    """The part of the gamma function of x that lies above y: Q(x, y)."""
    return _gamma_part(x, y, False)


def _gamma_part(x: Array, y: Array, below: bool) -> Array:
    a, x = np.broadcast_arrays(x.astype(np.float64), y.astype(np.float64))
    with np.errstate(all="ignore"):
        usual = (a > 0) & (x > 0) & np.isfinite(a) & np.isfinite(x)
        low = usual & (x < a + 1)
        first = np.where((x == np.inf) & (a < np.inf) | (a == 0) & (x > 0), 1.0, np.nan)
        first = np.where((x == 0) & (a > 0) | (a == np.inf) & (x < np.inf), 0.0, first)
        first[(a < 0) | (x < 0)] = np.nan
        result = first if below else np.asarray(1 - first)
        for part, total, mine in (low, _series, below), (usual & ~low, _fraction, not below):
            if part.any():
                b, z = a[part], x[part]
                found = total(b, z)[0] * np.exp(b * np.log(z) - z - lgamma(b))
                result[part] = found if mine else 1 - found
    return result.astype(y.dtype)


def _series(a: Array, x: Array) -> tuple[Array, Array]:
    """A sum of rising powers, P over the density times x, and its derivative by a."""
    term, slope = 1 / a, -1 / a  # the term, and the derivative of its logarithm
    total, moved = term.copy(), term * slope
    for n in range(1, _rounds(a)):
        term = term * x / (a + n)
        slope = slope - 1 / (a + n)
        total += term
        moved += term * slope
        if (np.abs(term * slope) <= 1e-17 * np.abs(moved)).all():
            break
    return total, moved


def _rounds(a: Array) -> int:
    return max(ROUNDS, int(12 * a.max() ** 0.5))


def _by_series(a: Array, x: Array) -> Array:
    """-(dP/da) / density; d log(x density) / da is log x - digamma(a)."""
    total, moved = _series(a, x)
    return -x * (total * (np.log(x) - digamma(a)) + moved)


def _fraction(a: Array, x: Array) -> tuple[Array, Array]:
    """A continued fraction, Q over the density times x, and its derivative by a."""
    b = x + 1 - a
    c, d = np.full_like(a, 1 / TINY), 1 / b
    dc, dd = np.zeros_like(a), 1 / (b * b)  # derivatives by a, in which b falls
    h, dh = d.copy(), dd.copy()
    for n in range(1, _rounds(a)):
        factor, slope = -n * (n - a), float(n)
        b = b + 2
        below, dbelow = factor * d + b, slope * d + factor * dd - 1
        c, dc = b + factor / c, -1 + slope / c - factor * dc / (c * c)
        d, dd = 1 / below, -dbelow / (below * below)
        step, dstep = c * d, dc * d + c * dd
        h, dh = h * step, dh * step + h * dstep
        if ((np.abs(step - 1) < 1e-15) & (np.abs(dstep) < 1e-15)).all():
            break
    return h, dh


def _by_fraction(a: Array, x: Array) -> Array:
    """(dQ/da) / density."""
    h, dh = _fraction(a, x)
    return x * (h * (np.log(x) - digamma(a)) + dh)


def _large(a: Array, x: Array) -> Array:
    """The slope of Cornish and Fisher's expansion by the normal number behind x."""
    root = np.sqrt(a)
    z = (x - a) / root
    for _ in range(4):
        z = (x - a - (z * z - 1) / 3 - (z**3 - 7 * z) / (36 * root)) / root
    return 1 + z / (2 * root) - (z**3 - 7 * z) / (72 * a * root)


def beta_slope(x: Array, y: Array, z: Array) -> Array:
    """Returns dx/dy of draws x of the beta distribution of shapes y and z."""
    dtype = x.dtype
    x, a, b = np.broadcast_arrays(*(each.astype(np.float64) for each in (x, y, z)))
    result = np.full(x.shape, np.nan)
    with np.errstate(all="ignore"):
        usual = (a > 0) & (b > 0) & (x > 0) & (x < 1) & np.isfinite(a) & np.isfinite(b)
        left = x < (a + 1) / (a + b + 2)
        for part, here in (usual & left, True), (usual & ~left, False):
            if part.any():
                result[part] = _beta_part(x[part], a[part], b[part], here)
    return result.astype(dtype)


def _beta_part(x: Array, a: Array, b: Array, left: bool) -> Array:
    """-(dI/da) / density, from the nearer end, where a fraction has few terms."""
    y, p, q = (x, a, b) if left else (1 - x, b, a)
    # The smaller part of the distribution is its density times y (1 - y) times h / p.
    h, dh = _beta_fraction(y, p, q, left)
    front = np.log(y) if left else np.log1p(-y)
    own = p if left else q
    moved = front - digamma(own) + digamma(p + q)
    slope = h * moved + dh - (h / p if left else 0)
    result = y * (1 - y) * slope / p
    return -result if left else result


def _beta_fraction(y: Array, p: Array, q: Array, by_first: bool) -> tuple[Array, Array]:
    """Returns the fraction of the incomplete beta function and its derivative by p or q."""
    dp, dq = (1.0, 0.0) if by_first else (0.0, 1.0)
    c, dc = np.ones_like(y), np.zeros_like(y)
    first = -(p + q) / (p + 1) * y
    dfirst = (-(dp + dq) / (p + 1) + (p + q) * dp / (p + 1) ** 2) * y
    d = 1 / (1 + first)
    dd = -dfirst * d * d
    h, dh = d.copy(), dd.copy()
    for m in range(1, ROUNDS):
        top, dtop = m * (q - m) * y, m * dq * y
        low, dlow = (p + 2 * m - 1) * (p + 2 * m), dp * (2 * p + 4 * m - 1)
        c, dc, d, dd, h, dh, _ = _turn(
            top / low, dtop / low - top * dlow / low**2, c, dc, d, dd, h, dh
        )
        top, dtop = -(p + m) * (p + q + m) * y, -(dp * (p + q + m) + (p + m) * (dp + dq)) * y
        low, dlow = (p + 2 * m) * (p + 2 * m + 1), dp * (2 * p + 4 * m + 1)
        slope = dtop / low - top * dlow / low**2
        c, dc, d, dd, h, dh, done = _turn(top / low, slope, c, dc, d, dd, h, dh)
        if done:
            break
    return h, dh


def _turn(factor, dfactor, c, dc, d, dd, h, dh):
    """One turn of Lentz's evaluation of a continued fraction, with its derivative."""
    below, dbelow = 1 + factor * d, dfactor * d + factor * dd
    d, dd = 1 / below, -dbelow / (below * below)
    c, dc = 1 + factor / c, dfactor / c - factor * dc / (c * c)
    step, dstep = c * d, dc * d + c * dd
    h, dh = h * step, dh * step + h * dstep
    done = ((np.abs(step - 1) < 1e-15) & (np.abs(dstep) < 1e-15)).all()
    return c, dc, d, dd, h, dh, done
