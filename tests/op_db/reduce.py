"""Records of `lantern/ops/reduce.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, DType, Record, reduction

RECORDS = [
    Record("sum", reduction({}, {"dtype": DType("float64")}), dtypes=ALL, special="reduce", out=True),
    Record("mean", reduction(), dtypes=ALL, special="reduce", out=True),
    Record("amax", reduction(), dtypes=ALL, special="reduce", out=True),
    Record("argmax", reduction(several=False), dtypes=ALL, special="reduce", gradient=False, out=True),
]
