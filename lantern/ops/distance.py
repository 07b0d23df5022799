"""How near vectors are: distances, cosines, vectors of length one, and the bilinear form."""

from __future__ import annotations

import math

from ..autograd.mode import no_grad
from ..op import FLOAT, composite, op
from ..shape import broadcast_shapes, wrap_dim
from .reduce import vector_norm


@composite(method=False)
def cosine_similarity(xp, x1, x2, dim=1, eps=1e-8):
    """The cosine of the angle between vectors that lie along `dim`.

    Raises RuntimeError for integer tensors and for shapes that do not broadcast.

    >>> import lantern
    >>> lantern.cosine_similarity(lantern.tensor([1.0, 1.0]), lantern.tensor([1.0, 0.0]), dim=0)
    tensor(0.7071)
    """
    dtype = (x1 + x2).dtype if x1.dtype is not x2.dtype else x1.dtype
    if dtype.kind != "f":
        raise RuntimeError(
            f"expected common dtype to be floating point, yet common dtype is {dtype.legacy}"
        )
    shape = broadcast_shapes(x1.shape, x2.shape)
    dim = wrap_dim(dim, len(shape))
    x1, x2 = (xp.expand(x.to(dtype), shape) for x in (x1, x2))
    return (_direction(x1, dim, eps) * _direction(x2, dim, eps)).sum(dim)


def _direction(x, dim, eps):
    """Returns vectors of length one; those shorter than `eps` are divided by that."""
    length = vector_norm(x, 2, dim, True)
    with no_grad():
        missing = (eps - length).clamp_min(0)
    return x / (length + missing)


@op(promote=FLOAT, method=False, public=False)
def length(xp, input, ord, dim, keepdim):
    """The p-norm along a dimension."""
    return vector_norm.forward(xp, input, ord, dim, keepdim)


length.formulas["input"] = vector_norm.formulas["input"]
length._grad_name = "NormBackward1"


@composite(method=False)
def pairwise_distance(xp, x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """The p-norm of the difference (plus `eps`) of vectors that lie along the last dimension.

    >>> import lantern
    >>> lantern.pairwise_distance(lantern.tensor([[3.0, 4.0]]), lantern.zeros(1, 2))
    tensor([5.0000])
    """
    difference = x1 - x2 + eps
    return length(difference, p, max(difference.ndim - 1, 0), keepdim)


@composite(method=False, function=False)
def normalize(xp, input, p=2.0, dim=1, eps=1e-12, out=None):
    """Vectors along `dim`, each over its p-norm (or over `eps` where that is larger).

    >>> import lantern
    >>> lantern.nn.functional.normalize(lantern.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return xp.div(input, vector_norm(input, p, dim, True).clamp_min(eps), out=out)


@composite(method=False)
def bilinear(xp, input1, input2, weight, bias=None):
    """`x1 @ weight[o] @ x2 + bias[o]` for vectors `(*, I)` and `(*, J)`, weight `(O, I, J)`.

    Raises RuntimeError where sizes do not fit.

    >>> import lantern
    >>> lantern.bilinear(lantern.ones(1, 2), lantern.ones(1, 3), lantern.ones(1, 2, 3), None)
    tensor([[6.]])
    """
    _check_bilinear(input1, input2, weight, bias)
    out, first, second = weight.shape
    lead = tuple(input1.shape[:-1])
    left = xp.reshape(xp.permute(weight, (1, 0, 2)), (first, out * second))
    partly = xp.matmul(xp.reshape(input1, (math.prod(lead), first)), left)
    partly = xp.reshape(partly, (math.prod(lead), out, second))
    result = xp.matmul(partly, xp.reshape(input2, (math.prod(lead), second, 1)))
    result = xp.reshape(result, (*lead, out))
    return result if bias is None else result + bias


def _check_bilinear(input1, input2, weight, bias):
    if not input1.ndim or not input2.ndim:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    if input1.ndim != input2.ndim:
        raise RuntimeError(
            f"bilinear(): input dimensions do not match: got {input1.ndim} and {input2.ndim}"
        )
    for i, (one, two) in enumerate(zip(input1.shape[:-1], input2.shape[:-1], strict=True)):
        if one != two:
            raise RuntimeError(
                f"bilinear(): input batch dimensions do not match at dim {i}: got {one} and {two}"
            )
    for name, size, want in (
        ("input1", input1.shape[-1], weight.shape[1]),
        ("input2", input2.shape[-1], weight.shape[2]),
    ):
        if size != want:
            raise RuntimeError(
                f"bilinear(): {name} size does not match weight size: got {size} but expected "
                f"{want}"
            )
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(
            "bilinear(): bias size does not match weight size: got "
            f"{bias.shape[0]} but expected {weight.shape[0]}"
        )
