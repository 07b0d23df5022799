"""The named tuples that reductions return: `torch.return_types.max(values=..., indices=...)`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Results(tuple):
    """A tuple whose parts have names; it prints one part a line."""

    _fields: tuple[str, ...] = ()
    __slots__ = ()

    def __new__(cls, *parts: Any) -> Results:
        """Takes the parts one by one, or one sequence of them as PyTorch's do."""
        if len(parts) == 1 and len(cls._fields) != 1 and isinstance(parts[0], Iterable):
            parts = tuple(parts[0])
        if len(parts) != len(cls._fields):
            raise TypeError(
                f"torch.return_types.{cls.__name__}() takes a {len(cls._fields)}-sequence "
                f"({len(parts)}-sequence given)"
            )
        return super().__new__(cls, parts)

    def __repr__(self) -> str:
        parts = zip(self._fields, self, strict=True)
        lines = ",\n".join(f"{name}={value!r}" for name, value in parts)
        return f"torch.return_types.{type(self).__name__}(\n{lines})"

    def __reduce__(self) -> tuple:
        return type(self), tuple(self)


def _part(place: int, name: str) -> property:
    return property(lambda self: self[place], doc=f"The part called {name}.")


def _define(names: str, fields: str) -> None:
    parts = tuple(fields.split())
    for name in names.split():
        members: dict[str, Any] = {"_fields": parts, "__slots__": (), "__module__": __name__}
        members |= {each: _part(i, each) for i, each in enumerate(parts)}
        globals()[name] = type(name, (Results,), members)


_define("max min median nanmedian mode sort topk kthvalue cummax cummin", "values indices")
_define("aminmax", "min max")
_define("frexp", "mantissa exponent")
_define("histogram", "hist bin_edges")
_define("qr", "Q R")
_define("slogdet", "sign logabsdet")
_define("geqrf", "a tau")
_define("svd", "U S V")
_define("triangular_solve", "solution cloned_coefficient")
_define("linalg_qr", "Q R")
_define("linalg_lstsq", "solution residuals rank singular_values")
_define("linalg_slogdet", "sign logabsdet")
_define("linalg_eigh", "eigenvalues eigenvectors")
_define("linalg_svd", "U S Vh")
_define("linalg_lu lu_unpack", "P L U")
_define("linalg_lu_factor", "LU pivots")
_define("linalg_lu_factor_ex", "LU pivots info")
_define("linalg_cholesky_ex", "L info")
_define("linalg_inv_ex", "inverse info")
