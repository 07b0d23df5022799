"""Records of `lantern/ops/elimination.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .decompositions import (
    LOOSE,
    PLAIN,
    called,
    cholesky_samples,
    positive,
    rectangular_samples,
    regular,
    square_samples,
    types,
)
from .record import Make, Record, Sample, function_of

SETTINGS: dict[str, Any] = {"dtypes": PLAIN, "tolerance": LOOSE, "special": "", "nodes": False}


def factor_samples(make: Make):
    yield from rectangular_samples(make)
    yield Sample(make(2, 2), pivot=False)


def turned(lt: Any, x: Any) -> Any:
    """Matrices whose rows are exchanged on the way to their factors."""
    return regular(lt, x).flip(-2) if x.ndim > 1 else x


def turned_call(name: str) -> Any:
    """Returns how a function is called on matrices whose rows are exchanged."""
    return lambda lt, x, **kwargs: function_of(lt, name)(turned(lt, x), **kwargs)


def together(lt: Any, x: Any, **kwargs: Any) -> Any:
    """The factors, and their product with the permutation, which has no gradient of its own."""
    P, L, U = lt.linalg.lu(turned(lt, x), **kwargs)
    return P @ L @ U, L, U


def singular_samples(make: Make):
    yield Sample(np.zeros_like(make(2, 2)))
    yield Sample(np.stack([np.eye(3), np.ones((3, 3))]).astype(make(1).dtype))
    yield Sample(make(0, 0))
    yield Sample(make())


def checked_samples(make: Make):
    yield from singular_samples(make)
    for sample in singular_samples(make):
        yield Sample(*sample.args, check_errors=True)


def infos(name: str) -> Any:
    """Returns how what a function says of singular matrices is asked for."""
    return lambda lt, x, **kwargs: function_of(lt, name)(x, **kwargs)[-1]


def unpack_samples(make: Make):
    yield Sample(make(3, 3))
    yield Sample(make(2, 4, 2))
    yield Sample(make(2, 4))
    yield Sample(make(0, 0))
    yield Sample(make())
    yield Sample(make(3, 3), unpack_pivots=False)


def unpacked(lt: Any, x: Any, **kwargs: Any) -> Any:
    """What `lu_unpack` makes of the factors of a matrix, all behind the permutation."""
    P, L, U = lt.lu_unpack(*lt.linalg.lu_factor(turned(lt, x)), **kwargs)
    return (P @ L, U) if P.numel() and L.numel() else P if P.numel() else (L, U)


def system_samples(make: Make):
    yield Sample(make(3, 3), make(3, 2))
    yield Sample(make(2, 3, 3), make(2, 3, 1), adjoint=True)
    yield Sample(make(3, 3), make(2, 3), left=False)
    yield Sample(make(3, 3), make(2, 3), left=False, adjoint=True)
    yield Sample(make(2, 3, 3), make(3, 4))
    yield Sample(make(0, 0), make(0, 2))
    yield Sample(make(3, 3), make(2, 2))
    yield Sample(make(3, 3), make())


def solved(lt: Any, A: Any, B: Any, **kwargs: Any) -> Any:
    """The solution of a system by factors."""
    return lt.linalg.lu_solve(*lt.linalg.lu_factor(turned(lt, A)), B, **kwargs)


def solved_before(lt: Any, A: Any, B: Any) -> Any:
    """The solution of a system by the older function."""
    return lt.lu_solve(B, *lt.linalg.lu_factor(turned(lt, A)))


def right_samples(make: Make):
    yield Sample(make(3, 3), make(3, 2))
    yield Sample(make(2, 3, 3), make(3, 1))
    yield Sample(make(0, 0), make(0, 2))
    yield Sample(make(3, 3), make(2, 2))
    yield Sample(make(3, 3), make(3))
    yield Sample(make(3, 3), make())


def upper_samples(make: Make):
    yield from right_samples(make)
    yield Sample(make(3, 3), make(3, 2), True)


def by_cholesky(lt: Any, A: Any, B: Any, upper: bool = False) -> Any:
    """A system with a triangular factor, which may be the upper one."""
    return lt.cholesky_solve(B, regular(lt, A).triu() if upper else regular(lt, A).tril(), upper)


def inverse_samples(make: Make):
    yield from square_samples(make)
    yield Sample(make(3, 3), True)


def triangle_samples(make: Make):
    yield from right_samples(make)
    yield Sample(make(3, 3), make(3, 2), upper=False)
    yield Sample(make(3, 3), make(3, 2), transpose=True, unitriangular=True)


def triangle_solved(lt: Any, A: Any, B: Any, **kwargs: Any) -> Any:
    """What `triangular_solve` gives for a matrix made regular."""
    return lt.triangular_solve(B, regular(lt, A), **kwargs)


def cond_samples(make: Make):
    yield from list(square_samples(make))[:3]
    for p in (None, 2, -2, "nuc"):
        yield Sample(make(3, 3), p)
    yield Sample(make(2, 4, 2))
    yield Sample(make(3, 3), 5)
    yield Sample(make(3))
    yield Sample(make(0, 0))
    yield Sample(make())


def norm_samples(make: Make):
    # PyTorch's backward of these fails where it writes into a result that it has saved.
    for p in (1, -1, "fro", float("inf"), -float("inf")):
        yield Sample(make(3, 3), p)
    yield Sample(np.stack([np.eye(3), np.zeros((3, 3))]).astype(make(1).dtype), 1)
    yield Sample(make(2, 3), 1)
    yield Sample(make(0, 0), 1)
    yield Sample(make(), 1)


def exponential_samples(make: Make):
    yield from square_samples(make)
    yield Sample(make(3, 3) * 8)
    yield Sample(np.full_like(make(2, 2), np.nan))


def reflection_samples(make: Make):
    yield Sample(make(4, 2), make(2))
    yield Sample(make(2, 3, 3), make(2, 2))
    yield Sample(make(2, 4), make(2))
    yield Sample(make(4, 2), make(3))
    yield Sample(make(4, 0), make(0))
    yield Sample(make(0, 0), make(0))
    yield Sample(make(4, 2), make())


def tensor_samples(make: Make):
    yield Sample(make(4, 2, 2), ind=1)
    yield Sample(make(2, 3, 6))
    yield Sample(make(2, 3, 5))
    yield Sample(make(2, 2), 0)
    yield Sample(make(0, 0), ind=1)
    yield Sample(make())


def tensor_inverse(lt: Any, A: Any, **kwargs: Any) -> Any:
    """The inverse of a tensor that has one."""
    count = int(A.numel() ** 0.5)
    if count * count == A.numel():
        A = regular(lt, A.reshape(count, count)).reshape(A.shape)
    return lt.linalg.tensorinv(A, **kwargs)


RECORDS = [
    Record("linalg.lu", factor_samples, call=together, **SETTINGS),
    Record("linalg.lu_factor", factor_samples, call=turned_call("linalg.lu_factor"), **SETTINGS),
    Record(
        "linalg.lu_factor",
        singular_samples,
        method=False,
        gradient=None,
        variant="singular",
        **SETTINGS,
    ),
    Record(
        "linalg.lu_factor_ex", factor_samples, call=turned_call("linalg.lu_factor_ex"), **SETTINGS
    ),
    Record(
        "linalg.lu_factor_ex",
        checked_samples,
        call=infos("linalg.lu_factor_ex"),
        gradient=False,
        variant="singular",
        **SETTINGS,
    ),
    Record("lu_unpack", unpack_samples, call=unpacked, method=False, **SETTINGS),
    Record("linalg.lu_solve", system_samples, call=solved, **SETTINGS),
    Record("lu_solve", right_samples, call=solved_before, **SETTINGS),
    Record(
        "linalg.cholesky_ex",
        cholesky_samples,
        call=positive("linalg.cholesky_ex"),
        errors=types("linalg.cholesky", "\"cholesky_cpu\" not implemented for 'Half'"),
        **SETTINGS,
    ),
    Record(
        "linalg.cholesky_ex",
        checked_samples,
        call=infos("linalg.cholesky_ex"),
        gradient=False,
        variant="singular",
        **SETTINGS,
    ),
    Record("cholesky_solve", upper_samples, call=by_cholesky, **SETTINGS),
    # PyTorch gives the half of the matrix that is not read a gradient.
    Record(
        "cholesky_inverse",
        inverse_samples,
        call=called("cholesky_inverse"),
        gradient=None,
        **SETTINGS,
    ),
    Record("linalg.inv_ex", square_samples, call=called("linalg.inv_ex"), **SETTINGS),
    Record(
        "linalg.inv_ex",
        checked_samples,
        call=infos("linalg.inv_ex"),
        gradient=False,
        variant="singular",
        **SETTINGS,
    ),
    Record("linalg.cond", cond_samples, call=called("linalg.cond"), **SETTINGS),
    Record("linalg.cond", norm_samples, method=False, gradient=None, variant="norms", **SETTINGS),
    Record("matrix_exp", exponential_samples, **SETTINGS),
    Record("triangular_solve", triangle_samples, call=triangle_solved, **SETTINGS),
    Record("linalg.householder_product", reflection_samples, method=False, **SETTINGS),
    Record("linalg.tensorinv", tensor_samples, call=tensor_inverse, **SETTINGS),
]
