"""A softmax over many classes, of which the rare ones are looked at in clusters."""

# What `forward` does, the docstring of the class says.
# ruff: noqa: D102

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import lantern
from lantern.autograd.mode import active
from lantern.nn import functional as F
from lantern.tensor import Tensor

from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of the right classes out of many, and their mean loss.

    Classes are numbered from the most frequent on; those from `cutoffs[i]` on form clusters with
    projections that are smaller by `div_value` each. Takes `(N, in_features)` and class numbers
    `(N,)`. Grave et al., Efficient softmax approximation for GPUs, 2017.

    >>> import lantern
    >>> layer = lantern.nn.AdaptiveLogSoftmaxWithLoss(16, 20, cutoffs=[4, 10])
    >>> output, loss = layer(lantern.ones(3, 16), lantern.tensor([0, 5, 19]))
    >>> output.shape, loss.shape
    (torch.Size([3]), torch.Size([]))
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        _check_cutoffs(cutoffs, n_classes)
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        place = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **place)
        self.tail = ModuleList()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            width = int(in_features // (div_value ** (i + 1)))
            projection = Linear(in_features, width, bias=False, **place)
            self.tail.append(Sequential(projection, Linear(width, high - low, bias=False, **place)))

    def reset_parameters(self) -> None:
        """Draws the initial values again."""
        self.head.reset_parameters()
        for projection, scores in self.tail:
            projection.reset_parameters()
            scores.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        _check_shapes(input_, target_)
        batched = target_.dim() > 0
        input = input_ if batched else input_.unsqueeze(0)
        target = target_ if batched else target_.unsqueeze(0)
        self._check_classes(target)
        place = target
        inside = lantern.zeros_like(input[:, 0]).detach()
        for i, (low, high) in enumerate(pairwise(self.cutoffs)):
            here = (target >= low) & (target < high)
            if active.trace is None and not bool(here.any()):
                continue  # what no row looks at gets no gradient
            place = lantern.where(here, self.shortlist_size + i, place)
            scores = F.log_softmax(self.tail[i](input), dim=1)
            own = (target - low).clamp(0, high - low - 1).unsqueeze(1)
            own = lantern.where(here, scores.gather(1, own).squeeze(1), 0.0)
            inside = inside + own
        head = F.log_softmax(self.head(input), dim=1).gather(1, place.unsqueeze(1)).squeeze(1)
        output = head + inside
        loss = (-output).mean()
        return _ASMoutput(output if batched else output.squeeze(0), loss)

    def _check_classes(self, target: Tensor) -> None:
        if active.trace is not None or not target.numel():
            return
        low, high = target.min().item(), target.max().item()
        if low < 0 or high >= self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{low}, {high}] were found. "
            )

    def log_prob(self, input: Tensor) -> Tensor:
        """Returns the log-probabilities `(N, n_classes)` of all classes."""
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, layers in enumerate(self.tail):
            own = head[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(F.log_softmax(layers(input), dim=1) + own)
        return lantern.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """Returns the number of the likeliest class of each row."""
        first = self.head(input).argmax(dim=1)
        return lantern.where(first < self.shortlist_size, first, self.log_prob(input).argmax(dim=1))


def _check_cutoffs(cutoffs: list, n_classes: int) -> None:
    if not cutoffs:
        raise ValueError("cutoffs should be a sequence of length larger than 0")
    if (
        cutoffs != sorted(set(cutoffs))
        or min(cutoffs) <= 0
        or max(cutoffs) > n_classes - 1
        or any(int(each) != each for each in cutoffs)
    ):
        raise ValueError(
            "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
            "order, where each value is between 1 and n_classes-1"
        )


def _check_shapes(input: Tensor, target: Tensor) -> None:
    if target.dim() > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if target.dim() == 1 and input.size(0) != target.size(0):
        raise RuntimeError("Input and target should have the same size in the batch dimension.")
    if input.dim() != target.dim() + 1:
        raise RuntimeError(
            f"{target.dim()}D target tensor expects {target.dim() + 1}D input tensors, but found "
            f"inputs with size {input.size()}"
        )
