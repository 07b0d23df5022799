"""What backends and ops both know of the factors of matrices."""

from __future__ import annotations


class LinAlgError(RuntimeError):
    """A matrix cannot be factored, inverted or solved with."""


def packed_shapes(
    name: str, rows: int, columns: int, option: bool = False
) -> tuple[tuple[int, ...], ...]:
    """Returns the shapes of what a primitive that factors a matrix returns end to end."""
    least = min(rows, columns)
    if name == "slogdet_packed":
        return (), ()
    if name == "lu_packed":
        return (rows, columns), (rows,), (least,)
    if name in ("cholesky_packed", "inv_packed"):
        return (rows, rows), ()
    if name == "eigh_packed":
        return (rows,), (rows, rows)
    if name == "qr_packed":
        inner = rows if option else least
        return (rows, inner), (inner, columns)
    left, right = (rows, columns) if option else (least, least)
    return (rows, left), (least,), (right, columns)
