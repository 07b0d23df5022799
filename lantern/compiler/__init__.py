"""Recording functions of tensors and running the record: `lantern.compile`."""

from __future__ import annotations

from .api import compile as compile
