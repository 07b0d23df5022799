"""Records of `lantern/ops/solvers.py`."""

from __future__ import annotations

from .decompositions import LOOSE, PLAIN, called
from .record import Make, Record, Sample


def triangular_samples(make: Make):
    for upper in (True, False):
        yield Sample(make(3, 3), make(3, 2), upper=upper)
        yield Sample(make(2, 3, 3), make(2, 3, 1), upper=upper, unitriangular=True)
    yield Sample(make(3, 3), make(2, 3), upper=True, left=False)
    yield Sample(make(2, 3, 3), make(3, 4), upper=False)
    yield Sample(make(3, 3), make(2, 2), upper=False)
    yield Sample(make(3, 3), make(3), upper=False)
    yield Sample(make(0, 3, 3), make(0, 3, 2), upper=False)
    yield Sample(make(0, 0), make(0, 2), upper=True)
    yield Sample(make(), make(3, 2), upper=True)


def least_squares_samples(make: Make):
    yield Sample(make(5, 3), make(5, 2))
    yield Sample(make(5, 3), make(5))
    yield Sample(make(2, 5, 3), make(2, 5, 1))
    yield Sample(make(5, 3), make(4, 2))
    yield Sample(make(5), make(4, 2))
    yield Sample(make(0, 5, 3), make(0, 5, 2))
    yield Sample(make(), make(3, 2))


def vander_samples(make: Make):
    yield Sample(make(4))
    yield Sample(make(4), 2)
    yield Sample(make(4), 6, True)
    yield Sample(make(4), 1)
    yield Sample(make(2, 2))
    yield Sample(make(2), -1)
    yield Sample(make(0), 3)
    yield Sample(make())


def stacked_vander_samples(make: Make):
    yield Sample(make(2, 3))
    yield Sample(make(3), N=5)
    yield Sample(make(3), N=1)
    yield Sample(make(0, 3))
    yield Sample(make())


def solution(lt, *args, **kwargs):
    """The solution alone: the other parts depend on the driver."""
    return lt.linalg.lstsq(*args, **kwargs).solution


POWERS = {"dtypes": ("float32", "float64", "int64"), "special": "", "method": False}
RECORDS = [
    Record(
        "linalg.solve_triangular",
        triangular_samples,
        call=called("linalg.solve_triangular"),
        dtypes=PLAIN,
        tolerance=LOOSE,
        nodes=False,
    ),
    Record(
        "linalg.lstsq",
        least_squares_samples,
        call=solution,
        dtypes=PLAIN,
        tolerance={"float32": (1e-3, 1e-3), "float64": (1e-7, 1e-7)},
        special="",
        nodes=False,
    ),
    # PyTorch's own backward fails on it.
    Record("vander", vander_samples, **POWERS, nodes=False, gradient=None),
    Record("linalg.vander", stacked_vander_samples, **POWERS, nodes=False),
]
