"""Random tensors print as in PyTorch under random options."""

from __future__ import annotations

import math
import random

import pytest

torch = pytest.importorskip("torch")

from torch import _tensor_str as torch_printing  # noqa: E402

import lantern  # noqa: E402
from lantern import printing  # noqa: E402

INTEGERS = ("uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64")
FLOATS = ("float32", "float32", "float32", "float64", "float16", "bfloat16")
SPECIAL = (0.0, -0.0, math.nan, math.inf, -math.inf, 1e-4, 1e-5, 1e8, 1e9, 1000.0, 1001.0, 1e-45)

CHOICES = {
    "precision": (0, 1, 2, 3, 6, 8),
    "threshold": (0, 1, 5, 50, 1000, math.inf),
    "edgeitems": (0, 1, 2, 3, 5),
    "linewidth": (0, 10, 20, 40, 79, 80, 81, 120, 30.5),
    "sci_mode": (True, False),
    "profile": ("default", "short", "full"),
}


@pytest.fixture(autouse=True)
def default_options():
    """Both libraries start and end with their default options and default dtype."""
    reset()
    yield
    reset()


def reset():
    for library in (torch, lantern):
        library.set_printoptions(profile="default")
        library.set_default_dtype(library.float32)


def draw_options(source):
    """Return no options in half the cases, else each option with a chance of 0.4."""
    if source.random() < 0.5:
        return {}
    return {name: source.choice(CHOICES[name]) for name in CHOICES if source.random() < 0.4}


def draw_shape(source):
    """Return up to five sizes, sometimes zero, of at most 3000 elements together."""
    while True:
        sizes = [
            source.choice((0, 1, 1, 2, 2, 3, 4, 5, 7, 9, 30))
            for _ in range(source.choice((0, 1, 1, 2, 2, 3, 4, 5)))
        ]
        if math.prod(sizes) <= 3000:
            return sizes


def draw_floats(source, count):
    """Return floats of one flavour: whole, fractional, of all magnitudes, or mostly special."""
    flavour = source.choice(("whole", "fraction", "magnitudes", "mixed", "special"))
    scale = source.choice((1, 3, 10, 900, 5000, 10**6, 10**9))
    draw = {
        "whole": lambda: float(source.randint(-scale, scale)),
        "fraction": lambda: source.uniform(-scale, scale),
        "magnitudes": lambda: source.choice((-1, 1)) * 10 ** source.uniform(-8, 10),
        "mixed": lambda: source.choice((*SPECIAL, *[source.uniform(-3, 3)] * 40)),
        "special": lambda: source.choice(SPECIAL),
    }[flavour]
    return [draw() for _ in range(count)]


def draw_values(source, dtype, count):
    """Return Python numbers that fit the dtype."""
    if dtype == "bool":
        return [source.random() < 0.5 for _ in range(count)]
    if dtype in FLOATS:
        rounded = torch.tensor(draw_floats(source, count), dtype=torch.float64)
        return rounded.to(getattr(torch, dtype)).tolist()
    facts = torch.iinfo(getattr(torch, dtype))
    ranges = ((max(facts.min, -5), 5), (0, min(facts.max, 1000)), (facts.min, facts.max))
    low, high = source.choice(ranges)
    return [source.randint(low, high) for _ in range(count)]


def make(library, values, shape, dtype, tape, swap):
    """Build the same tensor in either library; a swap makes it non-contiguous."""
    x = library.tensor(values, dtype=getattr(library, dtype)).reshape(shape)
    if swap and len(shape) > 1:
        x = x.transpose(0, 1)
    x = x.detach()
    if tape and dtype in FLOATS:
        x.requires_grad_()
    return x * 1 if tape == "node" and dtype in FLOATS else x


def compare(tensors, options, default="float32"):
    """Assert that both libraries print their tensor alike and hold the same options."""
    ours, theirs = tensors
    for library in (lantern, torch):
        library.set_default_dtype(getattr(library, default))
        library.set_printoptions(**options)
    assert printing.get_printoptions() == torch_printing.get_printoptions()
    assert repr(ours) == repr(theirs), (options, default)
    reset()


@pytest.mark.parametrize("seed", range(20))
def test_random_tensors_print_alike(seed):
    source = random.Random(seed)
    for _ in range(150):
        dtype = source.choice((*INTEGERS, "bool", "bool", *FLOATS * 3))
        shape = draw_shape(source)
        values = draw_values(source, dtype, math.prod(shape))
        tape, swap = source.choice((None, None, "leaf", "node")), source.random() < 0.2
        tensors = [make(library, values, shape, dtype, tape, swap) for library in (lantern, torch)]
        compare(tensors, draw_options(source), source.choice(("float32",) * 6 + ("float64",)))


def test_summaries_of_larger_tensors_print_alike():
    source = random.Random(99)
    for _ in range(60):
        shape = [source.choice((1, 2, 5, 6, 7, 8, 60)) for _ in range(source.choice((2, 3, 4)))]
        scale = 10.0 ** source.randint(-3, 3)
        tensors = [
            (library.arange(math.prod(shape), dtype=library.float32) * scale).reshape(shape)
            for library in (lantern, torch)
        ]
        compare(tensors, {"threshold": source.choice((10, 100, 1000))})


def test_numbers_format_alike():
    source = random.Random(7)
    for _ in range(300):
        dtype = source.choice(("int64", "bool", *FLOATS))
        values = draw_values(source, dtype, 1)
        spec = source.choice(("", ".3f", "8.2f", "e", "+.2e", ">12", "g"))
        ours, theirs = (
            library.tensor(values[0], dtype=getattr(library, dtype)) for library in (lantern, torch)
        )
        assert format(ours, spec) == format(theirs, spec)
