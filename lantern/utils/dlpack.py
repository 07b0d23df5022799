"""Import path of `torch.utils.dlpack`: memory shared with other libraries, without a copy."""

from __future__ import annotations

import enum
from typing import Any

from ..creation import from_dlpack
from ..tensor import Tensor

__all__ = ["DLDeviceType", "from_dlpack", "to_dlpack"]


class DLDeviceType(enum.IntEnum):
    """The kinds of devices that the DLPack standard numbers."""

    kDLCPU = 1
    kDLCUDA = 2
    kDLCUDAHost = 3
    kDLOpenCL = 4
    kDLVulkan = 7
    kDLMetal = 8
    kDLVPI = 9
    kDLROCM = 10
    kDLROCMHost = 11
    kDLExtDev = 12
    kDLCUDAManaged = 13
    kDLOneAPI = 14
    kDLWebGPU = 15
    kDLHexagon = 16
    kDLMAIA = 17


def to_dlpack(tensor: Tensor) -> Any:
    """Returns a DLPack capsule over the memory of a tensor; it can be taken once.

    >>> import lantern
    >>> x = lantern.zeros(2)
    >>> y = from_dlpack(to_dlpack(x)); y[0] = 1.0; x
    tensor([1., 0.])
    """
    return tensor.__dlpack__()
