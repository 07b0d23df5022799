"""What the tests know about an op: `Record`, `Sample`, `ErrorSample`, and what makes samples.

How to add a record. The file `tests/op_db/<x>.py` holds the records of `lantern/ops/<x>.py`
in a list `RECORDS`; files are found by themselves. One record is enough for all kinds of test:

    Record("hypot", binary())                          # an op of two tensors, element by element
    Record("gather", gather_samples, special="")       # with samples of its own

    def gather_samples(make):                          # a generator; `make` draws arrays
        yield Sample(make(3, 4), 1, make.index(4, shape=(3, 2)))
        yield Sample(make(), 0, make.index(1, shape=()))           # 0-d
        yield Sample(make(0, 4), 0, make.index(0, shape=(0, 4)))   # empty

- `make(3, 4)` draws an array of the dtype the test is about; `make(3, low=0.1, high=2)` bounds it;
  `make.index(n, shape=...)`, `make.mask(3, 4)`, `make.of("int32", 3)` draw other dtypes.
  Arguments are NumPy arrays (they become tensors, with the strides they have), Python values,
  `DType("int32")` (becomes `lt.int32`), and lists of these. Keyword arguments as usual.
- Give samples for every form of the signature, with empty and 0-d tensors. Arguments that torch
  refuses need no place of their own: a sample that raises is tested to raise the same. Errors that
  no sample of a dtype meets go to `errors=[ErrorSample(...)]`; message starts are torch's.
- `special="pointwise"` adds grids of NaN, infinities, -0.0, empty, 0-d and broadcast operands (for
  as many arrays as the first sample has); "reduce" strews them over the first array; "" adds none.
- `inplace=True` if `x.name_()` exists, `out=True` if it takes `out=`, `method=False` or
  `function=False` if it is not there as one, `view=True` if the result shares memory.
- `gradient=False` if there is none, `()` if the result is tracked but backward refuses, None if
  that is not to be tested; a tuple names the places (among the arrays) that have one.
  `smooth=False` leaves finite differences out; `nodes=False` the names of nodes, for ops made of
  others; `edges=False` gradients at special values, where ours are right and PyTorch's are not;
  `layouts=False` other layouts of memory beside PyTorch, which goes wrong on some.
  `second=False` only where torch has no second order either. `trace=False` if the shape of the
  result depends on values (then recording must refuse it). `zeros=False` where torch itself gives
  0.0 or -0.0 depending on the memory layout.
- `call=lambda lt, *args, **kwargs: ...` where it is not `lt.<name>(...)`; dots in names are fine.
- `aliases="absolute"` names the other names of the op, which must behave as it does.
- `tolerance={"float32": (1e-5, 1e-6)}` only where the default (that of torch.testing) is too strict
  for a reason; say the reason in a comment beside it. `reference` is a NumPy function, compared in
  float64 in addition to the golden values; give one where NumPy has it.

Then run `python scripts/goldens_ops.py <x>` (with PyTorch): it stores what PyTorch answers for each
sample in tests/goldens/ops/<x>.npz. The tests need only that file; a sample changed since then is
reported as stale. Run your own part with `pytest tests/test_ops.py -k gather`; beside PyTorch, on
fresh inputs, with `pytest tests/differential/test_ops.py -k gather` (LANTERN_SEED=n repeats a run).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np

FLOATS = ("float32", "float64", "float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64")
INTEGERS = ("uint8", *SIGNED)
ALL = (*FLOATS, *INTEGERS, "bool")
NUMPY = {name: np.dtype(name) for name in (*FLOATS[:3], *INTEGERS, "bool")}
NUMPY["bfloat16"] = np.dtype(ml_dtypes.bfloat16)

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-8, 1e8]


class DType(str):
    """Names a dtype among the arguments of a sample."""


class Sample:
    """The arguments of one call; arrays among them become tensors."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.args, self.kwargs = args, kwargs

    def __repr__(self) -> str:
        parts = [_show(each) for each in self.args]
        parts += [f"{name}={_show(each)}" for name, each in self.kwargs.items()]
        return f"({', '.join(parts)})"


def _show(value: Any) -> str:
    if isinstance(value, np.ndarray):
        strides = "" if value.flags.c_contiguous else f" strides {value.strides}"
        return f"{value.dtype}{list(value.shape)}{strides}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_show, value))}]"
    return repr(value)


class ErrorSample(Sample):
    """A call that must raise `kind` with a message that starts with `start`."""

    def __init__(self, kind: type, start: str, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.kind, self.start = kind, start


class Make:
    """Draws arrays for samples from one seed, in one dtype unless told otherwise."""

    def __init__(self, seed: int, dtype: str):
        self.rng = np.random.RandomState(seed)
        self.dtype = dtype
        self.floating = dtype in FLOATS

    def __call__(self, *shape: int, low: float = -3, high: float = 3) -> np.ndarray:
        return self.of(self.dtype, *shape, low=low, high=high)

    def of(self, dtype: str, *shape: int, low: float = -3, high: float = 3) -> np.ndarray:
        """Draws from another dtype."""
        kind = NUMPY[dtype]
        if dtype == "bool":
            return self.rng.randint(0, 2, shape).astype(bool)
        if dtype in FLOATS:
            return np.asarray(self.rng.uniform(low, high, shape)).astype(kind)
        low = max(low, 0) if dtype == "uint8" else low
        low = int(np.ceil(low))
        return np.asarray(self.rng.randint(low, max(int(high), low) + 1, shape)).astype(kind)

    def mask(self, *shape: int) -> np.ndarray:
        """Draws booleans."""
        return self.of("bool", *shape)

    def index(self, count: int, *, shape: tuple[int, ...], dtype: str = "int64") -> np.ndarray:
        """Draws places below `count`."""
        return np.asarray(self.rng.randint(0, max(count, 1), shape)).astype(NUMPY[dtype])

    def distinct(self, *shape: int) -> np.ndarray:
        """Draws numbers of which no two are equal, for ops that look for places."""
        count = int(np.prod(shape))
        values = self.rng.permutation(count) - count // 2
        if self.dtype == "uint8":
            values = values - values.min() if count else values
        return (values / (4 if self.floating else 1)).reshape(shape).astype(NUMPY[self.dtype])


@dataclass(frozen=True, repr=False)
class Record:
    """All that the tests need to know about one op; see the top of the file."""

    name: str
    samples: Callable[[Make], Iterable[Sample]]
    call: Callable[..., Any] | None = None
    dtypes: tuple[str, ...] = FLOATS
    special: str = ""
    gradient: bool | tuple[int, ...] | None = True
    second: bool = True
    smooth: bool = True  # finite differences say what the gradient is
    layouts: bool = True  # PyTorch gives the same for every layout of memory
    edges: bool = True  # gradients at special values are PyTorch's
    nodes: bool = True  # the node of the result is named as PyTorch's
    reference: Callable[..., Any] | None = None
    method: bool = True
    function: bool = True
    inplace: bool = False
    out: bool = False
    view: bool = False
    trace: bool = True
    zeros: bool = True  # the signs of zeros are compared (for special="pointwise")
    aliases: str = ""
    errors: tuple[ErrorSample, ...] | list[ErrorSample] = ()
    tolerance: dict[str, tuple[float, float]] = field(default_factory=dict)
    variant: str = ""  # tells apart two records of one name

    @property
    def label(self) -> str:
        return f"{self.name}-{self.variant}" if self.variant else self.name

    def run(self, lt: Any, args: tuple, kwargs: dict) -> Any:
        """Calls the op in the library `lt`."""
        if self.call is not None:
            return self.call(lt, *args, **kwargs)
        return function_of(lt, self.name)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<record {self.label}>"

    def all_samples(self, seed: int, dtype: str) -> list[Sample]:
        """Returns the record's samples with those of its kind of special values."""
        make = Make(seed, dtype)
        found = list(self.samples(make))
        if self.special == "pointwise":
            found += _pointwise_samples(found[0], make)
        elif self.special == "reduce" and dtype in FLOATS:
            found += _strewn_samples(found[0], make)
        elif self.special not in ("", "reduce"):
            raise ValueError(f"{self.name}: no kind of special values is called {self.special!r}")
        return found


def function_of(lt: Any, name: str) -> Callable[..., Any]:
    """Returns the function of a (dotted) name."""
    for part in name.split("."):
        lt = getattr(lt, part)
    return lt


def _replaced(sample: Sample, arrays: list[np.ndarray]) -> Sample:
    fresh = iter(arrays)
    args = [next(fresh) if isinstance(each, np.ndarray) else each for each in sample.args]
    return Sample(*args, **sample.kwargs)


def _pointwise_samples(sample: Sample, make: Make) -> Iterator[Sample]:
    """Empty, 0-d, broadcast and special operands in place of the arrays of a sample."""
    kinds = [str(each.dtype) for each in sample.args if isinstance(each, np.ndarray)]
    count = len(kinds)
    for shape in ((), (0,), (2, 0, 3)):
        yield _replaced(sample, [make.of(kind, *shape) for kind in kinds])
    if count > 1:
        for shapes in (((3, 1), (2,)), ((), (2, 1)), ((1, 0), (3, 1))):
            yield _replaced(sample, [make.of(k, *shapes[i % 2]) for i, k in enumerate(kinds)])
    if make.floating:
        values = SPECIAL if count < 3 else SPECIAL[:6]
        grid = np.array(list(itertools.product(values, repeat=count))).T
        with np.errstate(all="ignore"):
            yield _replaced(sample, [grid[i].astype(NUMPY[k]) for i, k in enumerate(kinds)])


def _strewn_samples(sample: Sample, make: Make) -> Iterator[Sample]:
    """The first array of a sample with special values at random places."""
    first = next(each for each in sample.args if isinstance(each, np.ndarray))
    for values in ([np.nan], [np.inf], [-np.inf], [np.inf, -np.inf], [np.nan, np.inf], [0.0, -0.0]):
        array = first.copy()
        places = make.rng.permutation(array.size)[: max(len(values), array.size // 4)]
        array.reshape(-1)[places] = np.resize(values, len(places))
        yield Sample(array, *sample.args[1:], **sample.kwargs)
    yield Sample(np.full_like(first, np.nan), *sample.args[1:], **sample.kwargs)


# --- samples that many ops share
def unary(low: float = -3, high: float = 3) -> Callable[[Make], Iterator[Sample]]:
    """One tensor."""

    def samples(make: Make) -> Iterator[Sample]:
        yield Sample(make(2, 3, low=low, high=high))
        yield Sample(make(7, low=low, high=high))

    return samples


def binary(
    low: float = -3, high: float = 3, numbers: tuple = ()
) -> Callable[[Make], Iterator[Sample]]:
    """Two tensors, and each of `numbers` as the second."""

    def samples(make: Make) -> Iterator[Sample]:
        yield Sample(make(2, 3, low=low, high=high), make(2, 3, low=low, high=high))
        yield Sample(make(2, 3, low=low, high=high), make(3, low=low, high=high))
        for number in numbers:
            yield Sample(make(2, 3, low=low, high=high), number)

    return samples


def reduction(*extra: dict, low: float = -3, high: float = 3, several: bool = True) -> Any:
    """One tensor over all dimensions, one, several, kept or not; `extra` are keyword arguments."""

    def samples(make: Make) -> Iterator[Sample]:
        for kwargs in extra or ({},):
            yield Sample(make(3, 4, low=low, high=high), **kwargs)
            yield Sample(make(3, 4, low=low, high=high), 0, **kwargs)
            yield Sample(make(2, 3, 2, low=low, high=high), dim=-2, keepdim=True, **kwargs)
            if several:
                yield Sample(make(2, 3, 2, low=low, high=high), (0, -1), **kwargs)
                yield Sample(make(2, 3, low=low, high=high), dim=(1, 0), keepdim=True, **kwargs)
            yield Sample(make(low=low, high=high), **kwargs)
            yield Sample(make(low=low, high=high), 0, **kwargs)
            yield Sample(make(0, low=low, high=high), **kwargs)
            yield Sample(make(0, 3, low=low, high=high), 0, **kwargs)
            yield Sample(make(0, 3, low=low, high=high), 1, **kwargs)
            yield Sample(make(3, low=low, high=high), 1, **kwargs)

    return samples
