"""A script as users write them, for the type checker: `make lint` checks it, nothing runs it."""

from __future__ import annotations

from typing import assert_type

import lantern
from lantern import Tensor, nn


def tensors(x: Tensor, y: Tensor) -> None:
    """What methods, operators and functions return."""
    assert_type(x.sum(dim=1, keepdim=True), Tensor)
    assert_type(x + 1, Tensor)
    assert_type(2 * x @ y, Tensor)
    assert_type(-x, Tensor)
    assert_type(x == y, Tensor)
    assert_type(x[0, ..., None], Tensor)
    assert_type(x.T, Tensor)
    assert_type(x.view(2, -1).permute(1, 0), Tensor)
    assert_type(x.requires_grad, bool)
    assert_type(x.grad, Tensor | None)
    assert_type(x.ndim, int)
    assert_type(x.float().add_(1), Tensor)
    assert_type(x.equal(y), bool)
    assert_type(x.sort(dim=0).indices, Tensor)
    assert_type(x.split(2), tuple[Tensor, ...])
    assert_type(lantern.matmul(x, y, out=x), Tensor)
    assert_type(lantern.zeros(2, 3), Tensor)
    assert_type(x.dtype, lantern.dtype)
    assert_type(lantern.float32, lantern.dtype)


def training(net: nn.Module, x: Tensor) -> float:
    """One step."""
    loss = (net(x) ** 2).mean()
    loss.backward()
    with lantern.no_grad():
        for parameter in net.parameters():
            if parameter.grad is not None:
                parameter -= 0.1 * parameter.grad
    return float(loss)
