"""Records of `lantern/ops/systems.py` and `lantern/ops/decompositions.py`.

Factors are unique but for signs, so absolute values are compared; the matrices are drawn such that
they can be inverted and their eigenvalues and singular values lie apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .record import ErrorSample, Make, Record, Sample, function_of

PLAIN = ("float32", "float64")
# Errors of these grow with how unlike the sizes of the singular values are.
LOOSE = {"float32": (2e-3, 2e-4), "float64": (1e-6, 1e-8)}


def regular(lt: Any, x: Any) -> Any:
    """Matrices near given ones whose rows are far from parallel, however the given are laid out."""
    if x.ndim < 2 or not x.is_floating_point():
        return x
    rows, columns = x.shape[-2:]
    kind = str(x.dtype).removeprefix("torch.")
    base = np.eye(rows, columns) * np.arange(2, rows + 2)[:, None]
    return x * 0.25 + lt.from_numpy(base.astype(kind)).to(x.device)


def on_regular(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns how a function is called on a matrix made regular."""
    return lambda lt, x, *args, **kwargs: function(lt, regular(lt, x), *args, **kwargs)


def square_samples(make: Make):
    yield Sample(make(3, 3))
    yield Sample(make(2, 2, 2))
    yield Sample(make(1, 1))
    yield Sample(make(0, 0))
    yield Sample(make(0, 2, 2))
    yield Sample(make(2, 0, 0))
    yield Sample(make(2, 3))
    yield Sample(make(3))
    yield Sample(make())


def rectangular_samples(make: Make):
    yield from list(square_samples(make))[:6]
    yield Sample(make(4, 2))
    yield Sample(make(2, 4))
    yield Sample(make(2, 3, 2))
    yield Sample(make(0, 3))
    yield Sample(make(3))
    yield Sample(make())


def singular_samples(make: Make):
    yield Sample(np.zeros_like(make(2, 2)))
    yield Sample(np.ones_like(make(3, 3)))
    yield Sample(np.full_like(make(2, 2), np.nan))
    yield Sample(make(0, 0))
    yield Sample(make())


def rank_samples(make: Make):
    yield Sample(make(3, 3))
    yield Sample(np.ones_like(make(2, 3)))
    yield Sample(np.zeros_like(make(2, 2, 3)))
    yield Sample(np.diag([1.0, 1e-3, 1e-9]).astype(make(1).dtype))
    yield Sample(np.diag([1.0, 0.5, 0.25]).astype(make(1).dtype), atol=0.3)
    yield Sample(np.diag([4.0, 2.0, 1.0]).astype(make(1).dtype), rtol=0.3)
    yield Sample(make(0, 3))
    yield Sample(make())


def cholesky_samples(make: Make):
    yield Sample(make(3, 3))
    yield Sample(make(2, 2, 2))
    yield Sample(make(0, 2))
    yield Sample(make(1, 1, 1), upper=True)
    yield Sample(make(3, 3), upper=True)
    yield Sample(make(3))
    yield Sample(make())


def solve_samples(make: Make):
    for left, right in (
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((2, 3, 3), (2, 3)),
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (2, 3, 1)),
        ((2, 3, 3), (3, 4)),
        ((3, 3), (2, 3, 4)),
    ):
        yield Sample(make(*left), make(*right))
    yield Sample(make(3, 3), make(2, 3), left=False)
    yield Sample(make(2, 3, 3), make(4, 3), left=False)
    yield Sample(make(0, 0), make(0))
    yield Sample(make(0, 0), make(0, 2))
    yield Sample(make(3, 3), make(4))
    yield Sample(make(3, 3), make(4, 2))
    yield Sample(make(2, 3), make(2))
    yield Sample(make(3), make(3))
    yield Sample(make(3, 3), make())
    yield Sample(np.zeros_like(make(2, 2)), make(2))


def called(name: str, *unsigned: int) -> Callable[..., Any]:
    """Returns how a function is called on a regular matrix.

    Of its results those at the places `unsigned` have no fixed sign.
    """

    def call(lt: Any, *args: Any, **kwargs: Any) -> Any:
        found = function_of(lt, name)(*args, **kwargs)
        if not unsigned:
            return found
        return tuple(x.abs() if i in unsigned else x for i, x in enumerate(found))

    return on_regular(call)


def symmetric(lt: Any, x: Any) -> Any:
    """The sum of matrices and their transposes."""
    return x + x.mT if x.ndim > 1 and x.shape[-1] == x.shape[-2] else x


def eigh(lt: Any, x: Any, *args: Any) -> Any:
    """Eigenvalues, and eigenvectors without their signs."""
    values, vectors = lt.linalg.eigh(symmetric(lt, x), *args)
    return values, vectors.abs()


def thin_svd(lt: Any, x: Any) -> Any:
    """The factors of the reduced form, without their signs."""
    u, s, vh = lt.linalg.svd(x, full_matrices=False)
    return u.abs(), s, vh.abs()


def eigh_samples(make: Make):
    yield from square_samples(make)
    yield Sample(make(3, 3), "U")
    yield Sample(make(3, 3), "X")


def qr_samples(make: Make):
    yield from rectangular_samples(make)
    yield Sample(make(2, 4), "complete")
    yield Sample(make(2, 4), "x")


def old_samples(make: Make):
    yield from rectangular_samples(make)
    yield Sample(make(2, 2), False)


def positive(name: str) -> Callable[..., Any]:
    """Returns how a function is called on matrices times their transposes."""

    def call(lt: Any, x: Any, **kwargs: Any) -> Any:
        square = x @ x.mT if x.ndim > 1 and x.is_floating_point() else x
        return function_of(lt, name)(square, **kwargs)

    return on_regular(call)


def unlike(kind: str, text: str) -> ErrorSample:
    """What is raised for matrices of a type that there is no function for."""
    error = NotImplementedError if text.startswith('"') else RuntimeError
    return ErrorSample(error, text, Make(0, kind).of(kind, 2, 2))


def types(name: str, half: str) -> list[ErrorSample]:
    """What is raised for integers and half types."""
    integer = f"{name}: Expected a floating point or complex tensor as input. Got Long"
    return [unlike("int64", integer), unlike("float16", half)]


LOW = ": Low precision dtypes not supported. Got Half"
ZEROS = np.zeros((2, 2))

RECORDS = [
    Record(
        "linalg.inv",
        square_samples,
        call=called("linalg.inv"),
        dtypes=PLAIN,
        out=True,
        tolerance=LOOSE,
        errors=types("linalg.inv", "linalg.inv" + LOW),
    ),
    Record(
        "inverse", square_samples, call=called("inverse"), dtypes=PLAIN, out=True, tolerance=LOOSE
    ),
    Record(
        "det",
        square_samples,
        call=called("det"),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=types("linalg.det", "\"lu_cpu\" not implemented for 'Half'"),
    ),
    Record(
        "det", singular_samples, dtypes=PLAIN, second=False, tolerance=LOOSE, variant="singular"
    ),
    Record(
        "slogdet",
        square_samples,
        call=called("slogdet"),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=types("linalg.slogdet", "linalg.slogdet" + LOW),
    ),
    Record(
        "linalg.slogdet",
        square_samples,
        call=called("linalg.slogdet"),
        dtypes=PLAIN,
        tolerance=LOOSE,
    ),
    Record(
        "logdet",
        square_samples,
        call=called("logdet"),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=types("logdet", "logdet" + LOW),
    ),
    Record(
        "linalg.solve",
        solve_samples,
        call=called("linalg.solve"),
        dtypes=PLAIN,
        out=True,
        tolerance=LOOSE,
        errors=[
            ErrorSample(
                RuntimeError,
                "linalg.solve: Expected A and B to have the same dtype, but found A of type Double "
                "and B of type Float instead",
                ZEROS,
                ZEROS.astype(np.float32),
            ),
            ErrorSample(
                NotImplementedError,
                "\"lu_cpu\" not implemented for 'Half'",
                ZEROS.astype(np.float16),
                ZEROS.astype(np.float16),
            ),
        ],
    ),
    Record(
        "linalg.cholesky",
        cholesky_samples,
        call=positive("linalg.cholesky"),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=types("linalg.cholesky", "\"cholesky_cpu\" not implemented for 'Half'"),
    ),
    Record(
        "cholesky",
        cholesky_samples,
        call=positive("cholesky"),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=[
            unlike("int64", "\"cholesky_cpu\" not implemented for 'Long'"),
            unlike("float16", "\"cholesky_cpu\" not implemented for 'Half'"),
        ],
    ),
    Record(
        "linalg.qr",
        qr_samples,
        call=called("linalg.qr", 0, 1),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=types("linalg.qr", "\"geqrf_cpu\" not implemented for 'Half'"),
    ),
    Record("qr", old_samples, call=called("qr", 0, 1), dtypes=PLAIN, tolerance=LOOSE),
    Record(
        "linalg.eigh",
        eigh_samples,
        call=on_regular(eigh),
        dtypes=PLAIN,
        tolerance=LOOSE,
    ),
    Record(
        "linalg.eigvalsh",
        square_samples,
        call=on_regular(lambda lt, x: lt.linalg.eigvalsh(symmetric(lt, x))),
        dtypes=PLAIN,
        tolerance=LOOSE,
    ),
    Record(
        "linalg.svd",
        rectangular_samples,
        call=on_regular(thin_svd),
        dtypes=PLAIN,
        tolerance=LOOSE,
        errors=types("linalg.svd", "\"linalg_svd_cpu\" not implemented for 'Half'"),
    ),
    Record(
        "linalg.svd",
        rectangular_samples,
        call=on_regular(lambda lt, x: lt.linalg.svd(x)[1]),
        dtypes=PLAIN,
        tolerance=LOOSE,
        variant="full",
    ),
    Record("svd", old_samples, call=called("svd", 0, 2), dtypes=PLAIN, tolerance=LOOSE),
    Record(
        "linalg.svdvals",
        rectangular_samples,
        call=called("linalg.svdvals"),
        dtypes=PLAIN,
        out=True,
        tolerance=LOOSE,
    ),
    Record(
        "linalg.pinv",
        rectangular_samples,
        call=called("linalg.pinv"),
        dtypes=PLAIN,
        tolerance=LOOSE,
    ),
    Record("pinverse", rectangular_samples, call=called("pinverse"), dtypes=PLAIN, tolerance=LOOSE),
    Record("linalg.matrix_rank", rank_samples, dtypes=PLAIN, method=False, gradient=False),
]
