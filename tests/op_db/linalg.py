"""Records of `lantern/ops/linalg.py`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .record import ALL, FLOATS, INTEGERS, ErrorSample, Make, Record, Sample


def matmul_samples(make: Make):
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(3), make(3, 4))
    yield Sample(make(2, 3), make(3, 4))
    yield Sample(make(5, 2, 3), make(3))
    yield Sample(make(3), make(5, 3, 2))
    yield Sample(make(5, 2, 3), make(3, 4))
    yield Sample(make(2, 3), make(5, 3, 4))
    yield Sample(make(2, 3), make(5, 3, 1))
    yield Sample(make(5, 2, 3), make(5, 3, 4))
    yield Sample(make(1, 2, 3), make(5, 3, 4))
    yield Sample(make(5, 2, 3), make(1, 3, 4))
    yield Sample(make(2, 1, 2, 3), make(5, 3, 4))
    yield Sample(make(4, 2, 3), make(2, 1, 3, 2))
    yield Sample(make(2, 2, 2, 3), make(3))
    yield Sample(make(3), make(2, 2, 3, 2))
    yield Sample(make(0), make(0))
    yield Sample(make(2, 0), make(0))
    yield Sample(make(0), make(0, 3))
    yield Sample(make(2, 0), make(0, 3))
    yield Sample(make(0, 3), make(3, 2))
    yield Sample(make(0, 2, 3), make(3, 2))
    yield Sample(make(2, 3), make(0, 3, 2))
    yield Sample(make(5, 2, 0), make(5, 0, 3))
    yield Sample(make(), make(2, 3))
    yield Sample(make(2, 3), make())
    yield Sample(make(3), make(4))
    yield Sample(make(2, 3), make(4))
    yield Sample(make(3), make(4, 2))
    yield Sample(make(2, 3), make(4, 2))
    yield Sample(make(5, 2, 3), make(5, 2, 3))
    yield Sample(make(5, 2, 3), make(4, 3, 2))
    yield Sample(make(2, 1, 2, 3), make(5, 2, 3))


def mixed(start: str, *shapes: tuple[int, ...], kinds: str = "float32 float64 float64"):
    """What is raised for operands of several dtypes."""
    make = Make(0, "float32")
    arrays = [make.of(kind, *shape) for kind, shape in zip(kinds.split(), shapes, strict=False)]
    return ErrorSample(RuntimeError, start, *arrays)


def lacking(kernel: str, *shapes: tuple[int, ...]) -> ErrorSample:
    """What is raised for operands of bool."""
    arrays = [Make(0, "bool")(*shape) for shape in shapes]
    return ErrorSample(NotImplementedError, f"\"{kernel}\" not implemented for 'Bool'", *arrays)


def untyped(name: str, place: int, parameter: str, *args: Any) -> ErrorSample:
    """What is raised for an operand that is no tensor."""
    start = f"{name}(): argument '{parameter}' (position {place}) must be Tensor, not"
    return ErrorSample(TypeError, start, *args)


def wrong(start: str, *shapes: tuple[int, ...]) -> ErrorSample:
    """Sizes for which PyTorch's message depends on the type or on whether a gradient is wanted."""
    return ErrorSample(RuntimeError, start, *[Make(0, "float32")(*shape) for shape in shapes])


def mm_samples(make: Make):
    yield Sample(make(2, 3), make(3, 4))
    yield Sample(make(1, 1), make(1, 1))
    yield Sample(make(2, 0), make(0, 4))
    yield Sample(make(0, 3), make(3, 4))
    yield Sample(make(2, 3), make(2, 4))
    yield Sample(make(3), make(3, 4))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(), make(1, 1))
    yield Sample(make(1, 2, 3), make(3, 4))


def mv_samples(make: Make):
    yield Sample(make(2, 3), make(3))
    yield Sample(make(2, 0), make(0))
    yield Sample(make(0, 3), make(3))
    yield Sample(make(2, 3), make(2))
    yield Sample(make(3), make(3))
    yield Sample(make(2, 3), make(3, 1))
    yield Sample(make(), make(3))


def dot_samples(make: Make):
    yield Sample(make(3), make(3))
    yield Sample(make(0), make(0))
    yield Sample(make(1), make(3))
    yield Sample(make(2, 3), make(3))
    yield Sample(make(), make())


def bmm_samples(make: Make):
    yield Sample(make(5, 2, 3), make(5, 3, 4))
    yield Sample(make(0, 2, 3), make(0, 3, 4))
    yield Sample(make(5, 2, 0), make(5, 0, 3))
    yield Sample(make(1, 2, 3), make(5, 3, 4))
    yield Sample(make(5, 2, 3), make(5, 4, 3))
    yield Sample(make(2, 3), make(5, 3, 4))
    yield Sample(make(5, 2, 3), make(3, 4))
    yield Sample(make(), make(5, 3, 4))


def linear_samples(make: Make):
    for shape in ((2, 3), (3,), (5, 2, 3), (0, 3), (2, 0, 3)):
        yield Sample(make(*shape), make(4, 3), make(4))
        yield Sample(make(*shape), make(4, 3))
    yield Sample(make(2, 0), make(4, 0), make(4))
    yield Sample(make(0), make(4, 0))
    yield Sample(make(2, 3), make(0, 3), make(0))
    for shape in ((3,), (2, 3), (5, 2, 3), (2, 4)):
        yield Sample(make(*shape), make(3))
    yield Sample(make(2, 3), make(3), make(1))
    yield Sample(make(2, 3), make(4, 3), make(1))
    yield Sample(make(2, 3), make(4, 3), make())
    yield Sample(make(3), make(4, 3), make())
    yield Sample(make(2, 3), make(4, 3), make(2, 4))
    yield Sample(make(2, 3), make(4, 3), make(2, 1))
    yield Sample(make(5, 2, 3), make(4, 3), make(2, 4))
    for shape in ((5, 1, 4), (1, 4), (1, 1), (1,), (), (3, 5, 2, 4)):
        yield Sample(make(5, 2, 3), make(4, 3), make(*shape))
    for shape in ((2, 3), (3,)):
        yield Sample(make(*shape), make(4, 2))
        yield Sample(make(*shape), make(4, 2), make(4))
    yield Sample(make(2, 3), make(4, 3), make(5))
    yield Sample(make(3), make(4, 3), make(2, 4))
    yield Sample(make(2, 3), make(2, 4, 3))
    yield Sample(make(), make(4, 3), make(4))
    yield Sample(make(2, 3), make())


def addmm_samples(make: Make):
    yield Sample(make(2, 4), make(2, 3), make(3, 4))
    yield Sample(make(2, 4), make(2, 3), make(3, 4), beta=2, alpha=3)
    yield Sample(make(2, 4), make(2, 3), make(3, 4), beta=0)
    yield Sample(make(2, 4), make(2, 3), make(3, 4), alpha=0)
    yield Sample(make(2, 4), make(2, 3), make(3, 4), beta=0.5, alpha=1.5)
    yield Sample(make(4), make(2, 3), make(3, 4), beta=2)
    yield Sample(make(2, 1), make(2, 3), make(3, 4))
    yield Sample(make(), make(2, 3), make(3, 4))
    yield Sample(make(2, 4), make(2, 0), make(0, 4))
    yield Sample(make(0, 4), make(0, 3), make(3, 4))
    yield Sample(make(5), make(2, 3), make(3, 4))
    yield Sample(make(2, 4), make(2, 3), make(2, 4))
    yield Sample(make(2, 4), make(3), make(3, 4))
    yield Sample(make(2, 4), make(2, 3), make(1, 2, 3))


def addmv_samples(make: Make):
    yield Sample(make(2), make(2, 3), make(3))
    yield Sample(make(2), make(2, 3), make(3), beta=2, alpha=3)
    yield Sample(make(2), make(2, 3), make(3), beta=0)
    yield Sample(make(2), make(2, 3), make(3), alpha=0)
    yield Sample(make(1), make(2, 3), make(3))
    yield Sample(make(), make(2, 3), make(3), beta=2)
    yield Sample(make(2), make(2, 0), make(0))
    yield Sample(make(0), make(0, 3), make(3))
    yield Sample(make(3), make(2, 3), make(3))
    yield Sample(make(2, 2), make(2, 3), make(3))
    yield Sample(make(2), make(3), make(3))
    yield Sample(make(2), make(2, 3), make(4))


def addr_samples(make: Make):
    yield Sample(make(2, 3), make(2), make(3))
    yield Sample(make(2, 3), make(2), make(3), beta=2, alpha=3)
    yield Sample(make(2, 3), make(2), make(3), beta=0)
    yield Sample(make(2, 3), make(2), make(3), alpha=0)
    yield Sample(make(2, 3), make(2), make(3), beta=0.5)
    yield Sample(make(2, 3), make(2), make(3), alpha=True)
    yield Sample(make(3), make(2), make(3))
    yield Sample(make(), make(2), make(3))
    yield Sample(make(0, 3), make(0), make(3))
    yield Sample(make(2, 2), make(2), make(3))
    yield Sample(make(2, 3), make(2, 1), make(3))
    yield Sample(make(2, 3), make(2), make())


def baddbmm_samples(make: Make):
    yield Sample(make(5, 2, 4), make(5, 2, 3), make(5, 3, 4))
    yield Sample(make(5, 2, 4), make(5, 2, 3), make(5, 3, 4), beta=2, alpha=3)
    yield Sample(make(5, 2, 4), make(5, 2, 3), make(5, 3, 4), beta=0)
    yield Sample(make(2, 4), make(5, 2, 3), make(5, 3, 4), alpha=2)
    yield Sample(make(), make(5, 2, 3), make(5, 3, 4), beta=3)
    yield Sample(make(0, 2, 4), make(0, 2, 3), make(0, 3, 4))
    yield Sample(make(5, 2, 4), make(5, 2, 0), make(5, 0, 4))
    yield Sample(make(3, 4), make(5, 2, 3), make(5, 3, 4))
    yield Sample(make(5, 2, 4), make(5, 2, 3), make(4, 3, 4))
    yield Sample(make(5, 2, 4), make(5, 2, 3), make(5, 2, 4))


def addbmm_samples(make: Make):
    yield Sample(make(2, 4), make(5, 2, 3), make(5, 3, 4))
    yield Sample(make(2, 4), make(5, 2, 3), make(5, 3, 4), beta=2, alpha=3)
    yield Sample(make(4), make(5, 2, 3), make(5, 3, 4), beta=0)
    yield Sample(make(), make(5, 2, 3), make(5, 3, 4), alpha=2)
    yield Sample(make(2, 4), make(0, 2, 3), make(0, 3, 4))
    yield Sample(make(2, 4), make(5, 2, 0), make(5, 0, 4))
    yield Sample(make(2, 2), make(5, 2, 3), make(5, 3, 4))
    yield Sample(make(2, 4), make(5, 2, 3), make(4, 3, 4))
    yield Sample(make(2, 4), make(5, 2, 3), make(5, 2, 4))


MM = "expected m1 and m2 to have the same dtype, but got: float != double"
MV = "addmv input tensors must have the same dtype, but got Double, Float, and Double"
DOT = "dot : expected both vectors to have same dtype, but found Float and Double"
BMM = "expected scalar type Float but found Double"
STACK = "Expected size for first two dimensions of batch2 tensor to be: "
SIZES = "mat1 and mat2 shapes cannot be multiplied "
ADDMM = "and mat2 must have the same dtype, but got "
NUMERIC = (*FLOATS, *INTEGERS)
# PyTorch rounds half types between the steps of some kernels, Lantern once.
ROUNDED = {"float16": (5e-3, 2e-2), "bfloat16": (4e-2, 2e-1)}
ONE, TWO = np.ones((2, 2), np.float32), np.ones((1, 2, 2), np.float32)

RECORDS = [
    Record(
        "matmul",
        matmul_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.matmul,
        errors=[
            mixed(DOT, (3,), (3,)),
            mixed(MV, (2, 3), (3,)),
            mixed(MM, (3,), (3, 2)),
            mixed(MM, (2, 3), (3, 2)),
            mixed(MM.replace("double", "c10::Half"), (2, 3), (3, 2), kinds="float32 float16"),
            mixed(MM.replace("float !=", "long int !="), (2, 3), (3, 2), kinds="int64 float64"),
            mixed(MM, (5, 2, 3), (3, 2)),
            mixed(BMM, (5, 2, 3), (5, 3, 2)),
            wrong("size mismatch, got input (10), mat (10x3), vec (4)", (5, 2, 3), (4,)),
            wrong(SIZES + "(10x3 and 4x3)", (5, 2, 3), (4, 3)),
            wrong(STACK + "[5, 3] but got: [5, 4].", (3,), (5, 4, 2)),
            wrong(STACK + "[5, 3] but got: [5, 4].", (2, 3), (5, 4, 2)),
            wrong(STACK + "[2, 4] but got: [2, 2].", (2, 3, 4), (1, 2, 3)),
            lacking("dot", (3,), (3,)),
            lacking("addmv_impl_cpu", (2, 3), (3,)),
            lacking("addmm_impl_cpu_", (3,), (3, 2)),
            lacking("bmm", (3,), (5, 3, 2)),
            untyped("matmul", 2, "other", ONE, 3),
        ],
    ),
    Record(
        "mm",
        mm_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.matmul,
        errors=[
            mixed(MM, (2, 3), (3, 2)),
            lacking("addmm_impl_cpu_", (2, 3), (3, 2)),
            untyped("mm", 2, "mat2", ONE, [1.0]),
        ],
    ),
    Record(
        "mv",
        mv_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.matmul,
        errors=[mixed(MV, (2, 3), (3,)), untyped("mv", 2, "vec", ONE, None)],
    ),
    Record(
        "dot",
        dot_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.dot,
        errors=[mixed(DOT, (3,), (3,)), untyped("dot", 1, "input", 1, ONE)],
    ),
    Record(
        "vdot",
        dot_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.dot,
        errors=[mixed(DOT, (3,), (3,))],
    ),
    Record(
        "bmm",
        bmm_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        reference=np.matmul,
        errors=[mixed(BMM, (5, 2, 3), (5, 3, 2)), untyped("bmm", 2, "mat2", TWO, 1)],
    ),
    Record(
        "nn.functional.linear",
        linear_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        method=False,
        errors=[
            mixed("mat1 " + ADDMM + "Float and Double", (2, 3), (4, 3), (4,)),
            mixed(
                "self " + ADDMM + "Double and Float",
                (3,),
                (4, 3),
                (4,),
                kinds="float32 float32 float64",
            ),
            mixed(MM, (5, 2, 3), (4, 3)),
            mixed(MV, (2, 3), (3,)),
            mixed(DOT, (3,), (3,)),
            wrong(SIZES + "(10x3 and 2x4)", (5, 2, 3), (4, 2)),
            wrong("The expanded size of the tensor (10) must", (5, 2, 3), (4, 3), (2, 1)),
            wrong(
                "expand(torch.FloatTensor{[5, 1, 1]}, size=[10, 4])", (5, 2, 3), (4, 3), (5, 1, 1)
            ),
            lacking("addmm_impl_cpu_", (2, 3), (4, 3), (4,)),
            untyped("linear", 2, "weight", ONE, None),
            untyped("linear", 3, "bias", ONE, ONE, 2),
        ],
    ),
    Record(
        "addmm",
        addmm_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        inplace=True,
        errors=[
            mixed("self " + ADDMM + "Float and Double", (2, 4), (2, 3), (3, 4)),
            mixed(
                "mat1 " + ADDMM + "Float and Double",
                (4,),
                (2, 3),
                (3, 4),
                kinds="float64 float32 float64",
            ),
            lacking("addmm_impl_cpu_", (2,), (2, 3), (3, 2)),
            wrong("expand(torch.FloatTensor{[3, 2, 4]}, size=[2, 4]): ", (3, 2, 4), (2, 3), (3, 4)),
            untyped("addmm", 1, "input", 1, ONE, ONE),
        ],
    ),
    Record(
        "addmv",
        addmv_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        inplace=True,
        errors=[mixed(MV.replace("Double, Float", "Float, Double"), (2,), (2, 3), (3,))],
    ),
    Record(
        "addr",
        addr_samples,
        dtypes=ALL,
        tolerance=ROUNDED,
        out=True,
        inplace=True,
    ),
    Record(
        "baddbmm",
        baddbmm_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        inplace=True,
        errors=[
            mixed(
                "Input dtypes must be the same, got: input float, batch1: double, batch2: double",
                (4,),
                (5, 2, 3),
                (5, 3, 4),
            ),
            lacking("baddbmm", (4,), (5, 2, 3), (5, 3, 4)),
            mixed(BMM, (4,), (5, 2, 3), (5, 3, 4), kinds="float32 float32 float64"),
        ],
    ),
    Record(
        "addbmm",
        addbmm_samples,
        dtypes=NUMERIC,
        tolerance=ROUNDED,
        out=True,
        inplace=True,
        errors=[mixed("self " + ADDMM + "Float and Double", (2, 4), (5, 2, 3), (5, 3, 4))],
    ),
]
