"""Every op of the framework, and the namespace in which formulas are differentiable again.

As a namespace this module answers to each name of the vocabulary with an op over tensors; a test
compares the two lists.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..backends import NAMESPACES
from ..op import REGISTRY
from ..tensor import Tensor, wrap
from . import (
    activation,
    adaptive,
    arithmetic,
    attention,
    blas,
    class_loss,
    comparison,
    contraction,
    convolution,
    counting,
    creation,
    ctc,
    decompositions,
    distance,
    dropouts,
    einstein,
    elimination,
    embeddings,
    grids,
    index,
    join,
    layout,
    linalg,
    linear_loss,
    loss,
    margin_loss,
    masks,
    memory,
    normalization,
    norms,
    order,
    padding,
    pairs,
    pointwise,
    pooling,
    reduce,
    reparameterized,
    resampling,
    rnn,
    sampling,
    scan,
    scatter,
    selection,
    slices,
    sliding,
    solvers,
    special,
    systems,
    transcendental,
    unpooling,
    views,
)

NAMESPACES[Tensor] = sys.modules[__name__]

globals().update(REGISTRY)


def one_pass(formula, operands, together, *settings):
    """Returns `formula(xp, *operands, *settings)`, whose parts are recorded one by one."""
    return formula(NAMESPACES[Tensor], *operands, *settings)


full, arange, draw = creation.full, creation.arange, sampling.draw
put, put_add, as_strided = index.put, index.put_add, memory.strided_values


def outside(index, low, high):
    """Returns a place that is out of range; None, for what is a tensor has been checked."""


def dtype_of(x):
    """Returns the dtype of a tensor."""
    return x.dtype


def asarray(x, dtype=None):
    """Returns a tensor as it is, a Python number as a 0-d tensor."""
    return x if isinstance(x, Tensor) else creation.full((), x, dtype)


if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...
