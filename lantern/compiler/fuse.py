"""Groups the primitives of a graph into kernels: what is computed in one pass over memory.

Movements become ways to look at memory (an offset and strides) and cost nothing. Pointwise
primitives join the kernel that makes one of their operands: a loop, or a matrix product whose
results they finish while these are in the cache. A reduction joins the loop that makes its operand.
What has no native form becomes a call of the NumPy backend between native kernels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from math import prod
from typing import Any

from .. import dtypes
from ..backends.vocabulary import REDUCE, VOCABULARY
from ..shape import contiguous_strides
from . import scalar
from .forms import (
    BATCH,
    CHEAP,
    batch_innermost,
    convolves,
    immediate,
    is_narrow,
    is_native_pointwise,
    pick_of,
    picks,
    reduced_dims,
    reducible,
)
from .ir import INPUT, Graph, Value
from .looks import Look, aligned_strides, indexed, is_static, moved, windows_of
from .plan import Kernel, Picked, Plan, Unsupported

MOVES = frozenset("reshape permute expand flip diagonal getitem windows".split())
CONVOLUTIONS = frozenset("conv conv_input conv_weight".split())


def fuse(graph: Graph, alone: bool = False) -> Plan:
    """Returns the kernels that compute the outputs of a simplified graph.

    `alone` says that it is a single primitive, between others that want rows in their usual order.
    """
    return _Fuser(graph, alone).run()


class _Fuser:
    def __init__(self, graph: Graph, alone: bool):
        self.graph, self.alone = graph, alone
        self.kernels: list[Kernel] = []
        self.looks: dict[Value, Look] = {}
        self.home: dict[Value, Kernel] = {}
        self.ready: dict[Value, int] = {}  # the last kernel that writes a leaf
        self.loaders: dict[Value, list[Kernel]] = {}  # loops that read a value element by element
        self.stored: set[Value] = set()
        self.constants: list[Value] = []
        self.outputs: dict[Value, Look] = {}
        self.uses = Counter(x for each in graph.values for x in dict.fromkeys(each.operands()))
        self.waiting: dict[Value, None] = {}  # cheap values that each user computes for itself
        self.packed: dict[Any, Value] = {}
        self.along_batch: set[Value] = set()  # leaves whose first dimension lies innermost
        self.in_range: set[tuple[Value, int]] = set()  # indices checked, and against what

    def run(self) -> Plan:
        for value in scalars_first(self.graph):
            self._place(value)
        for each in dict.fromkeys(self.graph.outputs):
            self._output(each)
        for kernel in self.kernels:
            made = [*kernel.values, *kernel.reductions]
            kept = [v for v in made if v in self.stored and self.home.get(v) is kernel]
            kernel.stores[:0] = [(each, self.looks[each]) for each in kept]
        parts = self.graph, self.kernels, self.looks, self.outputs, self.constants
        return Plan(*parts, self.stored)

    def _new(self, kind: str, space: tuple[int, ...]) -> Kernel:
        kernel = Kernel(kind, tuple(space), len(self.kernels))
        kernel.moment = kernel.index
        self.kernels.append(kernel)
        return kernel

    def _leaf(self, value: Value) -> Look:
        look = self.looks[value] = Look(value, 0, contiguous_strides(value.shape))
        return look

    # --- one value
    def _place(self, value: Value) -> None:
        name = value.name
        if name == INPUT:
            self._leaf(value)
            self.ready[value] = -1
        elif name == "arange":
            self._leaf(value)
            self.ready[value] = -1
            self.constants.append(value)
        elif immediate(value) is not None:
            self._leaf(value)  # filled in where somebody needs it in memory
        elif name in MOVES and self._look(value):
            pass
        elif name == "reshape":
            self._copied(value)
        elif is_native_pointwise(value):
            self._pointwise(value)
        elif VOCABULARY[name].kind == REDUCE and reducible(value):
            self._reduction(value)
        elif name == "matmul" and value.dtype in (dtypes.float32, dtypes.float64):
            self._matmul(value)
        elif name in CONVOLUTIONS and convolves(value):
            self._convolution(value)
        elif name == "put" and is_static(value.args[1]) and isinstance(value.args[2], Value):
            self._put(value)
        elif name == "cat":
            self._cat(value)
        elif name == "windows_add" and value.dtype in scalar.COMPUTED and value.dtype.kind != "b":
            self._windows_add(value)
        elif name in ("gather", "getitem", "pick") and picks(value):
            self._gather(value)
        elif name in ("scatter", "scatter_add", "put_add") and picks(value):
            self._scatter(value)
        elif name == "as_strided":
            raise Unsupported("as_strided depends on where NumPy puts its results")
        else:
            self._call(value)

    def _look(self, value: Value) -> bool:
        x = value.args[0]
        look = moved(self.looks[x], x.shape, value)
        if look is not None:
            self.looks[value] = look
        return look is not None

    def _need(self, value: Value) -> int:
        """Notes that a value is read from memory; returns the first kernel that may do so."""
        leaf = self.looks[value].leaf
        if leaf in self.waiting:
            self._settle(leaf)
        if leaf.name == "full" and leaf not in self.ready:
            kernel = self._new("loop", leaf.shape)
            kernel.stores.append((leaf, self.looks[leaf]))
            self.ready[leaf] = kernel.index
        self.stored.add(leaf)
        return self.ready[leaf] + 1

    def _operands(self, value: Value) -> list[Value]:
        """Returns the operands that are no constants."""
        return self._operands_of(*value.operands())

    def _operands_of(self, *values: Value) -> list[Value]:
        return [each for each in values if immediate(self.looks[each].leaf) is None]

    def _pointwise(self, value: Value) -> None:
        operands, inside = self._expanded(self._operands(value), value.shape)
        kernel = self._choose(value.shape, operands, None)
        there = all(self.looks[each].leaf in self.stored for each in operands)
        if (kernel is None or there) and self._is_better_made_again(value, operands, inside):
            self.waiting[value] = None  # to store it would take longer than to compute it again
            self._lay(value)  # at once: views and outputs go by it, whoever stores it later
            return
        if kernel is None:
            kernel = self._new("loop", value.shape)
        self._join(kernel, operands, [*inside, value])
        self._made(kernel, value)

    def _is_better_made_again(
        self, value: Value, operands: list[Value], inside: list[Value]
    ) -> bool:
        """Says whether each user should compute a value: it is cheap, and they read no more so."""
        if not value.shape or value.name not in CHEAP or len(inside) >= 8:
            return False
        whole = {self.looks[each].leaf for each in operands if each.shape == value.shape}
        return len(whole) <= 2 or self.uses[value] < 2

    def _made(self, kernel: Kernel, value: Value) -> None:
        self._lay(value)
        self._computed(kernel, value)

    def _computed(self, kernel: Kernel, value: Value) -> None:
        self.home[value] = kernel
        self.ready[value] = kernel.index

    def _lay(self, value: Value) -> None:
        """Lays a computed value as its operands lie, which must not change from then on."""
        self._leaf(value)
        if is_narrow(value) and any(self._is_narrow(x) for x in value.operands()):
            self.looks[value] = Look(value, 0, (1, value.shape[0]))
        else:
            self._follow_batch(value, value.operands())

    def _follow_batch(self, value: Value, operands: Iterable[Value]) -> bool:
        """Lays a value as its operands lie, if the batch lies innermost there; says whether so."""
        if value.ndim < 2 or value.shape[0] < BATCH:
            return False
        follows = any(self._runs_along_batch(x, value.shape[0]) for x in operands)
        if follows:
            self._lay_along_batch(value)
        return follows

    def _runs_along_batch(self, value: Value, batch: int) -> bool:
        """Says whether a value's first dimension, of size `batch`, lies innermost."""
        look = self.looks[value]
        known = look.leaf in self.along_batch and value.shape[:1] == (batch,)
        return known and look.strides[0] == 1 and value.ndim > 1

    def _lay_along_batch(self, value: Value) -> None:
        self.along_batch.add(value)
        self.looks[value] = Look(value, 0, batch_innermost(value.shape))

    def _is_narrow(self, value: Value) -> bool:
        """Says whether a value lies column by column."""
        return is_narrow(value) and self.looks[value].strides == (1, value.shape[0])

    def _expanded(
        self, operands: list[Value], space: tuple[int, ...]
    ) -> tuple[list[Value], list[Value]]:
        """Returns what to read for operands, and the waiting values to compute from that."""
        read: dict[Value, None] = {}
        inside: dict[Value, None] = {}
        for each in operands:
            if each in self.waiting and each.shape == space:
                more, chain = self._expanded(self._operands(each), space)
                read |= dict.fromkeys(more)
                inside |= dict.fromkeys([*chain, each])
            else:
                if self.looks[each].leaf in self.waiting:
                    self._settle(self.looks[each].leaf)
                read[each] = None
        return list(read), list(inside)

    def _settle(self, value: Value) -> None:
        """Gives a waiting value a place in memory, and if none computes it yet, a kernel."""
        del self.waiting[value]
        for kernel in self.kernels:
            if value in kernel.values and kernel.space == value.shape and kernel.is_open:
                self._computed(kernel, value)
                return
        operands, inside = self._expanded(self._operands(value), value.shape)
        kernel = self._new("loop", value.shape)
        self._join(kernel, operands, [*inside, value])
        self._computed(kernel, value)

    def _choose(
        self, space: tuple[int, ...], operands: list[Value], dims: tuple[int, ...] | None
    ) -> Kernel | None:
        """Returns the kernel that a value over `space` can join."""
        first = 0
        candidates: dict[Kernel, None] = {}
        for each in operands:
            kernel = self.home.get(each)
            if kernel is not None and each not in kernel.reductions and kernel.space == space:
                first = max(first, kernel.index)
                candidates[kernel] = None
            else:
                first = max(first, self.ready.get(self.looks[each].leaf, len(self.kernels)) + 1)
            if each.shape == space:
                candidates |= dict.fromkeys(self.loaders.get(each, ()))
        if not space:
            candidates |= dict.fromkeys(each for each in self.kernels if each.space == ())
        fitting = [each for each in candidates if each.index >= first and accepts(each, dims)]
        return max(fitting, key=lambda each: each.index, default=None)

    def _join(self, kernel: Kernel, operands: list[Value], values: list[Value]) -> None:
        for each in operands:
            if self.home.get(each) is kernel and each not in kernel.reductions:
                continue
            self._need(each)
            if each.shape == kernel.space:
                self.loaders.setdefault(each, []).append(kernel)
        kernel.values += [each for each in values if each not in kernel.values]

    def _reduction(self, value: Value) -> None:
        x = value.args[0]
        dims = reduced_dims(value)
        if immediate(self.looks[x].leaf) is not None:
            self._need(x)
        operands, inside = self._expanded([x], x.shape)
        kernel = self._choose(x.shape, operands, dims)
        if kernel is None:
            kernel = self._new("loop", x.shape)
        self._join(kernel, operands, inside)
        kernel.dims = dims
        kernel.reductions.append(value)
        self._made(kernel, value)

    def _matmul(self, value: Value) -> None:
        for each in value.operands():
            self._need(each)
        x, y = value.args
        narrow = is_narrow(value) and y.ndim == 2
        if narrow and self.looks[x].leaf.name == INPUT and is_narrow(x):
            self._pack(x)
        x, y = factors = [self.packed.get(self.looks[each], each) for each in (x, y)]
        if not narrow and self._turns(x, y):
            y = factors[1] = self._copy(y, contiguous_strides(y.shape))
        kernel = self._new("matmul", value.shape)
        kernel.product, kernel.factors = value, factors
        self._made(kernel, value)
        if narrow and self._is_narrow(x):
            self.looks[value] = Look(value, 0, (1, value.shape[0]))

    def _turns(self, x: Value, y: Value) -> bool:
        """Says whether it pays to turn the second factor so that its rows are contiguous.

        Otherwise both factors are contiguous along the summed dimension, and each element of the
        result ends with a sum over lanes.
        """
        (rows, inner), columns = x.shape[-2:], y.shape[-1]
        if self.looks[x].strides[-1] != 1 or self.looks[y].strides[-1] == 1:
            return False
        along = self.looks[y].strides[-2] == 1
        return along and columns >= BATCH and rows >= 48 and BATCH <= inner <= 4 * rows

    def _copy(self, x: Value, strides: tuple[int, ...]) -> Value:
        """Returns a copy that lies otherwise; of equal ones there is one."""
        key = (self.looks[x], x.shape, strides)
        if key not in self.packed:
            copy = Value(self.graph, -1, "clone", (x,), x.shape, x.dtype)
            self.looks[copy] = Look(copy, 0, strides)
            self._store(x, self.looks[copy])
            self.packed[key] = copy
        return self.packed[key]

    def _convolution(self, value: Value) -> None:
        factors = list(value.args[:2])
        for each in factors:
            self._need(each)
        images = factors if value.name == "conv_weight" else factors[:1]
        row = (images[0] if value.name == "conv_weight" else value).shape[-1]
        filled = row / (-(-row // BATCH) * BATCH)  # of vectors along rows
        along_batch = images[0].shape[0] >= BATCH and not (self.alone and filled > 0.6)
        for i, each in enumerate(images):
            factors[i] = self._images(each, along_batch)
        kernel = self._new("conv", value.shape)
        kernel.product, kernel.factors, kernel.along_batch = value, factors, along_batch
        self.home[value] = kernel
        self.ready[value] = kernel.index
        self._leaf(value)
        if along_batch and value.name != "conv_weight":
            self._lay_along_batch(value)

    def _images(self, x: Value, along_batch: bool) -> Value:
        """Returns images as convolutions want them: the batch or the last dimension innermost."""
        look = self.looks[x]
        if look.strides[0 if along_batch else -1] == 1:
            return x
        if not along_batch and x.shape[-1] == 1:
            return x
        copy = self._copy(
            x, batch_innermost(x.shape) if along_batch else contiguous_strides(x.shape)
        )
        if along_batch:
            self.along_batch.add(copy)
        return copy

    def _pack(self, x: Value) -> None:
        """Has a narrow input copied to where it lies column by column."""
        if self.looks[x] not in self.packed:
            copy = Value(self.graph, -1, "clone", (x,), x.shape, x.dtype)
            self.looks[copy] = Look(copy, 0, (1, x.shape[0]))
            self._store(x, self.looks[copy])
            self.packed[self.looks[x]] = copy

    # --- values that are put together by stores
    def _copied(self, value: Value) -> None:
        x = value.args[0]
        self._leaf(value)
        self._store(x, Look(value, 0, contiguous_strides(x.shape)))

    def _store(self, source: Value, target: Look, space: tuple[int, ...] | None = None) -> None:
        space = source.shape if space is None else space
        read, inside = self._operands_of(source), []
        if source in self.waiting and source.shape == space:  # computed where it is stored
            read, inside = self._expanded([source], space)
        else:
            for each in read:
                self._need(each)
        kernel = self._new("loop", space)
        if inside:
            self._join(kernel, read, inside)
        kernel.stores.append((source, target))
        self.ready[target.leaf] = kernel.index

    def _put(self, value: Value) -> None:
        x, index, part = value.args
        self._leaf(value)
        self._follow_batch(value, (x, part))
        whole = self.looks[value]
        self._store(x, whole)
        target = indexed(whole, x.shape, index)
        shape = VOCABULARY["getitem"].rule(x, index)[0]
        self._store(part, target, shape)

    def _cat(self, value: Value) -> None:
        tensors, dim = value.args
        self._leaf(value)
        self._follow_batch(value, tensors)
        strides = self.looks[value].strides
        start = 0
        for each in tensors:
            self._store(each, Look(value, start * strides[dim], strides))
            start += each.shape[dim]

    def _windows_add(self, value: Value) -> None:
        """Plans windows that are stored, or added, where they were taken from."""
        windows, shape, size, stride, dilation = value.args
        self._leaf(value)
        self._follow_batch(value, (windows,))
        apart = all(s > d * (k - 1) for k, s, d in zip(size, stride, dilation, strict=True))
        if not apart or windows.size != value.size:
            self._fill_zeros(value)
        target = windows_of(self.looks[value], size, stride, dilation)
        self._store(windows, target)
        self.kernels[-1].adds = not apart

    def _fill_zeros(self, value: Value) -> None:
        zeros = Value(
            self.graph, -1, "full", (value.shape, 0, value.dtype), value.shape, value.dtype
        )
        self._leaf(zeros)
        self._store(zeros, self.looks[value])

    # --- by index
    def _gather(self, value: Value) -> None:
        base, index, dim = pick_of(value)
        for each in (base, index):
            self._need(each)
        kernel = self._new("loop", value.shape)
        kernel.values.append(value)
        kernel.picked[value] = self._picked(value, base, index, dim, value.shape)
        self._made(kernel, value)

    def _picked(
        self, value: Value, base: Value, index: Value, dim: int, space: tuple[int, ...]
    ) -> Picked:
        look, seen = self.looks[base], self.looks[index]
        stride, size = look.strides[dim], base.shape[dim]
        if value.name in ("gather", "scatter", "scatter_add"):
            along = tuple(0 if d == dim else s for d, s in enumerate(look.strides))
            places = aligned_strides(seen, index.shape, space)
        else:
            after = len(space) - dim - index.ndim
            along = (*look.strides[:dim], *(0,) * index.ndim, *look.strides[dim + 1 :])
            places = (*(0,) * dim, *aligned_strides(seen, index.shape, index.shape), *(0,) * after)
        wraps, known = value.name != "pick", (index, size) in self.in_range
        self.in_range.add((index, size))
        return Picked(base, index, dim, places, along, stride, size, wraps=wraps, known=known)

    def _scatter(self, value: Value) -> None:
        x, source = value.args[0], value.args[-1]
        _, index, dim = pick_of(value)
        self._leaf(value)
        self._follow_batch(value, (x, source))
        self._store(x, self.looks[value])
        self._need(index)
        if value.name == "put_add":
            space = (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :])
        else:
            space = index.shape
        found = self._picked(value, value, index, dim, space)
        picked = replace(found, adds=value.name != "scatter")
        if value.name != "put_add" and source.shape != space:
            part = Value(self.graph, -1, "getitem", (source,), space, source.dtype)
            self._need(source)
            self.looks[part] = self.looks[source]
            source = part
        self._store(source, Look(value, 0, picked.base_strides), space)
        self.kernels[-1].scatter = picked

    def _call(self, value: Value) -> None:
        for each in value.operands():
            self._need(each)
        kernel = self._new("call", value.shape)
        kernel.call = value
        self.ready[value] = kernel.index
        self._leaf(value)

    def _output(self, value: Value) -> None:
        look = self.outputs[value] = self.looks[value]
        plain = Look(look.leaf, 0, contiguous_strides(value.shape))
        if (
            look.leaf.name != INPUT
            and look.leaf not in self.constants
            and look == plain
            and prod(look.leaf.shape) == prod(value.shape)
        ):
            self._need(value)
            return
        copy = Value(self.graph, -1, "reshape", (value, value.shape), value.shape, value.dtype)
        self._leaf(copy)
        self._store(value, self.looks[copy])
        self.stored.add(copy)
        self.outputs[value] = self.looks[copy]


def scalars_first(graph: Graph) -> list[Value]:
    """Returns the values in an order that has those first that only need numbers from outside.

    An optimizer's step sizes are there, then, when the gradients are computed.
    """
    early = {each for each in graph.values if each.name == INPUT or immediate(each) is not None}
    for each in graph.values:
        if not each.shape and each not in early and is_native_pointwise(each):
            if early.issuperset(each.operands()):
                early.add(each)
    return sorted(graph.values, key=lambda each: each not in early)


def accepts(kernel: Kernel, dims: tuple[int, ...] | None) -> bool:
    """Says whether a kernel can take another value: pointwise, or a reduction over `dims`."""
    if not kernel.is_open:
        return False
    if dims is None:
        return kernel.kind in ("loop", "matmul", "conv")
    return kernel.kind == "loop" and kernel.dims in (None, dims)
