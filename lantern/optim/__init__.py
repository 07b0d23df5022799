"""Optimizers: each is one formula per parameter, the same eager and compiled."""

from __future__ import annotations

from ..compat.missing import missing as _missing
from .adam import Adam as Adam
from .adam import AdamW as AdamW
from .optimizer import Optimizer as Optimizer
from .sgd import SGD as SGD

__getattr__ = _missing(__name__)
