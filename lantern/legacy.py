"""The tensor types of the first versions of PyTorch: `torch.FloatTensor` and its kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dtypes
from .creation import legacy_data
from .tensor import Tensor


class TensorType(type):
    """The type of `torch.FloatTensor`: calling it makes a tensor, `isinstance` asks for a dtype.

    >>> import lantern
    >>> lantern.IntTensor([1, 2])
    tensor([1, 2], dtype=torch.int32)
    >>> isinstance(lantern.ones(1), lantern.FloatTensor)
    True
    """

    _dtype: dtypes.dtype

    @property
    def dtype(cls) -> dtypes.dtype:
        """Returns the dtype of the tensors that it makes."""
        return cls._dtype

    def __call__(cls, *args: Any, device: Any = None) -> Tensor:
        """Returns a tensor of the class's type from sizes or data."""
        data = args[0] if len(args) == 1 else None
        if isinstance(data, Tensor) and data.dtype is not cls._dtype:
            raise TypeError(
                f"expected a tensor of {cls._dtype}, the dtype of {cls.__name__}, got {data.dtype}"
            )
        return legacy_data(args, cls._dtype)

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, Tensor) and value.dtype is cls._dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"


TYPES = {
    f"{each.legacy}Tensor": TensorType(f"{each.legacy}Tensor", (), {"_dtype": each})
    for each in dtypes.ALL
    if not each.legacy.startswith("UInt")
}


def set_default_tensor_type(t: Any) -> None:
    """Sets the dtype of new floating point tensors by a tensor type or its name.

    Raises TypeError for a type that is not floating point.
    """
    from .creation import dtype_from

    dtypes.set_default_dtype(dtype_from(t))


# --- functions that PyTorch has taken away, which old tutorials still call
def _removed(name: str, advice: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"This function was deprecated since version 1.9 and is now removed. {advice}"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Raises RuntimeError. {advice}"
    return function


eig = _removed("eig", "torch.linalg.eigh gives the eigenvalues of symmetric matrices.")
symeig = _removed("symeig", "torch.linalg.eigh(A) takes its place; it reads the lower triangle.")
solve = _removed("solve", "torch.linalg.solve(A, B) takes its place, with A first.")
lstsq = _removed("lstsq", "torch.linalg.lstsq(A, B) takes its place, with A first.")
matrix_rank = _removed("matrix_rank", "torch.linalg.matrix_rank(A) takes its place.")
