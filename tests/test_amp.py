"""Mixed precision: which ops take which type, gradients, compiled steps, the scale of losses."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import lantern
from lantern import nn
from lantern.testing import assert_close

F = nn.functional

HALF = {
    "mm": lambda m, n, x: m @ n,
    "linear": lambda m, n, x: F.linear(m, n.t()),
    "einsum": lambda m, n, x: lantern.einsum("ij,jk", m, n),
    "conv2d": lambda m, n, x: F.conv2d(x, x[:, :, :2, :2]),
    "attention": lambda m, n, x: F.scaled_dot_product_attention(x, x, x),
    "method": lambda m, n, x: m.mm(n),
}
SINGLE = {
    "mse_loss": lambda m, n, x: F.mse_loss(m, m * 2),
    "cross_entropy": lambda m, n, x: F.cross_entropy(m, lantern.tensor([0, 1, 2])),
    "prod": lambda m, n, x: m.prod(),
    "cdist": lambda m, n, x: lantern.cdist(m, m),
    "grid_sample": lambda m, n, x: F.grid_sample(x, x[:, :, :2, :2], align_corners=False),
}
KEPT = {
    "add": lambda m, n, x: m + m,
    "softmax": lambda m, n, x: F.softmax(m, 1),
    "sum": lambda m, n, x: m.sum(),
    "layer_norm": lambda m, n, x: F.layer_norm(m, (4,)),
    "bilinear": lambda m, n, x: F.bilinear(m, m, lantern.ones(2, 4, 4)),
}


def operands(dtype: lantern.dtype) -> tuple[lantern.Tensor, ...]:
    lantern.manual_seed(0)
    shapes = ((3, 4), (4, 5), (2, 2, 4, 4))
    return tuple(lantern.randn(shape).to(dtype) for shape in shapes)


@pytest.mark.parametrize("dtype", [lantern.bfloat16, lantern.float16])
def test_products_take_half_precision_and_losses_single(dtype: lantern.dtype) -> None:
    for calls, expected in ((HALF, dtype), (SINGLE, lantern.float32), (KEPT, lantern.float32)):
        for name, call in calls.items():
            for _ in range(50):  # also where an op has its short way by now
                call(*operands(lantern.float32))
            with lantern.autocast("cpu", dtype):
                assert call(*operands(lantern.float32)).dtype is expected, name
            assert call(*operands(lantern.float32)).dtype is lantern.float32, name
    with lantern.autocast("cpu", dtype):
        for name, call in SINGLE.items():
            assert call(*operands(dtype)).dtype is lantern.float32, name
        assert (
            operands(lantern.float64)[0] @ operands(lantern.float64)[1]
        ).dtype is lantern.float64


def test_a_product_is_that_of_rounded_operands_and_its_gradients_are_single() -> None:
    m, n, _ = operands(lantern.float32)
    m.requires_grad_(), n.requires_grad_()
    with lantern.autocast("cpu"):
        out = m @ n
    half = [each.detach().bfloat16().requires_grad_() for each in (m, n)]
    expected = half[0] @ half[1]
    assert lantern.equal(out, expected)
    g = lantern.randn(3, 5).bfloat16()
    out.backward(g), expected.backward(g)
    assert m.grad.dtype is n.grad.dtype is lantern.float32
    assert lantern.equal(m.grad, half[0].grad.float())
    assert lantern.equal(n.grad, half[1].grad.float())


def test_autocast_nests_decorates_and_is_left_by_errors() -> None:
    m, n, _ = operands(lantern.float32)

    @lantern.autocast("cpu")
    def product():
        return m @ n

    assert product().dtype is lantern.bfloat16
    with lantern.autocast("cpu"):
        assert lantern.is_autocast_enabled("cpu") and not lantern.is_autocast_enabled()
        with lantern.autocast("cpu", enabled=False):
            assert (m @ n).dtype is lantern.float32
        with lantern.autocast("cpu", lantern.float16):
            assert lantern.get_autocast_dtype("cpu") is lantern.float16
        assert (m @ n).dtype is lantern.bfloat16
    with pytest.raises(ZeroDivisionError), lantern.autocast("cpu"):
        raise ZeroDivisionError
    assert (m @ n).dtype is lantern.float32 and not lantern.is_autocast_enabled("cpu")


def test_autocast_is_for_the_thread_that_is_in_it() -> None:
    m, n, _ = operands(lantern.float32)
    found = []
    with lantern.autocast("cpu"):
        thread = threading.Thread(target=lambda: found.append((m @ n).dtype))
        thread.start()
        thread.join()
    assert found == [lantern.float32]


def test_a_compiled_step_keeps_to_the_precision_that_it_is_called_in() -> None:
    pytest.importorskip("llvmlite")
    lantern.manual_seed(0)
    net = nn.Linear(4, 2)
    x = lantern.randn(3, 4)

    def inside(x):
        with lantern.autocast("cpu"):
            return net(x)

    compiled = lantern.compile(inside)
    outside = lantern.compile(lambda x: net(x))
    for _ in range(4):
        assert compiled(x).dtype is lantern.bfloat16
        assert_close(compiled(x).float(), inside(x).float())
        assert outside(x).dtype is lantern.float32
        with lantern.autocast("cpu"):
            assert outside(x).dtype is lantern.bfloat16


def test_a_gpu_that_is_not_there_is_warned_of_and_changes_nothing() -> None:
    m, n, _ = operands(lantern.float32)
    with pytest.warns(UserWarning, match="CUDA is not available"):
        context = lantern.cuda.amp.autocast()
    with context:
        assert (m @ n).dtype is lantern.float32
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = lantern.cuda.amp.GradScaler()
    assert not scaler.is_enabled() and scaler.scale(m) is m and scaler.state_dict() == {}
    with pytest.warns(UserWarning, match="target dtype is not supported"):
        lantern.autocast("cpu", lantern.float32)
    with pytest.raises(RuntimeError, match="Expected one of cpu"):
        lantern.autocast("tpu")


def test_a_scaled_step_is_the_plain_one_and_one_with_infinities_is_left_out() -> None:
    lantern.manual_seed(0)
    net = nn.Linear(3, 1)
    twin = nn.Linear(3, 1)
    twin.load_state_dict(net.state_dict())
    x = lantern.randn(5, 3)
    scaler = lantern.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    optimizers = [lantern.optim.SGD(each.parameters(), lr=0.1) for each in (net, twin)]
    for _ in range(3):
        for optimizer in optimizers:
            optimizer.zero_grad()
        scaler.scale(net(x).square().sum()).backward()
        twin(x).square().sum().backward()
        scaler.unscale_(optimizers[0])
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        nn.utils.clip_grad_norm_(twin.parameters(), 1.0)
        scaler.step(optimizers[0])
        optimizers[1].step()
        scaler.update()
        assert_close(net.weight, twin.weight)
    assert scaler.get_scale() == 2048.0 and scaler.state_dict()["_growth_tracker"] == 1
    before = net.weight.clone()
    net.weight.grad.fill_(np.inf)
    assert scaler.step(optimizers[0]) is None
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizers[0])
    scaler.update()
    assert lantern.equal(before, net.weight) and scaler.get_scale() == 1024.0
    other = lantern.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == 1024.0 and other.state_dict() == scaler.state_dict()
    with pytest.raises(AssertionError, match="No inf checks"):
        scaler.update()
