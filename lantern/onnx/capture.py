"""Records a model at one or several lengths of its open axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import lantern

from ..autograd.mode import no_grad
from ..compiler.ir import Value
from ..compiler.trace import SlotInput, Trace, TraceError, recording
from ..dtypes import dtype
from ..op import Op
from ..tensor import Tensor, wrap
from ..trees import leaves, mapped
from .errors import OnnxExporterError
from .sizes import Open


class Call(NamedTuple):
    """A call of an op: its name, its operands as they were computed with, its results."""

    name: str
    args: tuple
    results: tuple[Value, ...]


class Recording(Trace):
    """One run of the model: the primitives it came to, and the ops that they came from."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def called(self, op: Op, values: list, out: Any) -> None:
        """Notes which op the newest values came from."""
        results = out if type(out) is tuple else (out,)
        if all(isinstance(each, Value) for each in results):
            self.calls.append(Call(op.name, tuple(values), results))

    def run(self, function: Callable[..., Any], args: tuple, kwargs: dict) -> None:
        """Records `function`; keeps the values of its arguments and of its results."""
        tensors = tensors_in((args, kwargs))
        stand_ins = {id(each): self._stand_in(each, i) for i, each in enumerate(tensors)}
        self.arguments = [stand_ins[id(each)]._array for each in tensors]
        args, kwargs = _replaced((args, kwargs), stand_ins)
        own = {each._storage for each in stand_ins.values()}
        with no_grad(), recording(self):
            self.result = function(*args, **kwargs)
            self.outputs = [each for each in leaves(self.result) if isinstance(each, Tensor)]
            self.values_of_outputs = [self.read(each) for each in self.outputs]
        self.captured = {
            value: storage for storage, value in self.storages.items() if storage not in own
        }
        self.changed = [s for s in self.written if s in self.storages and s not in own]

    def _stand_in(self, tensor: Tensor, place: int) -> Tensor:
        stand_in = wrap(tensor._array)
        stand_in._array = self.bind(stand_in._storage, SlotInput(place))
        return stand_in


class Captured:
    """A model as recorded: `base` is the first recording, `merged` joins numbers of all."""

    def __init__(self, recordings: list[Recording], axes: Open):
        self.recordings = recordings
        self.base = recordings[0]
        self.open = axes
        for other in recordings[1:]:
            self._compare(other)
        self.calls = [
            Call(call.name, args, call.results)
            for call, args in zip(self.base.calls, self._merged_calls(), strict=True)
        ]

    def _compare(self, other: Recording) -> None:
        mine, theirs = self.base.graph.values, other.graph.values
        for one, two in zip(mine, theirs, strict=False):
            if one.name != two.name or one.dtype is not two.dtype:
                self._refuse(one.place or two.place)
        if len(mine) != len(theirs) or len(self.base.calls) != len(other.calls):
            shorter, longer = sorted((mine, theirs), key=len)
            self._refuse(longer[min(len(shorter), len(longer) - 1)].place)

    def _refuse(self, place: str) -> None:
        raise OnnxExporterError(
            f"the model computes other things at other lengths of {', '.join(self.open.names)} "
            f"(from {place or 'its beginning'} on): a loop or a choice in Python depends on them. "
            "Leave these axes out of dynamic_axes; their length is then that of the example."
        )

    def _merged_calls(self) -> list[tuple]:
        each = zip(*(recording.calls for recording in self.recordings), strict=True)
        return [self.merged([call.args for call in calls], calls[0].name) for calls in each]

    def variants(self, value: Value) -> list[Value]:
        """Returns a value as it is in each recording."""
        return [each.graph.values[value.number] for each in self.recordings]

    def shape(self, value: Value) -> tuple:
        """Returns the shape, with a Size for each length that is open."""
        return self.merged([each.shape for each in self.variants(value)], value.name)

    def arguments(self, value: Value) -> tuple:
        """Returns the arguments of the primitive that a value is the result of."""
        return self.merged([each.args for each in self.variants(value)], value.name)

    def merged(self, variants: list, name: str = "") -> Any:
        """Returns what several recordings have in one place, numbers as `Open.fit` joins them."""
        first = variants[0]
        if isinstance(first, Value):
            return first
        if type(first) in (int, float):
            try:
                return self.open.fit(variants)
            except ValueError as error:
                raise OnnxExporterError(
                    f"a number in '{name}' does not follow the open lengths: {error}. Leave one "
                    "of these axes out of dynamic_axes."
                ) from None
        if isinstance(first, (tuple, list)):
            if any(len(each) != len(first) for each in variants):
                self._refuse(name)
            made = [self.merged(list(each), name) for each in zip(*variants, strict=True)]
            return tuple(made)
        if isinstance(first, slice):
            parts = [(each.start, each.stop, each.step) for each in variants]
            return slice(*self.merged(parts, name))
        if first is None or isinstance(first, (bool, str, dtype)):
            if any(each != first for each in variants):
                self._refuse(name)
            return first
        if hasattr(first, "__dict__") and type(first).__module__.startswith("lantern.ops."):
            joined = object.__new__(type(first))  # such as the settings of a pooling
            for key in vars(first):
                joined.__dict__[key] = self.merged([vars(each)[key] for each in variants], name)
            return joined
        return first


def capture(
    function: Callable[..., Any],
    args: tuple,
    kwargs: dict,
    axes: dict[tuple[int, int], str],
) -> Captured:
    """Records a model; `axes` names the open axes by the place of a tensor and its dimension."""
    tensors = tensors_in((args, kwargs))
    lengths: dict[str, int] = {}
    for (place, dim), name in axes.items():
        length = max(tensors[place].shape[dim], 2)
        lengths[name] = max(lengths.get(name, 2), length)
    made = Open(list(lengths), list(lengths.values()))
    recordings = []
    for point in made.points:
        sizes = dict(zip(lengths, point, strict=True))
        sized = {id(t): _sized(t, i, axes, sizes) for i, t in enumerate(tensors)}
        recording = Recording()
        try:
            recording.run(function, *_replaced((args, kwargs), sized))
        except TraceError:
            raise
        except Exception as error:
            if not sizes:
                raise
            raise OnnxExporterError(
                f"the model does not run at the lengths {sizes} of its open axes ({error}). Leave "
                "those that cannot change out of dynamic_axes."
            ) from error
        recordings.append(recording)
    return Captured(recordings, made)


def _sized(tensor: Tensor, place: int, axes: dict, sizes: dict[str, int]) -> Tensor:
    shape = [
        sizes[axes[place, dim]] if (place, dim) in axes else length
        for dim, length in enumerate(tensor.shape)
    ]
    if shape == list(tensor.shape):
        return tensor
    made: Any = lantern.zeros(shape, dtype=tensor.dtype)
    return made


def tensors_in(tree: Any) -> list[Tensor]:
    """Returns the tensors in tuples, lists and dicts, in order, each once."""
    return list({id(each): each for each in leaves(tree) if isinstance(each, Tensor)}.values())


def _replaced(tree: Any, by: dict[int, Tensor]) -> Any:
    return mapped(tree, lambda leaf: by[id(leaf)] if isinstance(leaf, Tensor) else leaf)
