"""New tensors: from data, filled, ranges, and random ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import dtypes, ops
from .backends import NAMESPACES, literals, numpy
from .device import as_device
from .moving import placed
from .ops.memory import check_format, copy_as
from .shape import as_sizes, memory_format, preserve_format
from .tensor import Tensor, share, wrap

__all__ = """
    arange as_tensor asarray empty from_dlpack from_numpy frombuffer full ones result_type
    scalar_tensor tensor zeros
""".split()


def checked_dtype(dtype: Any, name: str) -> dtypes.dtype | None:
    """Returns a `dtype=` argument, where the types of Python's own numbers may stand too."""
    if dtype is None or isinstance(dtype, dtypes.dtype):
        return dtype
    if dtype in (bool, int, float):
        return dtype_from(dtype)
    raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")


@placed
def tensor(
    data: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A copy of numbers, (nested) sequences, arrays or a tensor.

    Raises ValueError for ragged sequences, TypeError for what is no number.

    >>> import lantern
    >>> lantern.tensor([[1, 2], [3, 4]])
    tensor([[1, 2],
            [3, 4]])
    """
    if dtype is not None:
        dtype = checked_dtype(dtype, "tensor")
    if type(requires_grad) is not bool:
        raise TypeError(
            f"tensor(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}"
        )
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach()."
            "clone() or sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=3,
        )
        result = wrap(NAMESPACES[type(data._array)].clone(data._array))
        result = result if dtype is None else result.to(dtype)  # type: ignore[attr-defined]
    else:
        result = wrap(literals.from_data(data, dtype, dtypes.get_default_dtype()))
    return _leaf(result) if requires_grad else result


def as_tensor(data: Any, dtype: dtypes.dtype | None = None, device: Any = None) -> Tensor:
    """The data as a tensor, sharing memory with tensors and NumPy arrays where it can.

    >>> import lantern
    >>> lantern.as_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    return _as_tensor(data, dtype=dtype, device=device)


@placed
def _as_tensor(data: Any, *, dtype: dtypes.dtype | None, device: Any = None) -> Tensor:
    dtype = checked_dtype(dtype, "as_tensor")
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined]
    if numpy.is_array(data):
        result = from_numpy(data)
        return result if dtype is None else result.to(dtype)  # type: ignore[attr-defined]
    return tensor(data, dtype=dtype)


@placed
def asarray(
    obj: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The object as a tensor; `copy` True always copies, False raises where it would have to."""
    if _is_buffer(obj):
        result = frombuffer(obj, dtype=dtype or dtypes.get_default_dtype())
    else:
        result = as_tensor(obj, dtype)
        _check_alias(obj, result, copy)
    if copy:
        result = ops.clone(result.detach())
    return _leaf(result) if requires_grad else result


def _is_buffer(obj: Any) -> bool:
    if isinstance(obj, Tensor) or numpy.is_array(obj) or hasattr(obj, "dtype"):
        return False
    try:
        memoryview(obj)
    except TypeError:
        return False
    return True


def _check_alias(obj: Any, result: Tensor, copy: bool | None) -> None:
    if copy is not False:
        return
    if not isinstance(obj, Tensor) and not numpy.is_array(obj):
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    mine = obj.dtype if isinstance(obj, Tensor) else from_numpy(obj).dtype
    if mine is not result.dtype:
        raise ValueError(
            f"can't alias tensor with dtype '{mine.legacy}' into dtype '{result.dtype.legacy}'."
        )


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares the memory of a NumPy array.

    Raises TypeError for what is no array or an array of a type that tensors do not have.

    >>> import lantern, numpy
    >>> a = numpy.zeros(2)
    >>> t = lantern.from_numpy(a); a[0] = 7; t
    tensor([7., 0.], dtype=torch.float64)
    """
    return wrap(numpy.adopt(ndarray))


@placed
def frombuffer(
    buffer: Any,
    *,
    dtype: dtypes.dtype,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    r"""A 1-d tensor over the memory of an object such as bytearray.

    >>> import lantern
    >>> lantern.frombuffer(bytearray(b"\x01\x02"), dtype=lantern.uint8)
    tensor([1, 2], dtype=torch.uint8)
    """
    result = wrap(numpy.from_any_buffer(buffer, dtype, count, offset))
    return _leaf(result) if requires_grad else result


@placed
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of an object that speaks the DLPack protocol.

    >>> import lantern, numpy
    >>> lantern.from_dlpack(numpy.zeros(2))
    tensor([0., 0.], dtype=torch.float64)
    """
    result = wrap(numpy.from_dlpack(ext_tensor))
    return ops.clone(result) if copy else result


@placed
def scalar_tensor(
    s: Any,
    *,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A 0-d tensor of one number, floating point unless `dtype` says else."""
    dtype = checked_dtype(dtype, "scalar_tensor") or dtypes.get_default_dtype()
    return full((), s, dtype=dtype, requires_grad=requires_grad)


def _sizes(size: tuple, name: str = "") -> tuple[int, ...]:
    return checked_sizes(as_sizes(size, name), name)


def checked_sizes(sizes: tuple[int, ...], name: str = "") -> tuple[int, ...]:
    """Returns sizes; raises RuntimeError for a negative one, and for more than memory can hold."""
    if sizes and min(sizes) < 0:
        if name == "zeros":
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        negative = next(each for each in sizes if each < 0)
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {negative}: {list(sizes)}"
        )
    if math.prod(sizes) >= 1 << 60:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(sizes)}")
    return sizes


def _leaf(result: Tensor) -> Tensor:
    if result.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return result.requires_grad_()


def finish(result: Tensor, requires_grad: bool, out: Tensor | None = None) -> Tensor:
    """Returns a new tensor, written to `out` if given, as a leaf with gradient if asked."""
    if out is not None:
        from .autograd.views import write_out

        write_out(out, result)
        return out
    return _leaf(result) if requires_grad else result


def _filled(name: str, value: float, text: str) -> Callable[..., Tensor]:
    @placed
    def make(
        *size: Any,
        out: Tensor | None = None,
        dtype: dtypes.dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
        **named: Any,
    ) -> Tensor:
        if named:
            size = _named_size(name, size, named)
        if not size:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
        dtype = _out_dtype(out, checked_dtype(dtype, name))
        result = ops.full(_sizes(size, name), value, dtype or dtypes.get_default_dtype())
        if memory_format is not None:
            result = _laid_out(result, memory_format)
        if out is not None:
            _fit(out, result)
        return finish(result, requires_grad, out)

    make.__name__, make.__doc__ = name, text
    return make


def _named_size(name: str, size: tuple, named: dict) -> tuple:
    if set(named) == {"size"} and not size:
        return (named["size"],)
    wrong = next(each for each in named if each != "size" or size)
    raise TypeError(f"{name}() got an unexpected keyword argument '{wrong}'")


def _out_dtype(out: Tensor | None, dtype: dtypes.dtype | None) -> dtypes.dtype | None:
    if out is None:
        return dtype
    if dtype is not None and dtype is not out.dtype:
        raise RuntimeError(
            f"dtype {dtype.legacy} does not match dtype of out parameter ({out.dtype.legacy})"
        )
    return out.dtype


def _fit(out: Tensor, result: Tensor) -> None:
    # What is there is of no interest, so no warning that it is lost.
    if out.shape != result.shape:
        from .autograd.views import resize

        out._array = out._array.reshape(-1)[:0]
        resize(out, tuple(result.shape))


def _laid_out(result: Tensor, given: memory_format) -> Tensor:
    if given is preserve_format:
        raise RuntimeError("unsupported memory format Preserve")
    check_format("empty", given, result)
    return result if given.order is None else copy_as(result, given)


zeros = _filled("zeros", 0, "A tensor of zeros.")
ones = _filled("ones", 1, "A tensor of ones.")
empty = _filled("empty", 0, "A tensor whose values do not matter (they are zeros).")


@placed
def full(
    size: Any,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor filled with one value, in the dtype of that value.

    >>> import lantern
    >>> lantern.full((2,), 7)
    tensor([7, 7])
    """
    if isinstance(fill_value, Tensor) and not fill_value.ndim:
        dtype = fill_value.dtype if dtype is None else dtype
        fill_value = fill_value.item()
    if isinstance(fill_value, complex):
        raise NotImplementedError("complex tensors are not in Lantern yet")
    if isinstance(fill_value, (str, Tensor)) or not hasattr(fill_value, "__float__"):
        raise TypeError(
            "full(): argument 'fill_value' (position 2) must be Number, not "
            f"{type(fill_value).__name__}"
        )
    dtype = checked_dtype(dtype, "full") or dtypes.of_number(fill_value)
    fill_value = dtypes.number_as(fill_value, dtype)
    if isinstance(size, int):
        raise TypeError("full(): argument 'size' (position 1) must be tuple of ints, not int")
    return finish(ops.full(_sizes((size,), "full"), fill_value, dtype), requires_grad, out)


@placed
def arange(
    *bounds: Any,
    start: Any = None,
    end: Any = None,
    step: Any = None,
    out: Tensor | None = None,
    dtype: dtypes.dtype | None = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers from `start` up to but without `end`, by `step`.

    >>> import lantern
    >>> lantern.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    start, end, step = _bounds(bounds, start, end, step)
    dtype = checked_dtype(dtype, "arange")
    if dtype is dtypes.bool_:
        raise NotImplementedError("\"arange_cpu\" not implemented for 'Bool'")
    if dtype is None:
        whole = all(isinstance(each, int) for each in (start, end, step))
        dtype = dtypes.int64 if whole else dtypes.get_default_dtype()
    elif dtype.kind != "f":
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    if (end - start) / step >= 1 << 60:
        count = -((start - end) // step)
        raise RuntimeError(f"Storage size calculation overflowed with sizes=[{count}]")
    if dtype.kind == "f" or dtype.itemsize == 8:
        result = ops.arange(start, end, step, dtype)
    else:  # numbers that do not fit wrap around
        result = ops.cast(ops.arange(start, end, step, dtypes.int64), dtype)
    return finish(result, requires_grad, out)


def _bounds(bounds: tuple, start: Any, end: Any, step: Any) -> tuple[Any, Any, Any]:
    """Returns start, end and step from any form of `arange`; raises TypeError for others."""
    alone = len(bounds) == 1 and start is None and end is None
    names = ("end",) if alone else ("start", "end", "step")
    given = {"start": start, "end": end, "step": step}
    if (
        len(bounds) > 3
        or not bounds
        and end is None
        and start is None
        or alone
        and step is not None
    ):
        kinds = ", ".join(type(each).__name__ for each in bounds)
        raise TypeError(f"arange() received an invalid combination of arguments - got ({kinds})")
    given.update(zip(names, bounds, strict=False))
    if given["end"] is None and not bounds:
        raise TypeError('arange() missing 1 required positional arguments: "end"')
    start, step = (given["start"], given["step"])
    start, step = 0 if start is None else start, 1 if step is None else step
    found = []
    for name, each in (("start", start), ("end", given["end"]), ("step", step)):
        if isinstance(each, Tensor) and not each.ndim or hasattr(each, "dtype") and not each.shape:
            each = each.item()
        if isinstance(each, (str, Tensor)) or not hasattr(each, "__float__"):
            place = names.index(name) + 1 if name in names else 1
            raise TypeError(
                f"arange(): argument '{name}' (position {place}) must be Number, not "
                f"{type(each).__name__}"
            )
        found.append(int(each) if isinstance(each, bool) else each)
    if not (math.isfinite(found[0]) and math.isfinite(found[1])):
        raise RuntimeError(f"unsupported range: {found[0]} -> {found[1]}")
    return found[0], found[1], found[2]


def dtype_from(kind: Any) -> dtypes.dtype:
    """Returns the dtype that a dtype, a tensor class or a name like 'torch.FloatTensor' means."""
    if isinstance(kind, dtypes.dtype):
        return kind
    named = getattr(kind, "_dtype", None)
    if named is not None:
        return named
    if isinstance(kind, str):
        for each in dtypes.ALL:
            if kind in (f"torch.{each.legacy}Tensor", f"torch.cuda.{each.legacy}Tensor"):
                if "cuda" in kind:
                    as_device("cuda")
                return each
    if kind is float:
        return dtypes.float64
    if kind is int:
        return dtypes.int64
    if kind is bool:
        return dtypes.bool_
    if not isinstance(kind, (str, type)):
        raise TypeError("dtype must be a type, str, or dtype object")
    raise ValueError(f"invalid type: {kind!r}")


def legacy_tensor(cls: type, *args: Any, device: Any = None, **unknown: Any) -> Any:
    """Tensor(sizes...), Tensor(data) and Tensor(tensor), as in the first versions of PyTorch."""
    if unknown:
        given = ", ".join(f"{name}={type(each).__name__}" for name, each in unknown.items())
        raise TypeError(
            f"new() received an invalid combination of arguments - got ({given}), but expected "
            "sizes, a sequence or a tensor, and device="
        )
    if len(args) == 1 and isinstance(args[0], Tensor):
        return share(cls, args[0])
    return share(cls, legacy_data(args, dtypes.get_default_dtype()))


def legacy_data(args: tuple, dtype: dtypes.dtype) -> Tensor:
    """Returns what `Tensor(*args)` means: sizes to make room for, or one argument with the data."""
    if len(args) != 1 or type(args[0]) is int or type(args[0]).__name__ == "Size":
        return empty(*(args or (0,)), dtype=dtype)
    data = args[0]
    if isinstance(data, Tensor):
        return data if data.dtype is dtype else data.to(dtype)  # type: ignore[attr-defined]
    if isinstance(data, (bool, float, type(None))) or not (
        hasattr(data, "__len__") and hasattr(data, "__getitem__")
    ):
        kind = type(data)
        shown = f"numpy.{kind.__name__}" if kind.__module__ == "numpy" else kind.__name__
        raise TypeError(f"new(): data must be a sequence (got {shown})")
    return tensor(data, dtype=dtype)


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """Returns the dtype of `tensor1 + tensor2`, where either may be a Python number.

    >>> import lantern
    >>> lantern.result_type(lantern.tensor([1]), 2.5)
    torch.float32
    """
    ranks: tuple[list, list, list] = ([], [], [])
    for each in (tensor1, tensor2):
        if isinstance(each, Tensor):
            ranks[0 if each.ndim else 1].append(each.dtype)
        elif isinstance(each, (bool, int, float)):
            ranks[2].append(dtypes.of_number(each))
        else:
            raise TypeError(
                "result_type() received an invalid combination of arguments - got "
                f"({type(tensor1).__name__}, {type(tensor2).__name__})"
            )
    return dtypes.combine(*ranks)
