"""New tensors for ops to use: constants and ranges, recorded when a trace is active."""

from __future__ import annotations

from ..autograd.mode import active
from ..backends import NAMESPACES, default, here
from ..tensor import Tensor, wrap


def namespace():
    """Returns where new values are made: the active trace, or the array library in use here."""
    if active.recording and active.trace:
        return active.trace.namespace
    return here.namespace or default()


def full(shape, value, like):
    """A tensor filled with a number, in the dtype (and place) of `like` or in the dtype given."""
    if isinstance(like, Tensor):
        if not (active.recording and active.trace):
            xp = NAMESPACES[type(like._array)]
            return wrap(xp.full(tuple(shape), value, like.dtype))
        like = like.dtype
    return wrap(namespace().full(tuple(shape), value, like))


def arange(start, end, step, dtype):
    """The numbers from `start` up to but without `end`."""
    return wrap(namespace().arange(start, end, step, dtype))
