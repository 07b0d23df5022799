"""Records of `lantern/ops/attention.py`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .loss import functional
from .record import Make, Sample

KINDS = ("float32", "float64", "float16", "bfloat16")
# The products of halves are rounded by PyTorch before the softmax, here after it.
HALVES = {"float16": (4e-3, 2e-3), "bfloat16": (3e-2, 2e-2)}


def attention(make: Make) -> Iterator[Sample]:
    shapes = (2, 2, 3, 2), (2, 2, 4, 2), (2, 2, 4, 3)
    one = {"low": -1, "high": 1}
    for kwargs in ({}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": make.mask(3, 4)}):
        yield Sample(*(make(*shape, **one) for shape in shapes), **kwargs)
    yield Sample(*(make(*shape, **one) for shape in shapes), make(2, 1, 3, 4, **one))
    masked = np.array([[True, False], [False, False]])
    yield Sample(make(2, 2), make(2, 2), make(2, 2), masked)
    yield Sample(make(1, 4, 2, 2), make(1, 2, 3, 2), make(1, 2, 3, 2), enable_gqa=True)
    yield Sample(make(1, 4, 2, 2), make(1, 3, 3, 2), make(1, 3, 3, 2), enable_gqa=True)
    yield Sample(make(0, 3, 2), make(0, 3, 2), make(0, 3, 2))
    yield Sample(make(2, 3, 2), make(2, 0, 2), make(2, 0, 2))
    yield Sample(make(), make(), make())
    yield Sample(make(2, 2), make(2, 2), make(2, 2), make.of("int64", 2, 2))
    yield Sample(make(2, 2), make(2, 2), make.of("int64", 2, 2))
    yield Sample(make(2, 2), make(2, 2), make(2, 2), dropout_p=1.5)


def heads(make: Make) -> Iterator[Sample]:
    """Self-attention over `(L, N, E)` and over two sequences, with masks and without weights."""

    def draw(*shape: int) -> np.ndarray:
        return make(*shape, low=-1, high=1)

    def parameters() -> list:
        weights = [draw(12, 4), draw(12), None, None, False, 0.0, draw(4, 4), draw(4)]
        return [4, 2, *weights]

    yield Sample(draw(3, 2, 4), draw(5, 2, 4), draw(5, 2, 4), *parameters())
    yield Sample(draw(3, 4), draw(5, 4), draw(5, 4), *parameters(), need_weights=False)
    padding = np.array([[False, True, False], [False, False, True]])
    given = {"key_padding_mask": padding, "attn_mask": np.triu(np.ones((3, 3), bool), 1)}
    yield Sample(*(draw(3, 2, 4) for _ in range(3)), *parameters(), **given)
    yield Sample(*(draw(3, 2, 4) for _ in range(3)), *parameters(), average_attn_weights=False)
    yield Sample(draw(0, 2, 4), draw(5, 2, 4), draw(5, 2, 4), *parameters())
    yield Sample(draw(), draw(), draw(), *parameters())
    yield Sample(draw(3, 2, 4), draw(5, 2, 4), draw(4, 2, 4), *parameters())


OPTIONS = {"nodes": False, "tolerance": HALVES}
RECORDS = [
    functional("scaled_dot_product_attention", attention, dtypes=KINDS, **OPTIONS),
    functional("multi_head_attention_forward", heads, dtypes=KINDS[:2], nodes=False),
]
