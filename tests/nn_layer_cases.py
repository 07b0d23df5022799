"""Layers as users write them, each with what it is called on: one table for all comparisons.

An expression may use `nn`, `torch` and `x`, which is `(3, 4)` with values of both signs and zero.
"""

from __future__ import annotations

import warnings

ACTIVATIONS = """
    nn.ReLU() nn.ReLU6() nn.LeakyReLU() nn.LeakyReLU(0.3) nn.ELU() nn.ELU(0.5) nn.CELU(2.0)
    nn.SELU() nn.GELU() nn.GELU('tanh') nn.SiLU() nn.Mish() nn.Sigmoid() nn.LogSigmoid() nn.Tanh()
    nn.Tanhshrink() nn.Softplus() nn.Softplus(2,threshold=3) nn.Softshrink() nn.Softshrink(1.5)
    nn.Softsign() nn.Softmin(dim=0) nn.Softmax(dim=1) nn.Softmax(-1) nn.LogSoftmax(dim=0)
    nn.Hardtanh() nn.Hardtanh(-2,0.5) nn.Hardsigmoid() nn.Hardswish() nn.Hardshrink(1.5)
    nn.Threshold(0.1,20) nn.PReLU() nn.PReLU(4,init=0.1) nn.GLU() nn.GLU(1) nn.RReLU(0.1,0.3).eval()
    nn.Flatten() nn.Flatten(0) nn.Unflatten(1,(2,2)) nn.Identity(3,a=1) nn.Softmax2d()
""".split()

INPLACE = """
    nn.ReLU(inplace=True) nn.ReLU6(True) nn.LeakyReLU(0.3,True) nn.ELU(inplace=True)
    nn.CELU(inplace=True) nn.SELU(True) nn.SiLU(True) nn.Mish(True) nn.Hardtanh(inplace=True)
    nn.Hardsigmoid(True) nn.Hardswish(True) nn.Threshold(0.1,20,True) nn.RReLU(inplace=True).eval()
""".split()

DROPOUTS = """
    nn.Dropout() nn.Dropout(0.2) nn.Dropout(0.0) nn.Dropout(1.0) nn.Dropout(0.3,True)
    nn.Dropout().eval() nn.Dropout1d(0.5) nn.Dropout2d(0.5) nn.Dropout3d(0.5) nn.AlphaDropout(0.5)
    nn.FeatureAlphaDropout(0.5)
""".split()

REFUSED = """
    nn.Dropout(1.5) nn.Dropout(-0.1) nn.AlphaDropout(2) nn.Hardtanh(2,1) nn.Hardtanh(1,1)
    nn.Unflatten(1,3) nn.Unflatten(1,(2.0,3)) nn.Unflatten(1,[2,'a']) nn.Bilinear(0,1,2)
    nn.MultiMarginLoss(p=3) nn.MultiMarginLoss(weight=torch.ones(2,2)) nn.TripletMarginLoss(0)
    nn.ReLU(1,2) nn.Linear(2) nn.CrossEntropyLoss(smoothing=1) nn.GaussianNLLLoss(True)
    nn.Linear(3,2,dtype=torch.int64)
""".split()

# A loss, and the names of the tensors (below) that it is called with.
LOSSES = {
    "nn.L1Loss({})": "x y",
    "nn.MSELoss({})": "x y",
    "nn.SmoothL1Loss({})": "x y",
    "nn.SmoothL1Loss(beta=0.5, {})": "x y",
    "nn.HuberLoss({})": "x y",
    "nn.HuberLoss(delta=2.0, {})": "x y",
    "nn.CrossEntropyLoss({})": "x classes",
    "nn.CrossEntropyLoss(weight=weights, {})": "x classes",
    "nn.CrossEntropyLoss(ignore_index=1, label_smoothing=0.2, {})": "x classes",
    "nn.CrossEntropyLoss(label_smoothing=0.1, {})": "x shares",
    "nn.NLLLoss({})": "logs classes",
    "nn.NLLLoss(weight=weights, ignore_index=3, {})": "logs classes",
    "nn.BCELoss({})": "shares bits",
    "nn.BCELoss(weight=weights, {})": "shares bits",
    "nn.BCEWithLogitsLoss({})": "x bits",
    "nn.BCEWithLogitsLoss(weight=weights, pos_weight=weights, {})": "x bits",
    "nn.KLDivLoss({})": "logs shares",
    "nn.KLDivLoss(log_target=True, {})": "logs logs",
    "nn.PoissonNLLLoss({})": "x bits",
    "nn.PoissonNLLLoss(log_input=False, full=True, eps=0.01, {})": "shares counts",
    "nn.GaussianNLLLoss({})": "x y shares",
    "nn.GaussianNLLLoss(full=True, eps=0.1, {})": "x y shares",
    "nn.SoftMarginLoss({})": "x signs",
    "nn.HingeEmbeddingLoss(margin=0.5, {})": "x signs",
    "nn.MarginRankingLoss(margin=0.5, {})": "x y signs",
    "nn.CosineEmbeddingLoss(margin=0.2, {})": "x y row_signs",
    "nn.MultiMarginLoss(margin=0.7, {})": "x classes",
    "nn.MultiMarginLoss(p=2, weight=weights, {})": "x classes",
    "nn.MultiLabelMarginLoss({})": "x labels",
    "nn.MultiLabelSoftMarginLoss(weight=weights, {})": "x bits",
    "nn.TripletMarginLoss(margin=0.5, {})": "x y shares",
    "nn.TripletMarginLoss(p=1.0, swap=True, {})": "x y shares",
}
REDUCTIONS = ("reduction='mean'", "reduction='sum'", "reduction='none'")
LOSS_CASES = [
    (expression.format(how), names) for expression, names in LOSSES.items() for how in REDUCTIONS
] + [("nn.KLDivLoss(reduction='batchmean')", "logs shares")]


def tensors(torch):
    x = torch.tensor([[-4.0, -1.5, 0.0, 0.25], [0.5, 1.0, 2.5, 4.0], [-0.5, 3.0, -2.0, 1.5]])
    return {
        "x": x,
        "y": torch.tensor([[1.0, -1.5, 0.5, 0.2], [0.3, 1.0, -2.5, 9.0], [0.0, 0.1, -2.2, 1.0]]),
        "logs": torch.log_softmax(x, 1),
        "shares": torch.softmax(x, 1),
        "bits": torch.tensor([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
        "counts": torch.tensor([[1.0, 0.0, 5.0, 3.0], [2.0, 1.0, 0.0, 0.0], [0.0, 7.0, 2.0, 1.0]]),
        "signs": torch.tensor([[1.0, -1.0, -1.0, 1.0], [1.0, 1.0, -1.0, 1.0], [-1.0] * 4]),
        "row_signs": torch.tensor([1.0, -1.0, 1.0]),
        "weights": torch.tensor([0.5, 1.0, 2.0, 3.0]),
        "classes": torch.tensor([0, 3, 1]),
        "labels": torch.tensor([[0, 2, -1, 1], [3, -1, 0, 0], [-1, 0, 1, 2]]),
    }


def made(torch, expression):
    return eval(expression, {"nn": torch.nn, "torch": torch, **tensors(torch)})


def shown(torch, expression):
    """What a layer looks like from outside: its repr, its attributes, its state."""
    layer = made(torch, expression)
    plain = {k: v for k, v in vars(layer).items() if isinstance(v, (int, float, str))}
    state = {key: list(value.shape) for key, value in layer.state_dict().items()}
    return {"repr": repr(layer), "attributes": dict(sorted(plain.items())), "state": state}


def called(torch, expression, names="x"):
    """The layer's output for the named inputs after seed 0, with the gradient of the first."""
    torch.manual_seed(0)
    layer = made(torch, expression)
    given = tensors(torch)
    inputs = [given[name] for name in names.split()]
    first = inputs[0].clone().requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # size mismatches and the like are not asked
        output = layer(first * 1.0, *inputs[1:])
    (output * torch.arange(1.0, output.numel() + 1).reshape(output.shape)).sum().backward()
    return output.detach(), first.grad
