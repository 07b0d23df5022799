"""The cross entropy of a linear layer's scores."""

from __future__ import annotations

from ..op import composite
from .class_loss import cross_entropy
from .linalg import linear


@composite(method=False, function=False, tensors="linear_weight linear_bias")
def linear_cross_entropy(
    xp,
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """`cross_entropy` of what a linear layer makes of `input` `(N, I)`.

    >>> import lantern
    >>> rows, table = lantern.zeros(1, 3), lantern.zeros(2, 3)
    >>> lantern.nn.functional.linear_cross_entropy(rows, table, lantern.tensor([0]))
    tensor(0.6931)
    """
    if options is not None:
        raise NotImplementedError("linear_cross_entropy(options=...) is not in Lantern yet")
    if linear_weight.ndim != 2:
        raise NotImplementedError("linear_cross_entropy() takes a weight (C, I) in Lantern so far")
    ignore_index = -100 if ignore_index is None else ignore_index
    scores = linear(input, linear_weight, linear_bias)
    return cross_entropy(scores, target, weight, ignore_index, reduction, label_smoothing)
