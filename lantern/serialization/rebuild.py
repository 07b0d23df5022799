"""What stands for PyTorch's `_rebuild_…` functions when a checkpoint is read.

Each takes the arguments that a pickle holds, checks them against the storage they name and makes
the tensor. None of them trusts its arguments: they serve the safe and the ordinary unpickler alike.
"""

from __future__ import annotations

from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

import lantern

from . import bridge
from .locations import as_text, restorer
from .pickling import shown
from .storages import Storages, checked_place


class Rebuilder:
    """The functions of one load, by the names that pickles call them by."""

    def __init__(self, storages: Storages, map_location: Any = None):
        self._storages = storages
        self._map_location = map_location

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        """All of them; made when asked for: a cycle would keep the memory of a load."""
        found: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": self.tensor,
            "torch._utils._rebuild_tensor_v2": self.tensor_v2,
            "torch._utils._rebuild_tensor_v3": self.tensor_v3,
            "torch._utils._rebuild_parameter": self.parameter,
            "torch._utils._rebuild_parameter_with_state": self.parameter_with_state,
            "torch._utils._rebuild_device_tensor_from_cpu_tensor": self.device_tensor,
            "torch._tensor._rebuild_from_type_v2": self.from_type_v2,
            "torch.serialization._get_layout": layout_named,
        }
        found.update({name: _refuse(what) for name, what in _MISSING.items()})
        return found

    def tensor(self, storage: Any, offset: Any, size: Any, stride: Any) -> Any:
        """The first form: the storage says the dtype."""
        return self._cut(storage, None, offset, size, stride)

    def tensor_v2(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        backward_hooks: Any,
        metadata: Any = None,
    ) -> Any:
        """The usual form; hooks are never saved, so that what stands in their place is ignored."""
        tensor = self._cut(storage, None, offset, size, stride)
        return _finish(tensor, requires_grad, metadata)

    def tensor_v3(
        self,
        storage: Any,
        offset: Any,
        size: Any,
        stride: Any,
        requires_grad: Any,
        backward_hooks: Any,
        dtype: Any,
        metadata: Any = None,
    ) -> Any:
        """The form for types that have no storage class of their own, such as uint16."""
        if not isinstance(dtype, lantern.dtype):
            raise UnpicklingError(f"{type(dtype)} stands where the dtype of a tensor belongs")
        tensor = self._cut(storage, dtype, offset, size, stride)
        return _finish(tensor, requires_grad, metadata)

    def parameter(self, data: Any, requires_grad: Any, backward_hooks: Any) -> Any:
        """A `Parameter` around a tensor."""
        if not bridge.is_tensor(data) or type(requires_grad) is not bool:
            raise UnpicklingError(f"a Parameter was given {type(data)} where a tensor belongs")
        return lantern.nn.Parameter(data, requires_grad)

    def parameter_with_state(
        self, data: Any, requires_grad: Any, backward_hooks: Any, state: Any
    ) -> Any:
        """A `Parameter` with attributes that a program put on it."""
        return _with_attributes(self.parameter(data, requires_grad, backward_hooks), state)

    def from_type_v2(self, function: Any, kind: Any, args: Any, state: Any) -> Any:
        """A tensor with attributes, or of a class derived from `Tensor`."""
        inner = [each for name, each in self.functions.items() if "from_type" not in name]
        if type(args) is not tuple or function not in inner:
            raise UnpicklingError(f"{shown(function)} does not rebuild tensors")
        tensor = function(*args)
        if kind is not type(tensor):
            if not isinstance(kind, type) or not issubclass(kind, type(tensor)):
                raise UnpicklingError(f"{shown(kind)} is not a class of tensors")
            make = lantern.Tensor._make_subclass
            tensor = make(kind, tensor.detach(), tensor.requires_grad)
        return _with_attributes(tensor, state)

    def device_tensor(self, data: Any, dtype: Any, device: Any, requires_grad: Any) -> Any:
        """A tensor that an accelerator without storages saved by way of the CPU."""
        if not bridge.is_tensor(data) or not isinstance(dtype, lantern.dtype):
            raise UnpicklingError("a tensor and its dtype are needed to rebuild a tensor")
        restorer(self._map_location)(data.untyped_storage(), as_text(device))
        return _finish(data.to(dtype), requires_grad, None)

    def _cut(self, storage: Any, dtype: Any, offset: Any, size: Any, stride: Any) -> Any:
        memory, stored = self._storages.find(storage)
        dtype = dtype or stored
        offset, size, stride = checked_place(memory.nbytes, dtype, offset, size, stride)
        return bridge.strided(memory.flat(dtype), offset, size, stride)


# Kinds of tensors that Lantern does not have, by the functions that would rebuild them.
_MISSING = {
    "torch._utils._rebuild_qtensor": "quantized tensors are",
    "torch._utils._rebuild_sparse_tensor": "sparse tensors are",
    "torch._utils._rebuild_nested_tensor": "nested tensors are",
    "torch._utils._rebuild_meta_tensor_no_storage": "tensors on the meta device are",
    "torch._utils._rebuild_wrapper_subclass": "tensors without storage are",
    "torch._utils._rebuild_device_tensor_from_numpy": "tensors saved by way of NumPy are",
}


def layout_named(name: Any) -> Any:
    """Returns a layout such as `lantern.strided` by its printed name."""
    found = vars(lantern).get(name.removeprefix("torch.")) if type(name) is str else None
    if found is None or str(found) != name:
        raise NotImplementedError(f"the layout {shown(name)} is not in Lantern yet")
    return found


def _refuse(what: str) -> Callable[..., Any]:
    def rebuild(*args: Any) -> Any:
        raise NotImplementedError(f"{what} not in Lantern yet, and this file holds one")

    return rebuild


def _finish(tensor: Any, requires_grad: Any, metadata: Any) -> Any:
    if type(requires_grad) is not bool:
        raise UnpicklingError(f"requires_grad is {type(requires_grad)}, not a bool")
    if metadata:
        raise NotImplementedError("conjugated and negated views are not in Lantern yet")
    if requires_grad:
        tensor.requires_grad_()
    return tensor


def _with_attributes(tensor: Any, state: Any) -> Any:
    """Puts the attributes of a program back; those that make up the tensor can not be set."""
    if isinstance(state, tuple) and len(state) == 2 and not state[1]:
        state = state[0]
    if state is not None and type(state) is not dict:
        raise UnpicklingError(f"the attributes of a tensor are {type(state)}, not a dict")
    for name, value in (state or {}).items():
        if type(name) is not str or bridge.makes_up_tensor(type(tensor), name):
            raise UnpicklingError(
                f"the attribute {shown(name)} of a tensor can not be set by a file"
            )
        tensor.__dict__[name] = value
    return tensor
