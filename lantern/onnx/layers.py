"""The table of ops that ONNX has at their own level, so that a graph reads as the model does.

A handler gets the operands as the op computed with them. Where `when` says no, or an op is not
here, its primitives are written instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..compiler.ir import Value
from .primitives import convolution, transposed_convolution
from .sizes import Size
from .writer import Writer


class Handler(NamedTuple):
    """How an op is written, and when; `parts` are the operands that it reads."""

    write: Callable[..., Any]
    when: Callable[..., bool]


LAYERS: dict[str, Handler] = {}


def writes(
    name: str, when: Callable[..., bool] = lambda *args: True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enters a handler into the table."""

    def enter(write: Callable[..., Any]) -> Callable[..., Any]:
        LAYERS[name] = Handler(write, when)
        return write

    return enter


def _is_float(x: Any, *rest: Any) -> bool:
    return isinstance(x, Value) and x.dtype.kind == "f"


# --- activations
@writes("relu", _is_float)
def _relu(w: Writer, x: Value) -> str:
    return w.node("Relu", w(x))


@writes("leaky_relu", _is_float)
def _leaky_relu(w: Writer, x: Value, negative_slope: float) -> str:
    return w.node("LeakyRelu", w(x), alpha=float(negative_slope))


@writes("elu", _is_float)
def _elu(w: Writer, x: Value, alpha: float) -> str:
    return w.node("Elu", w(x), alpha=float(alpha))


@writes("selu", _is_float)
def _selu(w: Writer, x: Value) -> str:
    return w.node("Selu", w(x))


@writes("hardsigmoid", _is_float)
def _hardsigmoid(w: Writer, x: Value) -> str:
    return w.node("HardSigmoid", w(x), alpha=1 / 6, beta=0.5)


@writes("hardswish", _is_float)
def _hardswish(w: Writer, x: Value) -> str:
    return w.node("HardSwish", w(x))


@writes("softplus", lambda x, beta, threshold: beta == 1 and threshold >= 20)
def _softplus(w: Writer, x: Value, beta: float, threshold: float) -> str:
    return w.node("Softplus", w(x))


def _has_dimensions(x: Value, *rest: Any) -> bool:
    return x.ndim > 0


@writes("softmax", _has_dimensions)
def _softmax(w: Writer, x: Value, dim: int, kind: Any) -> str:
    return w.node("Softmax", w(x), axis=dim)


@writes("log_softmax", _has_dimensions)
def _log_softmax(w: Writer, x: Value, dim: int, kind: Any) -> str:
    return w.node("LogSoftmax", w(x), axis=dim)


# --- normalization
@writes("layer_norm", lambda x, shape, *rest: not any(isinstance(n, Size) for n in shape))
def _layer_norm(w: Writer, x: Value, shape: Any, weight: Any, bias: Any, eps: float) -> str:
    sizes = tuple(shape)
    scale = w.constant([1] * math.prod(sizes), x.dtype, sizes) if weight is None else w(weight)
    rest = [] if bias is None else [w(bias)]
    return w.node(
        "LayerNormalization", w(x), scale, *rest, axis=-len(sizes), epsilon=float(eps)
    )  # fmt: skip


@writes("batch_norm_eval", lambda x, *rest: x.ndim > 1)
def _batch_norm(
    w: Writer, x: Value, mean: Value, variance: Value, weight: Any, bias: Any, eps: float
) -> str:
    channels = mean.shape[0]
    scale = w.constant([1] * channels, x.dtype) if weight is None else w(weight)
    shift = w.constant([0] * channels, x.dtype) if bias is None else w(bias)
    return w.node(
        "BatchNormalization", w(x), scale, shift, w(mean), w(variance), epsilon=float(eps)
    )  # fmt: skip


# --- convolution and pooling
@writes("convolved")
def _convolved(w: Writer, x: Value, weight: Value, bias: Any, *settings: Any) -> str:
    return convolution(w, x, weight, bias, *settings)


@writes("convolved_back")
def _convolved_back(
    w: Writer, x: Value, weight: Value, bias: Any, shape: Any, *settings: Any
) -> str:
    return transposed_convolution(w, x, weight, bias, shape, *settings)


def _is_plain_pool(x: Value, pool: Any, *rest: Any) -> bool:
    whole = x.dtype.kind == "f" and x.ndim == len(pool.kernel) + 2
    return whole and not any(isinstance(n, Size) for n in (*pool.sizes, *pool.counts))


def _windows_of(pool: Any) -> dict[str, Any]:
    pads = [*pool.padding, *pool.after]
    return {"kernel_shape": list(pool.kernel), "strides": list(pool.stride), "pads": pads}


@writes("max_pool_values", _is_plain_pool)
def _max_pool(w: Writer, x: Value, pool: Any) -> str:
    return w.node("MaxPool", w(x), dilations=list(pool.dilation), **_windows_of(pool))


def _is_plain_mean(x: Value, pool: Any, count_include_pad: bool, divisor_override: Any) -> bool:
    if divisor_override is not None or not _is_plain_pool(x, pool):
        return False
    return all(after <= pad for after, pad in zip(pool.after, pool.padding, strict=True))


@writes("mean_pool", _is_plain_mean)
def _mean_pool(
    w: Writer, x: Value, pool: Any, count_include_pad: bool, divisor_override: Any
) -> str:
    windows = _windows_of(pool)
    return w.node("AveragePool", w(x), count_include_pad=int(count_include_pad), **windows)


@writes("adaptive_mean", lambda x, counts: _is_float(x) and all(n == 1 for n in counts))
def _global_mean(w: Writer, x: Value, counts: Any) -> str:
    axes = list(range(x.ndim - len(counts), x.ndim))
    return w.node("ReduceMean", w(x), w.integers(axes), keepdims=1)


# --- recurrent layers
def _is_whole_batch(x: Value, *rest: Any) -> bool:
    """Says whether all sequences are of one length, in the one dtype that runtimes have."""
    sizes = rest[-2]
    return x.dtype.name == "float32" and all(each == sizes[0] for each in sizes)


def _recurrent(
    w: Writer, kind: str, order: list[int], operands: tuple, states: list[Value], sizes: Any,
    reverse: bool, **attributes: Any,
) -> tuple[str, ...]:  # fmt: skip
    """One layer in one direction; `order` says where ONNX's gates stand in PyTorch's weights."""
    x, w_ih, w_hh, b_ih, b_hh = operands
    gates, size = len(order), w_hh.shape[1]
    rows = w.reshape(w(x), [len(sizes), sizes[0], x.shape[1]])

    def ordered(value: Value) -> str:
        inside = list(value.shape[1:])
        parts = w.reshape(w(value), [gates, size, *inside])
        parts = w.node("Gather", parts, w.integers(order), axis=0) if gates > 1 else parts
        return w.reshape(parts, [1, gates * size, *inside])

    bias = ""
    if b_ih is not None:
        bias = w.node("Concat", ordered(b_ih), ordered(b_hh), axis=1)
    initial = [w.unsqueeze(w(each), [0]) for each in states]
    results = w.node(
        kind, rows, ordered(w_ih), ordered(w_hh), bias, "", *initial, outputs=1 + len(states),
        hidden_size=size, direction="reverse" if reverse else "forward", **attributes,
    )  # fmt: skip
    whole = w.reshape(results[0], [-1, size])
    return whole, *(w.squeeze(each, [0]) for each in results[1:])


@writes("lstm_layer", lambda *args: _is_whole_batch(*args) and args[7] is None)
def _lstm(w: Writer, x: Value, hx: Value, cx: Value, *rest: Any) -> tuple[str, ...]:
    w_ih, w_hh, b_ih, b_hh, _, sizes, reverse = rest
    operands = x, w_ih, w_hh, b_ih, b_hh
    return _recurrent(w, "LSTM", [0, 3, 1, 2], operands, [hx, cx], sizes, reverse)


@writes("gru_layer", _is_whole_batch)
def _gru(w: Writer, x: Value, hx: Value, *rest: Any) -> tuple[str, ...]:
    *weights, sizes, reverse = rest
    operands = (x, *weights)
    return _recurrent(w, "GRU", [1, 0, 2], operands, [hx], sizes, reverse, linear_before_reset=1)


@writes("rnn_layer", _is_whole_batch)
def _rnn(w: Writer, x: Value, hx: Value, *rest: Any) -> tuple[str, ...]:
    *weights, nonlinearity, sizes, reverse = rest
    activation = ["Tanh" if nonlinearity == "tanh" else "Relu"]
    return _recurrent(
        w, "RNN", [0], (x, *weights), [hx], sizes, reverse, activations=activation
    )  # fmt: skip
