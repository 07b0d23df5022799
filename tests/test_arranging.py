"""Where results lie in memory: row-major, or in the order of their operands, as PyTorch has it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import lantern
from lantern.shape import kept_strides

F = lantern.nn.functional

ROW_MAJOR: dict[str, Callable] = {
    "softmax": lambda x: x.softmax(1),
    "log_softmax": lambda x: x.log_softmax(0),
    "layer_norm": lambda x: F.layer_norm(x, (3,)),
    "rms_norm": lambda x: F.rms_norm(x, (3,)),
    "batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
    "cumsum": lambda x: x.cumsum(0),
    "cumprod": lambda x: x.cumprod(1),
    "masked_fill": lambda x: x.masked_fill(x > 0, 1.0),
    "gather": lambda x: x.gather(0, lantern.zeros(3, 2, dtype=lantern.int64).t()),
    "renorm": lambda x: x.renorm(2, 0, 1.0),
    "nll_loss": lambda x: F.nll_loss(
        x[:, :, None, None].expand(2, 3, 2, 2),
        lantern.zeros(2, 2, 2, dtype=lantern.int64).permute(2, 1, 0),
        reduction="none",
    ),
}


@pytest.mark.parametrize("name", ROW_MAJOR)
def test_results_that_are_row_major_whatever_their_operands_are(name: str) -> None:
    columns = lantern.arange(6.0).reshape(3, 2).t()
    for _ in range(60):  # on the short way, too
        assert ROW_MAJOR[name](columns).is_contiguous()
    leaf = lantern.arange(6.0).reshape(3, 2).requires_grad_()
    result = ROW_MAJOR[name](leaf.t())
    result.view(-1).sum().backward()
    assert leaf.grad is not None and leaf.grad.shape == leaf.shape


@pytest.mark.parametrize("dtype", [lantern.float32, lantern.float16, lantern.bfloat16])
@pytest.mark.parametrize("name", ["sigmoid", "erf", "silu", "exp", "lgamma", "logit"])
def test_repeated_rows_stay_outside(name: str, dtype: lantern.dtype) -> None:
    rows = lantern.tensor([0.2, 0.5, 0.7], dtype=dtype).expand(2, 3)
    function = getattr(F, name, None) or getattr(lantern, name)
    for _ in range(60):
        assert function(rows).stride() == (3, 1)


def test_a_cast_leaves_repeated_dimensions_where_they_are() -> None:
    rows = lantern.tensor([1.0, 2.0, 3.0]).expand(2, 3)
    assert rows.to(lantern.float64).stride() == (3, 1)
    assert rows.t().to(lantern.int32).stride() == (2, 1)


def test_channels_last_stays_so_through_a_norm() -> None:
    x = lantern.randn(2, 4, 6, 6).to(memory_format=lantern.channels_last)
    made = F.batch_norm(x, None, None, training=True)
    assert made.is_contiguous(memory_format=lantern.channels_last)


def test_strides_follow_the_first_operand_that_tells() -> None:
    assert kept_strides((2, 3), (0, 1), (1, 2)) == (1, 2)
    assert kept_strides((2, 3), (3, 1), (1, 2)) == (3, 1)
    assert kept_strides((2, 3), (0, 0)) == (3, 1)


@pytest.mark.parametrize("name", [*ROW_MAJOR, "prelu", "gelu"])
def test_compiled_results_lie_in_memory_as_eager_ones_do(name: str) -> None:
    pytest.importorskip("llvmlite")
    slope = lantern.tensor([0.25])
    like_operands = {"prelu": lambda x: F.prelu(x, slope), "gelu": F.gelu}
    function = {**ROW_MAJOR, **like_operands}[name]
    compiled = lantern.compile(lambda x: function(x))
    for _ in range(3):
        columns = lantern.randn(3, 2).t()
        want, got = function(columns), compiled(columns)
        assert got.stride() == want.stride()
        assert lantern.allclose(got, want, equal_nan=True)


@pytest.mark.parametrize("backend", ["interpreter", "inductor"])
@pytest.mark.parametrize("name", ROW_MAJOR)
def test_compiled_results_can_be_viewed_where_eager_ones_can(name: str, backend: str) -> None:
    if backend == "inductor":
        pytest.importorskip("llvmlite")
    compiled = lantern.compile(lambda x: ROW_MAJOR[name](x).view(-1), backend=backend)
    for _ in range(3):
        columns = lantern.randn(3, 2).t()
        want = ROW_MAJOR[name](columns).flatten()
        assert lantern.allclose(compiled(columns), want, equal_nan=True)


@pytest.mark.parametrize("backend", ["interpreter", "inductor"])
def test_operands_that_disagree_give_compiled_results_the_strides_of_eager_ones(backend) -> None:
    if backend == "inductor":
        pytest.importorskip("llvmlite")
    columns, rows = lantern.randn(4, 4).t(), lantern.randn(4, 4)
    repeated = lantern.randn(4).expand(4, 4)

    def results(a, b, c):
        return a + b, b + a, (a - 1.5) * b, a + c, c + a.t(), lantern.where(a > 0, a, b)

    compiled = lantern.compile(results, backend=backend)
    for _ in range(3):
        made = compiled(columns, rows, repeated)
    want = results(columns, rows, repeated)
    assert [each.stride() for each in made] == [each.stride() for each in want]
