"""DLPack capsules: what NumPy does not read or write of them, done on their C structs.

NumPy takes and makes capsules, but has no bfloat16. The bits of a dtype are the same under another
code, so a capsule is given the code of `uint16` before NumPy takes it, and the code of bfloat16
after NumPy has made it.
"""

from __future__ import annotations

import ctypes
from typing import Any

UINT, BFLOAT = 1, 4  # codes of kinds of numbers
CPU = (1, 0)

_INVALID = (
    "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only "
    "once, so you might have already constructed a tensor from it once."
)
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
_is_valid = ctypes.pythonapi.PyCapsule_IsValid
_is_valid.restype, _is_valid.argtypes = ctypes.c_int, [ctypes.py_object, ctypes.c_char_p]


class _Tensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
    ]


class _Versioned(ctypes.Structure):
    _fields_ = [
        ("version", ctypes.c_uint32 * 2),
        ("manager", ctypes.c_void_p),
        ("deleter", ctypes.c_void_p),
        ("flags", ctypes.c_uint64),
        ("tensor", _Tensor),
    ]


class Capsule:
    """A capsule as an object that speaks the protocol, and what its struct says."""

    def __init__(self, capsule: Any):
        """Raises RuntimeError for what is no capsule, or one that was taken already."""
        self.capsule = capsule
        if _is_valid(capsule, b"dltensor_versioned"):
            whole = _Versioned.from_address(_pointer(capsule, b"dltensor_versioned"))
            self._tensor = whole.tensor
        elif _is_valid(capsule, b"dltensor"):
            self._tensor = _Tensor.from_address(_pointer(capsule, b"dltensor"))
        else:
            raise RuntimeError(_INVALID)

    @property
    def is_bfloat16(self) -> bool:
        """Says whether the elements are bfloat16."""
        return (self._tensor.code, self._tensor.bits) == (BFLOAT, 16)

    @property
    def device(self) -> tuple[int, int]:
        """The device, in the standard's numbers."""
        return self._tensor.device_type, self._tensor.device_id

    def set_code(self, code: int) -> None:
        """Makes the elements numbers of another kind."""
        self._tensor.code = code

    def __dlpack__(self, **wishes: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device


def taken_from(value: Any) -> Capsule:
    """Returns the capsule that an object gives, or that it is; raises RuntimeError for others."""
    if not hasattr(value, "__dlpack__"):
        return Capsule(value)
    try:
        return Capsule(value.__dlpack__(max_version=(1, 0)))
    except TypeError:  # made before version 1.0 of the standard
        return Capsule(value.__dlpack__())
