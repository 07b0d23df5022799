"""The transforms that both versions have: those of the first, for samples with an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lantern import nn
from lantern.data import stands_for

from .. import transforms as first
from ..interpolation import InterpolationMode
from .sample import on_image


def _for_samples(kind: Any) -> Any:
    """The class of the first version, for samples with an image."""
    one: Callable[..., Any] = kind.forward if issubclass(kind, nn.Module) else kind.__call__

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        nn.Module.__init__(self)
        if isinstance(kwargs.get("interpolation"), str):
            kwargs["interpolation"] = InterpolationMode(kwargs["interpolation"])
        kind.__init__(self, *args, **kwargs)

    def forward(self: Any, *inputs: Any) -> Any:
        """The sample with its image transformed."""
        return on_image(inputs, lambda image: one(self, image))

    members: dict[str, Any] = {
        "__init__": __init__,
        "__call__": nn.Module.__call__,
        "__doc__": kind.__doc__,
        "__module__": __name__,
        "forward": forward,
    }
    if hasattr(kind, "batch"):

        @stands_for(forward, nn.Module.__call__)
        def batch(self: Any, *args: Any) -> Any:
            """The same for N images."""
            return kind.batch(self, *args)

        members["batch"] = batch
    bases = (kind,) if issubclass(kind, nn.Module) else (kind, nn.Module)
    return type(kind.__name__, bases, members)


CenterCrop = _for_samples(first.CenterCrop)
ColorJitter = _for_samples(first.ColorJitter)
ConvertImageDtype = _for_samples(first.ConvertImageDtype)
ElasticTransform = _for_samples(first.ElasticTransform)
FiveCrop = _for_samples(first.FiveCrop)
GaussianBlur = _for_samples(first.GaussianBlur)
Grayscale = _for_samples(first.Grayscale)
LinearTransformation = _for_samples(first.LinearTransformation)
Normalize = _for_samples(first.Normalize)
Pad = _for_samples(first.Pad)
PILToTensor = _for_samples(first.PILToTensor)
RandomAdjustSharpness = _for_samples(first.RandomAdjustSharpness)
RandomAffine = _for_samples(first.RandomAffine)
RandomAutocontrast = _for_samples(first.RandomAutocontrast)
RandomCrop = _for_samples(first.RandomCrop)
RandomEqualize = _for_samples(first.RandomEqualize)
RandomErasing = _for_samples(first.RandomErasing)
RandomGrayscale = _for_samples(first.RandomGrayscale)
RandomHorizontalFlip = _for_samples(first.RandomHorizontalFlip)
RandomInvert = _for_samples(first.RandomInvert)
RandomPerspective = _for_samples(first.RandomPerspective)
RandomPosterize = _for_samples(first.RandomPosterize)
RandomResizedCrop = _for_samples(first.RandomResizedCrop)
RandomRotation = _for_samples(first.RandomRotation)
RandomSolarize = _for_samples(first.RandomSolarize)
RandomVerticalFlip = _for_samples(first.RandomVerticalFlip)
Resize = _for_samples(first.Resize)
TenCrop = _for_samples(first.TenCrop)
ToPILImage = _for_samples(first.ToPILImage)
ToTensor = _for_samples(first.ToTensor)
