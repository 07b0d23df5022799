"""`Parameter` and `Buffer`: the tensors that a `Module` keeps, registered by assignment."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import lantern
from lantern.compat.missing import missing
from lantern.tensor import Tensor

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]


class _ParameterType(type(Tensor)):  # type: ignore[misc]
    """Lets a tensor of a class of the user's own count as a `Parameter`."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and getattr(instance, "_is_param", False)


class Parameter(Tensor, metaclass=_ParameterType):
    """A tensor that a module trains: assigned to a `Module` it appears in its `parameters()`.

    It shares the memory of `data`, is a leaf, and requires a gradient unless told otherwise.
    Raises RuntimeError when integers should require gradients.

    >>> import lantern
    >>> lantern.nn.Parameter(lantern.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Any:
        """Returns the parameter; for a tensor of a user's class, one of that class."""
        if data is None:
            data = lantern.empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            _check_gradient_wanted(data, requires_grad)
            return Tensor._make_subclass(cls, data, requires_grad)
        tensor = data.detach().requires_grad_(requires_grad)
        if type(tensor) is Tensor:  # detaching forgot the user's class
            tensor = Tensor._make_subclass(type(data), tensor, requires_grad)
        tensor._is_param = True
        return tensor

    def __deepcopy__(self, memo: dict) -> Parameter:
        if id(self) in memo:
            return memo[id(self)]
        data = self.data.clone()
        result = type(self)(data, self.requires_grad)
        memo[id(self)] = result
        return result

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol: Any) -> tuple:
        parts = Tensor.__annotations__  # what a tensor is made of; the rest was put on it
        added = {name: value for name, value in vars(self).items() if name not in parts}
        return _rebuild_parameter, (self.data, self.requires_grad, OrderedDict()), added or None


class _BufferType(type(Tensor)):  # type: ignore[misc]
    """`Buffer(t)` is a plain tensor that carries a mark; this makes `isinstance` see the mark."""

    def __instancecheck__(cls, instance: object) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return isinstance(instance, Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(Tensor, metaclass=_BufferType):
    """A tensor that a module keeps without training it, such as a running mean.

    Assigned to a `Module` it appears in its `buffers()` and, if `persistent`, in `state_dict()`.

    >>> import lantern
    >>> module = lantern.nn.Module()
    >>> module.mean = lantern.nn.Buffer(lantern.zeros(2))
    >>> dict(module.state_dict())
    {'mean': tensor([0., 0.])}
    """

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Any:
        """Returns a plain tensor with a mark on it."""
        if data is None:
            data = lantern.empty(0)
        tensor = data.detach().requires_grad_(data.requires_grad)
        tensor.persistent = persistent
        tensor._is_buffer = True
        return tensor


class UninitializedTensorMixin:
    """What parameters and buffers share while their shape is not known."""

    cls_to_become: type[Tensor]

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Turns this into a real parameter or buffer of a shape; its elements are not set yet."""
        made = lantern.empty(shape, device=device, dtype=self.dtype if dtype is None else dtype)
        del self.__dict__["_memory"]
        self.__class__ = self.cls_to_become  # type: ignore[assignment]
        self.data = made

    @property
    def _array(self) -> Any:
        raise ValueError(
            "Attempted to use an uninitialized parameter. This error happens when you are using a "
            "`LazyModule` or explicitly manipulating "
            f"`torch.nn.parameter.{type(self).__name__}` objects. When using LazyModules Call "
            "`forward` with a dummy batch to initialize the parameters before calling torch "
            "functions"
        )

    @property
    def data(self) -> Any:
        """A tensor without elements, of the dtype that there will be."""
        return self.__dict__["_memory"]

    @data.setter
    def data(self, value: Tensor) -> None:
        self.__dict__["_memory"] = value

    @property
    def dtype(self) -> Any:
        """The type that the elements will have."""
        return self.data.dtype

    @property
    def device(self) -> Any:
        """Where the elements will be."""
        return self.data.device

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Returns what `data` is replaced by when a module converts its parameters."""
        return self.data.to(*args, **kwargs)

    def detach(self) -> Any:
        """Returns itself."""
        return self

    @property
    def shape(self) -> Any:
        """Raises RuntimeError: there is none yet."""
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually "
            "happens in `load_state_dict` when trying to load an uninitialized parameter into an "
            "initialized one. Call `forward` to initialize the parameters before accessing their "
            "attributes."
        )

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return type(self), (self.requires_grad,)  # type: ignore[attr-defined]


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A parameter whose shape is not known until its module has met an input.

    >>> import lantern
    >>> lantern.nn.LazyLinear(3).weight
    <UninitializedParameter>
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        """Returns the parameter, of the dtype and at the place that it will have."""
        return _begun(cls, Parameter(lantern.empty(0, device=device, dtype=dtype), requires_grad))

    def __deepcopy__(self, memo: dict) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):
    """A buffer whose shape is not known until its module has met an input."""

    cls_to_become = Tensor

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> Any:
        """Returns the buffer, of the dtype and at the place that it will have."""
        tensor = _begun(cls, lantern.empty(0, device=device, dtype=dtype))
        tensor.persistent = persistent
        tensor._is_buffer = True
        return tensor


def _begun(cls: type, tensor: Any) -> Any:
    """Makes a tensor without elements one of class `cls`."""
    tensor._memory = tensor.detach()
    tensor.__class__ = cls
    return tensor


def is_lazy(param: Any) -> bool:
    """Says whether a parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


def _check_gradient_wanted(data: Tensor, requires_grad: bool) -> None:
    if requires_grad and not (data.is_floating_point() or data.is_complex()):
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")


def _rebuild_parameter(data: Tensor, requires_grad: bool, hooks: Any) -> Parameter:
    """Makes a parameter from what a pickle holds; `hooks` is a field of PyTorch's, always empty."""
    return Parameter(data, requires_grad)


__getattr__ = missing(__name__)
