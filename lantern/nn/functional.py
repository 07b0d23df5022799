"""Functions of neural networks under PyTorch's names; the formulas are in `lantern.ops`.

Most names are the ops themselves. Written out here are those whose arguments differ from the op's:
activations that may work `inplace`, softmax without a dimension, and losses that still accept
`size_average` and `reduce`. A name whose op does not exist yet is not defined.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import lantern
from lantern import ops
from lantern.compat.missing import missing
from lantern.tensor import Tensor

from ._reduction import legacy_get_string

_PLAIN = """
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d affine_grid avg_pool1d avg_pool2d avg_pool3d batch_norm
    bilinear channel_shuffle conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d
    cosine_similarity ctc_loss embedding embedding_bag fold fractional_max_pool2d
    fractional_max_pool3d gaussian_nll_loss gelu glu grid_sample group_norm gumbel_softmax
    hardshrink huber_loss instance_norm interpolate layer_norm linear linear_cross_entropy
    local_response_norm logsigmoid lp_pool1d lp_pool2d lp_pool3d max_pool1d max_pool2d max_pool3d
    max_unpool1d max_unpool2d max_unpool3d multi_head_attention_forward normalize one_hot pad
    pairwise_distance pdist pixel_shuffle pixel_unshuffle prelu relu_ rms_norm
    scaled_dot_product_attention sigmoid softplus softshrink softsign tanh tanhshrink
    triplet_margin_with_distance_loss upsample upsample_bilinear upsample_nearest
""".split()

# Methods of tensors have these names already.
_OTHER = {"unfold": "im2col", "fold": "col2im"}


# --- activations that may write over their input
def _over(op: Any, input: Tensor, *settings: Any) -> Tensor:
    """Writes the result of `op` over its input; the op may have to remember the old values."""
    remembers = input.requires_grad and lantern.is_grad_enabled()
    return input.copy_(op(input.clone() if remembers else input, *settings))


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """The larger of each element and 0; NaN stays NaN.

    >>> import lantern
    >>> lantern.nn.functional.relu(lantern.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return input.relu_() if inplace else ops.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element, kept between 0 and 6."""
    return hardtanh(input, 0.0, 6.0, inplace)


def hardtanh(
    input: Tensor,
    min_val: float = -1.0,
    max_val: float = 1.0,
    inplace: bool = False,
) -> Tensor:
    """Each element, kept between `min_val` and `max_val`."""
    if inplace:
        return _over(ops.hardtanh, input, min_val, max_val)
    return ops.hardtanh(input, min_val, max_val)


def leaky_relu(
    input: Tensor,
    negative_slope: float = 0.01,
    inplace: bool = False,
) -> Tensor:
    """Positive elements as they are, negative ones times `negative_slope`."""
    if inplace:
        return _over(ops.leaky_relu, input, negative_slope)
    return ops.leaky_relu(input, negative_slope)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Positive elements as they are, of negative ones `alpha * (exp(x) - 1)`."""
    if inplace:
        return _over(ops.elu, input, alpha)
    return ops.elu(input, alpha)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Positive elements as they are, of negative ones `alpha * (exp(x / alpha) - 1)`."""
    if inplace:
        return _over(ops.celu, input, alpha)
    return ops.celu(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """`elu` with the two constants that keep mean 0 and variance 1."""
    if inplace:
        return _over(ops.selu, input)
    return ops.selu(input)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times its sigmoid."""
    if inplace:
        return _over(ops.silu, input)
    return ops.silu(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times the hyperbolic tangent of its softplus."""
    if inplace:
        return _over(ops.mish, input)
    return ops.mish(input)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """`x / 6 + 1 / 2` of each element, kept between 0 and 1."""
    if inplace:
        return _over(ops.hardsigmoid, input)
    return ops.hardsigmoid(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Each element times its `hardsigmoid`."""
    if inplace:
        return _over(ops.hardswish, input)
    return ops.hardswish(input)


def threshold(
    input: Tensor,
    threshold: float,
    value: float,
    inplace: bool = False,
) -> Tensor:
    """Elements above `threshold` as they are, `value` for the others."""
    if inplace:
        return _over(ops.threshold, input, threshold, value)
    return ops.threshold(input, threshold, value)


def rrelu(
    input: Tensor,
    lower: float = 1.0 / 8,
    upper: float = 1.0 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """`leaky_relu` with a slope drawn from `lower` to `upper` while training, else their mean."""
    if inplace:
        return _over(ops.rrelu, input, lower, upper, training)
    return ops.rrelu(input, lower, upper, training)


def _written_over(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def in_place(*args: Any, **kwargs: Any) -> Tensor:
        return function(*args, **kwargs, inplace=True)

    in_place.__name__ = in_place.__qualname__ = f"{function.__name__}_"
    in_place.__doc__ = f"`{function.__name__}`, written over the input."
    return in_place


celu_, elu_, hardtanh_ = _written_over(celu), _written_over(elu), _written_over(hardtanh)
leaky_relu_, rrelu_ = _written_over(leaky_relu), _written_over(rrelu)
selu_, threshold_ = _written_over(selu), _written_over(threshold)


# --- dropout
def dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    """While training: zero with probability `p`, otherwise the element divided by `1 - p`.

    Raises ValueError for a probability outside of 0 to 1.

    >>> import lantern
    >>> lantern.nn.functional.dropout(lantern.ones(2), p=1.0)
    tensor([0., 0.])
    """
    return _dropped(ops.dropout, input, p, training, inplace)


def alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Dropout that keeps mean 0 and variance 1; it belongs to `selu`."""
    return _dropped(ops.alpha_dropout, input, p, training, inplace)


def dropout1d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    """Dropout of whole channels of `(N, C, L)` or `(C, L)`."""
    return _dropped(ops.dropout1d, input, p, training, inplace)


def dropout2d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    """Dropout of whole channels of `(N, C, H, W)`."""
    return _dropped(ops.dropout2d, input, p, training, inplace)


def dropout3d(
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    """Dropout of whole channels of `(N, C, D, H, W)` or `(C, D, H, W)`."""
    return _dropped(ops.dropout3d, input, p, training, inplace)


def feature_alpha_dropout(
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """`alpha_dropout` of whole channels of `(N, C, *)`."""
    return _dropped(ops.feature_alpha_dropout, input, p, training, inplace)


def _dropped(op: Any, input: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
    return _over(op, input, p, training) if inplace else op(input, p, training)


# --- over a dimension
def softmax(
    input: Tensor,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: Any = None,
) -> Tensor:
    """`exp(x)` over its sum along `dim`; without a `dim` one is guessed, with a warning.

    >>> import lantern
    >>> lantern.nn.functional.softmax(lantern.zeros(2), dim=0)
    tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _guessed_dim("softmax", input.dim(), _stacklevel)
    if dtype is None:
        return ops.softmax(input, dim)
    return ops.softmax(input, dim, dtype=dtype)


def softmin(
    input: Tensor,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: Any = None,
) -> Tensor:
    """`softmax` of the negated input."""
    if dim is None:
        dim = _guessed_dim("softmin", input.dim(), _stacklevel)
    if dtype is None:
        return ops.softmax(-input, dim)
    return ops.softmax(-input, dim, dtype=dtype)


def log_softmax(
    input: Tensor,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: Any = None,
) -> Tensor:
    """The logarithm of `softmax`, computed without overflow.

    >>> import lantern
    >>> lantern.nn.functional.log_softmax(lantern.zeros(2), dim=0)
    tensor([-0.6931, -0.6931])
    """
    if dim is None:
        dim = _guessed_dim("log_softmax", input.dim(), _stacklevel)
    if dtype is None:
        return ops.log_softmax(input, dim)
    return ops.log_softmax(input, dim, dtype=dtype)


def _guessed_dim(name: str, ndim: int, stacklevel: int) -> int:
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include "
        "dim=X as an argument.",
        UserWarning,
        stacklevel=stacklevel,
    )
    return 0 if ndim in (0, 1, 3) else 1


# --- losses, with the two older arguments for `reduction`
def _settled(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    if size_average is None and reduce is None:
        return reduction
    return legacy_get_string(size_average, reduce)


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute differences between input and target, weighted, averaged or summed."""
    return ops.l1_loss(input, target, _settled(size_average, reduce, reduction), weight)


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared differences between input and target, weighted, averaged or summed.

    >>> import lantern
    >>> lantern.nn.functional.mse_loss(lantern.tensor([1.0, 5.0]), lantern.tensor([2.0, 2.0]))
    tensor(5.)
    """
    return ops.mse_loss(input, target, _settled(size_average, reduce, reduction), weight)


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Squared differences (over `2 * beta`) below `beta`, absolute ones (less `beta / 2`) above."""
    return ops.smooth_l1_loss(input, target, _settled(size_average, reduce, reduction), beta)


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The negative log-probability of the right class, from unnormalised scores `(N, C, *)`.

    The target holds class numbers `(N, *)` or probabilities in the shape of the input.

    >>> import lantern
    >>> lantern.nn.functional.cross_entropy(lantern.zeros(1, 2), lantern.tensor([0]))
    tensor(0.6931)
    """
    reduction = _settled(size_average, reduce, reduction)
    return ops.cross_entropy(input, target, weight, ignore_index, reduction, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative of the right class's entry in log-probabilities `(N, C, *)`; target `(N, *)`."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.nll_loss(input, target, weight, ignore_index, reduction)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The cross entropy of two classes, from probabilities between 0 and 1."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """`binary_cross_entropy` of the sigmoid of the input, computed without overflow."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.binary_cross_entropy_with_logits(input, target, weight, reduction, pos_weight)


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """The divergence of log-probabilities from target probabilities (or logs: `log_target`)."""
    return ops.kl_div(input, target, _settled(size_average, reduce, reduction), log_target)


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of counts that are Poisson distributed."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.poisson_nll_loss(input, target, log_input, full, eps, reduction)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The input where the target is 1, `max(0, margin - input)` where it is -1."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.hinge_embedding_loss(input, target, margin, reduction)


def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`log(1 + exp(-target * input))` for targets 1 and -1."""
    return ops.soft_margin_loss(input, target, _settled(size_average, reduce, reduction))


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`max(0, -target * (input1 - input2) + margin)`: which of two scores should be higher."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.margin_ranking_loss(input1, input2, target, margin, reduction)


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`1 - cos` of two vectors `(N, D)` for target 1, `max(0, cos - margin)` for target -1."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.cosine_embedding_loss(input1, input2, target, margin, reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """By how much other classes' scores `(N, C)` come within `margin` of the right one's."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.multi_margin_loss(input, target, p, margin, weight, reduction)


def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """`multi_margin_loss` with several right classes, listed in the target up to a -1."""
    return ops.multilabel_margin_loss(input, target, _settled(size_average, reduce, reduction))


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The mean over classes of `binary_cross_entropy_with_logits`."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.multilabel_soft_margin_loss(input, target, weight, reduction)


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """By how much the negative is not `margin` farther from the anchor than the positive."""
    reduction = _settled(size_average, reduce, reduction)
    return ops.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, reduction)


# --- what is public
def _is_public(name: str) -> bool:
    return getattr(getattr(ops, name, None), "public", False)


def _publish() -> list[str]:
    """Takes the plain names over from the ops and hides the functions whose op is not there yet."""
    public = globals()
    written = [name for name, each in public.items() if getattr(each, "__module__", "") == __name__]
    written = [name for name in written if not name.startswith("_")]
    for name in (*_PLAIN, *_OTHER):
        if name.endswith("_") and hasattr(Tensor, name):
            public[name] = getattr(Tensor, name)
        elif name in _OTHER:
            public[name] = getattr(ops, _OTHER[name])
        elif _is_public(name):
            public[name] = getattr(ops, name)
    made_of = {"relu6": "hardtanh", "softmin": "softmax"}
    for name in written:
        if not _is_public(made_of.get(name, name.removesuffix("_"))):
            del public[name]
    return [name for name in dict.fromkeys((*_PLAIN, *_OTHER, *written)) if name in public]


__all__ = _publish()
__getattr__ = missing(__name__)
