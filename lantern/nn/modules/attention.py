"""Attention in several heads."""

# What `forward` does, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

from typing import Any

import lantern
from lantern.nn import functional as F
from lantern.nn import init
from lantern.nn.parameter import Parameter
from lantern.tensor import Tensor

from .linear import NonDynamicallyQuantizableLinear
from .module import Module

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention in `num_heads` heads, from queries `(L, N, E)` over keys and values `(S, N, E)`.

    Returns the output `(L, N, E)` and, unless `need_weights=False`, the weights `(N, L, S)`, as
    means over the heads or `(N, heads, L, S)`. `batch_first` puts N in front of L and S everywhere;
    without a batch N is left out. `attn_mask` `(L, S)` or `(N * heads, L, S)` and
    `key_padding_mask` `(N, S)` mark with True what is left out, or are added to the scores.
    Vaswani et al., Attention Is All You Need, 2017.

    >>> import lantern
    >>> x = lantern.ones(5, 2, 8)
    >>> output, weights = lantern.nn.MultiheadAttention(8, num_heads=2)(x, x, x)
    >>> output.shape, weights.shape
    (torch.Size([5, 2, 8]), torch.Size([2, 5, 5]))
    """

    __module__ = "lantern.nn.modules.activation"  # where PyTorch's pickles look for it
    __constants__ = ["batch_first"]
    bias_k: Tensor | None
    bias_v: Tensor | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        super().__init__()
        self.embed_dim = embed_dim
        self.kdim = kdim if kdim is not None else embed_dim
        self.vdim = vdim if vdim is not None else embed_dim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")
        place = {"device": device, "dtype": dtype}
        self._make_weights(place)
        start = Parameter(lantern.empty(3 * embed_dim, **place)) if bias else None
        self.register_parameter("in_proj_bias", start)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **place)
        if add_bias_kv:
            self.bias_k = Parameter(lantern.empty((1, 1, embed_dim), **place))
            self.bias_v = Parameter(lantern.empty((1, 1, embed_dim), **place))
        else:
            self.bias_k = self.bias_v = None
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _make_weights(self, place: dict[str, Any]) -> None:
        """Makes one weight for queries, keys and values of one width, or one for each of them."""
        width = self.embed_dim
        widths = {"q_proj_weight": width, "k_proj_weight": self.kdim, "v_proj_weight": self.vdim}
        if self._qkv_same_embed_dim:
            self.in_proj_weight = Parameter(lantern.empty((3 * width, width), **place))
            for name in widths:
                self.register_parameter(name, None)
        else:
            for name, own in widths.items():
                self.register_parameter(name, Parameter(lantern.empty((width, own), **place)))
            self.register_parameter("in_proj_weight", None)

    def _reset_parameters(self) -> None:
        if self._qkv_same_embed_dim:
            init.xavier_uniform_(self.in_proj_weight)
        else:
            for each in (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
                init.xavier_uniform_(each)
        if self.in_proj_bias is not None:
            init.constant_(self.in_proj_bias, 0.0)
            init.constant_(self.out_proj.bias, 0.0)
        for each in (self.bias_k, self.bias_v):
            if each is not None:
                init.xavier_normal_(each)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        turned = self.batch_first and query.dim() == 3
        if turned:
            query, key, value = _turned(query, key, value)
        output, weights = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
        )
        return output.transpose(1, 0) if turned else output, weights


def _turned(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Puts the batch second; tensors that are the same stay the same."""
    first = query.transpose(1, 0)
    second = first if key is query else key.transpose(1, 0)
    third = second if value is key else value.transpose(1, 0)
    return first, second, third
