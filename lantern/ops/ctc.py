"""Connectionist temporal classification: labels whose places in time are not known.

Graves et al., Connectionist Temporal Classification, 2006. A path through time runs over the labels
with a blank before, between and behind them. `alpha` holds the logarithms of the probabilities of
all beginnings of paths, `beta` of all endings.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from .. import dtypes
from ..autograd.mode import active
from ..op import SAME, composite, op
from ..tensor import Tensor
from .creation import arange, full
from .join import cat
from .pointwise import refusing
from .views import reshape, unsqueeze


class _Paths:
    """The stations `(N, K)` that paths run over, and the log-probabilities `(T, N, K)` there.

    `index` `(N, S + 2)` holds the labels, then how many steps and labels each sequence has.
    """

    def __init__(self, xp: Any, log_probs: Any, index: Any, blank: int):
        self.xp = xp
        self.steps, self.batch, _ = log_probs.shape
        labels = index.shape[1] - 2
        self.stations = 2 * labels + 1
        self.lengths = xp.getitem(index, (slice(None), slice(labels, labels + 1)))
        self.labels = xp.getitem(index, (slice(None), slice(labels + 1, labels + 2)))
        places = xp.arange(0, self.stations, 1, dtypes.int64)
        self.places = xp.reshape(places, (1, self.stations))
        shown = xp.floor_divide(xp.minimum(places, xp.full((), self.stations - 2, places)), 2)
        labelled = xp.logical_and(
            xp.eq(xp.remainder(self.places, 2), 1), xp.lt(self.places, 2 * self.labels)
        )
        self.names = xp.where(labelled, xp.pick(index, 1, shown), xp.full((), blank, index))
        shape = (self.steps, self.batch, self.stations)
        self.everywhere = xp.expand(xp.reshape(self.names, (1, *shape[1:])), shape)
        self.emitted = xp.gather(log_probs, 2, self.everywhere)
        self.never = xp.full((self.batch, 2), -math.inf, log_probs)
        # From one label to the next the blank between may be left out, if they differ.
        differ = xp.ne(
            xp.getitem(self.names, (slice(None), slice(2, self.stations))),
            xp.getitem(self.names, (slice(None), slice(0, self.stations - 2))),
        )
        self.skips = xp.cat([xp.full((self.batch, 2), False, differ), differ], 1)

    def moved(self, x: Any, by: int) -> Any:
        """Returns the columns moved to the right (left, if negative); what comes in is never."""
        count = self.stations
        if by > 0:
            kept = self.xp.getitem(x, (slice(None), slice(0, count - by)))
            return self.xp.cat([self.xp.getitem(self.never, (slice(None), slice(0, by))), kept], 1)
        kept = self.xp.getitem(x, (slice(None), slice(-by, count)))
        return self.xp.cat([kept, self.xp.getitem(self.never, (slice(None), slice(0, -by)))], 1)

    def at(self, step: int) -> Any:
        return self.xp.getitem(self.emitted, (step,))

    def total(self, *parts: Any) -> Any:
        """Returns the logarithm of the sum of exponentials."""
        xp = self.xp
        top = parts[0]
        for each in parts[1:]:
            top = xp.maximum(top, each)
        top = xp.where(xp.eq(top, -math.inf), xp.full((), 0, top), top)
        sum = xp.exp(parts[0] - top)
        for each in parts[1:]:
            sum = sum + xp.exp(each - top)
        return xp.log(sum) + top

    def only(self, condition: Any, x: Any) -> Any:
        return self.xp.where(condition, x, self.xp.full((), -math.inf, x))

    def beginnings(self) -> list:
        """Returns alpha of each step."""
        xp = self.xp
        first = xp.logical_and(xp.lt(self.places, 2), xp.le(self.places, 2 * self.labels))
        alpha = self.only(first, self.at(0))
        found = [alpha]
        for step in range(1, self.steps):
            skipped = self.only(self.skips, self.moved(alpha, 2))
            alpha = self.total(alpha, self.moved(alpha, 1), skipped) + self.at(step)
            found.append(alpha)
        return found

    def endings(self) -> list:
        """Returns beta of each step; a sequence ends at its own last step."""
        xp = self.xp
        last = 2 * self.labels
        ends = xp.logical_or(xp.eq(self.places, last), xp.eq(self.places, last - 1))
        beta = xp.full((self.batch, self.stations), -math.inf, self.emitted)
        found = []
        for step in reversed(range(self.steps)):
            skipped = self.moved(self.only(self.skips, beta), -2)
            on = self.total(beta, self.moved(beta, -1), skipped) + self.at(step)
            start = self.only(ends, self.at(step))
            beta = xp.where(xp.eq(self.lengths, step + 1), start, on)
            found.append(beta)
        return found[::-1]

    def losses(self, alphas: list) -> Any:
        """Returns minus the log-probability `(N,)` of all whole paths."""
        xp = self.xp
        all = xp.reshape(xp.cat(alphas, 0), (self.steps, self.batch, self.stations))
        place = xp.maximum(self.lengths - 1, xp.full((), 0, self.lengths))
        place = xp.expand(place, (self.batch, self.stations))
        final = xp.gather(all, 0, xp.reshape(place, (1, self.batch, self.stations)))
        final = xp.reshape(final, (self.batch, self.stations))
        last = 2 * self.labels
        blank = xp.gather(final, 1, last)
        label = xp.gather(final, 1, xp.maximum(last - 1, xp.full((), 0, last)))
        label = self.only(xp.gt(self.labels, 0), label)
        loss = -self.total(blank, label)
        nothing = self.xp.where(
            xp.eq(self.labels, 0), xp.full((), 0, loss), xp.full((), math.inf, loss)
        )
        loss = xp.where(xp.eq(self.lengths, 0), nothing, loss)
        return xp.reshape(loss, (self.batch,))


@op(promote=SAME, method=False, public=False, exact=True)
def ctc_losses(xp, input, index, blank, zero_infinity):
    """The loss `(N,)` of each sequence of log-probabilities `(T, N, C)`; `_Paths` has the index."""
    paths = _Paths(xp, input, index, blank)
    loss = paths.losses(paths.beginnings())
    if zero_infinity:
        loss = xp.where(xp.eq(loss, math.inf), xp.full((), 0, loss), loss)
    return loss


@op(promote=SAME, method=False, public=False, exact=True, tensors="g")
def ctc_slopes(xp, g, input, index, blank, zero_infinity):
    """The gradient of the losses: how likely each class is at each step, less the paths' share.

    As in PyTorch it is the gradient by what a log_softmax has made the log-probabilities of.
    """
    paths = _Paths(xp, input, index, blank)
    alphas = paths.beginnings()
    shape = (paths.steps, paths.batch, paths.stations)
    loss = xp.reshape(paths.losses(alphas), (1, paths.batch, 1))
    through = xp.reshape(xp.cat(alphas, 0), shape)
    through = through + xp.reshape(xp.cat(paths.endings(), 0), shape)
    ways = xp.exp(through - paths.emitted + loss)
    zero = xp.full((), 0, input)
    ways = xp.where(xp.eq(through, -math.inf), zero, ways)
    shares = xp.scatter_add(xp.full(input.shape, 0, input), 2, paths.everywhere, ways)
    slope = (xp.exp(input) - shares) * xp.reshape(g, (1, paths.batch, 1))
    lost = xp.eq(loss, math.inf)
    slope = xp.where(lost, zero if zero_infinity else xp.full((), math.nan, input), slope)
    steps = xp.reshape(xp.arange(0, paths.steps, 1, dtypes.int64), (paths.steps, 1, 1))
    return xp.where(xp.lt(steps, xp.reshape(paths.lengths, (1, paths.batch, 1))), slope, zero)


def _slopes(xp, g, input, index, blank, zero_infinity):
    run = ctc_slopes if isinstance(input, Tensor) else partial(ctc_slopes.forward, xp)
    return run(g, input, index, blank, zero_infinity)


ctc_losses.vjp(input=_slopes)
refusing("_ctc_loss_backward", "g", "input")(ctc_slopes)
ctc_losses._grad_name = "CtcLossBackward0"


@composite(method=False, tensors="log_probs -targets")
def ctc_loss(
    xp,
    log_probs,
    targets,
    input_lengths,
    target_lengths,
    blank=0,
    reduction="mean",
    zero_infinity=False,
):
    """The loss of label sequences under log-probabilities `(T, N, C)` of each class at each step.

    `targets` holds labels `(N, S)`, or all one after another; both lengths have one number for each
    sequence. 'mean' divides each loss by the number of labels first. `zero_infinity` makes losses
    of sequences that are too short zero. Raises RuntimeError for lengths that do not fit.

    >>> import lantern
    >>> log_probs = lantern.zeros(3, 1, 2).log_softmax(2)
    >>> loss = lantern.nn.functional.ctc_loss(log_probs, lantern.tensor([[1]]), (3,), (1,))
    >>> round(loss.exp().item(), 3)  # 6 of the 8 paths spell the label
    1.333
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    single = log_probs.ndim == 2
    if single:
        log_probs = unsqueeze(log_probs, 1)
        targets = unsqueeze(targets, 0) if targets.ndim == 1 else targets
    lengths = _numbers(input_lengths, "input_lengths")
    labels = _numbers(target_lengths, "target_lengths")
    _check(log_probs, targets, lengths, labels, blank)
    targets = targets.to(dtypes.int64)
    if targets.ndim == 1:
        targets = _rows(xp, targets, labels)
    batch = log_probs.shape[1]
    targets = cat([targets, full((batch, 1), 0, dtypes.int64)], 1)  # so that there is one
    index = cat([targets, reshape(lengths, (batch, 1)), reshape(labels, (batch, 1))], 1)
    loss = ctc_losses(log_probs, index, blank, zero_infinity)
    if reduction == "mean":
        counts = xp.cast(xp.maximum(labels, full((), 1, labels)), loss.dtype)
        return (loss / counts).mean()
    if reduction == "sum":
        return loss.sum()
    return loss[0] if single else loss


def _numbers(value: Any, name: str) -> Tensor:
    """Returns lengths as a tensor of int64."""
    if isinstance(value, Tensor):
        if value.dtype.kind not in "iu":
            raise RuntimeError(f"{name} must be integral")
        return reshape(value.to(dtypes.int64), (value.numel(),))
    if not value:
        return full((0,), 0, dtypes.int64)
    return cat([full((1,), int(each), dtypes.int64) for each in value])


def _rows(xp: Any, targets: Tensor, labels: Tensor) -> Tensor:
    """Returns labels that were given one after another as `(N, S)`, filled up with others."""
    batch = labels.shape[0]
    longest = targets.shape[0] if active.trace is not None else int(labels.max())
    starts = reshape(labels.cumsum(0) - labels, (batch, 1))
    places = starts + reshape(arange(0, longest, 1, dtypes.int64), (1, longest))
    if not targets.shape[0]:
        return full((batch, longest), 0, dtypes.int64)
    places = xp.minimum(places, full((), targets.shape[0] - 1, places))
    return xp.pick(targets, 0, places)


def _check(log_probs: Any, targets: Any, lengths: Any, labels: Any, blank: int) -> None:
    if log_probs.ndim != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {log_probs.ndim}-dimensional tensor for "
            "argument #1 'log_probs' (while checking arguments for ctc_loss_allocate_outputs)"
        )
    if not log_probs.numel():
        raise RuntimeError("log_probs tensor must not be empty")
    if log_probs.dtype.name not in ("float32", "float64"):
        raise NotImplementedError(
            f"\"ctc_loss_cpu\" not implemented for '{log_probs.dtype.legacy}'"
        )
    steps, batch, classes = log_probs.shape
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    for name, each in (("input_lengths", lengths), ("target_lengths", labels)):
        if each.shape[0] != batch:
            raise RuntimeError(f"{name} must be of size batch_size")
    if active.trace is None:
        _check_lengths(targets, lengths.tolist(), labels.tolist(), steps)


def _check_lengths(targets: Any, lengths: list, labels: list, steps: int) -> None:
    ending = "(while checking arguments for ctc_loss_allocate_outputs)"
    for name, values in (("input_lengths", lengths), ("target_lengths", labels)):
        if min(values, default=0) < 0:
            raise RuntimeError(
                f"Expected {name} to have value at least 0, but got value {min(values)} {ending}"
            )
    if max(lengths, default=0) > steps:
        raise RuntimeError(
            f"Expected input_lengths to have value at most {steps}, but got value {max(lengths)} "
            f"{ending}"
        )
    if targets.ndim == 1 and targets.shape[0] != sum(labels):
        raise RuntimeError(
            f"Expected tensor to have size {sum(labels)} at dimension 0, but got size "
            f"{targets.shape[0]} for argument #2 'targets' {ending}"
        )
    if targets.ndim == 2 and max(labels, default=0) > targets.shape[1]:
        raise RuntimeError(
            f"Expected tensor to have size at least {max(labels)} at dimension 1, but got size "
            f"{targets.shape[1]} for argument #2 'targets' {ending}"
        )
