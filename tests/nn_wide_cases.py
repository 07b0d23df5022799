"""Every layer with inputs of its own shape: one table for goldens and for compiling.

A layer's expression may use `nn` and `torch`; that of its inputs `r(*shape)` for normal draws that
get gradients, `p` for positive ones, `i(n, *shape)` for whole numbers below n, `t(list)`, and `k`
for a dictionary of keyword arguments at the end.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

RECURRENT = {
    f"nn.{kind}({settings})": shape
    for kind in ("RNN", "LSTM", "GRU")
    for settings, shape in {
        "3,4": "r(5,2,3)",
        "3,4,2,bidirectional=True,batch_first=True": "r(2,5,3)",
        "3,4,2,bias=False,dropout=0.5": "r(5,3)",
    }.items()
} | {
    "nn.LSTM(3,4,proj_size=2)": "r(5,2,3),(r(1,2,2),r(1,2,4))",
    "nn.RNN(3,4,nonlinearity='relu')": "r(5,2,3),r(1,2,4)",
    "nn.RNNCell(3,4)": "r(2,3)",
    "nn.RNNCell(3,4,nonlinearity='relu')": "r(2,3),r(2,4)",
    "nn.LSTMCell(3,4)": "r(2,3)",
    "nn.GRUCell(3,4,bias=False)": "r(3),r(4)",
}
ATTENTION = {
    "nn.MultiheadAttention(4,2)": "r(3,2,4),r(5,2,4),r(5,2,4)",
    "nn.MultiheadAttention(4,2,0.3,add_bias_kv=True,add_zero_attn=True)": "*3*[r(3,2,4)]",
    "nn.MultiheadAttention(4,2,kdim=3,vdim=5,bias=False,batch_first=True)": (
        "r(2,3,4),r(2,5,3),r(2,5,5),k(need_weights=False)"
    ),
    "nn.TransformerEncoderLayer(4,2,6)": "r(3,2,4)",
    "nn.TransformerEncoderLayer(4,2,6,activation='gelu',batch_first=True,norm_first=True)": (
        "r(2,3,4),k(src_key_padding_mask=t([[False,False,True],[False,False,False]]))"
    ),
    "nn.TransformerDecoderLayer(4,2,6,0.0)": (
        "r(3,2,4),r(5,2,4),k(tgt_mask=nn.Transformer.generate_square_subsequent_mask(3))"
    ),
    "nn.TransformerEncoder(nn.TransformerEncoderLayer(4,1,6,batch_first=True),2)": "r(2,3,4)",
    "nn.TransformerDecoder(nn.TransformerDecoderLayer(4,2,6),2,nn.LayerNorm(4))": (
        "r(3,2,4),r(5,2,4)"
    ),
    "nn.Transformer(4,2,1,1,6,0.1)": "r(3,2,4),r(5,2,4)",
}
IMAGES = {1: "r(2,4,6)", 2: "r(2,4,6,5)", 3: "r(1,4,4,5,4)"}
SPATIAL = {
    f"nn.{layer.replace('#', str(n))}": IMAGES[n]
    for n in (1, 2, 3)
    for layer in (
        "Conv#d(4,2,3)",
        "Conv#d(4,4,2,2,1,1,2,False)",
        "Conv#d(4,2,3,padding=1,padding_mode='reflect')",
        "ConvTranspose#d(4,2,3)",
        "ConvTranspose#d(4,4,2,2,1,1,2,False)",
        "LazyConv#d(3,2)",
        "LazyConvTranspose#d(3,2)",
        "BatchNorm#d(4)",
        "BatchNorm#d(4,momentum=None,affine=False)",
        "LazyBatchNorm#d()",
        "InstanceNorm#d(4)",
        "InstanceNorm#d(4,affine=True,track_running_stats=True)",
        "InstanceNorm#d(4,track_running_stats=True)",
        "LazyInstanceNorm#d()",
        "MaxPool#d(2)",
        "MaxPool#d(3,2,1,ceil_mode=True)",
        "AvgPool#d(3,2,1)",
        "AdaptiveAvgPool#d(3)",
        "AdaptiveMaxPool#d(3)",
        "Dropout#d(0.5)",
        "CircularPad#d(1)",
        "ConstantPad#d(1,2.5)",
        "ReflectionPad#d(1)",
        "ReplicationPad#d(1)",
        "ZeroPad#d(1)",
    )
} | {
    "nn.LPPool1d(2,3)": "p(2,4,6)",
    "nn.LPPool2d(3.0,2)": "p(2,4,6,5)",
    "nn.LPPool3d(2,2)": "p(1,4,4,5,4)",
    "nn.FractionalMaxPool2d(2,output_size=3)": "r(2,4,6,5)",
    "nn.FractionalMaxPool3d(2,output_ratio=0.6)": "r(1,4,4,5,5)",
    "nn.MaxUnpool1d(2)": "r(1,1,2),t([[[0,3]]])",
    "nn.MaxUnpool2d(2)": "r(1,1,1,2),t([[[[1,6]]]])",
    "nn.MaxUnpool3d(2)": "r(1,1,1,1,2),t([[[[[1,12]]]]])",
    "nn.GroupNorm(2,4)": "r(2,4,3)",
    "nn.LayerNorm((4,3))": "r(2,4,3)",
    "nn.RMSNorm(3)": "r(2,4,3)",
    "nn.LocalResponseNorm(2)": "r(2,4,3)",
    "nn.Upsample(scale_factor=2,mode='bilinear')": "r(1,2,3,2)",
    "nn.Upsample(5)": "r(1,2,3)",
    "nn.UpsamplingNearest2d(scale_factor=2)": "r(1,2,3,2)",
    "nn.UpsamplingBilinear2d(4)": "r(1,2,3,2)",
    "nn.PixelShuffle(2)": "r(1,4,3,2)",
    "nn.PixelUnshuffle(2)": "r(1,1,4,2)",
    "nn.ChannelShuffle(2)": "r(1,4,3)",
    "nn.Fold((3,3),2)": "r(1,4,4)",
    "nn.Unfold(2)": "r(1,2,3,3)",
    "nn.Softmax2d()": "r(2,3,2,2)",
}
OTHERS = {
    "nn.Linear(3,4)": "r(2,3)",
    "nn.LazyLinear(4)": "r(2,3)",
    "nn.Bilinear(3,2,4)": "r(2,3),r(2,2)",
    "nn.Identity()": "r(2,3)",
    "nn.Flatten()": "r(2,3,2)",
    "nn.Unflatten(1,(2,2))": "r(2,4)",
    "nn.Embedding(5,3,padding_idx=1)": "i(5,2,4)",
    "nn.EmbeddingBag(5,3)": "i(5,2,4)",
    "nn.EmbeddingBag(5,3,mode='max')": "i(5,6),t([0,2,2])",
    "nn.CosineSimilarity()": "r(3,4),r(3,4)",
    "nn.PairwiseDistance(keepdim=True)": "r(3,4),r(3,4)",
    "nn.AdaptiveLogSoftmaxWithLoss(8,12,[3,6],div_value=2.0)": "r(3,8),t([0,4,11])",
    "nn.CTCLoss()": "r(5,2,4),t([[1,2],[3,1]]),t([5,4]),t([2,1])",
    "nn.TripletMarginWithDistanceLoss(swap=True)": "r(3,4),r(3,4),r(3,4)",
    "nn.Dropout(0.4)": "r(3,4)",
    "nn.AlphaDropout(0.4)": "r(3,4)",
    "nn.FeatureAlphaDropout(0.4)": "r(3,4)",
    "nn.RReLU()": "r(3,4)",
    "nn.Sequential(nn.Linear(3,4),nn.Tanh(),nn.Linear(4,2))": "r(2,3)",
}
CASES = RECURRENT | ATTENTION | SPATIAL | OTHERS


class _Drawn:
    """Draws the inputs of a case, the same in both frameworks, and keeps those with gradients."""

    def __init__(self, torch: Any, expression: str):
        self.torch = torch
        self.rng = np.random.RandomState(zlib.crc32(expression.encode()))
        self.tracked: list[Any] = []

    def r(self, *shape: int) -> Any:
        drawn = self.rng.standard_normal(shape).astype(np.float32)
        self.tracked.append(self.torch.from_numpy(drawn).requires_grad_())
        return self.tracked[-1]

    def p(self, *shape: int) -> Any:
        drawn = self.rng.uniform(0.5, 2.0, shape).astype(np.float32)
        self.tracked.append(self.torch.from_numpy(drawn).requires_grad_())
        return self.tracked[-1]

    def i(self, count: int, *shape: int) -> Any:
        return self.torch.from_numpy(self.rng.randint(0, count, shape))


class Case:
    """A layer made after seed 0, with its inputs."""

    def __init__(self, torch: Any, expression: str):
        self.torch = torch
        drawn = _Drawn(torch, expression)
        names = {"nn": torch.nn, "torch": torch, "r": drawn.r, "p": drawn.p, "i": drawn.i}
        names |= {"t": torch.tensor, "k": dict}
        torch.manual_seed(0)
        self.layer = eval(expression, names)
        given = eval(f"[{CASES[expression]}]", names)
        self.kwargs = given.pop() if isinstance(given[-1], dict) else {}
        self.args = given
        self.inputs = drawn.tracked

    def parameters(self) -> list:
        return list(self.layer.parameters())

    def run(self) -> list:
        """The results that have a gradient."""
        return tensors(self.torch, self.layer(*self.args, **self.kwargs))

    def run_with_gradients(self) -> list:
        """The results, then the gradients of inputs and parameters that there are."""
        found = self.run()
        weights = [
            self.torch.linspace(0.5, 1.5, max(each.numel(), 1))[: each.numel()].reshape(each.shape)
            for each in found
        ]
        total = sum((one * two).sum() for one, two in zip(found, weights, strict=True))
        by = [*self.inputs, *self.parameters()]
        grads = self.torch.autograd.grad(total, by, allow_unused=True)
        return [*found, *grads]


def tensors(torch: Any, result: Any) -> list:
    """The floating point tensors of a result, in order."""
    if isinstance(result, torch.Tensor):
        return [result] if result.is_floating_point() else []
    return [each for part in result or () for each in tensors(torch, part)]


def sketch(tensor: Any) -> list:
    """The shape of a tensor, the sum of its absolute values, and some of its elements."""
    if tensor is None:
        return []
    values = tensor.detach().double().reshape(-1).tolist()
    step = max(len(values) // 6, 1)
    total = sum(map(abs, values))
    shown = [float(f"{each:.6g}") for each in [total, *values[::step][:6]]]
    return [list(tensor.shape), shown]


def outcome(torch: Any, expression: str) -> dict:
    """All that a case gives, in a form that can be compared and stored as JSON."""
    case = Case(torch, expression)
    text = repr(case.layer)
    torch.manual_seed(1)
    found = [sketch(each) for each in case.run_with_gradients()]
    weights = [sketch(each) for each in case.parameters()]
    return {
        "repr": text,
        "after": repr(case.layer),
        "state": list(case.layer.state_dict()),
        "weights": weights,
        "found": found,
    }
