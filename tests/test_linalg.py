"""What records do not show of matrix functions: singular matrices, NaN, missing gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest

import lantern

NAN = float("nan")


def test_a_factor_of_zero_leaves_nan_out() -> None:
    holes, ones = lantern.full((2, 2), NAN), lantern.ones(2, 2)
    assert lantern.addmm(holes, ones, ones, beta=0).tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert lantern.addmm(ones, holes, ones, alpha=0).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert lantern.addmv(holes[0], ones, ones[0], beta=0).tolist() == [2.0, 2.0]
    assert lantern.addmv(ones[0], holes, ones[0], alpha=0).tolist() == [1.0, 1.0]
    assert lantern.addr(holes, ones[0], ones[0], beta=0).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert lantern.addr(ones, holes[0], ones[0], alpha=0).isnan().all()
    batch = ones.expand(3, 2, 2)
    assert lantern.baddbmm(holes, batch, batch, beta=0).sum().item() == 24.0
    assert lantern.baddbmm(ones, holes.expand(3, 2, 2), batch, alpha=0).isnan().all()


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([[0.0, 0.0], [0.0, 0.0]], "The diagonal element 1 is zero"),
        ([[1.0, 2.0], [2.0, 4.0]], "The diagonal element 2 is zero"),
        ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 1.0, 1.0]], "The diagonal element 3 is zero"),
    ],
)
def test_an_inverse_says_where_elimination_met_a_zero(rows: list, sentence: str) -> None:
    with pytest.raises(lantern.linalg.LinAlgError) as caught:
        lantern.linalg.inv(lantern.tensor(rows))
    assert str(caught.value) == (
        f"linalg.inv: {sentence}, the inversion could not be completed because the input matrix "
        "is singular."
    )


def test_errors_name_the_matrix_of_a_batch() -> None:
    batch = lantern.from_numpy(np.stack([np.eye(2), np.zeros((2, 2))]))
    with pytest.raises(RuntimeError, match=r"linalg.inv: \(Batch element 1\): The diagonal"):
        lantern.inverse(batch)
    with pytest.raises(RuntimeError, match=r"torch.linalg.solve: \(Batch element 1\): The solver"):
        lantern.linalg.solve(batch, lantern.ones(2, dtype=lantern.float64))
    with pytest.raises(
        RuntimeError, match=r"linalg.cholesky: \(Batch element 1\): The fact.*order 1"
    ):
        lantern.linalg.cholesky(batch)


def test_what_is_not_positive_definite_has_no_cholesky_factor() -> None:
    for last, order in ((-1.0, 2), (NAN, 2)):
        matrix = lantern.tensor([[1.0, 0.0], [0.0, last]])
        with pytest.raises(lantern.linalg.LinAlgError, match=f"the leading minor of order {order}"):
            lantern.linalg.cholesky(matrix)


def test_singular_values_and_eigenvalues_refuse_nan() -> None:
    for function in (lantern.linalg.svd, lantern.linalg.svdvals, lantern.linalg.pinv):
        with pytest.raises(lantern.linalg.LinAlgError, match="non-finite"):
            function(lantern.full((2, 2), NAN))
    with pytest.raises(lantern.linalg.LinAlgError, match="linalg.eigh"):
        lantern.linalg.eigh(lantern.full((2, 2), NAN))


def test_the_determinant_has_a_gradient_where_the_matrix_has_no_inverse() -> None:
    matrix = lantern.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    lantern.det(matrix).backward()
    lantern.testing.assert_close(matrix.grad, lantern.tensor([[4.0, -2.0], [-2.0, 1.0]]))
    assert lantern.det(lantern.full((2, 2), NAN)).isnan()


def test_the_logarithm_of_a_determinant() -> None:
    negative = lantern.tensor([[0.0, 1.0], [1.0, 0.0]])
    assert math.isnan(lantern.logdet(negative).item())
    assert lantern.logdet(lantern.zeros(2, 2)).item() == -math.inf
    assert lantern.slogdet(lantern.zeros(2, 2)).sign.item() == 0


def test_equal_eigenvalues_have_a_gradient_of_their_own() -> None:
    matrix = lantern.from_numpy(np.eye(3)).requires_grad_()
    lantern.linalg.eigvalsh(matrix).sum().backward()
    lantern.testing.assert_close(matrix.grad, lantern.from_numpy(np.eye(3)))
    lantern.linalg.svdvals(matrix).sum().backward()
    lantern.testing.assert_close(matrix.grad, lantern.from_numpy(2 * np.eye(3)))


def test_the_complete_factors_of_a_tall_matrix_have_no_gradient() -> None:
    matrix = lantern.ones(3, 2, requires_grad=True)
    q, _ = lantern.linalg.qr(matrix, mode="complete")
    assert q.shape == (3, 3)
    with pytest.raises(RuntimeError, match="not differentiable when mode='complete'"):
        q.sum().backward()


def test_distances_of_equal_rows_have_a_gradient_of_zero() -> None:
    for mode in ("use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist"):
        rows = lantern.tensor([[1.0, 2.0], [4.0, 6.0]], requires_grad=True)
        lantern.cdist(rows, rows.detach(), compute_mode=mode).sum().backward()
        lantern.testing.assert_close(rows.grad, lantern.tensor([[-0.6, -0.8], [0.6, 0.8]]))


def test_a_chain_is_multiplied_in_the_order_that_costs_least() -> None:
    from lantern.ops.contraction import best_order

    cut = best_order([10, 100, 5, 50])  # (a @ b) @ c takes 7,500 multiplications, the other 75,000
    assert cut[0][2] == 1
    assert best_order([50, 5, 100, 10])[0][2] == 0


def test_names_that_are_missing_say_so() -> None:
    with pytest.raises(AttributeError, match="torch.linalg.ldl_factor is not in Lantern yet"):
        _ = lantern.linalg.ldl_factor


def test_hermitian_matrices_are_read_from_their_lower_triangle() -> None:
    lantern.manual_seed(0)
    A = lantern.randn(2, 4, 4, dtype=lantern.float64)
    whole = A.tril() + A.tril(-1).mT
    pinv, rank = lantern.linalg.pinv, lantern.linalg.matrix_rank
    assert lantern.equal(pinv(A, hermitian=True), pinv(whole))
    flat = lantern.ones(3, 3, dtype=lantern.float64).tril()  # as a symmetric matrix, of rank 1
    assert rank(flat).item() == 3 and rank(flat, hermitian=True).item() == 1
