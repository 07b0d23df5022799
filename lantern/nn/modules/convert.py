"""Moving a module's tensors to another device, and converting them to another dtype.

Parameters stay the same objects, so an optimizer that holds them goes on working.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import lantern
from lantern.autograd.mode import flags
from lantern.nn.parameter import is_lazy
from lantern.tensor import Tensor

C = TypeVar("C", bound="ConvertMixin")


class ConvertMixin:
    """The part of `Module` that moves and converts."""

    def _apply(self: C, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> C:
        """Replaces the memory of every parameter, its gradient and every buffer by `fn` of it."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        with lantern.no_grad():
            for parameter in self._parameters.values():
                if parameter is None:
                    continue
                changed, grad = fn(parameter), parameter.grad
                if changed is not parameter:
                    parameter.data = changed
                if grad is not None:
                    changed = fn(grad)
                    if changed is not grad:
                        grad.data = changed
            for name, buffer in self._buffers.items():
                if is_lazy(buffer):  # which stays what it is until its shape is known
                    buffer.data = fn(buffer)
                elif buffer is not None:
                    self._buffers[name] = fn(buffer)
        flags.version += 1
        return self

    def to(self: C, *args: Any, **kwargs: Any) -> C:
        """Moves all tensors to a device, and the floating point ones to a dtype, in place.

        Takes `(device, dtype, non_blocking)`, `(dtype)` or `(tensor)`, as `Tensor.to` does.
        Raises TypeError for a dtype that is not floating point.

        >>> import lantern
        >>> lantern.nn.Linear(2, 3).to(lantern.float64).weight.dtype
        torch.float64
        """
        options = _options_of_to(*args, **kwargs)
        dtype = options.pop("dtype", None)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                "nn.Module.to only accepts floating point or complex dtypes, but got desired "
                f"dtype={dtype}"
            )

        def convert(tensor: Tensor) -> Tensor:
            if dtype is not None and _is_inexact(tensor):
                return tensor.to(dtype=dtype, **options)
            return tensor.to(**options) if options else tensor

        return self._apply(convert)

    def to_empty(self: C, *, device: Any, recurse: bool = True) -> C:
        """Moves all tensors to a device without their values."""
        return self._apply(lambda tensor: lantern.empty_like(tensor, device=device), recurse)

    def cpu(self: C) -> C:
        """Moves all tensors to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self: C, device: Any = None) -> C:
        """Moves all tensors to a GPU; raises if there is none."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def type(self: C, dst_type: Any) -> C:
        """Converts all tensors, also those of integers, to a dtype."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self: C) -> C:
        """Converts floating point tensors to float32."""
        return self._convert(lantern.float32)

    def double(self: C) -> C:
        """Converts floating point tensors to float64."""
        return self._convert(lantern.float64)

    def half(self: C) -> C:
        """Converts floating point tensors to float16."""
        return self._convert(lantern.float16)

    def bfloat16(self: C) -> C:
        """Converts floating point tensors to bfloat16."""
        return self._convert(lantern.bfloat16)

    def _convert(self: C, dtype: Any) -> C:
        return self._apply(
            lambda tensor: tensor.to(dtype) if tensor.is_floating_point() else tensor
        )

    def share_memory(self: C) -> C:
        """Moves all tensors to memory that other processes can share."""
        return self._apply(lambda tensor: tensor.share_memory_())


def _is_inexact(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _options_of_to(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Returns the arguments of `to` by name, without those that are not given."""
    options = dict(kwargs)
    first = args[0] if args else options.pop("tensor", None)
    names = ["device", "dtype", "non_blocking"]
    if isinstance(first, Tensor):
        options.update(device=first.device, dtype=first.dtype)
        args, names = args[1:], ["non_blocking"]
    elif isinstance(first, lantern.dtype):
        names = ["dtype", "non_blocking"]
    if len(args) > len(names):
        raise TypeError(f"to() takes at most {len(names)} arguments here, got {len(args)}")
    options.update(zip(names, args, strict=False))
    unknown = options.keys() - {*names, "device", "dtype", "memory_format"}
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument '{min(unknown)}'")
    if options.get("device") is not None:
        options["device"] = lantern.device(options["device"])
    return {name: value for name, value in options.items() if value is not None}
