"""Records of `lantern/ops/normalization.py`."""

from __future__ import annotations

from collections.abc import Iterator

from .loss import functional
from .record import FLOATS, Make, Sample


def layer_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(3, 4), (4,))
    yield Sample(make(2, 3, 4), [3, 4], make(3, 4), make(3, 4), 1e-3)
    yield Sample(make(2, 3, 4), (4,), weight=make(4))
    yield Sample(make(2, 3, 4), (4,), bias=make(4), eps=0.1)
    yield Sample(make(5), (5,), make(5), make(5))
    yield Sample(make(0, 4), (4,), make(4))
    yield Sample(make(2, 4), (3,))
    yield Sample(make(2, 4), ())
    yield Sample(make(), (1,))
    yield Sample(make(2, 4), (4,), make(3))
    yield Sample(make(2, 4), (4,), make(4), make(3))


def mixed_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(3, 4), (4,), make.of("float32", 4), make.of("float32", 4))
    yield Sample(make(3, 4), (4,), make.of("float64", 4))
    yield Sample(make.of("int64", 3, 4), (4,))
    yield Sample(make(0, 4), (4,))
    yield Sample(make(), (1,))


def root_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(3, 4), (4,))
    yield Sample(make(2, 3, 4), [3, 4], make(3, 4), 1e-3)
    yield Sample(make(2, 3, 4), (4,), weight=make(4))
    yield Sample(make(5), (5,), make(5), eps=0.5)
    yield Sample(make(0, 4), (4,), make(4))
    yield Sample(make(2, 4), (3,))
    yield Sample(make(), (1,))
    yield Sample(make(2, 4), (4,), make(3))


def group_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(3, 8), 2)
    yield Sample(make(2, 4, 3), 2, make(4), make(4))
    yield Sample(make(2, 6, 2, 2), 3, make(6), eps=0.1)
    yield Sample(make(2, 4, 3), 1, bias=make(4))
    yield Sample(make(2, 4, 3), 4)
    yield Sample(make(0, 4), 2)
    yield Sample(make(2, 4), 3)
    yield Sample(make(1, 4), 4)
    yield Sample(make(4), 2)
    yield Sample(make(), 1)
    yield Sample(make(2, 4), 2, make(3))


def batch_samples(make: Make) -> Iterator[Sample]:
    training = {"training": True}
    yield Sample(make(4, 3), None, None, **training)
    yield Sample(make(2, 3, 4), None, None, make(3), make(3), **training, eps=0.1)
    yield Sample(make(2, 3, 2, 2), None, None, weight=make(3), **training)
    yield Sample(make(4, 3), None, None, bias=make(3), **training)
    for shape in ((4, 3), (2, 3, 4), (1, 3)):
        moments = make(3), make(3, low=0.5, high=2)
        yield Sample(make(*shape), *moments)
        yield Sample(make(*shape), *moments, make(3), make(3), False, 0.3, 1e-3)
    yield Sample(make(0, 3), None, None)
    yield Sample(make(4, 3), None, None)
    yield Sample(make(4, 3), make(3), None)
    yield Sample(make(4, 3), make(2), make(3))
    yield Sample(make(4, 3), None, None, make(2), **training)
    yield Sample(make(1, 3), None, None, **training)
    yield Sample(make(3), None, None, **training)
    yield Sample(make(), None, None, **training)


def instance_samples(make: Make) -> Iterator[Sample]:
    yield Sample(make(2, 3, 4))
    yield Sample(make(2, 3, 2, 2), weight=make(3), bias=make(3), eps=0.1)
    yield Sample(make(2, 3, 4), weight=make(3))
    moments = make(3), make(3, low=0.5, high=2)
    yield Sample(make(2, 3, 4), *moments, make(3), make(3), use_input_stats=False)
    yield Sample(make(2, 3, 4), use_input_stats=False)
    yield Sample(make(2, 3, 1))
    yield Sample(make(2, 3))
    yield Sample(make(), make(1), make(1))
    yield Sample(make(2, 3, 4), make(2), make(3))
    yield Sample(make(0, 3, 4))


def local_samples(make: Make) -> Iterator[Sample]:
    for size in (1, 2, 3, 5):
        yield Sample(make(2, 4, 3), size)
    yield Sample(make(2, 4, 2, 2), 3, 0.5, 1.5, 2.0)
    yield Sample(make(0, 4, 3), 2)
    yield Sample(make(2, 4), 2)
    yield Sample(make(), 2)
    yield Sample(make(2, 4, 3), 0)


# Small deviations magnify what PyTorch rounds on the way, in bfloat16 beyond comparison.
ROUNDED_TWICE = {"float32": (1e-4, 5e-5), "float16": (1e-2, 1e-2), "bfloat16": (5e-2, 5e-2)}
MAGNIFIED = {"dtypes": ("float32", "float64", "float16"), "tolerance": ROUNDED_TWICE}

# The gradients by running statistics are not there in PyTorch either.
RECORDS = [
    functional("layer_norm", layer_samples, **MAGNIFIED),
    functional(
        "layer_norm",
        mixed_samples,
        variant="mixed",
        dtypes=("bfloat16", "float16"),
        gradient=(0,),
        tolerance=ROUNDED_TWICE,
    ),
    functional("rms_norm", root_samples, **MAGNIFIED),
    functional("group_norm", group_samples, **MAGNIFIED),
    functional("batch_norm", batch_samples, gradient=(0,), **MAGNIFIED),
    functional("instance_norm", instance_samples, gradient=(0,), **MAGNIFIED),
    functional("local_response_norm", local_samples, dtypes=FLOATS[:2], tolerance=ROUNDED_TWICE),
]
