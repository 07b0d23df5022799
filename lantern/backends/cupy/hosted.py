"""Primitives that the NumPy backend computes on copies in the CPU's memory."""

from __future__ import annotations

import inspect
from functools import wraps

import cupy

from lantern.backends import numpy as host

from .placing import transfer


def on_host(function):
    """Returns a primitive that copies its arrays to the CPU, computes there and copies back."""

    @wraps(function)
    def primitive(*args):
        index = next(each.device.id for each in args if isinstance(each, cupy.ndarray))
        copies = [transfer(x, None) if isinstance(x, cupy.ndarray) else x for x in args]
        token = host.silence()
        try:
            result = function(*copies)
        finally:
            host.restore(token)
        return transfer(host.asarray(result), index)

    primitive.__signature__ = inspect.signature(function)
    return primitive


beta_slope, gamma_slope = on_host(host.beta_slope), on_host(host.gamma_slope)
inv, det, cofactor, cholesky = map(on_host, (host.inv, host.det, host.cofactor, host.cholesky))
solve, pinv, slogdet_packed = map(on_host, (host.solve, host.pinv, host.slogdet_packed))
qr_packed, eigh_packed = on_host(host.qr_packed), on_host(host.eigh_packed)
svd_packed, lu_packed = on_host(host.svd_packed), on_host(host.lu_packed)
cholesky_packed, inv_packed = on_host(host.cholesky_packed), on_host(host.inv_packed)
matrix_exp, mantissa, exponent = map(on_host, (host.matrix_exp, host.mantissa, host.exponent))
scatter_reduce = on_host(host.scatter_reduce)
gammainc, gammaincc = on_host(host.gammainc), on_host(host.gammaincc)
