"""Attention: values weighted by how well their keys fit a query.

Vaswani et al., Attention Is All You Need, 2017. One op computes scores, softmax and the weighted
sum, and keeps the weights for its gradient.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from .. import dtypes
from ..op import FLOAT, composite, op
from ..tensor import Tensor
from .creation import full
from .join import cat
from .linalg import linear
from .padding import constant_pad_nd
from .sampling import draw
from .slices import chunk
from .views import expand, reshape, squeeze, transpose, unsqueeze


def _flipped(xp: Any, x: Any) -> Any:
    """Returns a stack of matrices transposed."""
    return xp.permute(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


def _causal(xp: Any, scores: Any) -> Any:
    """Returns what keeps a query from the keys behind it: minus infinity above the diagonal."""
    rows, columns = scores.shape[-2:]
    places = xp.reshape(xp.arange(0, rows, 1, dtypes.int64), (rows, 1))
    later = xp.gt(xp.reshape(xp.arange(0, columns, 1, dtypes.int64), (1, columns)), places)
    return xp.where(later, xp.full((), -math.inf, scores), xp.full((), 0, scores))


def _shares(xp: Any, scores: Any, safe: bool) -> Any:
    """Returns the softmax of the last dimension; where all is masked, 0 if `safe`, else NaN."""
    last = (scores.ndim - 1,)
    top = xp.amax(scores, last, True)
    if safe:
        top = xp.where(xp.eq(top, -math.inf), xp.full((), 0, top), top)
    weights = xp.exp(scores - top)
    total = xp.sum(weights, last, True)
    if safe:
        total = xp.where(xp.eq(total, 0), xp.full((), 1, total), total)
    return weights / total


@op(promote=FLOAT, method=False, public=False, tensors="query key attn_mask")
def attend(xp, query, key, value, attn_mask, mask, scale, causal, safe):
    """The weighted values `(*, L, V)`, and the weights `(*, L, S)` before they meet `mask`.

    `attn_mask` is added to the scores; `mask` holds what dropout multiplies the weights by.
    """
    scores = xp.matmul(query * scale, _flipped(xp, key))
    if attn_mask is not None:
        scores = scores + attn_mask
    if causal:
        scores = scores + _causal(xp, scores)
    weights = _shares(xp, scores, safe) if key.shape[-2] else scores
    return xp.matmul(_dropped(xp, weights, mask), value), weights


def _dropped(xp: Any, weights: Any, mask: Any) -> Any:
    return weights if mask is None else weights * xp.cast(mask, xp.dtype_of(weights))


@attend.vjp_together("query", "key", "value", "attn_mask")
def _(xp, g, needs, query, key, value, mask, scale, out1):
    slope, by_value = g[1], None
    if g[0] is not None:
        if needs[2]:
            by_value = xp.matmul(_flipped(xp, _dropped(xp, out1, mask)), g[0])
        through = _dropped(xp, xp.matmul(g[0], _flipped(xp, value)), mask)
        slope = through if slope is None else slope + through
    weighed = out1 * slope
    scores = weighed - out1 * xp.sum(weighed, (out1.ndim - 1,), True)
    return (
        xp.matmul(scores, key) * scale if needs[0] else None,
        xp.matmul(_flipped(xp, scores), query) * scale if needs[1] else None,
        by_value,
        scores,
    )


attend._grad_name = "ScaledDotProductFlashAttentionForCpuBackward0"


def _noise(shape: tuple, dtype: Any, p: float) -> Any:
    if p == 1:
        return full(shape, 0, dtype)
    return draw("bernoulli", shape, dtype, None, 1 - p) / (1 - p)


@composite(method=False, function=False, tensors="query key attn_mask")
def scaled_dot_product_attention(
    xp,
    query,
    key,
    value,
    attn_mask=None,
    dropout_p=0.0,
    is_causal=False,
    scale=None,
    enable_gqa=False,
):
    """`softmax(query @ key.T * scale + mask) @ value` over `(*, L, E)`, `(*, S, E)`, `(*, S, V)`.

    `attn_mask` is added to the scores, or says with True which keys take part; `is_causal` leaves
    those behind the query out. The scale is `1 / sqrt(E)` unless given; `dropout_p` applies always.
    A query without any key gets zeros. With `enable_gqa` several query heads share a key head.
    Raises RuntimeError where dtypes or sizes do not fit.

    >>> import lantern
    >>> q = lantern.ones(1, 2, 4)
    >>> lantern.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True).shape
    torch.Size([1, 2, 4])
    """
    _check_attention(query, key, value, attn_mask)
    if is_causal and attn_mask is not None:
        raise RuntimeError(
            "_scaled_dot_product_attention: Explicit attn_mask should not be set when "
            "is_causal=True"
        )
    if enable_gqa:
        key, value = (_repeated(each, query.shape[-3]) for each in (key, value))
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else math.nan
    if attn_mask is not None and attn_mask.dtype is dtypes.bool_:
        zero = full((), 0, query.dtype)
        attn_mask = xp.where(attn_mask, zero, full((), -math.inf, query.dtype))
    noise = None
    if not 0 <= dropout_p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {dropout_p:g}")
    if dropout_p:
        noise = _noise((*query.shape[:-1], key.shape[-2]), query.dtype, dropout_p)
    return attend(query, key, value, attn_mask, noise, scale, is_causal, True)[0]


def _check_attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Any) -> None:
    if query.dtype is not key.dtype or query.dtype is not value.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{_cpp(query)} key.dtype: {_cpp(key)} and value.dtype: {_cpp(value)} instead."
        )
    if min(query.ndim, key.ndim, value.ndim) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: "
            f"{query.ndim} key.dim: {key.ndim} and value.dim: {value.ndim} instead."
        )
    if attn_mask is not None and attn_mask.dtype not in (dtypes.bool_, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float or to match query dtype, but got "
            f"attn_mask.dtype: {_cpp(attn_mask)} and  query.dtype: {_cpp(query)} instead."
        )
    if query.dtype.kind != "f":
        raise RuntimeError(f"expected scalar type Float but found {query.dtype.legacy}")


def _cpp(tensor: Tensor) -> str:
    """Returns the name of a dtype that this error of PyTorch's uses."""
    names = {"float32": "float", "float64": "double", "float16": "c10::Half"}
    names |= {
        "bfloat16": "c10::BFloat16",
        "int64": "long int",
        "int32": "int",
        "int16": "short int",
    }
    return names.get(tensor.dtype.name, tensor.dtype.name)


def _repeated(x: Tensor, heads: int) -> Tensor:
    """Repeats each head of keys or values for the query heads that share it."""
    own = x.shape[-3]
    if heads % own:
        raise RuntimeError("Number of heads in key and value must divide the number of heads in ")
    lead, rest = x.shape[:-3], x.shape[-2:]
    wide = expand(unsqueeze(x, -3), (*lead, own, heads // own, *rest))
    return reshape(wide, (*lead, heads, *rest))


# --- several heads
@composite(method=False, function=False)
def multi_head_attention_forward(
    xp,
    query,
    key,
    value,
    embed_dim_to_check,
    num_heads,
    in_proj_weight,
    in_proj_bias,
    bias_k,
    bias_v,
    add_zero_attn,
    dropout_p,
    out_proj_weight,
    out_proj_bias,
    training=True,
    key_padding_mask=None,
    need_weights=True,
    attn_mask=None,
    use_separate_proj_weight=False,
    q_proj_weight=None,
    k_proj_weight=None,
    v_proj_weight=None,
    static_k=None,
    static_v=None,
    average_attn_weights=True,
    is_causal=False,
):
    """Attention in several heads over `(L, N, E)`; `nn.MultiheadAttention` says what is what.

    Returns the output `(L, N, E)` and the weights `(N, L, S)`, or None unless `need_weights`.
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        query, key, value = (unsqueeze(each, 1) for each in (query, key, value))
        if key_padding_mask is not None:
            key_padding_mask = unsqueeze(key_padding_mask, 0)
    length, batch, width = query.shape
    padding = additive_mask(key_padding_mask, "key_padding_mask", attn_mask, "attn_mask", query)
    causal = is_causal and padding is None and not need_weights
    attn_mask = _mask_or_hint(attn_mask, is_causal, causal, query)
    _check_widths(query, key, value, embed_dim_to_check, num_heads, use_separate_proj_weight)
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = separate if use_separate_proj_weight else (in_proj_weight,)
    q, k, v = _projected(query, key, value, weights, in_proj_bias)
    attn_mask = _mask_of_heads(attn_mask, length, key.shape[0], batch, num_heads)
    k, v = _with_bias(k, bias_k, v, bias_v)
    q = _heads(q, num_heads)
    k = _static(static_k, "static_k", q) if static_k is not None else _heads(k, num_heads)
    v = _static(static_v, "static_v", q) if static_v is not None else _heads(v, num_heads)
    if add_zero_attn:
        k, v = _with_zeros(k), _with_zeros(v)
    extra = int(bias_k is not None) + int(bool(add_zero_attn))
    mask = _merged(attn_mask, padding, extra, batch, k.shape[2])
    p = dropout_p if training else 0.0
    noise = _noise((*q.shape[:3], k.shape[2]), q.dtype, p) if p else None
    scale = 1 / math.sqrt(width // num_heads)
    out, shares = attend(q, k, v, mask, noise, scale, causal, not need_weights)
    out = reshape(xp.permute(out, (2, 0, 1, 3)), (length, batch, width))
    out = linear(out, out_proj_weight, out_proj_bias)
    out = out if batched else squeeze(out, 1)
    if not need_weights:
        return out, None
    shares = shares if noise is None else shares * noise
    shares = shares.mean(1) if average_attn_weights else shares
    return out, shares if batched else squeeze(shares, 0)


def _mask_or_hint(mask: Any, is_causal: bool, causal: bool, query: Tensor) -> Any:
    """Returns the mask to add to the scores; None where `causal` says the same for less."""
    if is_causal and mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module "
            "method `generate_square_subsequent_mask` to create this mask."
        )
    return None if causal else additive_mask(mask, "attn_mask", None, "", query)


def _with_zeros(x: Tensor) -> Tensor:
    """Returns keys or values `(N, heads, S, E)` with one more place, of zeros."""
    return cat([x, full((*x.shape[:2], 1, x.shape[3]), 0, x.dtype)], 2)


def _with_bias(k: Tensor, bias_k: Any, v: Tensor, bias_v: Any) -> tuple[Tensor, Tensor]:
    """Returns keys and values `(S, N, E)` with one learned place more, where there is one."""
    if (bias_k is None) != (bias_v is None):
        raise AssertionError(
            "bias_k is set but bias_v is None"
            if bias_v is None
            else "bias_v is set but bias_k is None"
        )
    if bias_k is None:
        return k, v
    learned = (1, *k.shape[1:])
    return cat([k, expand(bias_k, learned)]), cat([v, expand(bias_v, learned)])


def additive_mask(mask: Any, name: str, other: Any, other_name: str, query: Tensor) -> Any:
    """Returns a mask as numbers to be added to scores: minus infinity where it was True."""
    if mask is None:
        return None
    if mask.dtype is not dtypes.bool_ and mask.dtype.kind != "f":
        raise AssertionError(f"only bool and floating types of {name} are supported")
    if other is not None and other.dtype is not mask.dtype:
        warnings.warn(
            f"Support for mismatched {name} and {other_name} is deprecated. Use same type for both "
            "instead.",
            stacklevel=4,
        )
    if mask.dtype.kind == "f":
        return mask
    return full(mask.shape, 0, query.dtype).masked_fill(mask, -math.inf)


def _check_shapes(
    query: Tensor, key: Tensor, value: Tensor, padding: Any, attn_mask: Any, num_heads: int
) -> bool:
    """Says whether there is a batch; raises AssertionError where ranks do not fit together."""
    if query.ndim not in (2, 3):
        raise AssertionError(
            "query should be unbatched 2D or batched 3D tensor but received "
            f"{query.ndim}-D query tensor"
        )
    ndim = query.ndim
    which = "For batched (3-D) `query`" if ndim == 3 else "For unbatched (2-D) `query`"
    if key.ndim != ndim or value.ndim != ndim:
        raise AssertionError(
            f"{which}, expected `key` and `value` to be {ndim}-D but found {key.ndim}-D and "
            f"{value.ndim}-D tensors respectively"
        )
    if padding is not None and padding.ndim != ndim - 1:
        raise AssertionError(
            f"{which}, expected `key_padding_mask` to be `None` or {ndim - 1}-D but found "
            f"{padding.ndim}-D tensor instead"
        )
    if attn_mask is not None:
        if attn_mask.ndim not in (2, 3):
            raise AssertionError(
                f"{which}, expected `attn_mask` to be `None`, 2-D or 3-D but found "
                f"{attn_mask.ndim}-D tensor instead"
            )
        wanted = (num_heads, query.shape[0], key.shape[0])
        if ndim == 2 and attn_mask.ndim == 3 and tuple(attn_mask.shape) != wanted:
            raise AssertionError(
                f"Expected `attn_mask` shape to be {wanted} but got {attn_mask.shape}"
            )
    return ndim == 3


def _check_widths(
    query: Tensor, key: Tensor, value: Tensor, wanted: int, num_heads: int, separate: bool
) -> None:
    width = query.shape[2]
    if width != wanted:
        raise AssertionError(f"was expecting embedding dimension of {wanted}, but got {width}")
    if width % num_heads:
        raise AssertionError(f"embed_dim {width} not divisible by num_heads {num_heads}")
    if separate and key.shape[:2] != value.shape[:2]:
        raise AssertionError(
            f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}"
        )
    if not separate and key.shape != value.shape:
        raise AssertionError(f"key shape {key.shape} does not match value shape {value.shape}")


def _projected(query: Tensor, key: Tensor, value: Tensor, weights: tuple, bias: Any) -> list:
    """Returns query, key and value as their layers project them; equal ones by one product."""
    biases = (None,) * 3 if bias is None else chunk(bias, 3)
    if len(weights) == 3:
        pairs = zip((query, key, value), weights, biases, strict=True)
        return [linear(*each) for each in pairs]
    if query is key and key is value:
        return list(chunk(linear(query, weights[0], bias), 3, -1))
    pairs = zip((query, key, value), chunk(weights[0], 3), biases, strict=True)
    return [linear(*each) for each in pairs]


def _mask_of_heads(mask: Any, length: int, source: int, batch: int, num_heads: int) -> Any:
    """Returns a mask in four dimensions: batch, heads, queries, keys."""
    if mask is None:
        return None
    wanted = (length, source) if mask.ndim == 2 else (batch * num_heads, length, source)
    if tuple(mask.shape) != wanted:
        raise RuntimeError(
            f"The shape of the {mask.ndim}D attn_mask is {mask.shape}, but should be {wanted}."
        )
    return mask if mask.ndim == 2 else reshape(mask, (batch, num_heads, length, source))


def _heads(x: Tensor, num_heads: int) -> Tensor:
    """Returns `(L, N, E)` as `(N, heads, L, E / heads)`."""
    length, batch, width = x.shape
    split = reshape(x, (length, batch * num_heads, width // num_heads))
    return reshape(transpose(split, 0, 1), (batch, num_heads, length, width // num_heads))


def _static(x: Tensor, name: str, query: Tensor) -> Tensor:
    batch, num_heads, _, width = query.shape
    for dim, wanted in ((0, batch * num_heads), (2, width)):
        if x.shape[dim] != wanted:
            raise AssertionError(
                f"expecting {name}.size({dim}) of {wanted}, but got {x.shape[dim]}"
            )
    return reshape(x, (batch, num_heads, x.shape[1], width))


def _merged(mask: Any, padding: Any, extra: int, batch: int, source: int) -> Any:
    """Returns the masks as one; keys that were added at the end are always seen."""
    if mask is not None and extra:
        mask = constant_pad_nd(mask, (0, extra), 0.0)
    if padding is None:
        return mask
    if extra:
        padding = constant_pad_nd(padding, (0, extra), 0.0)
    for dim, wanted in enumerate((batch, source)):
        if padding.shape[dim] != wanted:
            raise AssertionError(
                f"Expected key_padded_mask.shape[{dim}] to be {wanted}, but got "
                f"{padding.shape[dim]}"
            )
    padding = reshape(padding, (batch, 1, 1, source))
    return padding if mask is None else mask + padding
