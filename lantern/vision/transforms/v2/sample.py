"""Where the image is in a sample, and the base of the transforms that look for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lantern import nn
from lantern.tensor import Tensor
from lantern.trees import leaves, mapped

from ..pil_images import is_image


class Transform(nn.Module):
    """Base of the transforms: a subclass writes `transform(inpt, params)`, for one image.

    It may write `make_params(flat_inputs)` as well, which draws what `transform` needs.
    Raises NotImplementedError for a sample of several images.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What `transform` needs beside the image."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image after the transform."""
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        """The sample with its image transformed."""
        return on_image(inputs, lambda image: self.transform(image, self.make_params([image])))


def on_image(inputs: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """The sample after `change` of its image; a single input stands for itself."""
    sample = inputs[0] if len(inputs) == 1 else inputs
    if isinstance(sample, Tensor) or is_image(sample):
        return change(sample)
    parts = leaves(sample)
    images = [part for part in parts if is_image(part)]
    images = images or [part for part in parts if isinstance(part, Tensor)][:1]
    if len(images) > 1:
        raise NotImplementedError("samples of several images are not in Lantern yet")
    if not images:
        # An array, or something that the transform refuses by its own words.
        return change(sample) if not isinstance(sample, (tuple, list, dict)) else sample
    image, changed = images[0], change(images[0])
    return mapped(sample, lambda part: changed if part is image else part)
