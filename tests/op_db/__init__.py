"""One record per op, in one file per file of `lantern/ops`; `record.py` says how to write one.

LANTERN_RECORDS="reduce scan" in the environment restricts the tests to the records of some files.
"""

from __future__ import annotations

import importlib
import os
import pkgutil

from .record import Record

FILES = os.environ.get("LANTERN_RECORDS", "").split() or sorted(
    each.name for each in pkgutil.iter_modules(__path__) if each.name not in ("record", "harness")
)
BY_FILE: dict[str, list[Record]] = {
    name: importlib.import_module(f"{__name__}.{name}").RECORDS for name in FILES
}
RECORDS = [record for records in BY_FILE.values() for record in records]

_names = [record.label for record in RECORDS]
if len(set(_names)) != len(_names):
    raise ValueError(f"labelled twice: {sorted({n for n in _names if _names.count(n) > 1})}")
