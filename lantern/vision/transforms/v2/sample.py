"""Where the image is in a sample, and the base of the transforms that look for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lantern import nn
from lantern.tensor import Tensor

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
    leaves = _leaves(sample)
    images = [leaf for leaf in leaves if is_image(leaf)]
    images = images or [leaf for leaf in leaves if isinstance(leaf, Tensor)][:1]
    if len(images) > 1:
        raise NotImplementedError("samples of several images are not in Lantern yet")
    if not images:
        # An array, or something that the transform refuses by its own words.
        return change(sample) if not isinstance(sample, (tuple, list, dict)) else sample
    return _replaced(sample, images[0], change(images[0]))


def _leaves(sample: Any) -> list[Any]:
    if isinstance(sample, dict):
        sample = list(sample.values())
    if isinstance(sample, (tuple, list)):
        return [leaf for part in sample for leaf in _leaves(part)]
    return [sample]


def _replaced(sample: Any, old: Any, new: Any) -> Any:
    if sample is old:
        return new
    if isinstance(sample, dict):
        return {key: _replaced(value, old, new) for key, value in sample.items()}
    if isinstance(sample, (tuple, list)):
        parts = [_replaced(part, old, new) for part in sample]
        return type(sample)(*parts) if hasattr(sample, "_fields") else type(sample)(parts)
    return sample
