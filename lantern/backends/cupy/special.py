"""Special functions: CuPy's, with results in the dtype of their argument."""

from __future__ import annotations

import cupy
import cupyx.scipy.special as special

from .hosted import gammainc, gammaincc  # noqa: F401  (primitives)


def _same_dtype(function):
    def primitive(x):
        return function(x).astype(x.dtype, copy=False)

    return primitive


erf, erfc, erfcx = map(_same_dtype, (special.erf, special.erfc, special.erfcx))
_erfinv, _gammaln = _same_dtype(special.erfinv), _same_dtype(special.gammaln)
digamma, ndtri = map(_same_dtype, (special.digamma, special.ndtri))
i0e, i1e = _same_dtype(special.i0e), _same_dtype(special.i1e)


def erfinv(x):
    return cupy.where(x == 0, x, _erfinv(x))  # keeps the sign of zero


def lgamma(x):
    return cupy.where(cupy.isinf(x), cupy.absolute(x), _gammaln(x))


def polygamma(n, x):
    return special.polygamma(n, x).astype(x.dtype, copy=False)
