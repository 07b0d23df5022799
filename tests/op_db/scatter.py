"""Records of `lantern/ops/scatter.py`: one place per element, along one dimension."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .record import ALL, INTEGERS, Make, Record, Sample


def gather_samples(make: Make):
    yield Sample(make(3, 4), 1, make.index(4, shape=(3, 2)))
    yield Sample(make(3, 4), 0, make.index(3, shape=(5, 2)))
    yield Sample(make(2, 3, 4), -2, make.index(3, shape=(2, 1, 4)))
    yield Sample(make(3, 4), 1, make.index(4, shape=(3, 2), dtype="int32"))
    yield Sample(make(), 0, make.index(1, shape=()))
    yield Sample(make(), 0, make.index(1, shape=(2,)))
    yield Sample(make(0, 4), 0, make.index(0, shape=(0, 4)))
    yield Sample(make(3, 4), 1, make.index(1, shape=(3, 2)) + 4)
    yield Sample(make(3, 4), 1, make.index(1, shape=(3, 2)) - 1)
    yield Sample(make(3, 4), 1, make.index(1, shape=(4, 2)))
    yield Sample(make(3, 4), 1, make.index(1, shape=(4,)))


def scatter_samples(distinct: bool) -> Callable:
    def samples(make: Make):
        def places(count: int, *shape: int):
            if not distinct:
                return make.index(count, shape=shape)
            rows = [make.rng.permutation(count)[: shape[1]] for _ in range(shape[0])]
            return np.stack(rows)

        yield Sample(make(3, 4), 1, places(4, 3, 2), make(3, 2))
        yield Sample(make(3, 4), -1, places(4, 2, 3), make(3, 4))
        yield Sample(make(), 0, make.index(1, shape=()), make())
        yield Sample(make(3, 4), 1, make.index(4, shape=(0, 2)), make(0, 2))
        yield Sample(make(3, 4), 1, make.index(1, shape=(3, 2)) + 4, make(3, 2))
        yield Sample(make(3, 4), 1, make.index(1, shape=(3, 2)), make(3, 1))
        yield Sample(make(3, 4), 1, make.index(1, shape=(4, 2)), make(4, 2))
        yield Sample(make(3, 4), 1, make.index(1, shape=(4,)), make(4))
        yield Sample(make(3, 4), 1, places(4, 3, 2), make.of("float64", 3, 2))

    return samples


def number_samples(make: Make):
    yield Sample(make(3, 4), 1, make.index(4, shape=(3, 2)), 2)
    yield Sample(make(3, 4), 0, make.index(3, shape=(1, 4)), value=1.5)
    yield Sample(make(), 0, make.index(1, shape=()), 3)
    yield Sample(make(0, 4), 1, make.index(4, shape=(0, 2)), 1)


def combined_samples(make: Make):
    for reduce in ("add", "multiply"):
        yield Sample(make(3, 4), 1, make.index(4, shape=(3, 5)), 2, reduce=reduce)
        yield Sample(make(), 0, make.index(1, shape=()), 3, reduce=reduce)
        yield Sample(make(0, 4), 1, make.index(4, shape=(0, 2)), 1, reduce=reduce)
    yield Sample(make(3, 4), 1, make.index(4, shape=(3, 2)), 2, reduce="max")


def reduce_samples(reduce: str) -> Callable:
    def samples(make: Make):
        for kept in (True, False):
            named = {} if kept else {"include_self": False}
            yield Sample(make(3, 4), 1, make.index(3, shape=(3, 5)), make(3, 5), reduce, **named)
            yield Sample(make(4), 0, make.index(2, shape=(3,)), make(5), reduce, **named)
            yield Sample(make(), 0, make.index(1, shape=()), make(), reduce, **named)
            yield Sample(make(0, 4), 1, make.index(4, shape=(0, 2)), make(0, 2), reduce, **named)
        zeros = make(4) * 0
        yield Sample(zeros, 0, make.index(2, shape=(3,)), make(3), reduce)
        yield Sample(make(4), 0, make.index(2, shape=(3,)), make(3) * 0, reduce)

    return samples


def ties_samples(make: Make):
    ones = make(3, low=1, high=1)
    yield Sample(ones, 0, make.index(2, shape=(4,)), make(4, low=1, high=1), "amax")
    twos = make(4, low=2, high=2)  # PyTorch counts a self that is not included as a tie
    yield Sample(ones, 0, make.index(2, shape=(4,)), twos, "amin", include_self=False)
    yield Sample(make(), 0, make.index(1, shape=(0,)), make(0), "amax")


def wrong_samples(make: Make):
    yield Sample(make(4), 0, make.index(2, shape=(3,)), make(3), "sum")
    yield Sample(make(4), 0, make.index(2, shape=(3,)), make(3), "median")
    yield Sample(make(4), 0, make.index(2, shape=(3,)) + 3, make(3), "sum")
    yield Sample(make(), 0, make.index(2, shape=(0,)), make(0), "sum")


def rows_samples(reduce: str) -> Callable:
    def samples(make: Make):
        yield Sample(make(4, 3), 0, make.index(3, shape=(5,)), make(5, 3), reduce)
        yield Sample(
            make(4, 3), 1, make.index(3, shape=(2,)), make(4, 2), reduce, include_self=False
        )
        yield Sample(make(), 0, make.index(1, shape=()), make(), reduce)
        yield Sample(make(0, 3), 1, make.index(3, shape=(2,)), make(0, 2), reduce)

    return samples


def along_samples(make: Make):
    yield Sample(make(3, 4), make.index(4, shape=(3, 2)), 1)
    yield Sample(make(3, 4), make.index(4, shape=(1, 2)), dim=1)
    yield Sample(make(1, 4), make.index(4, shape=(3, 2)) - 4, 1)
    yield Sample(make(3, 4), make.index(12, shape=(5,)))
    yield Sample(make(0, 4), make.index(4, shape=(0, 2)), 1)
    yield Sample(make(), make.index(1, shape=()), 0)
    yield Sample(make(3, 4), make.index(4, shape=(2,)), 1)


REDUCES = ("sum", "prod", "mean", "amax", "amin")
RECORDS = [
    Record("gather", gather_samples, dtypes=ALL, out=True),
    Record(
        "scatter_add",
        scatter_samples(False),
        dtypes=ALL,
        inplace=True,
        out=True,
        # PyTorch rounds a sum in a half type after each addition.
        tolerance={"float16": (2e-3, 4e-3), "bfloat16": (2e-2, 3e-2)},
    ),
    Record("scatter", scatter_samples(True), dtypes=ALL, inplace=True, out=True),
    Record("scatter", number_samples, variant="a number", dtypes=ALL, inplace=True),
    Record(
        "scatter",
        combined_samples,
        variant="combined",
        dtypes=ALL,
        nodes=False,
        second=False,
        inplace=True,
    ),
    *(
        Record(
            "scatter_reduce",
            reduce_samples(name),
            variant=name,
            inplace=True,
            dtypes=("float32", "float64", *INTEGERS, *("bool",) * (name != "mean")),
            second=name in ("sum", "mean"),
            # Equal values share the gradient, and finite differences see one of them.
            smooth=name not in ("amax", "amin"),
        )
        for name in REDUCES
    ),
    Record("scatter_reduce", ties_samples, variant="ties", smooth=False),
    Record("scatter_reduce", wrong_samples, variant="wrong"),
    *(
        Record(
            "index_reduce",
            rows_samples(name),
            variant=name,
            dtypes=("float32", "float64"),
            nodes=False,
            second=False,
            smooth=name not in ("amax", "amin"),
        )
        for name in REDUCES[1:]
    ),
    Record("take_along_dim", along_samples, dtypes=ALL, nodes=False),
]
