"""The arithmetic of where pixels go: sizes, borders, affine and perspective maps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lantern


def resized_size(height: int, width: int, size: Sequence[int], max_size: int | None) -> list[int]:
    """Height and width after a resize to `size`: both, or the length of the shorter edge."""
    if len(size) == 2:
        return list(size)
    short, long = min(height, width), max(height, width)
    new_short, new_long = size[0], int(size[0] * long / short)
    if max_size is not None:
        if max_size <= size[0]:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested "
                f"size for the smaller edge size = {list(size)}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return [new_long, new_short] if width <= height else [new_short, new_long]


def borders(padding: Any) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of a padding of one, two or four numbers."""
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError(f"Got inappropriate padding arg {padding!r}")
    if isinstance(padding, int):
        return padding, padding, padding, padding
    if len(padding) not in (1, 2, 4):
        raise ValueError(
            "Padding must be an int or a 1, 2, or 4 element tuple, "
            f"not a {len(padding)} element tuple"
        )
    left, top, right, bottom = list(padding) * (4 // len(padding))
    return left, top, right, bottom


def check_padding(padding_mode: Any) -> None:
    """Raise TypeError or ValueError for a mode that is none."""
    if not isinstance(padding_mode, str):
        raise TypeError(f"Got inappropriate padding_mode arg {padding_mode!r}")
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError(
            "Padding mode should be either constant, edge, reflect or symmetric, "
            f"got {padding_mode!r}"
        )


def border_indices(length: int, before: int, after: int, mode: str) -> list[int]:
    """Which of `length` pixels stands at each place of a padded row.

    >>> border_indices(3, 2, 2, "reflect"), border_indices(3, 2, 2, "symmetric")
    ([2, 1, 0, 1, 2, 1, 0], [1, 0, 0, 1, 2, 2, 1])
    """
    last = length - 1
    places = range(-before, length + after)
    if mode == "edge" or last == 0:
        return [min(max(place, 0), last) for place in places]
    period, turn = (2 * last, 0) if mode == "reflect" else (2 * length, 1)
    folded = [place % period for place in places]
    return [place if place <= last else period - turn - place for place in folded]


def inverse_affine_matrix(
    center: Sequence[float],
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: Sequence[float],
) -> list[float]:
    """The six numbers that take a place of the result to its place in the image.

    The image is moved so that `center` is the origin, sheared, turned, scaled, and moved back and
    by `translate`; the two shear angles and `angle` are in degrees.
    """
    turn, shear_x, shear_y = math.radians(angle), *map(math.radians, shear)
    (center_x, center_y), (move_x, move_y) = center, translate
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    b = -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    d = -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    # [[a, b], [c, d]] is a rotation after a shear, of determinant 1.
    m = [d / scale, -b / scale, 0.0, -c / scale, a / scale, 0.0]
    m[2] += m[0] * (-center_x - move_x) + m[1] * (-center_y - move_y)
    m[5] += m[3] * (-center_x - move_x) + m[4] * (-center_y - move_y)
    m[2] += center_x
    m[5] += center_y
    return m


def perspective_coefficients(
    startpoints: Sequence[Sequence[int]], endpoints: Sequence[Sequence[int]]
) -> list[float]:
    """The eight numbers a..h of the map that takes `endpoints` to `startpoints`.

    A place (x, y) goes to ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)).
    """
    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and "
            f"{len(endpoints)} endpoints."
        )
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    matrix = lantern.tensor(rows, dtype=lantern.float64)
    wanted = lantern.tensor(startpoints, dtype=lantern.float64).view(8)
    return lantern.linalg.solve(matrix, wanted).to(lantern.float32).tolist()
