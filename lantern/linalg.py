"""`torch.linalg`: norms, products, inverses and factors of matrices.

The names here are thin: each is the op that computes it.
"""

from __future__ import annotations

from . import ops
from .compat.missing import missing
from .matrices import LinAlgError as LinAlgError

cholesky = ops.linalg_cholesky
cholesky_ex = ops.linalg_cholesky_ex
cond = ops.linalg_cond
cross = ops.linalg_cross
det = ops.det
diagonal = ops.linalg_diagonal
eigh = ops.eigh
eigvalsh = ops.eigvalsh
householder_product = ops.householder_product
inv = ops.inv
inv_ex = ops.linalg_inv_ex
lstsq = ops.linalg_lstsq
lu = ops.linalg_lu
lu_factor = ops.linalg_lu_factor
lu_factor_ex = ops.linalg_lu_factor_ex
lu_solve = ops.linalg_lu_solve
matmul = ops.matmul
matrix_exp = ops.matrix_exp
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
tensorinv = ops.tensorinv
vander = ops.linalg_vander
vecdot = ops.vecdot
vector_norm = ops.linalg_vector_norm

__getattr__ = missing(__name__)
