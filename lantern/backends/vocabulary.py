"""The closed list of primitives that every op is written in, with the rule of each kind.

A namespace `xp` offers these names and no others: `backends.numpy` computes them, `lantern.ops`
differentiates them and `compiler.symbolic` records them. The rule of a primitive gives the shape
and dtype of its result from those of its operands; it is all that recording needs to know.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from .. import dtypes
from ..matrices import packed_shapes
from ..shape import broadcast_shapes, infer_size, range_size, window_counts

Fact = tuple[tuple[int, ...], dtypes.dtype]


class Primitive(NamedTuple):
    """A name of the vocabulary: its parameters, its kind and its rule."""

    name: str
    parameters: str
    kind: str
    rule: Callable[..., Any]


VOCABULARY: dict[str, Primitive] = {}

UNARY, BINARY, COMPARE, TEST, SELECT = "unary", "binary", "compare", "test", "select"
REDUCE, SCAN, MOVEMENT, GATHER = "reduce", "scan", "movement", "gather"
CONTRACTION, CREATION, OPAQUE = "contraction", "creation", "opaque"
POINTWISE = frozenset({UNARY, BINARY, COMPARE, TEST, SELECT})


def _define(names: str, parameters: str, kind: str, rule: Callable[..., Any]) -> None:
    for name in names.split():
        VOCABULARY[name] = Primitive(name, parameters, kind, rule)


def _unary(x):
    return tuple(x.shape), x.dtype


def _test(x):
    return tuple(x.shape), dtypes.bool_


def _operand_dtype(*operands):
    found = [each.dtype for each in operands if hasattr(each, "dtype")]
    first = found[0]
    for each in found:
        if each is not first:
            raise TypeError(f"operands of one primitive differ in dtype: {found}")
    return first


def _joint_shape(*operands):
    shapes = [tuple(each.shape) for each in operands if hasattr(each, "shape")]
    first = shapes[0]
    for each in shapes:
        if each != first:
            return broadcast_shapes(*shapes)
    return first


def _binary(x, y):
    return _joint_shape(x, y), _operand_dtype(x, y)


def _ternary(x, y, z):
    return _joint_shape(x, y, z), _operand_dtype(x, y, z)


def _compare(x, y):
    _operand_dtype(x, y)
    return _joint_shape(x, y), dtypes.bool_


def _where(condition, x, y):
    return _joint_shape(condition, x, y), _operand_dtype(x, y)


def _cast(x, dtype):
    return tuple(x.shape), dtype


def reduced_shape(shape, dim, keepdim) -> tuple[int, ...]:
    """Returns the shape that is left when the dimensions `dim` (None: all) are reduced."""
    dims = range(len(shape)) if dim is None else (dim,) if isinstance(dim, int) else dim
    if keepdim:
        return tuple(1 if i in dims else size for i, size in enumerate(shape))
    return tuple(size for i, size in enumerate(shape) if i not in dims)


def _reduce(x, dim=None, keepdim=False):
    return reduced_shape(x.shape, dim, keepdim), x.dtype


def _reduce_bool(x, dim=None, keepdim=False):
    return reduced_shape(x.shape, dim, keepdim), dtypes.bool_


def _reduce_place(x, dim=None, keepdim=False):
    return reduced_shape(x.shape, dim, keepdim), dtypes.int64


def _scan(x, dim):
    return tuple(x.shape), x.dtype


def _scan_place(x, dim):
    return tuple(x.shape), dtypes.int64


def _reshape(x, shape):
    return infer_size(shape, prod(x.shape)), x.dtype


def _permute(x, dims):
    return tuple(x.shape[d] for d in dims), x.dtype


def _expand(x, shape):
    if broadcast_shapes(x.shape, shape) != tuple(shape):
        raise ValueError(f"cannot expand {tuple(x.shape)} to {tuple(shape)}")
    return tuple(shape), x.dtype


def _flip(x, dims):
    return tuple(x.shape), x.dtype


def _cat(tensors, dim):
    shape = list(tensors[0].shape)
    shape[dim] = sum(each.shape[dim] for each in tensors)
    return tuple(shape), _operand_dtype(*tensors)


def _as_strided(x, size, stride, storage_offset):
    return tuple(size), x.dtype


def _bitcast(x, dtype):
    shape, old = tuple(x.shape), x.dtype.itemsize
    return (*shape[:-1], shape[-1] * old // dtype.itemsize) if shape else (), dtype


def _diagonal(x, offset, dim1, dim2):
    rows, columns = x.shape[dim1], x.shape[dim2]
    length = min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns)
    rest = tuple(size for i, size in enumerate(x.shape) if i not in (dim1, dim2))
    return (*rest, max(length, 0)), x.dtype


def indexed_shape(shape, index) -> tuple[int, ...]:
    """Returns the shape of `x[index]` for ints, slices, None, ... and integer arrays."""
    result: list[int] = []
    places: list[int] = []  # where in `result` an index array met
    arrays = [each for each in index if hasattr(each, "shape")]
    axis = 0
    for each in index:
        if each is None:
            result.append(1)
        elif isinstance(each, slice):
            result.append(len(range(*each.indices(shape[axis]))))
            axis += 1
        elif hasattr(each, "shape"):
            places.append(len(result))
            result.append(-1)
            axis += 1
        else:
            axis += 1
    result.extend(shape[axis:])
    if not arrays:
        return tuple(result)
    joint = broadcast_shapes(*(tuple(each.shape) for each in arrays))
    adjacent = _arrays_adjacent(index)
    front = places[0] if adjacent else 0
    before = [size for size in result[:front] if size != -1]
    return (*before, *joint, *(size for size in result[front:] if size != -1))


def _arrays_adjacent(index) -> bool:
    # As in NumPy, an integer counts as an index array once there is one.
    flags = [hasattr(each, "shape") or isinstance(each, int) for each in index]
    marked = [i for i, flag in enumerate(flags) if flag]
    return marked[-1] - marked[0] + 1 == len(marked)


def _getitem(x, index):
    return indexed_shape(x.shape, index), x.dtype


def _put(x, index, value):
    return tuple(x.shape), _operand_dtype(x, value)


def _gather(x, dim, index):
    return tuple(index.shape), x.dtype


def _pick(x, dim, index):
    return (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :]), x.dtype


def _scatter(x, dim, index, src):
    return tuple(x.shape), x.dtype


def _scatter_reduce(x, dim, index, src, reduce):
    return tuple(x.shape), x.dtype


def _matmul(x, y):
    if x.ndim == 1 and y.ndim == 1:
        return (), _operand_dtype(x, y)
    a = (1, *x.shape) if x.ndim == 1 else tuple(x.shape)
    b = (*y.shape, 1) if y.ndim == 1 else tuple(y.shape)
    if a[-1] != b[-2]:
        raise ValueError(f"cannot multiply {tuple(x.shape)} with {tuple(y.shape)}")
    shape = broadcast_shapes(a[:-2], b[:-2])
    shape += () if x.ndim == 1 else a[-2:-1]
    shape += () if y.ndim == 1 else b[-1:]
    return shape, _operand_dtype(x, y)


def _linear(x, weight, bias):
    return (*x.shape[:-1], weight.shape[0]), _operand_dtype(x, weight)


def _conv(x, weight, stride, padding, dilation, groups):
    sizes = [low + n + high for n, (low, high) in zip(x.shape[2:], padding, strict=True)]
    counts = window_counts(sizes, weight.shape[2:], stride, dilation)
    return (x.shape[0], weight.shape[0], *counts), _operand_dtype(x, weight)


def _conv_input(g, weight, input_shape, stride, padding, dilation, groups):
    return tuple(input_shape), _operand_dtype(g, weight)


def _conv_weight(g, x, weight_shape, stride, padding, dilation, groups):
    return tuple(weight_shape), _operand_dtype(g, x)


def _windows(x, size, stride, dilation):
    lead = len(x.shape) - len(size)
    counts = window_counts(x.shape[lead:], size, stride, dilation)
    return (*x.shape[:lead], *size, *counts), x.dtype


def _windows_add(g, input_shape, size, stride, dilation):
    return tuple(input_shape), g.dtype


def _full(shape, value, like):
    return tuple(shape), like if isinstance(like, dtypes.dtype) else like.dtype


def _arange(start, end, step, dtype):
    return (range_size(start, end, step),), dtype


def _argsort(x, dim, descending, stable):
    return tuple(x.shape), dtypes.int64


def _argtopk(x, k, dim, largest, sorted):
    if not x.shape:
        return (), dtypes.int64
    return (*x.shape[:dim], k, *x.shape[dim + 1 :]), dtypes.int64


def _argsearch(sequence, x, right):
    return tuple(x.shape), dtypes.int64


def _polygamma(n, x):
    return tuple(x.shape), x.dtype


def _solve(x, y):
    return (*broadcast_shapes(x.shape[:-2], y.shape[:-2]), *y.shape[-2:]), _operand_dtype(x, y)


def _per_matrix(x):
    return tuple(x.shape[:-2]), x.dtype


def _turned(x, atol, rtol):
    return (*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype


def _packed(name: str) -> Callable[..., Any]:
    def rule(x, option=False):
        shapes = packed_shapes(name, *x.shape[-2:], option)
        return (*x.shape[:-2], sum(prod(each) for each in shapes)), x.dtype

    return rule


def _exponent(x):
    return x.shape, dtypes.int32


def _draw(kind, shape, dtype, generator, *parameters):
    return tuple(shape), dtype


_define("neg abs sign square exp exp2 expm1 log log2 log10 log1p sqrt rsqrt", "x", UNARY, _unary)
_define("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh", "x", UNARY, _unary)
_define("floor ceil trunc round sigmoid", "x", UNARY, _unary)
_define("erf erfc erfinv lgamma digamma erfcx ndtri i0e i1e", "x", UNARY, _unary)
_define("polygamma", "n, x", UNARY, _polygamma)
_define("bitwise_not", "x", UNARY, _unary)
_define("isnan isinf isfinite signbit logical_not", "x", TEST, _test)
_define("add sub mul div floor_divide remainder fmod pow", "x, y", BINARY, _binary)
_define("maximum minimum fmax fmin atan2 copysign nextafter hypot", "x, y", BINARY, _binary)
_define("gcd lcm", "x, y", BINARY, _binary)
_define("bitwise_and bitwise_or bitwise_xor", "x, y", BINARY, _binary)
_define("bitwise_left_shift bitwise_right_shift", "x, y", BINARY, _binary)
_define("eq ne lt le gt ge logical_and logical_or logical_xor", "x, y", COMPARE, _compare)
_define("where", "condition, x, y", SELECT, _where)
_define("cast", "x, dtype", UNARY, _cast)
_define("sum prod amax amin", "x, dim=None, keepdim=False", REDUCE, _reduce)
_define("any all", "x, dim=None, keepdim=False", REDUCE, _reduce_bool)
_define("argmax argmin", "x, dim=None, keepdim=False", REDUCE, _reduce_place)
_define("cumsum cumprod", "x, dim", SCAN, _scan)
_define("argcummax argcummin", "x, dim", SCAN, _scan_place)
_define("reshape", "x, shape", MOVEMENT, _reshape)
_define("permute", "x, dims", MOVEMENT, _permute)
_define("expand", "x, shape", MOVEMENT, _expand)
_define("flip", "x, dims", MOVEMENT, _flip)
_define("cat", "tensors, dim", MOVEMENT, _cat)
_define("as_strided", "x, size, stride, storage_offset", MOVEMENT, _as_strided)
_define("bitcast", "x, dtype", MOVEMENT, _bitcast)
_define("diagonal", "x, offset, dim1, dim2", MOVEMENT, _diagonal)
_define("clone contiguous", "x", MOVEMENT, _unary)
_define("getitem", "x, index", GATHER, _getitem)
_define("put put_add", "x, index, value", GATHER, _put)
_define("gather", "x, dim, index", GATHER, _gather)
_define("pick", "x, dim, index", GATHER, _pick)
_define("scatter scatter_add", "x, dim, index, src", GATHER, _scatter)
_define("scatter_reduce", "x, dim, index, src, reduce", GATHER, _scatter_reduce)
_define("matmul", "x, y", CONTRACTION, _matmul)
_define("linear", "x, weight, bias", CONTRACTION, _linear)
_define("conv", "x, weight, stride, padding, dilation, groups", OPAQUE, _conv)
_settings = "stride, padding, dilation, groups"
_define("conv_input", f"g, weight, input_shape, {_settings}", OPAQUE, _conv_input)
_define("conv_weight", f"g, x, weight_shape, {_settings}", OPAQUE, _conv_weight)
_define("windows", "x, size, stride, dilation", OPAQUE, _windows)
_define("windows_add", "g, input_shape, size, stride, dilation", OPAQUE, _windows_add)
_define("full", "shape, value, like", CREATION, _full)
_define("arange", "start, end, step, dtype", CREATION, _arange)
_define("argsort", "x, dim, descending, stable", OPAQUE, _argsort)
_define("argtopk", "x, k, dim, largest, sorted", OPAQUE, _argtopk)
_define("argsearch", "sequence, x, right", OPAQUE, _argsearch)
_define("inv cofactor cholesky matrix_exp mantissa", "x", OPAQUE, _unary)
_define("exponent", "x", OPAQUE, _exponent)
_define("lu_packed", "x, check", OPAQUE, _packed("lu_packed"))
_define("cholesky_packed", "x", OPAQUE, _packed("cholesky_packed"))
_define("inv_packed", "x", OPAQUE, _packed("inv_packed"))
_define("solve", "x, y", OPAQUE, _solve)
_define("det", "x", OPAQUE, _per_matrix)
_define("pinv", "x, atol, rtol", OPAQUE, _turned)
_define("slogdet_packed", "x", OPAQUE, _packed("slogdet_packed"))
_define("qr_packed", "x, complete", OPAQUE, _packed("qr_packed"))
_define("eigh_packed", "x, upper", OPAQUE, _packed("eigh_packed"))
_define("svd_packed", "x, full", OPAQUE, _packed("svd_packed"))
_define("gammainc gammaincc gamma_slope", "x, y", OPAQUE, _binary)
_define("beta_slope", "x, y, z", OPAQUE, _ternary)
_define("draw", "kind, shape, dtype, generator, *parameters", OPAQUE, _draw)
