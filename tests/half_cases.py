"""Expressions over half types whose results are PyTorch's to the last bit, and what they are of.

`x`, `y`, `z` are matrices of a half type, `s` is a number that no half type holds, `w` a tensor
without dimensions and `n` one of integers that the half types round.
"""

from __future__ import annotations

import zlib
from typing import Any

import ml_dtypes
import numpy as np

NUMPY = {"float16": np.dtype(np.float16), "bfloat16": np.dtype(ml_dtypes.bfloat16)}
NUMBERS = (0.1, 1 / 3, 7.3)
EXPRESSIONS = """
x + s; s + x; x - s; s - x; x * s; x / s; s / x; x % s; s % x; s ** x; x ** 2; x ** 3; x ** -2
torch.fmod(x, s); torch.div(x, s, rounding_mode='floor'); torch.div(x, s, rounding_mode='trunc')
torch.add(x, y, alpha=s); torch.sub(x, y, alpha=s); torch.add(x, s, alpha=1.7)
torch.rsub(x, y, alpha=s); x.clone().add_(s); x.clone().add_(y, alpha=s); x.clone().mul_(s)
x == s; x < s; x >= s; x * 0 + s == s; x * 0 + s >= s; x * 0 + s <= s
x + w; x - w; x * w; w * x; x / w; w / x; x % w; x == w; torch.maximum(x, w); w - x
x + n; x * n; x / n; x == n; torch.maximum(x, n)
torch.where(y > 0, x, s); x.clamp(min=s); x.masked_fill(y > 0, s); torch.copysign(x, s)
torch.nn.functional.hardshrink(x, s); torch.nn.functional.leaky_relu(x, s)
torch.nn.functional.elu(x, s); torch.nn.functional.threshold(x, s, s)
torch.nn.functional.mse_loss(x, y, reduction='none'); torch.nn.functional.mse_loss(x, y)
torch.nn.functional.binary_cross_entropy(x.sigmoid(), y.sigmoid(), reduction='none')
torch.nn.functional.binary_cross_entropy_with_logits(x, y.sigmoid(), reduction='none')
torch.nn.functional.huber_loss(x, y, delta=s, reduction='none')
torch.nn.functional.smooth_l1_loss(x, y, beta=s, reduction='none')
torch.nn.functional.soft_margin_loss(x, y.sign(), reduction='none')
torch.linalg.cross(x[:, :3], y[:, :3]); torch.addr(x, y[:, 0], z[0], beta=s, alpha=s)
torch.xlogy(x, y.abs()); torch.special.entr(x.abs()); torch.logit(x.sigmoid())
"""
EXPRESSIONS = [each.strip() for each in EXPRESSIONS.replace("\n", ";").split(";") if each.strip()]

# Those without exponentials and logarithms, whose last bit depends on the machine.
FUNCTIONS = ("s ** x", "sigmoid", "xlogy", "entr", "logit", "margin", "elu")
PLAIN = [each for each in EXPRESSIONS if not any(name in each for name in FUNCTIONS)]


def draws(dtype: str, seed: int) -> dict[str, np.ndarray]:
    """The operands of a seed, as arrays."""
    random = np.random.RandomState(seed)
    found = {name: random.standard_normal((8, 32)).astype(NUMPY[dtype]) for name in "xyz"}
    found["w"] = np.asarray(NUMBERS[seed % 3], np.float32)
    found["n"] = random.randint(-5000, 5000, (8, 32))
    return found


def tensors(torch: Any, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """The operands as tensors of a library."""
    made = {}
    for name, each in arrays.items():
        if each.dtype == NUMPY["bfloat16"]:
            made[name] = torch.from_numpy(each.view(np.int16).copy()).view(torch.bfloat16)
        else:
            made[name] = torch.from_numpy(each.copy())
    return made


def bits(value: Any, torch: Any) -> bytes:
    """The memory of a result, with every NaN the same."""
    value = value.contiguous()
    if value.dtype == torch.bool:
        return value.numpy().tobytes()
    value = torch.where(value != value, torch.full_like(value, float("nan")), value)
    return value.view(torch.int16).numpy().tobytes() if value.ndim else f"{value.item()}".encode()


def evaluate(torch: Any, expression: str, dtype: str, seed: int) -> bytes:
    """The bits of an expression for the operands of a seed."""
    names = tensors(torch, draws(dtype, seed))
    return bits(eval(expression, {"torch": torch, "s": NUMBERS[seed % 3], **names}), torch)


def checksum(content: bytes) -> int:
    """What a golden holds of a result."""
    return zlib.crc32(content)
