"""Records of `lantern/ops/pointwise.py`."""

from __future__ import annotations

import numpy as np

from .record import ALL, FLOATS, DType, Make, Record, Sample, unary

FORMS = {"dtypes": ALL, "special": "pointwise", "inplace": True, "out": True}
TEST = {"dtypes": ALL, "special": "pointwise", "gradient": False}
# float16 and bfloat16 results near zeros of a function lie within one unit of the last place.
HALVES = {"float16": (2e-3, 2e-3), "bfloat16": (1.6e-2, 1e-2)}


def round_samples(make: Make):
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), decimals=1)
    yield Sample(make(2, 3, high=300), decimals=-2)


def logit_samples(make: Make):
    yield Sample(make(2, 3, low=0.05, high=0.95))
    yield Sample(make(2, 3, low=0.05, high=0.95), 0.2)
    yield Sample(make(low=0.05, high=0.95), eps=0.1)


def nan_samples(make: Make):
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), 1.0)
    yield Sample(make(3), nan=2.0, posinf=3.0, neginf=-4.0)


def polygamma_samples(make: Make):
    for n in (0, 1, 2, 3):
        yield Sample(n, make(2, 3, low=0.2, high=5))
    yield Sample(2, make(low=0.2))
    yield Sample(1, make(0, low=0.2))
    yield Sample(-1, make(2, low=0.2))


def cast_samples(make: Make):
    for name in ("float64", "float16", "bfloat16", "int32", "bool"):
        yield Sample(make(2, 3, low=0), DType(name))
    yield Sample(make(low=0), DType("float32"))
    yield Sample(make(0), DType("float64"))


RECORDS = [
    Record("exp", unary(), **FORMS, reference=np.exp),
    Record("exp2", unary(), **FORMS, reference=np.exp2),
    Record("expm1", unary(), **FORMS, reference=np.expm1),
    Record("log", unary(low=0.1), **FORMS, reference=np.log),
    Record("log2", unary(low=0.1), **FORMS, reference=np.log2),
    Record("log10", unary(low=0.1), **FORMS, reference=np.log10),
    Record("log1p", unary(low=-0.9), **FORMS, reference=np.log1p),
    Record("sqrt", unary(low=0.1), **FORMS, reference=np.sqrt),
    Record("rsqrt", unary(low=0.1), **FORMS, reference=lambda x: 1 / np.sqrt(x)),
    Record("sin", unary(), **FORMS, reference=np.sin),
    Record("cos", unary(), **FORMS, reference=np.cos),
    Record("tan", unary(-1, 1), **FORMS, reference=np.tan),
    Record("asin", unary(-0.9, 0.9), **FORMS, aliases="arcsin", reference=np.arcsin),
    Record("acos", unary(-0.9, 0.9), **FORMS, aliases="arccos", reference=np.arccos),
    Record("atan", unary(), **FORMS, aliases="arctan", reference=np.arctan),
    Record("sinh", unary(), **FORMS, reference=np.sinh),
    Record("cosh", unary(), **FORMS, reference=np.cosh),
    Record("tanh", unary(), **FORMS, reference=np.tanh),
    Record("asinh", unary(), **FORMS, aliases="arcsinh", reference=np.arcsinh),
    Record("acosh", unary(1.1, 4), **FORMS, aliases="arccosh", reference=np.arccosh),
    Record("atanh", unary(-0.9, 0.9), **FORMS, aliases="arctanh", reference=np.arctanh),
    Record("sigmoid", unary(), **FORMS, reference=lambda x: 1 / (1 + np.exp(-x))),
    Record("erf", unary(), **FORMS),
    Record("erfc", unary(), **FORMS),
    Record("erfinv", unary(-0.95, 0.95), **FORMS),
    Record("lgamma", unary(0.2, 6), **FORMS),
    Record("digamma", unary(0.2, 6), **FORMS, edges=False),
    Record(
        "polygamma",
        polygamma_samples,
        dtypes=("float32", "float64"),
        method=False,
        out=True,
        # PyTorch's own is right to 1e-9 only.
        tolerance={"float64": (1e-7, 1e-7)},
    ),
    Record("square", unary(), **FORMS, reference=np.square),
    Record("neg", unary(), **FORMS, aliases="negative", reference=np.negative),
    Record("abs", unary(), **FORMS, aliases="absolute", reference=np.abs),
    Record("sign", unary(), **FORMS, reference=np.sign),
    Record("sgn", unary(), **FORMS, reference=np.sign),
    Record("floor", unary(), **FORMS, reference=np.floor),
    Record("ceil", unary(), **FORMS, reference=np.ceil),
    Record("trunc", unary(), **FORMS, aliases="fix", reference=np.trunc),
    Record("round", round_samples, **FORMS),
    Record("frac", unary(), **FORMS),
    Record("reciprocal", unary(0.2), **FORMS, reference=np.reciprocal),
    Record("deg2rad", unary(), **FORMS, reference=np.deg2rad),
    Record("rad2deg", unary(), **FORMS, reference=np.rad2deg),
    Record("sinc", unary(), **FORMS, reference=np.sinc),
    Record("logit", logit_samples, **FORMS, tolerance=HALVES),
    Record("positive", unary(), dtypes=ALL, special="pointwise"),
    Record("nan_to_num", nan_samples, **FORMS, reference=np.nan_to_num),
    Record(
        "real", unary(), dtypes=ALL, special="pointwise", method=False, aliases="conj resolve_neg"
    ),
    Record("isnan", unary(), **TEST, reference=np.isnan),
    Record("isinf", unary(), **TEST, reference=np.isinf),
    Record("isfinite", unary(), **TEST, reference=np.isfinite),
    Record("isposinf", unary(), **TEST, out=True),
    Record("isneginf", unary(), **TEST, out=True),
    Record("isreal", unary(), **TEST),
    Record("signbit", unary(), **TEST, out=True, reference=np.signbit),
    Record("logical_not", unary(), **TEST, inplace=True, out=True, reference=np.logical_not),
    Record("bitwise_not", unary(), **{**FORMS, "dtypes": (*ALL[4:], *FLOATS)}, gradient=None),
    Record("clone", unary(), dtypes=ALL, special="pointwise"),
    Record("to", cast_samples, dtypes=ALL, call=lambda lt, x, dtype: x.to(dtype)),
]
