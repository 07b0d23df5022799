"""Records of `lantern/ops/rnn.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .record import Make, Record, Sample

KINDS = ("float32", "float64")
GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
# (layers, both directions, with biases, size of the projection)
FORMS = ((1, False, True, 0), (2, True, True, 0), (1, False, False, 1), (1, True, False, 0))
SIZES = np.array([2, 2, 1])


def parts(make: Make, kind: str, batch: int, form: tuple) -> tuple:
    """Initial states and weights."""
    layers, both, biases, projection = form
    ways, size = 1 + both, 2
    out = projection or size
    states = [make(layers * ways, batch, out)]
    if kind == "lstm":
        states.append(make(layers * ways, batch, size))
    weights = []
    for place in range(layers * ways):
        columns = 1 if place < ways else out * ways
        rows = GATES[kind] * size
        weights += [make(rows, columns, low=-1, high=1), make(rows, out, low=-1, high=1)]
        weights += [make(rows), make(rows)] if biases else []
        weights += [make(projection, size)] if projection else []
    return tuple(states) if kind == "lstm" else states[0], weights


def network(kind: str, packed: bool) -> Callable[[Make], Iterator[Sample]]:
    """A layer, several in both directions, without biases, projected, of nothing."""

    def samples(make: Make) -> Iterator[Sample]:
        for form in FORMS:
            layers, both, biases, projection = form
            if projection and kind != "lstm":
                continue
            how = (biases, layers, 0.0, True, both)
            input = (make(5, 1), SIZES) if packed else (make(3, 2, 1),)
            rest = () if packed else (False,)
            yield Sample(*input, *parts(make, kind, 2, form), *how, *rest)
        if packed:
            return
        form = FORMS[0]
        for shape, batch in (((2, 3, 1), 2), ((2, 0, 1), 0), ((0, 2, 1), 2), ((), 2)):
            rest = (True, 1, 0.0, False, False, shape not in ((2, 0, 1), (0, 2, 1)))
            yield Sample(make(*shape), *parts(make, kind, batch, form), *rest)

    return samples


def cell(kind: str) -> Callable[[Make], Iterator[Sample]]:
    """One step, with biases and without, on nothing."""

    def samples(make: Make) -> Iterator[Sample]:
        rows = GATES[kind] * 3
        for batch, biases in ((2, True), (2, False), (0, True)):
            state = make(batch, 3)
            hx = (state, make(batch, 3)) if kind == "lstm" else state
            both = [make(rows), make(rows)] if biases else []
            yield Sample(make(batch, 2), hx, make(rows, 2), make(rows, 3), *both)
        yield Sample(make(), hx, make(rows, 2), make(rows, 3))

    return samples


# PyTorch names the nodes by the parts it makes of a layer; here a layer is one node.
OPTIONS = {"dtypes": KINDS, "method": False, "nodes": False}
RECORDS = [
    *(Record(name, network(name, False), **OPTIONS) for name in GATES),
    # How long the sequences are is known when a packed batch is, so it cannot be recorded.
    *(
        Record(name, network(name, True), variant="packed", trace=False, layouts=False, **OPTIONS)
        for name in GATES
    ),
    *(Record(f"{name}_cell", cell(name), **OPTIONS) for name in GATES),
]
