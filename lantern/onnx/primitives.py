"""Reductions, movement, products, new tensors and order, as ONNX nodes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import lantern

from ..compiler.ir import Value
from ..dtypes import dtype
from .sizes import Size
from .table import TABLE, truth, variants_now, writes
from .writer import START, Writer


# --- reductions
def _reduction(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        return _reduced(w, kind, w(x), dim, keepdim, x.ndim)

    return write


def _reduced(w: Writer, kind: str, name: str, dim: Any, keepdim: bool, ndim: int) -> str:
    dims = range(ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    if not list(dims) or not ndim:
        return w.node("Identity", name)
    return w.node(kind, name, w.integers(list(dims)), keepdims=int(keepdim))


TABLE |= {"sum": _reduction("ReduceSum"), "prod": _reduction("ReduceProd")}


def _extreme(kind: str) -> Callable[..., str]:
    numbers, truths = _reduction(kind), _reduction_of_truths(kind)

    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        return (truths if x.dtype.kind == "b" else numbers)(w, x, dim, keepdim)

    return write


def _reduction_of_truths(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        numbers = w.cast(truth(w, x, x.dtype), lantern.int32)
        found = _reduced(w, kind, numbers, dim, keepdim, x.ndim)
        return w.cast(found, lantern.bool)

    return write


TABLE |= {"amax": _extreme("ReduceMax"), "amin": _extreme("ReduceMin")}
TABLE["any"], TABLE["all"] = _reduction_of_truths("ReduceMax"), _reduction_of_truths("ReduceMin")


def _place(kind: str) -> Callable[..., str]:
    def write(w: Writer, x: Value, dim: Any = None, keepdim: bool = False) -> str:
        if dim is None or not x.ndim:
            flat = w.node(kind, w.reshape(w(x), [-1]), axis=0, keepdims=0)
            return w.reshape(flat, [1] * x.ndim) if keepdim else flat
        return w.node(kind, w(x), axis=dim, keepdims=int(keepdim))

    return write


TABLE["argmax"], TABLE["argmin"] = _place("ArgMax"), _place("ArgMin")


@writes("cumsum")
def _cumsum(w: Writer, x: Value, dim: int) -> str:
    return w.node("CumSum", w(x), w.constant(dim, lantern.int64)) if x.ndim else w(x)


# --- movement
@writes("reshape")
def _reshape(w: Writer, x: Value, shape: Any) -> str:
    return w.reshape(w(x), w.captured.merged([v.shape for v in variants_now(w)]))


@writes("permute")
def _permute(w: Writer, x: Value, dims: Any) -> str:
    return w.node("Transpose", w(x), perm=list(dims)) if x.ndim else w.node("Identity", w(x))


@writes("expand")
def _expand(w: Writer, x: Value, shape: Any) -> str:
    return w.expand(w(x), shape)


@writes("flip")
def _flip(w: Writer, x: Value, dims: Any) -> str:
    name = w(x)
    for dim in dims:
        name = w.slice(name, dim, -1, START, -1)
    return name if dims else w.node("Identity", name)


@writes("cat")
def _cat(w: Writer, tensors: Any, dim: int) -> str:
    return w.node("Concat", *(w(each) for each in tensors), axis=dim)


@writes("diagonal")
def _diagonal(w: Writer, x: Value, offset: int, dim1: int, dim2: int) -> str:
    shape = w.shape(x)
    rows, columns = (w.static(shape[d], "matrix size") for d in (dim1, dim2))
    rest = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    turned = w.transpose(w(x), [*rest, dim1, dim2])
    flat = w.reshape(turned, [*(shape[d] for d in rest), rows * columns])
    first = offset if offset >= 0 else -offset * columns
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    places = [first + i * (columns + 1) for i in range(max(length, 0))]
    return w.node("Gather", flat, w.integers(places), axis=len(rest))


@writes("as_strided")
def _as_strided(w: Writer, x: Value, size: Any, stride: Any, offset: int) -> str:
    """Elements by their place in the memory, which is that of a row-major tensor here."""
    strides, start = x.memory
    expected = [math.prod(x.shape[i + 1 :]) for i in range(x.ndim)]
    if start or any(s != e and n > 1 for s, e, n in zip(strides, expected, x.shape, strict=True)):
        raise w.unsupported("the elements of its input do not lie in row-major order")
    sizes = [w.static(each, "size") for each in (*size, offset, *w.shape(x))][: len(size)]
    places = [
        offset + sum(i * s for i, s in zip(index, stride, strict=True))
        for index in itertools.product(*map(range, sizes))
    ]
    index = w.constant(places, lantern.int64, tuple(sizes))
    return w.node("Gather", w.reshape(w(x), [-1]), index, axis=0)


# --- contractions
@writes("matmul")
def _matmul(w: Writer, x: Value, y: Value) -> str:
    return w.node("MatMul", w(x), w(y))


@writes("linear")
def _linear(w: Writer, x: Value, weight: Value, bias: Any) -> str:
    if x.ndim == 2:
        rest = [] if bias is None else [w(bias)]
        return w.node("Gemm", w(x), w(weight), *rest, transB=1)
    product = w.node("MatMul", w(x), w.node("Transpose", w(weight), perm=[1, 0]))
    return product if bias is None else w.node("Add", product, w(bias))


def _refuse_integers(w: Writer, x: Value) -> None:
    if x.dtype.kind != "f":
        raise w.unsupported("convolutions of integers have no form")


def convolution(
    w: Writer, x: Value, weight: Value, bias: Any, stride: Any, padding: Any, dilation: Any,
    groups: int,
) -> str:  # fmt: skip
    """A convolution, with its bias where there is one."""
    _refuse_integers(w, x)
    rest = [] if bias is None else [w(bias)]
    return w.node(
        "Conv", w(x), w(weight), *rest, group=groups, strides=list(stride),
        dilations=list(dilation), kernel_shape=list(weight.shape[2:]),
        pads=[low for low, _ in padding] + [high for _, high in padding],
    )  # fmt: skip


@writes("conv")
def _conv(w: Writer, x: Value, weight: Value, *settings: Any) -> str:
    return convolution(w, x, weight, None, *settings)


def transposed_convolution(
    w: Writer, g: Value, weight: Value, bias: Any, shape: Any, stride: Any, padding: Any,
    dilation: Any, groups: int,
) -> str:  # fmt: skip
    """A transposed convolution; what its size has beyond the least one is `output_padding`."""
    _refuse_integers(w, g)
    extra: list[int] = []
    rows = zip(shape[2:], w.shape(g)[2:], weight.shape[2:], stride, padding, dilation, strict=True)
    for want, size, kernel, step, (low, high), spread in rows:
        if isinstance(want, Size) or isinstance(size, Size):
            for v in w.captured.variants(g)[:1]:
                size = v.shape[len(extra) + 2]
            want = _first_length(w, want)
        # What a padding below zero adds belongs to `output_padding`, too.
        extra.append(want - ((size - 1) * step - low - max(high, 0) + spread * (kernel - 1) + 1))
    rest = [] if bias is None else [w(bias)]
    return w.node(
        "ConvTranspose", w(g), w(weight), *rest, group=groups, strides=list(stride),
        dilations=list(dilation), kernel_shape=list(weight.shape[2:]), output_padding=extra,
        pads=[low for low, _ in padding] + [max(high, 0) for _, high in padding],
    )  # fmt: skip


def _first_length(w: Writer, size: Any) -> int:
    """Returns the length that a Size has in the first recording."""
    if not isinstance(size, Size):
        return size
    lengths = dict(zip(w.captured.open.names, w.captured.open.points[0], strict=True))
    return int(sum(c * math.prod(lengths[n] for n in names) for names, c in size.terms.items()))


@writes("conv_input")
def _conv_input(w: Writer, g: Value, weight: Value, shape: Any, *settings: Any) -> str:
    return transposed_convolution(w, g, weight, None, shape, *settings)


@writes("windows")
def _windows(w: Writer, x: Value, size: Any, stride: Any, dilation: Any) -> str:
    """The elements of each window: one gather for each dimension, by places that are known."""
    lead = x.ndim - len(size)
    name, shape = w(x), w.shape(x)
    for i, (kernel, step, spread) in enumerate(zip(size, stride, dilation, strict=True)):
        length = w.static(shape[lead + i], "length")
        count = max((length - spread * (kernel - 1) - 1) // step + 1, 0)
        places = [k * spread + c * step for k in range(kernel) for c in range(count)]
        index = w.constant(places, lantern.int64, (kernel, count))
        name = w.node("Gather", name, index, axis=lead + 2 * i)
    inside = [lead + 2 * i for i in range(len(size))]
    return w.transpose(name, [*range(lead), *inside, *(i + 1 for i in inside)])


@writes("windows_add")
def _windows_add(
    w: Writer, g: Value, input_shape: Any, size: Any, stride: Any, dilation: Any
) -> str:
    """The sum of windows where they lie."""
    space = len(size)
    sizes = [w.static(each, "length") for each in input_shape[-space:]]
    shape = w.shape(g)
    lead, counts = shape[: g.ndim - 2 * space], shape[g.ndim - space :]
    if len(lead) != 2:
        raise w.unsupported("it has other dimensions than (N, C, ...)")
    count = math.prod(w.static(each, "count") for each in counts)
    channels = w.static(lead[1], "channels") * math.prod(size)
    columns = w.reshape(w(g), [lead[0], channels, count])
    return w.node(
        "Col2Im", columns, w.integers(sizes), w.integers(list(size)),
        strides=list(stride), dilations=list(dilation), pads=[0] * 2 * space,
    )  # fmt: skip


# --- new tensors
@writes("full")
def _full(w: Writer, shape: Any, value: Any, like: Any) -> str:
    kind = like if isinstance(like, dtype) else like.dtype
    if not shape:
        return w.node("Identity", w(value, kind))
    return w.expand(w(value, kind), shape)


@writes("arange")
def _arange(w: Writer, start: Any, end: Any, step: Any, kind: dtype) -> str:
    if not any(isinstance(each, Size) for each in (start, end, step)):
        made: Any = lantern.arange(start, end, step, dtype=kind)
        return w.node("Identity", w.tensor(made))
    exact = kind if kind.name in ("float32", "float64") else lantern.int64
    name = w.node("Range", *(w.number(each, exact) for each in (start, end, step)))
    return name if exact is kind else w.cast(name, kind)


# --- order
def _top(w: Writer, x: Value, k: Any, dim: int, largest: bool) -> str:
    name = w(x)
    if x.dtype.kind == "b":
        name = w.cast(name, lantern.int32)
    attributes = {"axis": dim, "largest": int(largest), "sorted": 1}
    _, places = w.node("TopK", name, w.integers([k]), outputs=2, **attributes)
    return places


@writes("argsort")
def _argsort(w: Writer, x: Value, dim: int, descending: bool, stable: bool) -> str:
    if not x.ndim:
        return w.node("Identity", w.constant(0, lantern.int64))
    return _top(w, x, w.shape(x)[dim], dim, descending)


@writes("argtopk")
def _argtopk(w: Writer, x: Value, k: Any, dim: int, largest: bool, sorted: bool) -> str:
    if not x.ndim:
        return w.node("Identity", w.constant(0, lantern.int64))
    return _top(w, x, k, dim, largest)


@writes("argsearch")
def _argsearch(w: Writer, sequence: Value, x: Value, right: bool) -> str:
    """How many elements of a sorted row lie before each of those looked for."""
    row = w(sequence) if sequence.ndim == 1 else w.unsqueeze(w(sequence), [sequence.ndim - 1])
    before = w.node("LessOrEqual" if right else "Less", row, w.unsqueeze(w(x), [x.ndim]))
    counted = w.cast(before, lantern.int64)
    return w.node("ReduceSum", counted, w.integers([x.ndim]), keepdims=0)
