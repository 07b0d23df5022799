"""Functions that NumPy lacks: erf and its kin, the logarithm of the gamma function, Bessel's.

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
# exp(-x) I0(x) with t = x / 4 - 1, for 0 <= x <= 8.
I0_NEAR = (
    4.470516727511741e-09, -1.6316042856792757e-08, 2.6265363151970112e-08, -8.591406444264668e-08,
    3.675842926555429e-07, -1.142045323881917e-06, 3.2293390826404927e-06, -9.183742586936203e-06,
    2.520232727107692e-05, -6.556805964401791e-05, 0.00016240542162878106, -0.00038286526498299526,
    0.0008563152748272306, -0.0018119030567637056, 0.003617126448897043, -0.006792394790940051,
    0.011960077907026221, -0.019682655791721182, 0.030177912022978357, -0.0429859492954222,
    0.05677703201991695, -0.06954119563168235, 0.07927522590716347, -0.08496338091541732,
    0.08734341617552313, -0.08904344136077755, 0.09451562853995103, -0.11300432688620536,
    0.2070019212239867,
)  # fmt: skip
# exp(-x) I0(x) sqrt(x) with t = 16 / x - 1, for x >= 8.
I0_FAR = (
    -2.0260604287413626e-11, 9.36508689281819e-11, 1.5279202694981569e-10, -6.633287112547084e-10,
    -5.715843864202709e-10, 2.1968921378829006e-09, 1.5200816953924232e-09, -4.575553424534973e-09,
    -3.505966530879332e-09, 6.560138746917057e-09, 7.552583062123384e-09, -5.0381064879032845e-09,
    -1.340891754008974e-08, -6.8493381882867694e-09, 7.554691881248808e-09, 2.1566251453104354e-08,
    3.932584334552952e-08, 8.872034383314144e-08, 2.9735985885673923e-07, 1.4838476651250266e-06,
    1.1143033790932038e-05, 0.00013621607438984735, 0.0033605519836678614, 0.4021765094450081,
)  # fmt: skip
# exp(-x) I1(x) / x, likewise.
I1_NEAR = (
    -1.41695079121077e-09, 5.2131237878886215e-09, -8.984420960424589e-09, 2.987385645901576e-08,
    -1.2424759932738304e-07, 3.9094375480236725e-07, -1.1327072698408053e-06,
    3.2758438130588964e-06, -9.136543922789093e-06, 2.42486684188831e-05, -6.142360299099794e-05,
    0.00014841259927108295, -0.0003411760289073331, 0.0007445158727006065, -0.00153887456203039,
    0.003005761416447221, -0.005534567847563678, 0.009583962344356725, -0.015571309243980052,
    0.02368601693352639, -0.03367135552108536, 0.04467457262306667, -0.055280039226991644,
    0.06376740371333643, -0.06848260620582691, 0.06805759990951268, -0.061124338029666284,
    0.04468770987560883,
)  # fmt: skip
# exp(-x) I1(x) sqrt(x), likewise.
I1_FAR = (
    1.8515118828852956e-11, -9.752397204138195e-11, -1.4011625179770627e-10, 6.917089294193807e-10,
    5.295625441161261e-10, -2.297004161885201e-09, -1.4387250533041013e-09, 4.810597405089944e-09,
    3.4262341490077958e-09, -6.983839624895866e-09, -7.64239413436356e-09, 5.59337010179061e-09,
    1.4034238782067183e-08, 6.8401389977069586e-09, -8.427766093735185e-09, -2.339250374801858e-08,
    -4.312917729178349e-08, -1.000109565963654e-07, -3.483855761044295e-07, -1.8349102358955385e-06,
    -1.5038547200567216e-05, -0.0002192357638317243, -0.009749577193235737, 0.38939845902587233,
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
        result = np.empty_like(x)  # its dimensions lie in the order of those of `x`
        source, target = (x, result) if x.flags.c_contiguous else (x.T, result.T)
        if not target.flags.c_contiguous:
            order = sorted(range(x.ndim), key=lambda d: -result.strides[d])
            source, target = x.transpose(order), result.transpose(order)
        source, target = source.reshape(-1), target.reshape(-1)
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
    size = np.abs(x)
    return np.copysign(_erfinv_positive(size, 1 - size), x)


def _erfinv_positive(size: Array, rest: Array) -> Array:
    """Returns y with erf(y) = size and erfc(y) = rest."""
    # Winitzki's formula is right to 2e-3; each step of Halley's cubes the error.
    logarithm = np.log(rest * (1 + size))
    a = 2 / (math.pi * 0.147) + logarithm / 2
    y = np.sqrt(np.maximum(np.sqrt(a * a - logarithm / 0.147) - a, 0))
    near = size < 0.5
    for _ in range(3):
        residue = np.where(near, _erf_near(np.minimum(y, 1)) - size, rest - _erfc_positive(y))
        step = residue / (2 / math.sqrt(math.pi) * np.exp(-y * y))
        y = y - step / (1 + y * step)
    return y


@_kernel
def ndtri(x: Array) -> Array:
    """The inverse of the normal distribution function."""
    rest = 2 * np.minimum(x, 1 - x)
    inside = (x > 0) & (x < 1)
    size = _by_parts(rest, [(inside, lambda r: _erfinv_positive(1 - r, r))], np.nan)
    result = np.copysign(size, x - 0.5) * math.sqrt(2)
    return np.where(x == 0, -np.inf, np.where(x == 1, np.inf, result))


@_kernel
def erfcx(x: Array) -> Array:
    """exp(x * x) erfc(x), which has no overflow or underflow for large x."""
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.abs(x)
        t = (size - 3) / (size + 3)
        t[np.isinf(x)] = 1
        positive = _polynomial(ERFC, t) / (size + 3)
        return np.where(x < 0, 2 * np.exp(x * x) - positive, positive)


def _bessel(x: Array, near: tuple[float, ...], far: tuple[float, ...], order: int) -> Array:
    size = np.abs(x)
    result = _by_parts(
        size,
        [
            (size <= 8, lambda x: _polynomial(near, x / 4 - 1) * x**order),
            (size > 8, lambda x: _polynomial(far, 16 / x - 1) / np.sqrt(x)),
        ],
        np.nan,
    )
    return np.where(x < 0, -result, result) if order else result


@_kernel
def i0e(x: Array) -> Array:
    """exp(-|x|) I0(x), the modified Bessel function of the first kind, scaled."""
    return _bessel(x, I0_NEAR, I0_FAR, 0)


@_kernel
def i1e(x: Array) -> Array:
    """exp(-|x|) I1(x), the modified Bessel function of the first kind, scaled."""
    return _bessel(x, I1_NEAR, I1_FAR, 1)


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
