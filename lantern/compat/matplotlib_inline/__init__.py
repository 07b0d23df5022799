"""Stands in for the package matplotlib_inline, which sets how notebooks show figures."""

from __future__ import annotations

from . import backend_inline as backend_inline
