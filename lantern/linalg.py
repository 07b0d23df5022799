"""`torch.linalg`: products and norms of matrices."""
from __future__ import annotations

from .ops import linalg_cross as cross
from .ops import multi_dot as multi_dot
from .compat.missing import missing as _missing
__getattr__ = _missing(__name__)
