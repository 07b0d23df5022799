"""OpenBLAS is brought to the kernels of the processor, where that is safe and not unwanted."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import lantern
from lantern.backends import arithmetic, blas

PROGRAM = """
import os, threading, time
os.environ["OPENBLAS_CORETYPE"] = "Haswell"
import numpy as np
a = np.random.default_rng(0).standard_normal((70, 50))
np.float32(a) @ np.float32(a).T
del os.environ["OPENBLAS_CORETYPE"]
{before}
import lantern
print(lantern.backends.blas.chosen, lantern.backends.blas.kernels())
assert "OPENBLAS_CORETYPE" not in os.environ
for kind, limit in ((np.float32, 1e-4), (np.float64, 1e-12)):
    x = a.astype(kind)
    assert np.abs(x @ x.T - np.einsum("ik,jk->ij", a, a)).max() < limit
assert np.abs(np.linalg.solve(a[:50], a[:50]) - np.eye(50)).max() < 1e-10
"""
needs_choice = pytest.mark.skipif(
    not blas._has_avx512() or not hasattr(blas._library(), "gotoblas_dynamic_quit"),
    reason="needs AVX-512 and NumPy's bundled OpenBLAS",
)


def run(before: str = "", **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "LANTERN_BLAS")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        env={**kept, **environment},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


@needs_choice
def test_overlooked_kernels_are_chosen_and_compute_the_same():
    assert run() == "True SkylakeX"


@needs_choice
def test_the_environment_can_keep_what_openblas_chose():
    assert run(LANTERN_BLAS="keep") == "False Haswell"


@needs_choice
def test_nothing_is_exchanged_while_other_threads_run():
    wait = "threading.Thread(target=time.sleep, args=(3,), daemon=True).start()"
    assert run(before=wait) == "False Haswell"


def test_kernels_have_a_name_or_cannot_be_asked():
    assert blas.kernels() is None or blas.kernels()
    assert np.__version__


@pytest.mark.parametrize("rows, size, columns", [(8, 300, 200), (64, 784, 512), (40, 600, 300)])
def test_products_with_few_rows_go_the_other_way_round_and_are_the_same(rows, size, columns):
    x, y = lantern.randn(rows, size), lantern.randn(columns, size)
    assert arithmetic._turns(x.numpy(), y.T.numpy())
    want = x.double() @ y.double().T
    for bias in (None, lantern.randn(columns)):
        got = lantern.nn.functional.linear(x, y, bias)
        sums = (want if bias is None else want + bias.double()).float()
        lantern.testing.assert_close(got, sums, rtol=1e-4, atol=1e-4)
        assert got.stride() == (columns, 1)
    assert (x @ y.T).stride() == (columns, 1)
    lantern.testing.assert_close(x @ y.T, want.float(), rtol=1e-4, atol=1e-4)
