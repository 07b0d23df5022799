"""Checks of what random transforms are made with, and draws from the default generator."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Sequence
from typing import Any

import lantern
from lantern.tensor import Tensor

# Integers below this take one word of the random stream.
ONE_WORD = 1 << 28


def draw() -> float:
    """One draw from 0 to 1: `rand(1)`, without a tensor around it."""
    if lantern.get_default_dtype() != lantern.float32:
        return lantern.rand(1).item()
    word = int(lantern.default_generator.stream.words32(1)[0])
    return (word & 0xFFFFFF) * 2.0**-24


def happens(p: float) -> bool:
    """Whether a draw is below `p`: `rand(1) < p`, which compares in the type of the draw."""
    drawn = draw()
    if lantern.get_default_dtype() == lantern.float32:
        p = struct.unpack("f", struct.pack("f", p))[0]
    return drawn < p


def draw_uniform(low: float, high: float) -> float:
    """One draw from `low` to `high`: `empty(1).uniform_(low, high)`, without a tensor around it."""
    if lantern.get_default_dtype() != lantern.float32:
        return lantern.empty(1).uniform_(low, high).item()
    return lantern.default_generator.stream.uniform((1,), "float32", low, high)[0].item()


def draw_integer(low: int, high: int) -> int:
    """One draw from `low` up to, not including, `high`: `randint(low, high, (1,))`.

    Raises RuntimeError where there is nothing to draw from.
    """
    if not 0 < high - low < ONE_WORD:
        return int(lantern.randint(low, high, size=(1,)).item())
    return low + int(lantern.default_generator.stream.words32(1)[0]) % (high - low)


def pair(
    size: Any, message: str = "Please provide only two dimensions (h, w) for size."
) -> Sequence[int]:
    """Height and width of a size that is one number, or one or two in a sequence."""
    if isinstance(size, (int, float)):
        return int(size), int(size)
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(message)
    return size


def check_sequence(value: Any, name: str, lengths: tuple[int, ...]) -> None:
    """Raise TypeError or ValueError for anything but a sequence of one of `lengths`."""
    message = f"{name} should be a sequence of length {' or '.join(map(str, lengths))}."
    if not isinstance(value, Sequence):
        raise TypeError(message)
    if len(value) not in lengths:
        raise ValueError(message)


def range_of_angles(value: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """`(-value, value)` for a number; else the sequence itself."""
    if isinstance(value, (int, float)):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be positive.")
        value = [-value, value]
    else:
        check_sequence(value, name, lengths)
    return [float(angle) for angle in value]


def checked_fill(fill: Any) -> Any:
    """A filling, 0 for None."""
    if fill is None:
        return 0
    if not isinstance(fill, (Sequence, int, float)):
        raise TypeError("Fill should be either a sequence or a number.")
    return fill


def fill_for(img: Any, fill: Any, channels: int) -> Any:
    """The filling in the form that an image of this kind takes."""
    if fill is None or not isinstance(img, Tensor):
        return fill
    return [float(fill)] * channels if isinstance(fill, (int, float)) else [float(f) for f in fill]


def check_scale_and_ratio(scale: Any, ratio: Any) -> None:
    """Raise TypeError for anything but sequences; warn where they are not (min, max)."""
    if not isinstance(scale, Sequence):
        raise TypeError("Scale should be a sequence")
    if not isinstance(ratio, Sequence):
        raise TypeError("Ratio should be a sequence")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn("Scale and ratio should be of kind (min, max)", stacklevel=3)
