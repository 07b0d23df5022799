"""`torch.linalg`: norms, products, inverses and factors of matrices.

The names here are thin: each is the op that computes it.
"""

from __future__ import annotations

from . import ops
from .compat.missing import missing
from .matrices import LinAlgError as LinAlgError

cholesky = ops.linalg_cholesky
cross = ops.linalg_cross
det = ops.det
diagonal = ops.linalg_diagonal
eigh = ops.eigh
eigvalsh = ops.eigvalsh
inv = ops.inv
lstsq = ops.linalg_lstsq
matmul = ops.matmul
matrix_norm = ops.matrix_norm
matrix_power = ops.matrix_power
matrix_rank = ops.matrix_rank
multi_dot = ops.multi_dot
norm = ops.linalg_norm
pinv = ops.linalg_pinv
qr = ops.linalg_qr
slogdet = ops.linalg_slogdet
solve = ops.linalg_solve
solve_triangular = ops.linalg_solve_triangular
svd = ops.linalg_svd
svdvals = ops.svdvals
vander = ops.linalg_vander
vecdot = ops.vecdot
vector_norm = ops.linalg_vector_norm

__getattr__ = missing(__name__)
