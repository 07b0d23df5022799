"""`torch.types`: names of kinds of arguments, for the annotations of programs."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, Any, TypeAlias

from . import dtypes
from .device import device
from .shape import Size as _Size
from .tensor import Tensor as Tensor
from .untyped import UntypedStorage

_bool, _bytes, _complex, _float, _int = (
    builtins.bool,
    builtins.bytes,
    builtins.complex,
    builtins.float,
    builtins.int,
)
_device, _dtype, _size = device, dtypes.dtype, _Size | list[int] | tuple[int, ...]

Number: TypeAlias = int | float | bool
Device: TypeAlias = device | str | int | None
Size: TypeAlias = Sequence[int]
FileLike: TypeAlias = str | os.PathLike[str] | IO[bytes]
Storage: TypeAlias = UntypedStorage
TensorOrTensors: TypeAlias = Tensor | Sequence[Tensor]
_TensorOrTensors: TypeAlias = TensorOrTensors
_dispatchkey: TypeAlias = Any
