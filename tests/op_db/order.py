"""Records of `lantern/ops/order.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, FLOATS, INTEGERS, Make, Record, Sample, reduction

NUMBERS = (*FLOATS, *INTEGERS)


def extreme_samples(make: Make):
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), make(4))
    yield Sample(make(3, 4), other=make(3, 1))
    yield Sample(make(3, 4), 0)
    yield Sample(make(3, 4), -1, True)
    yield Sample(make(3, 4), dim=1, keepdim=False)
    yield Sample(make())
    yield Sample(make(), 0)
    yield Sample(make(0))
    yield Sample(make(0, 3), 0)
    yield Sample(make(0, 3), 1)
    yield Sample(make(3), 1)


def sort_samples(make: Make):
    yield Sample(make(3, 4))
    yield Sample(make(3, 4), 0)
    yield Sample(make(3, 4), dim=-1, descending=True)
    yield Sample(make(2, 5), descending=True, stable=True)
    yield Sample(make())
    yield Sample(make(0, 3), 0)
    yield Sample(make(3), 1)


def unequal_sort_samples(make: Make):
    """Equal elements may come in any order unless the sort is stable."""
    yield Sample(make.distinct(3, 4))
    yield Sample(make.distinct(3, 4), 0, True)
    yield Sample(make.distinct(3, 4), dim=1, descending=True)
    yield Sample(make(3, 4), dim=0, stable=True)
    yield Sample(make())
    yield Sample(make(0, 3), 0)


def msort_samples(make: Make):
    yield Sample(make(3, 4))
    yield Sample(make(5))
    yield Sample(make(0, 2))
    yield Sample(make())


def topk_samples(make: Make):
    yield Sample(make.distinct(3, 4), 2)
    yield Sample(make.distinct(3, 4), 2, 0)
    yield Sample(make.distinct(3, 4), 3, dim=1, largest=False)
    yield Sample(make.distinct(5), 5)
    yield Sample(make.distinct(5), 0)
    yield Sample(make(), 1)
    yield Sample(make(0, 3), 2)
    yield Sample(make(3), 4)


def kth_samples(make: Make):
    yield Sample(make.distinct(3, 4), 2)
    yield Sample(make.distinct(3, 4), 3, 0)
    yield Sample(make.distinct(3, 4), 1, dim=1, keepdim=True)
    yield Sample(make(), 1)
    yield Sample(make(0, 3), 1, 1)
    yield Sample(make(0), 1)
    yield Sample(make(3), 4)


def median_samples(make: Make):
    yield Sample(make.distinct(3, 3))
    yield Sample(make.distinct(3, 4))
    yield Sample(make.distinct(3, 4), 0)
    yield Sample(make.distinct(3, 5), dim=1, keepdim=True)
    yield Sample(make())
    yield Sample(make(), 0)
    yield Sample(make(0))
    yield Sample(make(0, 3), 1)
    yield Sample(make(0, 3), 0)
    if make.floating:
        x = make.distinct(3, 5)
        x[0, 1] = x[0, 3] = x[1, 4] = np.nan
        yield Sample(x)
        yield Sample(x, 1)


def mode_samples(make: Make):
    yield Sample(make.of("int64", 3, 7).astype(make(0).dtype))
    yield Sample(make.of("int64", 7, 3).astype(make(0).dtype), 0, True)
    yield Sample(make(4))
    yield Sample(make())
    yield Sample(make(0, 3), 1)
    yield Sample(make(0))


def search_samples(make: Make):
    line = np.sort(make(6), axis=0)
    rows = np.sort(make(2, 5), axis=1)
    yield Sample(line, make(3, 2))
    yield Sample(line, make(3), right=True)
    yield Sample(rows, make(2, 3), side="right")
    yield Sample(line, 1)
    yield Sample(line, make(), out_int32=True)
    yield Sample(line[::-1].copy(), make(3), sorter=np.arange(5, -1, -1))
    yield Sample(line, make(0))
    yield Sample(rows, make(3, 3))
    yield Sample(line, make(3), right=True, side="left")
    yield Sample(line, make(3), side="middle")


def bucket_samples(make: Make):
    line = np.sort(make(6), axis=0)
    yield Sample(make(3, 2), line)
    yield Sample(make(3), line, right=True)
    yield Sample(1.5, line, out_int32=True)
    yield Sample(make(), line)
    yield Sample(make(0), line)
    yield Sample(make(3), np.sort(make(2, 5), axis=1))


CHOICE = {"dtypes": ALL, "special": "reduce"}

RECORDS = [
    Record("argmax", reduction(several=False), **CHOICE, gradient=False, out=True),
    Record("argmin", reduction(several=False), **CHOICE, gradient=False, out=True),
    Record("max", extreme_samples, **CHOICE),
    Record("min", extreme_samples, **CHOICE),
    Record("argsort", sort_samples, **CHOICE, gradient=False),
    Record("sort", unequal_sort_samples, dtypes=ALL, out=True),
    Record("msort", msort_samples, dtypes=ALL, out=True),
    Record("topk", topk_samples, dtypes=ALL, out=True),
    Record("kthvalue", kth_samples, dtypes=ALL, out=True),
    Record("median", median_samples, dtypes=ALL, layouts=False),
    Record("nanmedian", median_samples, dtypes=ALL, layouts=False),
    Record("mode", mode_samples, dtypes=ALL, out=True, smooth=False),
    Record("searchsorted", search_samples, dtypes=NUMBERS, method=False, gradient=False, out=True),
    Record("bucketize", bucket_samples, dtypes=NUMBERS, method=False, gradient=False, out=True),
]
