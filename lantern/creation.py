"""New tensors: from data, filled, ranges, and random ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import dtypes, ops
from .backends import NAMESPACES
from .backends import literals as _literals
from .backends import numpy as _numpy
from .device import as_device
from .shape import as_sizes
from .tensor import Tensor, share, wrap


def checked_dtype(dtype: Any, name: str) -> dtypes.dtype | None:
    """Returns a `dtype=` argument, where the types of Python's own numbers may stand too."""
    if dtype is None or isinstance(dtype, dtypes.dtype):
        return dtype
    if dtype in (bool, int, float):
        return dtype_from(dtype)
    raise TypeError(f"{name}(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")


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
    as_device(device)
    dtype = checked_dtype(dtype, "tensor")
    if isinstance(data, Tensor):
        import warnings

        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach()."
            "clone() or sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
        result = wrap(NAMESPACES[type(data._array)].clone(data._array))
        result = result if dtype is None else result.to(dtype)  # type: ignore[attr-defined]
    else:
        result = wrap(_literals.from_data(data, dtype, dtypes.get_default_dtype()))
    return _leaf(result) if requires_grad else result


def as_tensor(data: Any, dtype: dtypes.dtype | None = None, device: Any = None) -> Tensor:
    """The data as a tensor, sharing memory with tensors and NumPy arrays where it can.

    >>> import lantern
    >>> lantern.as_tensor([1.0, 2.0])
    tensor([1., 2.])
    """
    as_device(device)
    dtype = checked_dtype(dtype, "as_tensor")
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)  # type: ignore[attr-defined]
    if _numpy.is_array(data):
        result = from_numpy(data)
        return result if dtype is None else result.to(dtype)  # type: ignore[attr-defined]
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any,
    *,
    dtype: dtypes.dtype | None = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The object as a tensor; `copy` True always copies, False raises where it would have to."""
    result = as_tensor(obj, dtype, device)
    shares = isinstance(obj, Tensor) and result is obj or _numpy.is_array(obj)
    if copy is False and not shares:
        raise ValueError("can't alias arbitrary sequence into a tensor.")
    if copy:
        result = result.detach().clone()  # type: ignore[attr-defined]
    return _leaf(result) if requires_grad else result


def from_numpy(ndarray: Any) -> Tensor:
    """A tensor that shares the memory of a NumPy array.

    Raises TypeError for what is no array or an array of a type that tensors do not have.

    >>> import lantern, numpy
    >>> a = numpy.zeros(2)
    >>> t = lantern.from_numpy(a); a[0] = 7; t
    tensor([7., 0.], dtype=torch.float64)
    """
    return wrap(_numpy.adopt(ndarray))


def frombuffer(
    buffer: Any,
    *,
    dtype: dtypes.dtype,
    count: int = -1,
    offset: int = 0,
    requires_grad: bool = False,
) -> Tensor:
    """A 1-d tensor over the memory of an object such as bytearray.

    >>> import lantern
    >>> lantern.frombuffer(bytearray(b"\\x01\\x02"), dtype=lantern.uint8)
    tensor([1, 2], dtype=torch.uint8)
    """
    result = wrap(_numpy.from_buffer(buffer, dtype, count, offset))
    return _leaf(result) if requires_grad else result


def _sizes(size: tuple) -> tuple[int, ...]:
    sizes = as_sizes(size)
    for each in sizes:
        if each < 0:
            raise RuntimeError(
                f"Trying to create tensor with negative dimension {each}: {list(sizes)}"
            )
    count = 1
    for each in sizes:
        count *= each
    if count >= 1 << 60:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(sizes)}")
    return sizes


def _leaf(result: Tensor) -> Tensor:
    if result.dtype.kind != "f":
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    return result.requires_grad_()


def finish(result: Tensor, requires_grad: bool, out: Tensor | None = None) -> Tensor:
    """Returns a new tensor, written to `out` if there is one, as a leaf with a gradient if asked."""
    if out is not None:
        from .autograd.views import write_out

        write_out(out, result)
        return out
    return _leaf(result) if requires_grad else result


def _filled(name: str, value: float, text: str) -> Callable[..., Tensor]:
    def make(
        *size: Any,
        out: Tensor | None = None,
        dtype: dtypes.dtype | None = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        if not size:
            raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
        as_device(device)
        dtype = checked_dtype(dtype, name)
        if name == "zeros" and any(each < 0 for each in as_sizes(size)):
            raise RuntimeError("zeros: Dimension size must be non-negative.")
        result = ops.full(
            _sizes(size), value, dtypes.get_default_dtype() if dtype is None else dtype
        )
        return finish(result, requires_grad, out)

    make.__name__, make.__doc__ = name, text
    return make


zeros = _filled("zeros", 0, "A tensor of zeros.")
ones = _filled("ones", 1, "A tensor of ones.")
empty = _filled("empty", 0, "A tensor whose values do not matter (they are zeros).")


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
    as_device(device)
    if isinstance(fill_value, Tensor):
        dtype = fill_value.dtype if dtype is None else dtype
        fill_value = fill_value.item()
    if isinstance(fill_value, str) or not hasattr(fill_value, "__float__"):
        raise TypeError(
            "full(): argument 'fill_value' (position 2) must be Number, not "
            f"{type(fill_value).__name__}"
        )
    dtype = dtypes.of_number(fill_value) if dtype is None else checked_dtype(dtype, "full")
    fill_value = dtypes.number_as(fill_value, dtype)
    return finish(ops.full(_sizes((size,)), fill_value, dtype), requires_grad, out)


def _like(function: Callable[..., Tensor], name: str) -> Callable[..., Tensor]:
    def make(input: Tensor, *args: Any, dtype=None, device=None, **kwargs: Any) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(
                f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}"
            )
        kwargs.pop("memory_format", None)
        dtype = input.dtype if dtype is None else dtype
        device = input.device if device is None else device
        return function(input.shape, *args, dtype=dtype, device=device, **kwargs)

    make.__name__, make.__doc__ = name, "The same for the shape, dtype and device of a tensor."
    return make


zeros_like, ones_like = _like(zeros, "zeros_like"), _like(ones, "ones_like")
empty_like, full_like = _like(empty, "empty_like"), _like(full, "full_like")


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
    as_device(device)
    if len(bounds) == 1 and start is None:
        end = bounds[0] if end is None else end
        start = bounds[0] if end is not bounds[0] else 0
    elif bounds:
        start, end = bounds[0], bounds[1] if len(bounds) > 1 else end
        step = bounds[2] if len(bounds) > 2 else step
    start, step = 0 if start is None else start, 1 if step is None else step
    start, end, step = (x.item() if hasattr(x, "item") else x for x in (start, end, step))
    for name, each in (("start", start), ("end", end), ("step", step)):
        if isinstance(each, str) or not hasattr(each, "__float__"):
            raise TypeError(
                f"arange(): argument '{name}' must be Number, not {type(each).__name__}"
            )
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {start} -> {end}")
    dtype = checked_dtype(dtype, "arange")
    if dtype is None:
        whole = all(isinstance(each, int) for each in (start, end, step))
        dtype = dtypes.int64 if whole else dtypes.get_default_dtype()
    elif dtype.kind != "f":
        start, end, step = int(start), int(end), int(step)
    if step == 0:
        raise RuntimeError("step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")
    return finish(ops.arange(start, end, step, dtype), requires_grad, out)


def dtype_from(kind: Any) -> dtypes.dtype:
    """Returns the dtype that a dtype, a tensor class or a name such as 'torch.FloatTensor' means."""
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


def legacy_tensor(cls: type, *args: Any, dtype: Any = None, device: Any = None) -> Any:
    """Tensor(sizes...), Tensor(data) and Tensor(tensor), as in the first versions of PyTorch."""
    return share(cls, legacy_data(args, dtypes.get_default_dtype()))


def legacy_data(args: tuple, dtype: dtypes.dtype) -> Tensor:
    """Returns what `Tensor(*args)` means: sizes to make room for, or one argument with the data."""
    if len(args) == 1 and (not hasattr(args[0], "__index__") or hasattr(args[0], "shape")):
        data = args[0]
        if isinstance(data, Tensor):
            return data if data.dtype is dtype else data.to(dtype)  # type: ignore[attr-defined]
        if isinstance(data, tuple) and type(data).__name__ == "Size":
            return empty(data, dtype=dtype)
        return tensor(data, dtype=dtype)
    return empty(args or (0,), dtype=dtype)


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
