"""Recurrent layers: one op per layer and direction, over the whole sequence.

All time steps lie below one another as rows `(T, I)`: `sizes[t]` rows for step t. In a batch of
equal lengths all sizes are the batch's; in a packed one they fall, since longer sequences come
first. What does not depend on the step before (the projection of the input, the slopes of the
gates, the gradients of the weights) is computed for all steps at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..op import FLOAT, composite, op
from ..tensor import Tensor
from .dropouts import dropout
from .join import cat, stack
from .views import reshape, transpose

STATE = "hx cx w_ih w_hh b_ih b_hh w_hr"
LSTM = ("input", *STATE.split())
PLAIN = ("input", "hx", "w_ih", "w_hh", "b_ih", "b_hh")


# --- the walk over the steps
def _spans(sizes: tuple[int, ...], reverse: bool) -> Iterator[slice]:
    """Returns the rows of one step after another, in the order in which the layer runs."""
    stops, total = [], 0
    for size in sizes:
        total += size
        stops.append(total)
    pairs = list(zip(stops, sizes, strict=True))
    return (slice(stop - size, stop) for stop, size in (reversed(pairs) if reverse else pairs))


class _Rows:
    """The rows of a state that take part in a step: as sequences end, or begin in reverse."""

    def __init__(self, xp: Any, initial: Any):
        self.xp, self.initial, self.value = xp, initial, None
        self.ended: list[Any] = []

    def at(self, span: slice) -> Any:
        """Returns as many rows as the step has: the others are put aside, or join."""
        rows = span.stop - span.start
        value = self.value
        have = 0 if value is None else value.shape[0]
        if have == rows and value is not None:
            return value
        if rows < have:
            self.ended.append(self.xp.getitem(value, (slice(rows, have),)))
            return self.xp.getitem(value, (slice(0, rows),))
        if rows == self.initial.shape[0] and not have:
            return self.initial
        fresh = self.xp.getitem(self.initial, (slice(have, rows),))
        return fresh if value is None else self.xp.cat([value, fresh], 0)

    def final(self) -> Any:
        """Returns all rows, each as its last step left it."""
        if self.value is None:
            return self.initial
        return self.xp.cat([self.value, *reversed(self.ended)], 0) if self.ended else self.value


def _joined(xp: Any, parts: list, reverse: bool, dim: int = 0) -> Any:
    return xp.cat(parts[::-1] if reverse else parts, dim)


def _before(xp: Any, states: Any, initial: Any, sizes: tuple, reverse: bool) -> Any:
    """Returns for each row the state that its step began with."""
    if sizes[0] == sizes[-1]:
        rows, total = sizes[0], states.shape[0]
        if reverse:
            return xp.cat([xp.getitem(states, (slice(rows, total),)), initial], 0)
        return xp.cat([initial, xp.getitem(states, (slice(0, total - rows),))], 0)
    rows, parts = _Rows(xp, initial), []
    for span in _spans(sizes, reverse):
        parts.append(rows.at(span))
        rows.value = xp.getitem(states, (span,))
    return _joined(xp, parts, reverse)


def _columns(xp: Any, x: Any, start: int, stop: int) -> Any:
    return xp.getitem(x, (slice(None), slice(start, stop)))


def _turned(xp: Any, x: Any) -> Any:
    return xp.permute(x, (1, 0))


def _outer(xp: Any, g: Any, x: Any) -> Any:
    """Returns the gradient of a weight that made of rows `x` what has the gradient `g`."""
    return xp.matmul(_turned(xp, g), x)


def _zero(xp: Any, value: Any, like: Any) -> Any:
    return xp.full(like.shape, 0, like) if value is None else value


def _weight_grads(xp: Any, needs: tuple, from_x: Any, from_h: Any, input: Any, before: Any) -> list:
    """Returns the gradients of both weights and both biases from those of their products."""
    return [
        _outer(xp, from_x, input) if needs[0] else None,
        _outer(xp, from_h, before) if needs[1] else None,
        xp.sum(from_x, (0,), False) if needs[2] else None,
        xp.sum(from_h, (0,), False) if needs[3] else None,
    ]


# --- LSTM
@op(promote=FLOAT, method=False, public=False, exact=True, tensors=STATE)
def lstm_layer(xp, input, hx, cx, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, reverse):
    """Hidden states `(T, P)`, the last ones and the last cells; then gates and cells of all steps.

    Hochreiter and Schmidhuber, Long Short-Term Memory, 1997; `w_hr` as in Sak et al., 2014.
    """
    size = cx.shape[1]
    projected = xp.linear(input, w_ih, None if b_ih is None else b_ih + b_hh)
    # Gate by gate, so that each has memory of its own.
    projected = xp.permute(xp.reshape(projected, (input.shape[0], 4, size)), (1, 0, 2))
    turned = xp.permute(xp.reshape(w_hh, (4, size, hx.shape[1])), (0, 2, 1))
    projected, turned = xp.contiguous(projected), xp.contiguous(turned)
    hidden, cell = _Rows(xp, hx), _Rows(xp, cx)
    states, gates, news, cells = [], [], [], []
    for span in _spans(sizes, reverse):
        z = xp.getitem(projected, (slice(None), span)) + xp.matmul(hidden.at(span), turned)
        passed, new = xp.sigmoid(z), xp.tanh(xp.getitem(z, (2,)))
        first, kept, shown = (xp.getitem(passed, (i,)) for i in (0, 1, 3))
        c = cell.value = kept * cell.at(span) + first * new
        h = shown * xp.tanh(c)
        hidden.value = h = h if w_hr is None else xp.linear(h, w_hr, None)
        for parts, each in ((states, h), (gates, passed), (news, new), (cells, c)):
            parts.append(each)
    joined = [_joined(xp, each, reverse) for each in (states, news, cells)]
    gates = _joined(xp, gates, reverse, 1)
    return joined[0], hidden.final(), cell.final(), gates, joined[1], joined[2]


@lstm_layer.vjp_together(*LSTM)
def _(xp, g, needs, input, hx, cx, w_ih, w_hh, w_hr, sizes, reverse, out, out3, out4, out5):
    count, size = out5.shape
    first, kept, shown = (xp.getitem(out3, (i,)) for i in (0, 1, 3))
    new, cells = out4, out5
    squashed, at_new = xp.tanh(cells), 1 - xp.square(new)
    into_cell = shown * (1 - xp.square(squashed))
    cells_before = _before(xp, cells, cx, sizes, reverse)
    by_cell = [new * first * (1 - first), cells_before * kept * (1 - kept), first * at_new]
    by_cell = xp.reshape(xp.cat(by_cell, 1), (count, 3, size))
    by_hidden = xp.reshape(squashed * shown * (1 - shown), (count, 1, size))
    direct = _lstm_direct(xp, g, out3, at_new)
    hidden = _Rows(xp, _zero(xp, g[1], hx))
    cell = _Rows(xp, _zero(xp, g[2], cx))
    into, at_hidden = [], []
    for span in _spans(sizes, not reverse):
        here = (span,)
        dh = hidden.at(span) if g[0] is None else hidden.at(span) + xp.getitem(g[0], here)
        at_hidden.append(dh)
        dh = dh if w_hr is None else xp.matmul(dh, w_hr)
        dc = cell.at(span) + dh * xp.getitem(into_cell, here)
        if g[5] is not None:
            dc = dc + xp.getitem(g[5], here)
        rows = dc.shape[0]
        dz = [
            xp.getitem(by_cell, here) * xp.reshape(dc, (rows, 1, size)),
            xp.getitem(by_hidden, here) * xp.reshape(dh, (rows, 1, size)),
        ]
        dz = xp.cat(dz, 1)
        dz = dz if direct is None else dz + xp.getitem(direct, here)
        dz = xp.reshape(dz, (rows, 4 * size))
        into.append(dz)
        hidden.value = xp.matmul(dz, w_hh)
        cell.value = dc * xp.getitem(kept, here)
    dz = _joined(xp, into, not reverse)
    before = _before(xp, out, hx, sizes, reverse) if needs[4] else None
    return (
        xp.matmul(dz, w_ih) if needs[0] else None,
        hidden.final(),
        cell.final(),
        *_weight_grads(xp, needs[3:7], dz, dz, input, before),
        _outer(xp, _joined(xp, at_hidden, not reverse), shown * squashed) if needs[7] else None,
    )


def _lstm_direct(xp, g, passed, at_new):
    """Returns what gradients of the gates themselves add; there are some in second order only."""
    if g[3] is None and g[4] is None:
        return None
    added = _zero(xp, g[3], passed) * passed * (1 - passed)
    if g[4] is not None:
        zeros = xp.full(at_new.shape, 0, at_new)
        parts = [zeros, zeros, g[4] * at_new, zeros]
        added = added + xp.reshape(xp.cat(parts, 0), passed.shape)
    return xp.permute(added, (1, 0, 2))


# --- GRU
@op(promote=FLOAT, method=False, public=False, exact=True, tensors=STATE)
def gru_layer(xp, input, hx, w_ih, w_hh, b_ih, b_hh, sizes, reverse):
    """Hidden states `(T, H)` and the last ones; then gates, candidates and what these are made of.

    Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014.
    """
    size = hx.shape[1]
    projected = xp.linear(input, w_ih, b_ih)
    projected = xp.permute(xp.reshape(projected, (input.shape[0], 3, size)), (1, 0, 2))
    turned = xp.permute(xp.reshape(w_hh, (3, size, size)), (0, 2, 1))
    projected, turned = xp.contiguous(projected), xp.contiguous(turned)
    bias = None if b_hh is None else xp.reshape(b_hh, (3, 1, size))
    hidden = _Rows(xp, hx)
    states, gates, news, inner = [], [], [], []
    both = slice(0, 2)
    for span in _spans(sizes, reverse):
        h = hidden.at(span)
        own = xp.matmul(h, turned)
        own = own if bias is None else own + bias
        passed = xp.sigmoid(xp.getitem(projected, (both, span)) + xp.getitem(own, (both,)))
        own = xp.getitem(own, (2,))
        reset, kept = xp.getitem(passed, (0,)), xp.getitem(passed, (1,))
        new = xp.tanh(xp.getitem(projected, (2, span)) + reset * own)
        hidden.value = h = new + kept * (h - new)
        for parts, each in ((states, h), (gates, passed), (news, new), (inner, own)):
            parts.append(each)
    joined = [_joined(xp, each, reverse) for each in (states, news, inner)]
    return joined[0], hidden.final(), _joined(xp, gates, reverse, 1), *joined[1:]


@gru_layer.vjp_together(*PLAIN)
def _(xp, g, needs, input, hx, w_ih, w_hh, sizes, reverse, out, out2, out3, out4):
    count, size = out3.shape
    reset, kept = xp.getitem(out2, (0,)), xp.getitem(out2, (1,))
    before = _before(xp, out, hx, sizes, reverse)
    at_new = 1 - xp.square(out3)
    at_reset, at_kept = reset * (1 - reset), kept * (1 - kept)
    by_new = (1 - kept) * at_new
    factors = xp.cat([by_new * out4 * at_reset, (before - out3) * at_kept, by_new * reset], 1)
    factors = xp.reshape(factors, (count, 3, size))
    direct = _gru_direct(xp, g, out2, at_new, out4)
    hidden = _Rows(xp, _zero(xp, g[1], hx))
    into, arrived = [], []
    for span in _spans(sizes, not reverse):
        here = (span,)
        dh = hidden.at(span) if g[0] is None else hidden.at(span) + xp.getitem(g[0], here)
        rows = dh.shape[0]
        dz = xp.getitem(factors, here) * xp.reshape(dh, (rows, 1, size))
        dz = xp.reshape(dz, (rows, 3 * size))
        dz = dz if direct is None else dz + xp.getitem(direct, here)
        into.append(dz)
        arrived.append(dh)
        hidden.value = dh * xp.getitem(kept, here) + xp.matmul(dz, w_hh)
    from_h = _joined(xp, into, not reverse)
    new = _joined(xp, arrived, not reverse) * by_new
    new = new if g[3] is None else new + g[3] * at_new
    from_x = xp.cat([_columns(xp, from_h, 0, 2 * size), new], 1)
    return (
        xp.matmul(from_x, w_ih) if needs[0] else None,
        hidden.final(),
        *_weight_grads(xp, needs[2:], from_x, from_h, input, before),
    )


def _gru_direct(xp, g, passed, at_new, inner):
    """Returns what gradients of the gates themselves add; there are some in second order only."""
    if g[2] is None and g[3] is None and g[4] is None:
        return None
    reset, kept = xp.getitem(passed, (0,)), xp.getitem(passed, (1,))
    direct = _zero(xp, g[2], passed)
    new = _zero(xp, g[3], reset) * at_new
    by_reset = (xp.getitem(direct, (0,)) + new * inner) * reset * (1 - reset)
    by_kept = xp.getitem(direct, (1,)) * kept * (1 - kept)
    return xp.cat([by_reset, by_kept, new * reset + _zero(xp, g[4], reset)], 1)


# --- the plain recurrent network
@op(promote=FLOAT, method=False, public=False, exact=True, tensors=STATE)
def rnn_layer(xp, input, hx, w_ih, w_hh, b_ih, b_hh, nonlinearity, sizes, reverse):
    """Hidden states `(T, H)` and the last ones. Elman, Finding Structure in Time, 1990."""
    projected = xp.linear(input, w_ih, None if b_ih is None else b_ih + b_hh)
    turned = xp.contiguous(_turned(xp, w_hh))
    hidden, states = _Rows(xp, hx), []
    for span in _spans(sizes, reverse):
        z = xp.getitem(projected, (span,)) + xp.matmul(hidden.at(span), turned)
        h = xp.tanh(z) if nonlinearity == "tanh" else xp.maximum(z, xp.full((), 0, z))
        hidden.value = h
        states.append(h)
    return _joined(xp, states, reverse), hidden.final()


@rnn_layer.vjp_together(*PLAIN)
def _(xp, g, needs, input, hx, w_ih, w_hh, nonlinearity, sizes, reverse, out):
    if nonlinearity == "tanh":
        slope = 1 - xp.square(out)
    else:
        slope = xp.cast(xp.gt(out, 0), xp.dtype_of(out))
    hidden, into = _Rows(xp, _zero(xp, g[1], hx)), []
    for span in _spans(sizes, not reverse):
        here = (span,)
        dh = hidden.at(span) if g[0] is None else hidden.at(span) + xp.getitem(g[0], here)
        dz = dh * xp.getitem(slope, here)
        into.append(dz)
        hidden.value = xp.matmul(dz, w_hh)
    dz = _joined(xp, into, not reverse)
    before = _before(xp, out, hx, sizes, reverse) if needs[3] else None
    return (
        xp.matmul(dz, w_ih) if needs[0] else None,
        hidden.final(),
        *_weight_grads(xp, needs[2:], dz, dz, input, before),
    )


# --- several layers, in both directions
class _Layers:
    """The layers of a recurrent network over rows, and the states that they end in."""

    def __init__(self, kind: str, params: Any, has_biases: bool, states: tuple[Tensor, ...]):
        params = list(params)
        step = 4 if has_biases else 2
        projects = kind == "lstm" and states[0].shape[2] != states[1].shape[2]
        step += projects
        self.weights = [params[i : i + step] for i in range(0, len(params), step)]
        self.kind, self.has_biases, self.states = kind, has_biases, states
        self.ends: list[tuple[Tensor, ...]] = []

    def run(
        self, rows: Any, sizes: tuple, layers: int, both: bool, p: float, train: bool
    ) -> tuple[Tensor, ...]:
        """Returns the rows of the last layer and the final states `(layers * ways, N, H)`."""
        for each in self.states:
            if each.shape[1] != sizes[0]:
                raise RuntimeError(
                    f"The size of tensor a ({each.shape[1]}) must match the size of tensor b "
                    f"({sizes[0]}) at non-singleton dimension 0"
                )
        for layer in range(layers):
            ways = [self._one(rows, sizes, way) for way in (False, True)[: 1 + both]]
            rows = ways[0] if not both else cat(ways, -1)
            if p and train and layer < layers - 1:
                rows = dropout(rows, p, True)
        return rows, *(stack(list(each)) for each in zip(*self.ends, strict=True))

    def _one(self, rows: Any, sizes: tuple, reverse: bool) -> Tensor:
        place = len(self.ends)
        initial = [each[place] for each in self.states]
        w_ih, w_hh, *rest = self.weights[place]
        b_ih, b_hh = rest[:2] if self.has_biases else (None, None)
        settings = (w_ih, w_hh, b_ih, b_hh)
        if self.kind == "lstm":
            w_hr = rest[-1] if len(rest) % 2 else None
            found = lstm_layer(rows, *initial, *settings, w_hr, sizes, reverse)
        elif self.kind == "gru":
            found = gru_layer(rows, *initial, *settings, sizes, reverse)
        else:
            found = rnn_layer(rows, *initial, *settings, self.kind, sizes, reverse)
        self.ends.append(found[1 : 1 + len(initial)])
        return found[0]


def _recurrent(kind: str, *args: Any) -> tuple[Tensor, ...]:
    """Runs a network on `(input, hx, params, ...)` or on `(data, batch_sizes, hx, params, ...)`."""
    packed = not isinstance(args[3], bool)
    sizes, args = (tuple(args[1].tolist()), (args[0], *args[2:])) if packed else ((), args)
    input, hx, params, has_biases, num_layers, p, train, bidirectional = args[:8]
    layers = _Layers(kind, params, has_biases, tuple(hx) if kind == "lstm" else (hx,))
    if packed:
        return layers.run(input, sizes, num_layers, bidirectional, p, train)
    input = transpose(input, 0, 1) if args[8] else input
    length, batch = input.shape[:2]
    if not length:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    rows = reshape(input, (length * batch, input.shape[2]))
    rows, *ends = layers.run(rows, (batch,) * length, num_layers, bidirectional, p, train)
    output = reshape(rows, (length, batch, rows.shape[1]))
    return transpose(output, 0, 1) if args[8] else output, *ends


def _one_step(kind: str, input: Tensor, hx: Any, *weights: Any) -> Any:
    if not input.ndim:
        raise IndexError("Dimension specified as 1 but tensor has no dimensions")
    sizes = (input.shape[0],)
    if kind == "lstm":
        return lstm_layer(input, *hx, *weights, None, sizes, False)[1:3]
    if kind == "gru":
        return gru_layer(input, hx, *weights, sizes, False)[1]
    return rnn_layer(input, hx, *weights, kind, sizes, False)[1]


def _declare(name: str, kind: str, about: str) -> None:
    def network(
        xp,
        input,
        hx,
        params,
        has_biases,
        num_layers,
        dropout,
        train,
        bidirectional,
        batch_first=False,
    ):
        settings = (has_biases, num_layers, dropout, train, bidirectional, batch_first)
        return _recurrent(kind, input, hx, params, *settings)

    def cell(xp, input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
        return _one_step(kind, input, hx, w_ih, w_hh, b_ih, b_hh)

    network.__name__, cell.__name__ = name, f"{name}_cell"
    network.__doc__ = f"""{about} over a sequence, in several layers and both directions.

    Returns the outputs of the last layer and the final states; `params` lists the weights layer by
    layer. `nn.{about}` is the module. A packed sequence gives `data, batch_sizes` for `input`.
    """
    cell.__doc__ = f"""One step of {about} on `(N, I)` from the state `hx`; `nn.{about}Cell` is it.

    Returns the new state (for LSTM: hidden state and cell).
    """
    composite(network, method=False)
    composite(cell, method=False)


_declare("lstm", "lstm", "LSTM")
_declare("gru", "gru", "GRU")
_declare("rnn_tanh", "tanh", "RNN")
_declare("rnn_relu", "relu", "RNN")
