"""Records of `lantern/ops/layout.py`."""

from __future__ import annotations

from .record import ALL, ErrorSample, Make, Record, Sample


def transpose_samples(make: Make):
    yield Sample(make(2, 3), 0, 1)
    yield Sample(make(2, 3, 4), -1, 0)
    yield Sample(make(2, 0), 1, 0)
    yield Sample(make(), 0, -1)
    yield Sample(make(2, 3), 0, 2)


def cat_samples(make: Make):
    yield Sample([make(2, 3), make(1, 3)])
    yield Sample([make(2, 3), make(2, 1), make(2, 0)], dim=-1)
    yield Sample([make(0), make(2, 3)])
    yield Sample([make(), make()])


RECORDS = [
    Record("transpose", transpose_samples, dtypes=ALL, view=True),
    Record(
        "cat",
        cat_samples,
        dtypes=ALL,
        method=False,
        out=True,
        errors=[ErrorSample(RuntimeError, "torch.cat(): expected a non-empty list", [])],
    ),
]
