"""`Tensor`: an array with a history.

A tensor holds its value (`_array`: a NumPy array, or under trace a symbol), the storage that owns
the memory, and `_node`, the place on the tape that its gradient goes to. Views also know the tensor
they were taken from. Ops, operators and most methods are attached by `methods.py`; this file
imports none of them.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from . import dtypes
from .autograd.graph import AccumulateGrad, Node, RemovableHandle, hooks_of, shown
from .autograd.mode import active, flags
from .backends import NAMESPACES
from .device import device as Device
from .shape import (
    Size,
    contiguous_format,
    contiguous_strides,
    follows,
    memory_format,
    size_of,
    strided,
    wrap_dim,
)
from .storage import Storage

_new = object.__new__

DATA = "Write to the memory instead: tensor.data.copy_(value)."


class Tensor:
    """A multi-dimensional array that records what is computed from it.

    >>> import lantern
    >>> x = lantern.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    _storage: Storage
    _array: Any
    _node: Node | None = None  # where the gradient goes; None: no gradient wanted
    _index: int = 0  # which output of the node this tensor is
    _base: Tensor | None = None  # for views: the tensor at the root
    _seen: Node | None = None  # for views: the base's node when `_node` was made
    _layout: tuple = ()  # the steps (view op, arguments) from the storage's array to this one
    _born: int = 0  # for views with `_made`: the count of writes when it was made
    _made: str = ""  # for views: "no_grad" and "several" say why they cannot be written in place
    _silent: bool = False  # made by `.data`: writes do not count as versions
    _grad: Tensor | None = None
    __array_priority__ = 1000

    @staticmethod
    def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Any:
        """Returns a tensor of class `cls` that shares the memory of `data`, without history."""
        tensor = share(cls, data)
        if require_grad:
            tensor.requires_grad_()
        return tensor

    # --- what it is
    @property
    def shape(self) -> Size:
        """The sizes of all dimensions."""
        return size_of(self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements."""
        return NAMESPACES[type(self._array)].dtype_of(self._array)

    @property
    def device(self) -> Device:
        """Where the memory is."""
        return NAMESPACES[type(self._array)].device_of(self._array)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    def dim(self) -> int:
        """Returns the number of dimensions."""
        return self._array.ndim

    def ndimension(self) -> int:
        """Returns the number of dimensions."""
        return self._array.ndim

    def size(self, dim: int | None = None) -> Any:
        """Returns the shape, or the size of one dimension.

        >>> import lantern
        >>> lantern.zeros(2, 3).size(-1)
        3
        """
        if dim is None:
            return size_of(self._array.shape)
        return self._array.shape[wrap_dim(dim, self._array.ndim)]

    def numel(self) -> int:
        """Returns the number of elements."""
        return self._array.size

    nelement = numel

    @property
    def itemsize(self) -> int:
        """The size of one element in bytes."""
        return self.dtype.itemsize

    def element_size(self) -> int:
        """Returns the size of one element in bytes."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """The size of all elements in bytes."""
        return self.numel() * self.dtype.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Returns the steps between elements, in elements, of all dimensions or of one."""
        array = self._array
        item = array.itemsize
        strides = tuple([each // item for each in array.strides])
        if 0 in array.shape and not any(strides):  # NumPy leaves the strides of nothing at 0
            strides = contiguous_strides(array.shape)
        return strides if dim is None else strides[wrap_dim(dim, len(strides))]

    def is_contiguous(self, *, memory_format: memory_format = contiguous_format) -> bool:
        """Says whether the elements lie row by row, or in the order of a `memory_format`."""
        if memory_format is contiguous_format:
            return NAMESPACES[type(self._array)].is_packed(self._array)
        order = memory_format.order
        return order is not None and follows(order, self._array.shape, self.stride())

    def storage_offset(self) -> int:
        """Returns where in the storage the first element lies, in elements."""
        if not self._layout and self._array is self._storage.array:
            return 0
        return NAMESPACES[type(self._array)].offset_in(self._array, self._storage.array)

    def data_ptr(self) -> int:
        """Returns the address of the first element."""
        return NAMESPACES[type(self._array)].address_of(self._array) if self.numel() else 0

    def is_floating_point(self) -> bool:
        """Says whether the elements are floating point numbers."""
        return self.dtype.kind == "f"

    def is_complex(self) -> bool:
        """Says whether the elements are complex numbers."""
        return False

    def is_signed(self) -> bool:
        """Says whether the type of the elements has negative values."""
        return self.dtype.kind in "if"

    @property
    def is_cuda(self) -> bool:
        """Whether the memory is on a GPU."""
        return self.device.type == "cuda"

    @property
    def is_cpu(self) -> bool:
        """Whether the memory is the computer's own."""
        return self.device.type == "cpu"

    layout = strided
    is_sparse = is_quantized = is_meta = is_mps = is_nested = is_xpu = False

    def get_device(self) -> int:
        """Returns the number of the GPU; -1 for tensors on the CPU."""
        return -1 if self.device.index is None else self.device.index

    # --- history
    @property
    def requires_grad(self) -> bool:
        """Whether operations on the tensor are recorded."""
        base = self._base
        if base is not None and base._node is not self._seen:
            if base._node is not None:
                return self._array.dtype.char in "efdE"
            return self._made != "" and self._node is not None
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self.dtype.kind != "f":
            raise RuntimeError(
                "only Tensors of floating point and complex dtype can require gradients"
            )
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Starts (or stops) recording what is computed from this leaf.

        Raises RuntimeError for integer tensors and for results of recorded operations.
        """
        node = current_node(self)
        if requires_grad:
            if node is None:
                if self._array.dtype.char not in "efdE":
                    raise RuntimeError("only Tensors of floating point dtype can require gradients")
                flags.version += 1
                self._node = AccumulateGrad(self)
        elif isinstance(node, AccumulateGrad):
            flags.version += 1
            self._node = None
        elif node is not None:
            raise RuntimeError(
                "you can only change requires_grad flags of leaf variables. If you want to use a "
                "computed variable in a subgraph that doesn't require differentiation use "
                "var_no_grad = var.detach()."
            )
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor is no result of a recorded operation."""
        node = current_node(self)
        return node is None or isinstance(node, AccumulateGrad)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made the tensor; None for leaves."""
        node = current_node(self)
        return None if node is None or isinstance(node, AccumulateGrad) else shown(node)

    @property
    def output_nr(self) -> int:
        """Which of the results of its operation the tensor is."""
        return self._index

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward has added up; None where there is none yet."""
        if active.recording and active.trace:
            active.trace.look_at_grad(self)
        if self._grad is None and self.grad_fn is not None and not self.retains_grad:
            _warn_about_grad_of_result()
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            _check_grad(self, value)
        if active.recording and active.trace:
            active.trace.clears(self)
        self._grad = value
        flags.grads += 1

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def detach(self) -> Tensor:
        """Returns a tensor of the same memory without history."""
        if active.recording and active.trace:
            active.trace.meet(self)
        return share(Tensor, self)

    def detach_(self) -> Tensor:
        """Cuts this tensor from its history; raises RuntimeError for views."""
        if self._base is not None and self.requires_grad:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._node, self._index = None, 0
        return self

    @property
    def data(self) -> Tensor:
        """A tensor of the same memory without history; what is done to it is not recorded."""
        if active.recording and active.trace:
            active.trace.meet(self)
        tensor = share(type(self) if type(self) is Tensor else Tensor, self)
        tensor._silent = True
        return tensor

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        if (active.recording and active.trace) and value._storage is not self._storage:
            active.trace.refuse("what else looks at the memory that .data is replaced by", DATA)
        flags.version += 1  # a record holds the memory that was there
        self._storage, self._array, self._layout = value._storage, value._array, value._layout

    @property
    def retains_grad(self) -> bool:
        """Whether backward keeps the gradient of this computed tensor."""
        node = self.grad_fn
        return node is not None and node.hooks is not None and self._index in node.hooks.retained

    def retain_grad(self) -> None:
        """Makes `.grad` of a computed tensor be kept by backward; nothing to do for a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        node = self.grad_fn
        if node is not None:
            hooks_of(node).retained[self._index] = weakref.ref(self)

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(grad)` whenever a gradient of this tensor is known; it may return another.

        >>> import lantern
        >>> x = lantern.ones(2, requires_grad=True)
        >>> handle = x.register_hook(lambda grad: grad * 2)
        >>> x.sum().backward(); x.grad
        tensor([2., 2.])
        """
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        hooks = hooks_of(self._node).tensor.setdefault(self._index, {})  # type: ignore[arg-type]
        return RemovableHandle(hooks, hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Calls `hook(tensor)` after backward has added to the `.grad` of this leaf."""
        if not isinstance(self._node, AccumulateGrad):
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        return RemovableHandle(hooks_of(self._node).accumulated, hook)

    @property
    def _version(self) -> int:
        return self._storage.version

    def _is_view(self) -> bool:
        return self._base is not None

    def is_inference(self) -> bool:
        """Says whether the tensor was made in inference mode; such tensors are ordinary here."""
        return False

    # --- values that leave the framework
    def item(self) -> Any:
        """Returns the one element as a Python number; raises RuntimeError if there are more."""
        if active.recording:
            active.refuse(".item()")
        try:
            return self._array.item()
        except ValueError:
            raise RuntimeError(
                f"a Tensor with {self.numel()} elements cannot be converted to Scalar"
            ) from None

    def tolist(self) -> Any:
        """Returns the elements as nested lists of Python numbers."""
        if active.recording:
            active.refuse(".tolist()")
        return NAMESPACES[type(self._array)].to_list(self._array)

    def numpy(self, *, force: bool = False) -> Any:
        """Returns a NumPy array that shares the memory; `force` detaches and copies as needed.

        >>> import lantern
        >>> a = lantern.zeros(2)
        >>> a.numpy()[0] = 5.0; a
        tensor([5., 0.])
        """
        if active.recording:
            active.refuse(".numpy()")
        if self.requires_grad and not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() "
                "instead."
            )
        return NAMESPACES[type(self._array)].to_numpy(self._array, force)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __dlpack__(
        self,
        *,
        stream: Any = -1,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[Any, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        if stream not in (None, -1):
            raise AssertionError("stream should be None on cpu.")
        return NAMESPACES[type(self._array)].to_dlpack(
            self.numpy(), max_version=max_version, dl_device=dl_device, copy=copy
        )

    def __dlpack_device__(self) -> tuple[int, int]:
        if active.recording:
            active.refuse(".__dlpack_device__()")
        return NAMESPACES[type(self._array)].to_numpy(self._array, True).__dlpack_device__()

    # --- Python's protocols
    def __len__(self) -> int:
        if not self._array.ndim:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def _only(self) -> Any:
        if self.numel() != 1:
            if self.numel() == 0:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return self.item()

    def __bool__(self) -> bool:
        return bool(self._only())

    def __int__(self) -> int:
        return int(self._scalar())

    def __float__(self) -> float:
        return float(self._scalar())

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def _scalar(self) -> Any:
        if self.numel() != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self.item()

    def __index__(self) -> int:
        if self.dtype.kind == "f" or self.numel() != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    __hash__ = object.__hash__  # `==` compares elements, so it cannot serve to find tensors


def wrap(value: Any) -> Tensor:
    """Returns a tensor of its own memory around a value that is known to be fresh."""
    tensor = _new(Tensor)
    tensor._array = value
    storage = tensor._storage = _new(Storage)
    storage.array = value
    storage.version = 0
    # Python finds an attribute of the object faster than one of its class.
    tensor._base = tensor._node = None
    tensor._index = 0
    return tensor


def wrap_view(source: Tensor, value: Any, step: tuple) -> Tensor:
    """Returns a view of `source`: the same storage seen through one more step."""
    tensor = _new(Tensor)
    tensor._array = value
    tensor._storage = source._storage
    tensor._layout = (*source._layout, step)
    base = source._base
    if base is None:
        base = source
    tensor._base, tensor._seen = base, base._node
    tensor._node, tensor._index = None, 0
    if source._silent:
        tensor._silent = True
    if source._made:
        mark(tensor, source._made)
    return tensor


# What views that must not be written have in place of the node of their base: they keep the history
# that they were made with, and each use asks whether that still holds.
SETTLED: Any = object()


def mark(view: Tensor, made: str) -> None:
    """Notes how a view was made that must not be written in place: "no_grad", "several"."""
    view._made, view._seen, view._born = made, SETTLED, view._storage.version


def share(cls: type, source: Tensor) -> Any:
    """Returns a tensor of class `cls` with the same memory and no history."""
    tensor = _new(cls)
    tensor._array = source._array
    tensor._storage = source._storage
    tensor._base = tensor._node = None
    tensor._index = 0
    if source._layout:
        tensor._layout = source._layout
    return tensor


def current_node(tensor: Tensor) -> Node | None:
    """Returns the tensor's place on the tape; a view whose base was written takes a new one."""
    base = tensor._base
    if base is not None and base._node is not tensor._seen:
        from .autograd.views import rederive

        rederive(tensor)
    return tensor._node


def _check_grad(tensor: Tensor, value: Any) -> None:
    if not isinstance(value, Tensor):
        raise TypeError(
            f"assigned grad expected to be a Tensor or None but got grad of type "
            f"{type(value).__name__}"
        )
    if value is tensor:
        raise RuntimeError("can't assign Variable as its own grad")
    if value.dtype is not tensor.dtype:
        raise RuntimeError(
            f"assigned grad has data of a different type: expected {tensor.type()}, "
            f"got {value.type()}"  # type: ignore[attr-defined]
        )
    if value.shape != tensor.shape:
        raise RuntimeError(
            f"attempting to assign a gradient of size '{list(value.shape)}' to a tensor of size "
            f"'{list(tensor.shape)}'. Please ensure that the gradient and the tensor are the same "
            "size"
        )


def _warn_about_grad_of_result() -> None:
    import warnings

    warnings.warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad "
        "attribute won't be populated during autograd.backward(). If you indeed want the .grad "
        "field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
        UserWarning,
        stacklevel=3,
    )
