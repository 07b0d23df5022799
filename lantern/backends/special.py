"""Functions that NumPy lacks: erf and its kin, and the gamma function's logarithm and derivatives.

Everything is computed in float64 (float32 results are rounded once), interval by interval, by
polynomials that `scripts/special_tables.py` prints. They hold to a few units in the last place,
except that near a zero other than 1 and 2 the gamma functions are exact in absolute terms only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BLOCK = 8192  # elements that stay in the cache while a polynomial passes over them

# erf(x) = x P(x * x) / Q(x * x) to 3e-8 for |x| <= 4: enough for float32, and fast.
ERF_P = (
    1.9868575758141583e-06, 0.0002845584845731024, 0.0038829711757765012, 0.0531005791649387,
    0.19353619715633377, 1.1283791393708904,
)  # fmt: skip
ERF_Q = (
    3.7420580933204066e-05, 0.001185483063364905, 0.015206496759999005, 0.11534634163557335,
    0.5048495460072799, 1.0,
)  # fmt: skip
# erf(x) / x with t = 2 x * x - 1, for |x| <= 1.
ERF = (
    1.454817075960679e-14, -3.8078827395263415e-13, 9.167606746069445e-12, -2.035228404899467e-10,
    4.11580059766496e-09, -7.51156928660089e-08, 1.223382738352401e-06, -1.7537169441124826e-05,
    0.00021751715604160108, -0.0022854855611441132, 0.019852496688983708, -0.1405360890227171,
    0.9654687386698673,
)  # fmt: skip
# exp(x * x) erfc(x) (x + 3) with t = (x - 3) / (x + 3), for x >= 0.
ERFC = (
    6.954942232514036e-12, -4.0301290737265825e-09, -3.5681656857277103e-09, 3.9523308981847586e-08,
    4.9957921660772474e-08, -2.1723944408311606e-07, -4.1168528099116056e-07, 9.839516452310493e-07,
    2.767748892060422e-06, -4.7403568108185474e-06, -1.747157222290802e-05, 3.039473602547077e-05,
    0.00010756177091043848, -0.00027677699993368523, -0.0005483097427484961, 0.00303406187394487,
    -0.0012124166218294855, -0.02682723461387531, 0.11952776128699893, -0.3104672619009746,
    0.5902283571041079, -0.883394453169879, 1.0740069070883398,
)  # fmt: skip
# lgamma(x) / ((x - 1) (x - 2)) with t = x - 2, for 1 <= x <= 3.
LGAMMA_1_3 = (
    -8.190037783551156e-10, 1.5818126337371086e-09, 2.4694237633377504e-09, -4.358862409072515e-09,
    -8.952022836709702e-09, 1.6327287432845006e-08, -7.860744687083056e-10, 5.68873795385758e-09,
    -5.2038665332275675e-08, 1.0444285443279689e-07, -1.861315818147291e-07, 3.95720794275161e-07,
    -8.554816957122729e-07, 1.8114769634727658e-06, -3.846514242663473e-06, 8.221205092155423e-06,
    -1.76618554743359e-05, 3.81690832831345e-05, -8.30950999467849e-05, 0.00018255261441838105,
    -0.0004057073999387517, 0.0009153769241238952, -0.0021081308338291313, 0.004998641164623283,
    -0.012384192193374355, 0.032965000621156974, -0.1003173016743539, 0.42278433509846713,
)  # fmt: skip
# lgamma(x) with t = (x - 5.5) / 2.5, for 3 <= x <= 8.
LGAMMA_3_8 = (
    2.0901230812449484e-10, -4.528773990510162e-10, -3.7538082452461755e-10, 6.913054975483274e-10,
    2.6722944988799287e-09, -5.686880476132719e-09, 5.668969859654879e-09, -1.4069171474956058e-08,
    4.162307717709667e-08, -9.700728763548304e-08, 2.22692658251224e-07, -5.309228233999001e-07,
    1.2773842872976166e-06, -3.0913821208663793e-06, 7.560901732840908e-06, -1.8736393318226595e-05,
    4.717387003760538e-05, -0.0001211613671272377, 0.00031923444870724513, -0.0008698740141974956,
    0.002481750739252266, -0.007563969760424914, 0.02553807401672843, -0.10314830083671965,
    0.6229449593425865, 4.027732871454377, 3.9578139676187165,
)  # fmt: skip
# Stirling's series: Bernoulli numbers B(2k) / (2k (2k - 1)), the last first.
STIRLING = (
    -3617 / 122400, 1 / 156, -691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12,
)  # fmt: skip
# B(2k) / (2k) and B(2k) / (2k)!, the first of each k = 1.
DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
ZETA = (
    1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000,
    1 / 74724249600,
)  # fmt: skip


def _kernel(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Makes a function of a flat float64 array one of any float array, done block by block."""

    def kernel(x: Array) -> Array:
        x = np.asarray(x)
        result = np.empty(x.shape, x.dtype)
        source, target = x.reshape(-1), result.reshape(-1)
        for start in range(0, source.size, BLOCK):
            part = source[start : start + BLOCK].astype(np.float64)
            target[start : start + BLOCK] = function(part)
        return result

    kernel.__name__, kernel.__doc__ = function.__name__, function.__doc__
    return kernel


def _polynomial(coefficients: tuple[float, ...], t: Array) -> Array:
    total = t * coefficients[0]
    for each in coefficients[1:-1]:
        total += each
        total *= t
    total += coefficients[-1]
    return total


def _by_parts(x: Array, parts: list[tuple[Array, Callable[[Array], Array]]], other: float) -> Array:
    """Returns each function where its mask holds, `other` where none does."""
    result = np.full(x.shape, other)
    for mask, function in parts:
        if mask.all():
            return function(x)
        if mask.any():
            result[mask] = function(x[mask])
    return result


def erf(x: Array) -> Array:
    """The error function."""
    return _erf_single(x) if x.dtype == np.float32 else _erf_double(x)


@_kernel
def _erf_single(x: Array) -> Array:
    x = np.clip(x, -4, 4)
    z = x * x
    return x * _polynomial(ERF_P, z) / _polynomial(ERF_Q, z)


@_kernel
def _erf_double(x: Array) -> Array:
    size = np.abs(x)
    near = size <= 1
    far = size > 1
    parts = [(near, _erf_near), (far, lambda x: np.copysign(1 - _erfc_positive(np.abs(x)), x))]
    return _by_parts(x, parts, np.nan)


def _erf_near(x: Array) -> Array:
    return x * _polynomial(ERF, 2 * x * x - 1)


def _erfc_positive(x: Array) -> Array:
    # exp(-x * x) from a short and a small part of x, so that rounding x * x does no harm.
    short = np.round(np.minimum(x, 30) * 65536) / 65536
    scale = np.exp(-short * short) * np.exp((short - x) * (short + x))
    scale[x > 27] = 0
    with np.errstate(invalid="ignore"):
        t = (x - 3) / (x + 3)
        t[np.isinf(x)] = 1
        return scale * _polynomial(ERFC, t) / (x + 3)


@_kernel
def erfc(x: Array) -> Array:
    """1 - erf(x), exact where that is tiny."""
    middle = np.abs(x) <= 0.5
    parts = [
        (middle, lambda x: 1 - _erf_near(x)),
        (x > 0.5, _erfc_positive),
        (x < -0.5, lambda x: 2 - _erfc_positive(-x)),
    ]
    return _by_parts(x, parts, np.nan)


@_kernel
def erfinv(x: Array) -> Array:
    """The inverse of erf: infinite at -1 and 1, NaN outside."""
    size = np.abs(x)
    inside = size < 1
    result = _by_parts(x, [(inside, _erfinv_inside)], np.nan)
    ends = size == 1
    result[ends] = np.copysign(np.inf, x[ends])
    return result


def _erfinv_inside(x: Array) -> Array:
    # Winitzki's formula is right to 2e-3; each step of Halley's cubes the error.
    size = np.abs(x)
    logarithm = np.log1p(-size * size)
    a = 2 / (math.pi * 0.147) + logarithm / 2
    y = np.sqrt(np.sqrt(a * a - logarithm / 0.147) - a)
    near = size < 0.5
    for _ in range(3):
        residue = np.where(near, _erf_near(np.minimum(y, 1)) - size, (1 - size) - _erfc_positive(y))
        step = residue / (2 / math.sqrt(math.pi) * np.exp(-y * y))
        y = y - step / (1 + y * step)
    return np.copysign(y, x)


@_kernel
def lgamma(x: Array) -> Array:
    """The logarithm of the absolute value of the gamma function; infinite at 0, -1, -2, ..."""
    finite = np.isfinite(x)
    parts = [(finite & (x > 0), _lgamma_positive), (finite & (x <= 0), _lgamma_reflected)]
    result = _by_parts(x, parts, np.inf)
    result[np.isnan(x)] = np.nan
    return result


def _lgamma_positive(x: Array) -> Array:
    parts = [
        (x < 1, lambda x: x * (x - 1) * _polynomial(LGAMMA_1_3, x - 1) - np.log(x)),
        ((x >= 1) & (x < 3), lambda x: (x - 1) * (x - 2) * _polynomial(LGAMMA_1_3, x - 2) + 0.0),
        ((x >= 3) & (x < 8), lambda x: _polynomial(LGAMMA_3_8, (x - 5.5) / 2.5)),
        (x >= 8, _lgamma_large),
    ]
    return _by_parts(x, parts, np.nan)


def _lgamma_large(x: Array) -> Array:
    inverse = 1 / x
    series = inverse * _polynomial(STIRLING, inverse * inverse)
    return (x - 0.5) * (np.log(x) - 1) + (math.log(2 * math.pi) / 2 - 0.5) + series


def _lgamma_reflected(x: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        sine = np.abs(x * np.sin(math.pi * (x - np.round(x))))
        result = np.where(
            sine > 0, np.log(math.pi / sine) - _lgamma_positive(np.maximum(-x, 1e-300)), np.inf
        )
    return np.where((x < 0) & (x > -1e-20), -np.log(np.maximum(-x, 5e-324)), result)


@_kernel
def digamma(x: Array) -> Array:
    """The derivative of lgamma: NaN at -1, -2, ..., infinite at 0 with the opposite sign."""
    with np.errstate(divide="ignore", invalid="ignore"):
        negative = x < 0
        y = np.where(negative, 1 - x, x)
        total = np.zeros(x.shape)
        for _ in range(10):
            small = y < 10
            total[small] -= 1 / y[small]
            y = np.where(small, y + 1, y)
        inverse = 1 / (y * y)
        series = inverse * _polynomial(DIGAMMA[::-1], inverse)
        total += np.log(y) - 0.5 / y - series
        fraction = x - np.round(x)
        total -= np.where(negative, math.pi / np.tan(math.pi * fraction), 0)
        total = np.where(negative & (fraction == 0), np.nan, total)
        return np.where(x == 0, np.copysign(np.inf, -x), np.where(x == -np.inf, np.nan, total))


def polygamma(n: int, x: Array) -> Array:
    """The n-th derivative of digamma."""
    if n == 0:
        return digamma(x)
    factor = math.factorial(n) * (1.0 if n % 2 else -1.0)
    return _kernel(lambda x: factor * zeta(n + 1, x))(x)


def zeta(s: int, q: Array) -> Array:
    """Hurwitz's zeta function, the sum over k >= 0 of (k + q) ** -s, for a whole number s > 1."""
    # The sum over all whole k has period 1 in q; from it follow the values for negative q.
    with np.errstate(all="ignore"):
        fraction = q - np.floor(q)
        parts = [
            (q > 0, lambda q: _zeta_positive(s, q)),
            (
                (q < 0) & (fraction > 0),
                lambda q: (
                    _zeta_positive(s, q - np.floor(q))
                    + (-1.0) ** s * (_zeta_positive(s, np.ceil(q) - q) - _zeta_positive(s, 1 - q))
                ),
            ),
            (np.isnan(q) | (q == -np.inf), lambda q: np.full(q.shape, np.nan)),
        ]
        return _by_parts(q, parts, np.inf)


def _zeta_positive(s: int, q: Array) -> Array:
    # The first terms one by one, the rest by Euler and Maclaurin's formula.
    total = np.zeros(q.shape)
    for _ in range(12):
        total += q ** float(-s)
        q = q + 1
    total += q ** (1.0 - s) / (s - 1) + 0.5 * q ** float(-s)
    rising, power = float(s), q ** (-s - 1.0)
    for k, each in enumerate(ZETA, 1):
        total += each * rising * power
        rising *= (s + 2 * k - 1) * (s + 2 * k)
        power = power / (q * q)
    return total
