"""Records of `lantern/ops/scan.py`."""

from __future__ import annotations

from .record import ALL, FLOATS, DType, Make, Record, Sample
from .reduce import typed


def scans(*extra: dict):
    def samples(make: Make):
        for kwargs in extra or ({},):
            yield Sample(make(3, 4), 0, **kwargs)
            yield Sample(make(2, 5, 2), dim=-2, **kwargs)
            yield Sample(make(5), 0, **kwargs)
            yield Sample(make(), 0, **kwargs)
            yield Sample(make(0), 0, **kwargs)
            yield Sample(make(2, 0), 1, **kwargs)
            yield Sample(make(3), 1, **kwargs)

    return samples


def with_zeros(make: Make):
    yield from scans({}, {"dtype": DType("float64")})(make)
    x = make(2, 6)
    x[0, 2] = x[1, 1] = x[1, 4] = 0
    yield Sample(x, 1)


def diff_samples(make: Make):
    yield Sample(make(6))
    yield Sample(make(6), 2)
    yield Sample(make(3, 4), 1, 0)
    yield Sample(make(3, 4), dim=0, prepend=make(1, 4), append=make(2, 4))
    yield Sample(make(3), 5)
    yield Sample(make(3), 0)
    yield Sample(make(3), -1)
    yield Sample(make(0))
    yield Sample(make())


def area_samples(make: Make):
    yield Sample(make(5))
    yield Sample(make(3, 4), dx=0.5)
    yield Sample(make(3, 4), dim=0)
    yield Sample(make(3, 4), make(4))
    yield Sample(make(3, 4), make(3, 4), dim=1)
    yield Sample(make())
    yield Sample(make(0))


TYPED = typed(scans)
# A running value is rounded at every step, in an order of PyTorch's own.
HALVES = {"float16": (5e-3, 5e-3), "bfloat16": (5e-2, 5e-2)}


def slope_samples(make: Make):
    yield Sample(make(5))
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), spacing=2.0)
    yield Sample(make(3, 4), spacing=[0.5, 2.0], edge_order=2)
    yield Sample(make(3, 4), dim=-1, edge_order=2)
    yield Sample(make(2, 3, 4), dim=(0, 2))
    places = make.of("float32", 3, low=0.5, high=2).cumsum()
    yield Sample(make(3, 4), spacing=[places], dim=0)
    yield Sample(make(3, 4), spacing=[places], dim=0, edge_order=2)
    yield Sample(make(3, 4), spacing=[1.0], dim=(0, 1))
    yield Sample(make(3, 4), edge_order=3)
    yield Sample(make(1))
    yield Sample(make(0, 3))
    yield Sample(make())


RECORDS = [
    Record("cumsum", TYPED, dtypes=ALL, special="reduce", inplace=True, out=True, tolerance=HALVES),
    Record(
        "cumprod",
        with_zeros,
        dtypes=ALL,
        special="reduce",
        inplace=True,
        out=True,
        edges=False,
        tolerance=HALVES,
    ),
    Record(
        "logcumsumexp",
        scans(),
        dtypes=FLOATS,
        special="reduce",
        out=True,
        tolerance=HALVES,
        edges=False,
    ),
    Record("cummax", scans(), dtypes=ALL, special="reduce", out=True),
    Record("cummin", scans(), dtypes=ALL, special="reduce", out=True),
    Record("diff", diff_samples, dtypes=ALL, special="reduce", out=True, nodes=False),
    Record(
        "trapezoid", area_samples, dtypes=FLOATS[:2], method=False, aliases="trapz", nodes=False
    ),
    Record("cumulative_trapezoid", area_samples, dtypes=FLOATS[:2], method=False, nodes=False),
    Record("gradient", slope_samples, dtypes=(*FLOATS[:2], "int64"), method=False, nodes=False),
]
