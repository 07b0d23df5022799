"""Records of `lantern/ops/activation.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .record import ALL, FLOATS, NUMPY, DType, ErrorSample, Make, Record, Sample, unary

NUMBERS = (*FLOATS, "int32", "uint8", "bool")


def pointwise(*forms: dict, low: float = -3, high: float = 3) -> Callable[[Make], Iterator[Sample]]:
    """One tensor, alone and with keyword arguments; the gradient's kinks are drawn around."""

    def samples(make: Make) -> Iterator[Sample]:
        for kwargs in ({}, *forms):
            yield Sample(make(2, 3, low=low, high=high), **kwargs)
            yield Sample(make(9, low=2 * low, high=2 * high), **kwargs)

    return samples


def torn(*forms: dict) -> Callable[[Make], Iterator[Sample]]:
    """Samples for ops of whose gradient at NaN PyTorch's vector and scalar code disagree."""

    def samples(make: Make) -> Iterator[Sample]:
        yield from pointwise(*forms)(make)
        yield from (Sample(make(*shape)) for shape in ((), (0,), (2, 0, 3)))
        if make.floating and make.dtype != "float64":  # which finite differences are taken in
            values = [np.inf, -np.inf, 0.0, -0.0, 1e-4, -1e-4, 60000.0, -60000.0, 1.5]
            yield Sample(np.array(values).astype(NUMPY[make.dtype]))

    return samples


def plain(name: str, *forms: dict, dtypes: tuple[str, ...] = NUMBERS, **options: Any) -> Record:
    """The record of an activation that is only in `nn.functional`."""
    label = f"nn.functional.{name}"
    return Record(
        label, pointwise(*forms), dtypes=dtypes, special="pointwise", method=False, **options
    )


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def prelu_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3), make(1))
    yield Sample(make(2, 3, 4), make(3))
    yield Sample(make(2, 1), make(1))
    yield Sample(make(3), make())
    yield Sample(make(), make(1))
    yield Sample(make(0, 2), make(2))
    yield Sample(make(2, 3), make(2))
    yield Sample(make(2, 3), make(3, 1))
    yield Sample(make(), make(2))
    yield Sample(make(2, 3), make.of("float64", 1))


def threshold_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3), 0.5, -7)
    yield Sample(make(9), 0, 20.5)


def over_a_dimension(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3, 4), dim=0)
    yield Sample(make(2, 3, 2), -2)
    yield Sample(make(4), -1)
    yield Sample(make(), 0)
    yield Sample(make(), -1)
    yield Sample(make(0), 0)
    yield Sample(make(0, 3), 1)
    yield Sample(make(0, 3), 0)
    yield Sample(make(3), 0, dtype=DType("float64"))
    if make.dtype != "float64":  # finite differences need the precision
        yield Sample(make(3), 0, dtype=DType("float32"))
    yield Sample(make(3), 1)
    yield Sample(make(), 1)
    yield Sample(make(2, 3, low=80, high=1000), 1)


def gelu_samples(make: Make) -> Iterator[Sample]:
    # Of infinity PyTorch's float32 kernel gives NaN (its float64 kernel does not), so none here.
    values = np.array([0.0, -0.0, 1e-5, -1e-5, 20.0, -20.0])
    for approximate in ("none", "tanh"):
        for shape in ((2, 3), (9,), (), (0, 2)):
            yield Sample(make(*shape, low=-6, high=6), approximate=approximate)
        yield Sample(values.astype(NUMPY[make.dtype]), approximate=approximate)


def refused(name: str) -> list[ErrorSample]:
    """Integer tensors, where PyTorch's kernel `name` has no code for them."""
    kinds = {"int64": "Long", "bool": "Bool"}
    return [
        ErrorSample(
            NotImplementedError, f"\"{name}\" not implemented for '{kind}'", np.zeros(2, dtype), -1
        )
        for dtype, kind in kinds.items()
    ]


def glu_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 4))
    yield Sample(make(4, 3), 0)
    yield Sample(make(2, 2, 3), dim=-2)
    yield Sample(make(0))
    yield Sample(make(3))
    yield Sample(make())
    yield Sample(make(2), 1)


# PyTorch rounds an intermediate result of halves.
ROUNDED_TWICE = {"float16": (2e-3, 1e-3), "bfloat16": (2e-2, 1e-2)}

BOUNDS = ({"min_val": -0.5, "max_val": 2}, {"min_val": 0, "max_val": 2})
LAMBDAS = ({"lambd": 1.5}, {"lambd": 0})


def functional(name: str, samples: Callable[[Make], Iterator[Sample]], **options: Any) -> Record:
    """The record of what is only in `nn.functional`, with samples of its own."""
    return Record(f"nn.functional.{name}", samples, method=False, **options)


RECORDS = [
    Record("relu", unary(), dtypes=ALL, special="pointwise", inplace=True, reference=relu),
    functional("relu6", torn(), dtypes=NUMBERS, second=False),
    functional("hardtanh", torn(*BOUNDS), dtypes=NUMBERS),
    plain("leaky_relu", {"negative_slope": 0.3}, {"negative_slope": -2}),
    plain("elu", {"alpha": 0.7}, {"alpha": -1.5}),
    Record("selu", pointwise(), dtypes=NUMBERS, special="pointwise", method=False),
    Record("celu", pointwise({"alpha": 0.7}), dtypes=NUMBERS, special="pointwise", method=False),
    functional("gelu", gelu_samples),
    plain("silu"),
    plain("mish"),
    plain("logsigmoid"),
    plain("tanhshrink"),
    plain("softplus", {"beta": 2}, {"beta": 3.5, "threshold": 2}),
    functional("softshrink", torn(*LAMBDAS, {"lambd": -1}), dtypes=NUMBERS),
    plain("softsign", dtypes=(*FLOATS, "int32")),
    plain("hardsigmoid", second=False),
    functional("hardswish", torn(), dtypes=NUMBERS),
    Record("hardshrink", torn(*LAMBDAS), dtypes=NUMBERS),
    Record("threshold", threshold_samples, dtypes=NUMBERS, special="pointwise", method=False),
    Record("prelu", prelu_samples, dtypes=NUMBERS),
    Record(
        "rrelu",
        pointwise({"lower": 0.2, "upper": 0.4}),
        dtypes=NUMBERS,
        special="pointwise",
        method=False,
    ),
    Record(
        "softmax",
        over_a_dimension,
        special="reduce",
        out=True,
        errors=refused("softmax_lastdim_kernel_impl"),
    ),
    Record(
        "log_softmax",
        over_a_dimension,
        special="reduce",
        out=True,
        errors=refused("log_softmax_lastdim_kernel_impl"),
        tolerance=ROUNDED_TWICE,
    ),
    functional("softmin", over_a_dimension, special="reduce"),
    functional("glu", glu_samples, errors=refused("glu_cpu")),
]
