"""What turns a sample into tensors of either library, and results into arrays to compare."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lantern.testing import assert_close

from .record import FLOATS, NUMPY, DType, Record, Sample

GOLDENS = Path(__file__).resolve().parents[1] / "goldens" / "ops"


def seed_of(label: str, dtype: str, run: int = 0) -> int:
    """The seed of a record's samples; `run` tells fresh draws apart."""
    return zlib.crc32(f"{label} {dtype} {run}".encode())


# --- in: arrays become tensors
def strided_copy(array: np.ndarray) -> np.ndarray:
    """A copy in memory of its own with the same strides, also where these are 0."""
    if array.size == 0 or array.flags.c_contiguous:
        return array.copy()
    item = array.itemsize
    reach = sum((n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)) // item
    memory = np.zeros(reach + 1, array.dtype)
    result = np.lib.stride_tricks.as_strided(memory, array.shape, array.strides)
    result[...] = array
    return result


def tensor(lt: Any, array: np.ndarray, grad: bool = False) -> Any:
    """A tensor of its own memory with the values and strides of `array`."""
    array = strided_copy(array)
    if lt.__name__ == "torch" and array.dtype == NUMPY["bfloat16"]:
        made = lt.from_numpy(array.view(np.int16)).view(lt.bfloat16)
    else:
        made = lt.from_numpy(array)
    return made.requires_grad_() if grad else made


def arrays_of(value: Any) -> Iterator[np.ndarray]:
    """The arrays among arguments, in order."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from arrays_of(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from arrays_of(each)


def mapped(value: Any, function: Callable[[Any], Any]) -> Any:
    """Arguments in which arrays and dtype names went through `function`."""
    if isinstance(value, (np.ndarray, DType)):
        return function(value)
    if isinstance(value, (list, tuple)):
        return type(value)(mapped(each, function) for each in value)
    if isinstance(value, dict):
        return {name: mapped(each, function) for name, each in value.items()}
    return value


def differentiable(record: Record, sample: Sample) -> list[bool]:
    """Says of each array of a sample whether the op has a gradient for it."""
    arrays = list(arrays_of((sample.args, sample.kwargs)))
    wanted = record.gradient
    return [
        str(each.dtype) in FLOATS and (wanted is True or (bool(wanted) and i in wanted))
        for i, each in enumerate(arrays)
    ]


class Call:
    """A sample made into arguments: `args`, `kwargs`, and the `tensors` among them in order."""

    def __init__(self, lt: Any, record: Record, sample: Sample, grad: bool = False):
        self.lt, self.record, self.sample = lt, record, sample
        self.tracked = differentiable(record, sample)
        self.tensors: list[Any] = []

        def make(each: Any) -> Any:
            if isinstance(each, DType):
                return getattr(lt, each)
            made = tensor(lt, each, grad and self.tracked[len(self.tensors)])
            self.tensors.append(made)
            return made

        self.args, self.kwargs = mapped((sample.args, sample.kwargs), make)
        self.inputs = [t for t, wanted in zip(self.tensors, self.tracked, strict=True) if wanted]

    def run(self) -> Any:
        with tolerant():
            return self.record.run(self.lt, self.args, self.kwargs)

    def changed(self) -> list[int]:
        """The places of arrays whose tensors no longer hold what the sample gave them."""
        arrays = arrays_of((self.sample.args, self.sample.kwargs))
        pairs = zip(self.tensors, arrays, strict=True)
        return [i for i, (t, a) in enumerate(pairs) if array_of(t).tobytes() != a.tobytes()]


@contextlib.contextmanager
def tolerant() -> Iterator[None]:
    """Lets warnings to users pass, which are no failures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def relaid(sample: Sample, how: Callable[[np.ndarray], np.ndarray]) -> Sample:
    """The sample with each array laid out in memory by `how`."""
    args, kwargs = mapped(
        (sample.args, sample.kwargs), lambda x: x if isinstance(x, DType) else how(x)
    )
    return Sample(*args, **kwargs)


def compact(array: np.ndarray) -> np.ndarray:
    """Row-major memory without gaps; unlike `ascontiguousarray` it leaves 0-d arrays 0-d."""
    return array.copy(order="C")


def sliced(array: np.ndarray) -> np.ndarray:
    """Every second element of a larger memory."""
    if not array.ndim:
        return array
    wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1] + 1), array.dtype)
    part = wide[..., 1::2]
    part[...] = array
    return part


def expanded(array: np.ndarray) -> np.ndarray:
    """The first slice of each dimension but the last, repeated with stride 0."""
    if array.ndim < 2 or not array.size:
        return array
    return np.broadcast_to(array[:1], array.shape)


def transposed(array: np.ndarray) -> np.ndarray:
    """Column-major memory."""
    return array.copy(order="F")


LAYOUTS = {"transposed": transposed, "sliced": sliced, "expanded": expanded}


# --- out: results become arrays
def leaves(result: Any) -> list[Any]:
    """The tensors and plain values of a result, in order."""
    if isinstance(result, (list, tuple)):
        return [leaf for each in result for leaf in leaves(each)]
    return [result]


def is_tensor(value: Any) -> bool:
    return hasattr(value, "requires_grad")


def array_of(value: Any) -> np.ndarray:
    """A copy of the values of a tensor of either library."""
    value = value.detach()
    if str(value.dtype) == "torch.bfloat16" and type(value).__module__.startswith("torch"):
        return value.float().numpy(force=True).astype(NUMPY["bfloat16"])
    return np.ascontiguousarray(value.numpy(force=True)).reshape(tuple(value.shape)).copy()


def floating(result: Any) -> list[Any]:
    """The tensors of a result that carry a gradient."""
    return [each for each in leaves(result) if is_tensor(each) and each.requires_grad]


@dataclass
class Raised:
    """What a call raised."""

    kind: str
    message: str

    @classmethod
    def of(cls, error: BaseException) -> Raised:
        kinds = [each.__name__ for each in type(error).__mro__ if each.__module__ == "builtins"]
        lines = str(error).splitlines()
        return cls(kinds[0], lines[0][:300] if lines else "")

    def starts(self, other: Raised) -> bool:
        """Says whether this message begins as the other's does, as far as that is fixed."""
        return self.message.startswith(other.message.split("invalid combination of")[0])


def attempt(function: Callable[[], Any]) -> Any:
    """The result of a call, or what it raised."""
    try:
        with tolerant():
            return function()
    except Exception as error:  # the kind of error is what is being compared
        return Raised.of(error)


# --- goldens
def digest(sample: Sample) -> str:
    """Identifies the values of a sample, so that a golden of another one is noticed."""
    content = hashlib.sha1(repr(sample).encode())
    for each in arrays_of((sample.args, sample.kwargs)):
        content.update(each.tobytes())
    return content.hexdigest()[:12]


class GoldenWriter:
    """Collects results as one block of bytes and an index."""

    def __init__(self) -> None:
        self.index: dict[str, dict[str, list]] = {}
        self.blocks: list[bytes] = []
        self.length = 0

    def add(self, label: str, dtype: str, sample: Sample, result: Any) -> None:
        entries = self.index.setdefault(label, {}).setdefault(dtype, [])
        if isinstance(result, Raised):
            entries.append([digest(sample), "raises", result.kind, result.message])
        else:
            entries.append([digest(sample), *map(self._leaf, leaves(result))])

    def _leaf(self, leaf: Any) -> Any:
        if not is_tensor(leaf):
            return {"value": leaf}
        content = array_of(leaf).tobytes()
        start, self.length = self.length, self.length + len(content)
        self.blocks.append(content)
        node = leaf.grad_fn.name() if leaf.grad_fn is not None else None
        return [str(leaf.dtype), list(leaf.shape), start, list(leaf.stride()), node]

    def save(self, file: Path) -> None:
        index = json.dumps(self.index, separators=(",", ":")).encode()
        beside = file.with_suffix(".part.npz")
        np.savez_compressed(
            beside,
            index=np.frombuffer(index, np.uint8),
            data=np.frombuffer(b"".join(self.blocks), np.uint8),
        )
        beside.replace(file)


@dataclass
class Leaf:
    """A tensor that PyTorch gave."""

    array: np.ndarray
    dtype: str
    strides: tuple[int, ...]
    node: str | None


class Goldens:
    """What PyTorch answered for the samples of one file of records."""

    def __init__(self, file: str):
        path = GOLDENS / f"{file}.npz"
        if not path.exists():
            raise AssertionError(f"no goldens: run `python scripts/goldens_ops.py {file}`")
        with np.load(path) as stored:
            self.index = json.loads(stored["index"].tobytes())
            self.data = stored["data"].tobytes()

    def get(self, label: str, dtype: str, place: int, sample: Sample) -> Any:
        """The stored outcome: `Raised`, or a list of `Leaf` and plain values."""
        entries = self.index.get(label, {}).get(dtype, [])
        if place >= len(entries) or entries[place][0] != digest(sample):
            raise AssertionError(
                f"the golden of {label} {dtype} {sample} is stale: run scripts/goldens_ops.py"
            )
        _, *stored = entries[place]
        if stored[:1] == ["raises"]:
            return Raised(*stored[1:])
        return [self._leaf(each) for each in stored]

    def _leaf(self, stored: Any) -> Any:
        if isinstance(stored, dict):
            return stored["value"]
        dtype, shape, start, strides, node = stored
        kind = NUMPY.get(dtype.removeprefix("torch."), None)
        kind = np.dtype(dtype.removeprefix("torch.")) if kind is None else kind
        array = np.frombuffer(self.data, kind, math.prod(shape), start).reshape(shape).copy()
        return Leaf(array, dtype, tuple(strides), node)


_loaded: dict[str, Goldens] = {}


def goldens(file: str) -> Goldens:
    """The goldens of one file, read once."""
    if file not in _loaded:
        _loaded[file] = Goldens(file)
    return _loaded[file]


# --- comparing
def assert_same(actual: Any, expected: Any, record: Record, dtype: str, what: str) -> None:
    """Asserts that a result, or what was raised, is the one expected (`Raised` or leaves)."""
    if isinstance(expected, Raised) or isinstance(actual, Raised):
        assert isinstance(expected, Raised), f"{what}: raised {actual}"
        assert isinstance(actual, Raised), f"{what}: did not raise {expected}"
        assert actual.kind == expected.kind and actual.starts(expected), (
            f"{what}: raised {actual}, not {expected}"
        )
        return
    found = leaves(actual)
    assert len(found) == len(expected), f"{what}: {len(found)} results, not {len(expected)}"
    for have, want in zip(found, expected, strict=True):
        assert_leaf(have, want, record, dtype, what)


def assert_leaf(have: Any, want: Any, record: Record, dtype: str, what: str) -> None:
    """Asserts that one value of a result is the one expected."""
    if not isinstance(want, Leaf):
        assert type(have) is type(want) and (have == want or have != have), (
            f"{what}: {have}, not {want}"
        )
        return
    assert str(have.dtype) == want.dtype, f"{what}: {have.dtype}, not {want.dtype}"
    if record.view and want.array.size:  # what has no elements has no places either
        assert have.stride() == want.strides, f"{what}: strides {have.stride()}, not {want.strides}"
    assert_values(array_of(have), want.array, record, dtype, what)


def assert_values(
    have: np.ndarray, want: np.ndarray, record: Record, dtype: str, what: str
) -> None:
    """Asserts that arrays are close, by the tolerance of the record; zeros keep their sign."""
    rtol, atol = record.tolerance.get(dtype, (None, None))
    assert_close(have, want, rtol=rtol, atol=atol, equal_nan=True, msg=lambda m: f"{what}: {m}")
    if record.special == "pointwise" and record.zeros and str(want.dtype) in FLOATS:
        have, want = have.astype(np.float64), want.astype(np.float64)
        zeros = (have == 0) & (want == 0)
        wrong = zeros & (np.signbit(have) != np.signbit(want))
        assert not wrong.any(), (
            f"{what}: the sign of zero differs at {np.argwhere(wrong)[:3].tolist()}"
        )


def leaf_of(value: Any) -> Any:
    """A result of the other library as what a golden would hold."""
    if not is_tensor(value):
        return value
    node = value.grad_fn.name() if value.grad_fn is not None else None
    return Leaf(array_of(value), str(value.dtype), tuple(value.stride()), node)


# --- gradients
def weighed(outs: list[Any], weights: list[Any]) -> Any:
    """The sum of all elements, each times its weight."""
    total = None
    for out, weight in zip(outs, weights, strict=True):
        part = (out * weight).sum()
        total = part if total is None else total + part
    return total


def weights_for(lt: Any, outs: list[Any], seed: int = 0) -> list[Any]:
    """Random tensors in the shapes and dtypes of `outs`."""
    rng = np.random.RandomState(seed)
    kinds = [NUMPY[str(out.dtype).removeprefix("torch.")] for out in outs]
    values = [rng.uniform(0.5, 2, tuple(out.shape)) for out in outs]
    return [tensor(lt, np.asarray(v).astype(k)) for v, k in zip(values, kinds, strict=True)]


def gradients(call: Call, outs: list[Any], weights: list[Any], create_graph: bool = False) -> list:
    """The gradients of the weighed sum by the inputs; None where one takes no part."""
    return list(
        call.lt.autograd.grad(
            weighed(outs, weights), call.inputs, create_graph=create_graph, allow_unused=True
        )
    )
