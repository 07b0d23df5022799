"""Tensors on several devices: which one computes, what may meet there, and copies between them.

Where a tensor is follows from the type of its array; no op looks at it. An op call with operands on
a GPU is computed there, and so is all that it makes on the way: `at` says where new values are made
while a block runs. As long as no GPU has been asked for, nothing of this file is run.
"""

from __future__ import annotations

import functools
import importlib.util
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from . import backends
from .autograd.graph import Node
from .autograd.mode import active, mode
from .backends import gpu, here
from .binding import refuse_devices
from .device import CPU, as_device, gpus
from .device import device as Device
from .shape import layout, strided
from .tensor import Tensor, current_node, wrap


# --- the GPU
@functools.cache
def _loaded() -> tuple[Any, str]:
    """Returns the namespace of GPUs, or None and why there is none."""
    if importlib.util.find_spec("cupy") is None:
        return None, "CuPy is not installed: pip install 'lantern-dl[cuda]'"
    try:
        from .backends import cupy
    except ImportError as error:
        return None, str(error)
    if not cupy.placing.count():
        return None, "CuPy finds no GPU, or no driver for it"
    gpu.namespace, gpu.kind = cupy, cupy.ndarray
    cupy.meter.__enter__()
    backends.cuda.matmul.apply()
    return cupy, ""


def count() -> int:
    """Returns the number of GPUs that can be used."""
    found, _ = _loaded()
    return 0 if found is None else found.placing.count()


def _gpus() -> tuple[int, int, str]:
    found, reason = _loaded()
    if found is None:
        return 0, 0, reason
    return found.placing.count(), found.current_index(), ""


gpus.append(_gpus)


class at:
    """Has new values made on a GPU (by its number) or on the CPU (None) while a block runs."""

    __slots__ = ("index", "before", "use")

    def __init__(self, index: int | None) -> None:
        self.index = index

    def __enter__(self) -> None:
        self.before = here.namespace
        if self.index is None:
            here.namespace = None
            return
        here.namespace = gpu.namespace
        self.use = gpu.namespace.use(self.index)
        self.use.__enter__()

    def __exit__(self, *exception: Any) -> None:
        here.namespace = self.before
        if self.index is not None:
            self.use.__exit__(*exception)
        error = exception[1]
        if error is not None and gpu.namespace is not None:
            _explain(error)


class OutOfMemoryError(RuntimeError):
    """A GPU has not as much memory left as an operation needs."""

    __module__ = "torch.cuda"


def _explain(error: BaseException) -> None:
    """Raises OutOfMemoryError with the figures in the place of CuPy's error."""
    figures = gpu.namespace.out_of_memory(error)
    if figures is not None:
        free, total, used = (figures[name] / 2**30 for name in ("free", "total", "used"))
        raise OutOfMemoryError(
            f"CUDA out of memory. {error} GPU {gpu.namespace.current_index()} has a total "
            f"capacity of {total:.2f} GiB of which {free:.2f} GiB is free; {used:.2f} GiB are "
            "allocated by Lantern. Free tensors with del, call torch.cuda.empty_cache(), or use "
            "smaller batches."
        ) from error


def index_of(tensor: Tensor) -> int | None:
    """Returns the number of the GPU that a tensor is on; None for the CPU."""
    return gpu.namespace.index_of(tensor._array) if type(tensor._array) is gpu.kind else None


def beside(value: Any) -> at:
    """Returns a context that makes new values where a tensor, or an array, is."""
    array = value._array if isinstance(value, Tensor) else value
    return at(gpu.namespace.index_of(array) if type(array) is gpu.kind else None)


# --- operands
def together(op: Any, args: tuple, compute: Callable[[tuple], Any]) -> Any:
    """Calls `compute(args)` where the operands of an op are, brought to one device.

    A tensor without dimensions may come from the CPU, and what is copied from anywhere. Raises
    RuntimeError where operands are on several devices.
    """
    found = [args[position] for _, position, _ in op.tensors]
    tensors = [each for each in found if isinstance(each, Tensor)]
    if all(type(each._array) is not gpu.kind for each in tensors):
        lead = tensors[0] if tensors else _first(args)  # type: ignore[assignment]
        if lead is None or here.namespace is None and type(lead._array) is not gpu.kind:
            return compute(args)
        with beside(lead):
            return compute(args)
    lead = tensors[0]
    if op.name != "copy":
        with_dims = (each for each in tensors if each._array.ndim)
        on_gpu = (each for each in tensors if type(each._array) is gpu.kind)
        lead = next(with_dims, None)  # type: ignore[assignment]
        lead = next(on_gpu) if lead is None else lead
    index = index_of(lead)
    for _, position, _ in op.tensors:
        each = args[position]
        if isinstance(each, Tensor) and index_of(each) != index:
            is_scalar = not each._array.ndim and index_of(each) is None
            if not is_scalar and op.name != "copy":
                refuse_devices(op, args)
            args = (*args[:position], moved(each, lead.device), *args[position + 1 :])
    with at(index):
        return compute(args)


def _first(args: tuple) -> Tensor | None:
    """Returns the first tensor among arguments that are not declared as such, or in a list."""
    for each in args:
        if isinstance(each, Tensor):
            return each
        if isinstance(each, (list, tuple)):
            found = _first(tuple(each))
            if found is not None:
                return found
    return None


def brought(index: Any, source: Tensor) -> Any:
    """Returns an index tensor from the CPU on the device of what it indexes.

    Raises RuntimeError for one on another device.
    """
    if not isinstance(index, Tensor) or index_of(index) == index_of(source):
        return index
    if index_of(index) is None:
        return moved(index, source.device)
    raise RuntimeError(
        "indices should be either on cpu or on the same device as the indexed tensor "
        f"({source.device})"
    )


# --- copies
class ToCopy(Node):
    """History of a copy on another device."""

    def __init__(self, edges: list, place: Device) -> None:
        super().__init__(edges)
        self.place = place

    def name(self) -> str:
        """Returns PyTorch's name for the operation."""
        return "ToCopyBackward0"

    def backward(self, g: Any, create_graph: bool) -> list:
        """Returns the gradient on the device of what was copied."""
        if isinstance(g, Tensor):
            return [moved(g, self.place)]
        return [transfer(g, self.place)]


def transfer(array: Any, place: Device, blocking: bool = True) -> Any:
    """Returns a copy of an array on a device."""
    return gpu.namespace.transfer(array, place.index, blocking)


def moved(tensor: Tensor, place: Device, blocking: bool = True) -> Tensor:
    """Returns a copy of a tensor on a device, through which gradients flow back."""
    active.refuse("a copy to another device")
    node = current_node(tensor)
    with at(place.index):
        result = wrap(transfer(tensor._array, place, blocking))
    if mode.enabled and node is not None:
        result._node = ToCopy([(node, tensor._index)], tensor.device)
    return result


# --- new tensors
class _Default:
    """The device that new tensors are put on where none is named; None is the CPU."""

    device: Device | None = None


default = _Default()


def set_default(place: Any) -> None:
    """Has new tensors put on a device; raises where this machine has no such device."""
    where = as_device(place)
    default.device = None if where.type == "cpu" else where
    here.namespace = None if where.type == "cpu" else gpu.namespace
    if where.type == "cuda":
        gpu.namespace.use(where.index).use()


Maker = TypeVar("Maker", bound=Callable[..., Tensor])
LIKES = frozenset("input obj data self mean count".split())  # first parameters that say where


def placed(function: Maker) -> Maker:
    """Has a function make its tensor on the device that `device=` names; it is not handed that.

    Where none is named it is that of `out=`, of a tensor to make another one like, or the default.
    """

    @functools.wraps(function)
    def make(*args: Any, device: Any = None, **kwargs: Any) -> Tensor:
        if "layout" in kwargs:
            _check_layout(make.__name__, function, kwargs["layout"])
        if device is None and gpu.kind is None:  # no more than this where there is no GPU
            return function(*args, **kwargs)
        if device is not None:
            where = as_device(device)
        else:
            like = (args[0] if args else kwargs.get(first)) if first in LIKES else None
            where = _place_of(kwargs.get("out"), like)
        if gpu.kind is None:
            return function(*args, **kwargs)
        with at(where.index if where.type == "cuda" else None):
            result = function(*args, **kwargs)
        return _settled(result, where)

    first = next(iter(inspect.signature(function).parameters))
    return cast(Maker, make)


def _check_layout(name: str, function: Maker, asked: Any) -> None:
    """Raises TypeError for what is no layout, NotImplementedError for one but the strided."""
    if asked is None or asked is strided or "layout" not in inspect.signature(function).parameters:
        return
    if not isinstance(asked, layout):
        raise TypeError(
            f"{name}(): argument 'layout' must be torch.layout, not {type(asked).__name__}"
        )
    raise NotImplementedError(
        f"{name}(): layout {asked!r} is not in Lantern yet; tensors are torch.strided"
    )


def _place_of(*tensors: Any) -> Device:
    """Returns the device of the first that is a tensor, or the default."""
    for each in tensors:
        if isinstance(each, Tensor):
            return each.device
    return default.device or CPU


def _settled(result: Tensor, where: Device) -> Tensor:
    """Returns a new tensor on the device where it was to be, still a leaf."""
    if result.device == where:
        return result
    copied = moved(result.detach(), where)
    return copied.requires_grad_() if result.requires_grad else copied
