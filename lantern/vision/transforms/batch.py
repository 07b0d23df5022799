"""Transforms of a whole batch of images at once.

A transform may offer `batch(images)` beside its call for one image. It takes what its call takes,
N times: an `ImageBatch` in place of a PIL image, a tensor `(N, C, H, W)` in place of `(C, H, W)`.
It returns the N results the same way, bit for bit, or None where it cannot. Without it, images
are transformed one by one.

A transform that draws random numbers offers `words_for(size)` as well: how many 32-bit words of
the random stream it takes for one image of `size`, and the size after it. Then its method is
`batch(images, words)`, with words `(N, count)`. One by one, all transforms draw for the first
image, then all for the second: so the words of all are drawn together, a row for each image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lantern
from lantern.data import stand_in
from lantern.tensor import Tensor

Size = tuple[int, int]


class ImageBatch:
    """N images that are not tensors yet: uint8 `(N, H, W)` or `(N, H, W, C)`, in own memory."""

    def __init__(self, pixels: Tensor) -> None:
        self.pixels = pixels

    def channels_first(self) -> Tensor:
        """The pixels `(N, C, H, W)`."""
        pixels = self.pixels
        return pixels.unsqueeze(1) if pixels.dim() == 3 else pixels.permute(0, 3, 1, 2)


def size_of(images: Any) -> Size:
    """Height and width of a batch of either kind."""
    shape = images.pixels.shape[1:3] if isinstance(images, ImageBatch) else images.shape[-2:]
    return shape[0], shape[1]


def on_rows(images: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The batch after `change`, which takes and gives pixels `(N, H, W, ...)`."""
    if isinstance(images, ImageBatch):
        return ImageBatch(change(images.pixels))
    changed = change(images.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return changed.clone(memory_format=lantern.contiguous_format)


def steps_of(transform: Any) -> list[Any] | None:
    """The transforms that `transform` is a chain of; None where one cannot take a batch."""
    # A hook on a module sees every image: it has to be called for each.
    hooks = getattr(transform, "_forward_hooks", None)
    if hooks or getattr(transform, "_forward_pre_hooks", None):
        return None
    if stand_in(transform, "batch", ("__call__", "forward")) is None:
        return None
    if not hasattr(type(transform), "chained"):  # a module takes long to say what it has not
        return [transform]
    steps: list[Any] = []
    for part in transform.chained():
        found = steps_of(part)
        if found is None:
            return None
        steps += found
    return steps


def draws(transform: Any) -> bool:
    """Whether a transform that can take a batch draws random numbers for it."""
    return _draw(steps_of(transform) or ())


def _draw(steps: Sequence[Any]) -> bool:
    return any(hasattr(type(step), "words_for") for step in steps)


def is_lanterns_own(transform: Any) -> bool:
    """Whether a transform, and each that it is made of, is a class of Lantern's."""
    own = type(transform).__module__.startswith("lantern.") and not hasattr(transform, "lambd")
    return own and all(map(is_lanterns_own, getattr(transform, "transforms", ())))


def batch_method(transform: Any) -> Callable[[Any], Any] | None:
    """A function that does for a batch what `transform` does for each image, or None."""
    steps = steps_of(transform)
    return None if steps is None else lambda images: run(steps, images)


def run(steps: Sequence[Any], images: Any) -> Any:
    """The batch after all steps, or None, with the random stream as it was."""
    if not _draw(steps):
        return _applied(steps, images, [None] * len(steps))
    stream = lantern.default_generator.stream
    counts: list[int] = []
    size = size_of(images) if isinstance(images, (ImageBatch, Tensor)) else None
    for step in steps:
        wanted = step.words_for if hasattr(type(step), "words_for") else None
        count, size = (0, size) if wanted is None or size is None else wanted(size)
        counts.append(count)
    if not sum(counts):
        return _applied(steps, images, [None] * len(steps))
    # With another default type a draw takes other words.
    if lantern.get_default_dtype() != lantern.float32:
        return None
    before = stream.get_state()
    number = len(images.pixels) if isinstance(images, ImageBatch) else len(images)
    drawn = lantern.from_numpy(stream.words32(number * sum(counts))).to(lantern.int64)
    words = drawn.view(number, sum(counts)).split(counts, dim=1)
    result = _applied(steps, images, words)
    if result is None:
        stream.set_state(before)
    return result


def _applied(steps: Sequence[Any], images: Any, words: Sequence[Any]) -> Any:
    for step, drawn in zip(steps, words, strict=True):
        draws_words = hasattr(type(step), "words_for")
        images = step.batch(images, drawn) if draws_words else step.batch(images)
        if images is None:
            return None
    return images


def chances(words: Tensor) -> Tensor:
    """What `rand` makes of words `(N,)`: floats from 0 to 1."""
    return (words & 0xFFFFFF).to(lantern.float32) * 2.0**-24
