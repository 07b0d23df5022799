"""`torch.special`: special functions, most of them known under a plain name too.

The names here are thin: each is the op that computes it.
"""

from __future__ import annotations

from . import ops
from .compat.missing import missing

digamma = psi = ops.digamma
entr = ops.entr
erf = ops.erf
erfc = ops.erfc
erfcx = ops.erfcx
erfinv = ops.erfinv
exp2 = ops.exp2
expit = ops.sigmoid
expm1 = ops.expm1
gammainc = ops.gammainc
gammaincc = ops.gammaincc
gammaln = ops.lgamma
i0 = ops.i0
i0e = ops.i0e
i1 = ops.i1
i1e = ops.i1e
log1p = ops.log1p
log_ndtr = ops.log_ndtr
log_softmax = ops.log_softmax
logit = ops.logit
logsumexp = ops.logsumexp
multigammaln = ops.mvlgamma
ndtr = ops.ndtr
ndtri = ops.ndtri
polygamma = ops.polygamma
round = ops.round
sinc = ops.sinc
softmax = ops.softmax
xlog1py = ops.xlog1py
xlogy = ops.xlogy

__getattr__ = missing(__name__)
