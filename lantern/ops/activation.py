"""Activation functions, each with the formula of its gradient.

Where a formula has an exponential in a branch that is not taken, its argument is held back: an
infinity there would turn the second derivative into NaN. The file is long because PyTorch has some
thirty of them, each a few lines and its gradient.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from .. import dtypes
from ..binding import bind
from ..op import FLOAT, SAME, Op, composite, declare, op
from ..shape import wrap_dim
from ..tensor import Tensor
from .layout import at
from .pointwise import cast, unrounded
from .sampling import draw

SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946
SQRT_HALF = math.sqrt(0.5)
SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
GELU_CUBE = 0.044715


def floats_only(kernel: str) -> tuple[str, Callable[..., None]]:
    """Returns the `check` of an op that refuses tensors which are not floating point."""

    def refuse(input: Any, *rest: Any) -> None:
        if isinstance(input, Tensor) and input.dtype.kind != "f":
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{input.dtype.legacy}'")

    return "?bBhHiIlL", refuse


def _no_bool(kind: type, sentence: str) -> tuple[str, Callable[..., None]]:
    def refuse(input: Any, *rest: Any) -> None:
        if isinstance(input, Tensor) and input.dtype is dtypes.bool_:
            raise kind(sentence)

    return "?", refuse


def _as_input(xp, input, *numbers):
    """Returns numbers as the elements of `input` are: cut to whole ones for integers."""
    dtype = xp.dtype_of(input)
    return tuple(dtypes.number_as(each, dtype) for each in numbers)


# --- straight pieces
@op(
    promote=SAME,
    inplace=True,
    check=_no_bool(RuntimeError, "Boolean inputs not supported for relu"),
    lacks="HIL clamp_min_scalar_cpu",
)
def relu(xp, input):
    """The larger of each element and 0; NaN stays NaN.

    >>> import lantern
    >>> lantern.relu(lantern.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return xp.maximum(0, input)  # the order keeps the sign of -0.0


relu.vjp(input=lambda xp, g, out: xp.where(xp.le(out, 0), 0, g))


@op(
    packed="as operands",
    promote=SAME,
    method=False,
    function=False,
    check=_no_bool(RuntimeError, "Bool inputs not supported for hardtanh"),
    lacks="HIL clamp_scalar_cpu",
)
def hardtanh(xp, input, min_val=-1.0, max_val=1.0):
    """Each element, kept between `min_val` and `max_val`.

    >>> import lantern
    >>> lantern.nn.functional.hardtanh(lantern.tensor([-3.0, 0.5]))
    tensor([-1.0000,  0.5000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    if input.dtype.char == "B" and int(min_val) < 0:
        raise RuntimeError("cannot do hardtanh on an unsigned type with negative limits")
    low, high = _as_input(xp, input, min_val, max_val)
    return xp.minimum(high, xp.maximum(low, input))


@hardtanh.vjp_together("input")
def _(xp, g, input, min_val, max_val):
    outside = xp.logical_or(xp.le(input, min_val), xp.ge(input, max_val))
    return (xp.where(outside, 0, g),)


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("leaky_relu_cpu"),
    packed="as operands",
)
def leaky_relu(xp, input, negative_slope=0.01):
    """Positive elements as they are, negative ones times `negative_slope`.

    >>> import lantern
    >>> lantern.nn.functional.leaky_relu(lantern.tensor([-1.0, 3.0]))
    tensor([-0.0100,  3.0000])
    """
    return xp.where(xp.gt(input, 0), input, input * negative_slope)


leaky_relu.vjp(
    input=lambda xp, g, input, negative_slope: xp.where(xp.gt(input, 0), g, g * negative_slope)
)


def _check_prelu(input: Any, weight: Any) -> None:
    if not isinstance(input, Tensor) or not isinstance(weight, Tensor):
        return
    if input.dtype is not weight.dtype:
        kinds = f"{_c_name(input.dtype)} and {_c_name(weight.dtype)}"
        raise RuntimeError(f"prelu: Type promoting not supported. Got {kinds}")
    _check_slopes(weight.shape, input.shape)
    floats_only("prelu_cpu")[1](input)


def _check_slopes(weight_shape: tuple, shape: tuple) -> None:
    if len(weight_shape) > 1:
        raise RuntimeError(
            "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = "
            f"{len(weight_shape)}"
        )
    count = weight_shape[0] if weight_shape else 1
    if count == 1:
        return
    if not shape:
        raise RuntimeError("Not allow zero-dim input tensor.")
    channels = shape[1] if len(shape) > 1 else 1
    if channels != count:
        raise RuntimeError(
            "Mismatch of parameter numbers and input channel size. Found parameter numbers = "
            f"{count} and channel size = {channels}."
        )


def _c_name(dtype: dtypes.dtype) -> str:
    return {"float32": "Float", "float64": "Double"}.get(dtype.name, dtype.legacy)


@op(promote=FLOAT, check=("?bBhHiIlLeE", _check_prelu), packed="as operands")
def prelu(xp, input, weight):
    """Positive elements as they are, negative ones times the weight (one, or one per channel).

    Raises RuntimeError if there are neither one weight nor as many as channels (dimension 1).

    >>> import lantern
    >>> lantern.prelu(lantern.tensor([-4.0, 2.0]), lantern.tensor([0.25]))
    tensor([-1.,  2.])
    """
    return xp.where(xp.gt(input, 0), input, input * _per_channel(xp, weight, input.shape))


def _per_channel(xp, weight, shape):
    """Returns the weights in a shape that goes with an input of `shape`."""
    _check_slopes(weight.shape, shape)
    if not weight.ndim or weight.shape[0] == 1:
        return weight if shape else xp.reshape(weight, ())
    return xp.reshape(weight, (weight.shape[0],) + (1,) * (len(shape) - 2))


def _prelu_weight(xp, g, input, weight_shape):
    slope = g * xp.where(xp.gt(input, 0), 0, input)
    if weight_shape and weight_shape[0] != 1:
        return xp.sum(slope, tuple(i for i in range(input.ndim) if i != 1), False)
    return xp.reshape(xp.sum(slope, None, False), weight_shape)


prelu.vjp(
    input=lambda xp, g, input, weight: xp.where(
        xp.gt(input, 0), g, g * _per_channel(xp, weight, input.shape)
    ),
    weight=_prelu_weight,
)
prelu._grad_name = "PreluKernelBackward0"


@op(
    packed="as operands",
    promote=SAME,
    public=False,
    check=_no_bool(NotImplementedError, "\"threshold_cpu\" not implemented for 'Bool'"),
)
def thresholded(xp, input, limit, other_value):
    """Elements above a limit, another value in place of the others."""
    limit, other_value = _as_input(xp, input, limit, other_value)
    return xp.where(xp.le(input, limit), other_value, input)


thresholded.vjp(input=lambda xp, g, input, limit: xp.where(xp.le(input, limit), 0, g))
thresholded._grad_name = "ThresholdBackward0"


@composite(method=False, numbers="value")
def threshold(xp, input, threshold, value):
    """Elements above `threshold` as they are, `value` for the others.

    >>> import lantern
    >>> lantern.threshold(lantern.tensor([1.0, 3.0]), 2.0, -1.0)
    tensor([-1.,  3.])
    """
    return thresholded(input, threshold, value)


@op(
    promote=FLOAT,
    function=True,
    check=floats_only("hardshrink_cpu"),
    rounds="lambd",
    packed="as operands",
)
def hardshrink(xp, input, lambd=0.5):
    """Elements within `lambd` of 0 become 0, others stay."""
    return xp.where(_within(xp, input, lambd), 0, input)


@op(promote=FLOAT, public=False, check=floats_only("softshrink_check"), packed="as operands")
def soft_shrunk(xp, input, lambd):
    """Elements nearer to 0 by `lambd`, those within it 0."""
    return xp.where(_within(xp, input, lambd), 0 * input, input - xp.sign(input) * lambd)


@composite(method=False, function=False)
def softshrink(xp, input, lambd=0.5):
    """Elements within `lambd` of 0 become 0, others come nearer to 0 by `lambd`.

    Raises RuntimeError for a negative `lambd`.
    """
    if not lambd >= 0 and input.dtype.kind == "f":
        raise RuntimeError(
            f"lambda must be in range [0, {dtypes.finfo(input.dtype).max:g}] for input dtype "
            f"{input.dtype.legacy}, but found {lambd:g}"
        )
    return soft_shrunk(input, lambd)


def _within(xp, input, bound):
    return xp.le(xp.abs(input), bound)


def _shrink_gradient(xp, g, input, lambd):
    return xp.where(_within(xp, input, lambd), 0, g)


hardshrink.vjp(input=_shrink_gradient)
soft_shrunk.vjp(input=_shrink_gradient)
soft_shrunk._grad_name = "SoftshrinkBackward0"


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("hardsigmoid_cpu"),
    packed="as operands",
)
def hardsigmoid(xp, input):
    """`x / 6 + 1 / 2` of each element, kept between 0 and 1."""
    return xp.minimum(xp.maximum(input + 3, 0), 6) / 6


hardsigmoid.vjp(input=lambda xp, g, input: xp.where(xp.lt(xp.abs(input), 3), g / 6, 0))


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("hardswish_cpu"),
    packed="as operands",
)
def hardswish(xp, input):
    """Each element times its `hardsigmoid`."""
    return input * xp.minimum(xp.maximum(input + 3, 0), 6) / 6


def _hardswish_gradient(xp, g, input):
    slope = xp.where(xp.lt(input, 3), input / 3 + 0.5, 1)
    return g * xp.where(xp.le(input, -3), 0, slope)


hardswish.vjp(input=_hardswish_gradient)


# --- exponentials
@op(promote=FLOAT, method=False, function=False, check=floats_only("elu_cpu"), packed="as operands")
def elu(xp, input, alpha=1.0):
    """Positive elements as they are, of negative ones `alpha * (exp(x) - 1)`."""
    return _elu(xp, input, alpha)


def _elu(xp, input, alpha=1.0, scale=1.0, stretch=1.0):
    """Of negative elements `scale * alpha * (exp(stretch * x) - 1)`, `scale * x` of others."""
    bent = xp.expm1(input if stretch == 1.0 else input * stretch) * (alpha * scale)
    return xp.where(xp.lt(input, 0), bent, input if scale == 1.0 else input * scale)


def _elu_gradient(xp, g, input, alpha=1.0, scale=1.0, stretch=1.0):
    exponent = xp.where(xp.gt(input, 0), 0, input)
    exponent = exponent if stretch == 1.0 else exponent * stretch
    bent = g * (xp.exp(exponent) * (alpha * scale * stretch))
    return xp.where(xp.le(input, 0), bent, g if scale == 1.0 else g * scale)


elu.vjp(input=_elu_gradient)
elu.formulas["input"] = (_elu_gradient, ("xp", "g", "input", "alpha"))


@op(promote=FLOAT, method=False, check=floats_only("elu_cpu"), packed="as operands")
def selu(xp, input):
    """`elu` with the two constants that keep mean 0 and variance 1.

    >>> import lantern
    >>> lantern.selu(lantern.tensor([-1.0, 1.0]))
    tensor([-1.1113,  1.0507])
    """
    return _elu(xp, input, SELU_ALPHA, SELU_SCALE)


selu.vjp(input=lambda xp, g, input: _elu_gradient(xp, g, input, SELU_ALPHA, SELU_SCALE))
selu._grad_name = "EluBackward0"


@op(promote=FLOAT, method=False, check=floats_only("elu_cpu"), packed="as operands")
def celu(xp, input, alpha=1.0):
    """Positive elements as they are, of negative ones `alpha * (exp(x / alpha) - 1)`.

    Raises RuntimeError if `alpha` is 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return _elu(xp, input, alpha, stretch=1 / alpha)


celu.vjp(input=lambda xp, g, input, alpha: _elu_gradient(xp, g, input, alpha, stretch=1 / alpha))


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("softplus_cpu"),
    packed="as operands",
)
def softplus(xp, input, beta=1.0, threshold=20.0):
    """`log(1 + exp(beta * x)) / beta`, and x itself where `beta * x` is above the threshold."""
    scaled = input if beta == 1 else input * beta
    bent = xp.log1p(xp.exp(scaled))
    return xp.where(xp.gt(scaled, threshold), input, bent if beta == 1 else bent / beta)


def _softplus_gradient(xp, g, input, beta, threshold):
    scaled = input if beta == 1 else input * beta
    return xp.where(xp.gt(scaled, threshold), g, g * xp.sigmoid(scaled))


softplus.vjp(input=_softplus_gradient)


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("log_sigmoid_cpu"),
    packed="as operands",
)
def logsigmoid(xp, input):
    """The logarithm of the sigmoid, computed without overflow."""
    return xp.minimum(input, 0) - xp.log1p(xp.exp(-xp.abs(input)))


logsigmoid.vjp(input=lambda xp, g, input: g * xp.sigmoid(-input))
logsigmoid._grad_name = "LogSigmoidBackward0"


# --- an element times a gate
@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("silu_cpu"),
    packed="as operands",
)
def silu(xp, input):
    """Each element times its sigmoid."""
    return input * xp.sigmoid(input)


def _silu_gradient(xp, g, input):
    gate = xp.sigmoid(input)
    return g * (gate * (input * (1 - gate) + 1))


silu.vjp(input=_silu_gradient)


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("mish_cpu"),
    packed="as operands",
)
def mish(xp, input):
    """Each element times the hyperbolic tangent of its softplus."""
    return input * xp.tanh(_softplus(xp, input))


def _softplus(xp, input):
    return xp.log1p(xp.exp(-xp.abs(input))) + xp.where(xp.gt(input, 0), input, 0)


def _mish_gradient(xp, g, input):
    gate = xp.tanh(_softplus(xp, input))
    return g * (gate + input * xp.sigmoid(input) * (1 - gate * gate))


mish.vjp(input=_mish_gradient)


@op(
    promote=FLOAT,
    method=False,
    function=False,
    check=floats_only("GeluKernelImpl"),
    packed="as operands",
)
def gelu(xp, input, *, approximate="none"):
    """Each element times the normal distribution function of it; `approximate` 'none' or 'tanh'.

    >>> import lantern
    >>> lantern.nn.functional.gelu(lantern.tensor([-1.0, 1.0]))
    tensor([-0.1587,  0.8413])
    """
    if approximate not in ("none", "tanh"):
        raise RuntimeError("approximate argument must be either none or tanh.")
    return xp.one_pass(_gelu, (input,), 0, approximate)


def _gelu(xp, input, approximate):
    if approximate == "tanh":
        return 0.5 * input * (xp.tanh(_gelu_inner(input)) + 1)
    return input * 0.5 * (xp.erf(input * SQRT_HALF) + 1)


def _gelu_inner(input):
    return SQRT_2_OVER_PI * (input + GELU_CUBE * (input * input * input))


def _gelu_gradient(xp, g, input, approximate):
    return xp.one_pass(_gelu_slope, (input, g), 0, approximate)


def _gelu_slope(xp, input, g, approximate):
    if approximate == "tanh":
        gate = xp.tanh(_gelu_inner(input))
        slope = (1 - gate * gate) * (SQRT_2_OVER_PI * (1 + 3 * GELU_CUBE * (input * input)))
        return g * (0.5 * (gate + 1) + 0.5 * input * slope)
    below = 0.5 * (xp.erf(input * SQRT_HALF) + 1)
    density = xp.exp(input * input * -0.5) * (0.5 * SQRT_2_OVER_PI)
    return g * (below + input * density)


gelu.vjp(input=_gelu_gradient)


@op(promote=FLOAT, method=False, function=False, exact=True, check=floats_only("glu_cpu"))
def glu(xp, input, dim=-1):
    """The first half along `dim`, times the sigmoid of the second.

    Raises RuntimeError if that dimension has an odd size.
    """
    first, second = _halves(xp, input, dim)
    return first * xp.sigmoid(second)


def _halves(xp, input, dim):
    if not input.ndim:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    dim = wrap_dim(dim, input.ndim)
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    half = size // 2
    return (
        xp.getitem(input, at(dim, slice(0, half))),
        xp.getitem(input, at(dim, slice(half, size))),
    )


def _glu_gradient(xp, g, input, dim):
    first, second = _halves(xp, input, dim)
    gate = xp.sigmoid(second)
    return xp.cat([g * gate, g * first * ((1 - gate) * gate)], wrap_dim(dim, input.ndim))


glu.vjp(input=_glu_gradient)


# --- made of other ops
@composite(method=False, function=False)
def softsign(xp, input):
    """`x / (1 + |x|)` of each element."""
    return input / (xp.abs(input) + 1)


@composite(method=False, function=False)
def tanhshrink(xp, input):
    """Each element less its hyperbolic tangent."""
    return input - xp.tanh(input)


@op(promote=FLOAT, method=False, public=False, check=floats_only("leaky_relu_cpu"), packed="always")
def rrelu_with_noise(xp, input, weight):
    """Each element times its own slope."""
    return input * weight


rrelu_with_noise.vjp(input=lambda g, weight: g * weight)


@op(promote=FLOAT, method=False, public=False, check=floats_only("leaky_relu_cpu"), packed="always")
def rrelu_mean(xp, input, negative_slope):
    """`rrelu` with its mean slope."""
    return xp.where(xp.gt(input, 0), input, input * negative_slope)


rrelu_mean.vjp(input=leaky_relu.formulas["input"][0])
rrelu_mean._grad_name = "RreluWithNoiseBackward0"


@composite(method=False)
def rrelu(xp, input, lower=1.0 / 8, upper=1.0 / 3, training=False, generator=None):
    """`leaky_relu` with a slope drawn from [lower, upper) while training, else their mean.

    >>> import lantern
    >>> lantern.rrelu(lantern.tensor([-2.0, 1.0]), 0.2, 0.4)
    tensor([-0.6000,  1.0000])
    """
    if lower > upper:
        raise RuntimeError("Lower bound should be less than or equal to the upper bound")
    if not training:
        return rrelu_mean(input, (lower + upper) / 2)
    floats_only("rrelu_with_noise_out_cpu")[1](input)
    slopes = draw("slopes", input.shape, input.dtype, generator, input, lower, upper)
    return rrelu_with_noise(input, slopes)


# --- over a dimension
class _Typed(Op):
    """An op of which a `dtype=` converts the input before anything else."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs or len(args) > 2:
            if kwargs.get("out") is not None:
                return self._call_out(args, kwargs)
            kwargs.pop("out", None)
            args = bind(self, args, kwargs)
            if args[2] is not None and isinstance(args[0], Tensor):
                args = (cast(args[0], args[2]), args[1], None)
        return super().__call__(*args)


def _typed(function: Callable[..., Any], **options: Any) -> Op:
    def refuse(input: Any, dim: int, dtype: Any) -> None:
        last = isinstance(input, Tensor) and dim in (-1, max(input.ndim - 1, 0))
        kernel = f"{function.__name__}_{'lastdim_' if last else ''}kernel_impl"
        floats_only(kernel)[1](input)

    options |= {"promote": FLOAT, "check": ("?bBhHiIlL", refuse), "packed": "always"}
    return declare(_Typed, function, options)


def _dims(dim: Any, ndim: int) -> tuple[int, ...] | None:
    if ndim:
        return (wrap_dim(dim, ndim),)
    wrap_dim(dim, 0)
    return None


@_typed
def softmax(xp, input, dim, dtype=None):
    """`exp(x)` over its sum along `dim`, computed without overflow.

    >>> import lantern
    >>> lantern.softmax(lantern.tensor([0.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000])
    """
    dims = _dims(dim, input.ndim)
    if 0 in input.shape:
        return xp.clone(input)
    return _along(xp, _softmax, (input,), dims)


def _along(xp, formula, operands, dims):
    """Returns a formula of operands of one shape, which takes the elements along a dimension."""
    if dims is None:
        return formula(xp, *operands, None)
    together = operands[0].ndim - dims[0]
    return xp.one_pass(formula, operands, together, together)


def _place(x, together):
    return None if together is None else (x.ndim - together,)


def _softmax(xp, input, together):
    dims = _place(input, together)
    powers = xp.exp(input - xp.amax(input, dims, True))
    return powers / xp.sum(powers, dims, True)


def _softmax_gradient(xp, g, out, dim):
    return _along(xp, _softmax_slope, (out, g), _dims(dim, out.ndim))


def _softmax_slope(xp, out, g, together):
    weighed = g * out
    return weighed - out * xp.sum(weighed, _place(out, together), True)


softmax.vjp(input=_softmax_gradient)


@partial(_typed, steps=True)
def log_softmax(xp, input, dim, dtype=None):
    """The logarithm of `softmax`, computed without overflow.

    >>> import lantern
    >>> lantern.log_softmax(lantern.tensor([0.0, 0.0]), dim=0)
    tensor([-0.6931, -0.6931])
    """
    dims = _dims(dim, input.ndim)
    if 0 in input.shape:
        return xp.clone(input)
    return _along(xp, _log_softmax, (input,), dims)


def _log_softmax(xp, input, together):
    dims = _place(input, together)
    wide = unrounded(xp, input)
    shifted = wide - xp.amax(wide, dims, True)
    total = xp.sum(xp.exp(shifted), dims, True)
    if wide is input or together != 1:
        return shifted - xp.log(total)
    # Over the last dimension PyTorch keeps the sum and its logarithm in the half type.
    return shifted - unrounded(xp, xp.log(xp.cast(total, xp.dtype_of(input))))


def _log_softmax_gradient(xp, g, out, dim):
    return _along(xp, _log_softmax_slope, (out, g), _dims(dim, out.ndim))


def _log_softmax_slope(xp, out, g, together):
    return g - xp.exp(out) * xp.sum(g, _place(out, together), True)


log_softmax.vjp(input=_log_softmax_gradient)


@composite(method=False, function=False)
def gumbel_softmax(xp, logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """Softmax of logits with Gumbel noise: a soft (or `hard`, one-hot) sample of a class.

    A hard sample has the gradient of the soft one.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=3)
    drawn = draw("exponential", logits.shape, logits.dtype, None, 1.0)
    soft = softmax((logits - xp.log(drawn)) / tau, dim)
    if not hard:
        return soft
    plain = soft.detach()
    place = xp.argmax(plain, wrap_dim(dim, plain.ndim) if plain.ndim else None, True)
    zeros = xp.full(plain.shape, 0, plain)
    one = xp.full(place.shape, 1, plain)
    return xp.scatter(zeros, wrap_dim(dim, plain.ndim), place, one) - plain + soft
