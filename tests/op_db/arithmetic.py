"""Records of `lantern/ops/arithmetic.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, FLOATS, INTEGERS, Make, Record, Sample, binary

FORMS = {"dtypes": ALL, "special": "pointwise", "inplace": True, "out": True}
BITS = {**FORMS, "dtypes": (*INTEGERS, "bool", "float32"), "gradient": False}
NUMBERS = (2, 1.5, True)


def add_samples(make: Make):
    yield from binary(numbers=NUMBERS)(make)
    yield Sample(make(2, 3), make(2, 3), alpha=2)
    yield Sample(make(2, 3), make(3), alpha=0.5)
    yield Sample(make(2, 3), 3, alpha=True)


def wrong_shapes(make: Make):
    yield from add_samples(make)
    yield Sample(make(2), make(3))


def div_samples(make: Make):
    yield from binary(low=0.5, numbers=NUMBERS)(make)
    for mode in ("trunc", "floor"):
        yield Sample(make(2, 3), make(3, low=1), rounding_mode=mode)
        yield Sample(make(2, 3), -2, rounding_mode=mode)
    yield Sample(make(2), 2, rounding_mode="up")


def operator(symbol: str):
    """An operator in both orders of its operands, with numbers."""

    def samples(make: Make):
        for number in (2, 1.5, True):
            yield Sample(make(2, 3, low=1), number)
            yield Sample(number, make(2, 3, low=1))
        yield Sample(make(2, 3, low=1), make(3, low=1))
        yield Sample(make(low=1), make(low=1))
        yield Sample(make(0), make(0))

    def call(lt, x, y):
        return eval(f"x {symbol} y", {"x": x, "y": y})

    return samples, call


def pow_samples(make: Make):
    yield from binary(low=0.2, numbers=(2, 0.5, 3, 0, 2.5))(make)
    yield Sample(make(2, 3, low=0.2), -1)
    yield Sample(make(2, 3, low=0.2), -1.5)
    yield Sample(2, make(2, 3))
    yield Sample(2.5, make(2, 3))
    yield Sample(make(low=0.5), 3)
    yield Sample(make(0), 3)
    yield Sample(0, make(2, 3))
    yield Sample(make(2, 3, low=0.2), True)


def three(make: Make):
    yield Sample(make(2, 3), make(2, 3, low=0.5), make(2, 3, low=0.5))
    yield Sample(make(2, 3), make(3, low=0.5), make(2, 1, low=0.5), value=2)
    yield Sample(make(2, 3), make(3, low=0.5), make(2, 1, low=0.5), value=0.5)


def lerp_samples(make: Make):
    yield Sample(make(2, 3), make(2, 3), make(2, 3, low=0, high=1))
    yield Sample(make(2, 3), make(3), 0.25)
    yield Sample(make(2, 3), make(3), 0.75)
    yield Sample(make(2, 3), make.of("float64", 3), 0.75)


def ldexp_samples(make: Make):
    # PyTorch's gradient takes 2 to a negative integer power for 0.
    yield Sample(make(2, 3), make.of("int32", 2, 3, low=0))
    yield Sample(make(2, 3), make(3))


def frexp_samples(make: Make):
    yield Sample(make(2, 3))
    yield Sample(make(4) * 100)
    if make(0).dtype.kind == "f":
        yield Sample(np.array([0, -0.0, 0.5, -1, 1e-7, 6e4], make(0).dtype))
    yield Sample(make(0))
    yield Sample(make())


def operators():
    names = {"-": "sub", "/": "div", "//": "floordiv", "%": "mod", "**": "pow", "<<": "lshift"}
    names |= {"+": "add", "*": "mul", "&": "and", "|": "or", "^": "xor", ">>": "rshift"}
    for symbol, name in names.items():
        samples, call = operator(symbol)
        dtypes = (*INTEGERS, "bool") if symbol in "& | ^ << >>".split() else ALL
        # A quotient that is rounded and the bits of integers have no derivative.
        gradient = True if symbol in "+ - * / **".split() else () if symbol == "//" else None
        yield Record(f"operator {name}", samples, call, dtypes, gradient=gradient, method=False)


RECORDS = [
    Record("add", wrong_shapes, **FORMS),
    Record("sub", wrong_shapes, **FORMS, aliases="subtract"),
    Record("rsub", add_samples, dtypes=ALL, special="pointwise", method=False),
    Record("mul", binary(numbers=NUMBERS), **FORMS, aliases="multiply", reference=np.multiply),
    Record("div", div_samples, **FORMS, aliases="divide"),
    Record("true_divide", binary(low=0.5, numbers=NUMBERS), **FORMS),
    Record("floor_divide", binary(low=1, numbers=(2, 1.5)), **FORMS, gradient=()),
    Record(
        "remainder", binary(low=1, numbers=(2, 1.5)), **FORMS, reference=np.remainder, edges=False
    ),
    Record("fmod", binary(low=1, numbers=(2, 1.5)), **FORMS, reference=np.fmod),
    Record("pow", pow_samples, **{**FORMS, "special": ""}, method=False),
    Record("pow", binary(low=0.2, numbers=(2,)), **FORMS, variant="of tensors"),
    Record("float_power", binary(low=0.2, numbers=(2, 0.5)), **{**FORMS, "inplace": False}),
    Record("addcmul", three, **FORMS),
    Record("addcdiv", three, **FORMS),
    Record("lerp", lerp_samples, **FORMS, zeros=False),
    Record("gcd", binary(), **BITS),
    Record("lcm", binary(), **BITS),
    Record("ldexp", ldexp_samples, **{**FORMS, "inplace": False}, edges=False),
    Record("frexp", frexp_samples, dtypes=(*FLOATS, "int64"), smooth=False),
    *operators(),
]
