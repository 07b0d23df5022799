"""The second version of the transforms, for images with their labels: `torchvision.transforms.v2`.

They take a PIL image, a tensor, or a tuple, list or dict with one image in it, and leave the rest
as it is: PIL images are images, else the first tensor is one. An image stays a plain tensor here,
where torchvision has the class `tv_tensors.Image`; boxes, masks and videos are not known. The
automatic augmentations are in the first version only: in the second they draw otherwise.
"""

from __future__ import annotations

from lantern.compat.missing import missing

from .. import functional
from ..interpolation import InterpolationMode
from .made import (
    CenterCrop,
    ColorJitter,
    ConvertImageDtype,
    ElasticTransform,
    FiveCrop,
    GaussianBlur,
    Grayscale,
    LinearTransformation,
    Normalize,
    Pad,
    PILToTensor,
    RandomAdjustSharpness,
    RandomAffine,
    RandomAutocontrast,
    RandomCrop,
    RandomEqualize,
    RandomErasing,
    RandomGrayscale,
    RandomHorizontalFlip,
    RandomInvert,
    RandomPerspective,
    RandomPosterize,
    RandomResizedCrop,
    RandomRotation,
    RandomSolarize,
    RandomVerticalFlip,
    Resize,
    TenCrop,
    ToPILImage,
    ToTensor,
)
from .new import (
    RGB,
    Compose,
    CutMix,
    GaussianNoise,
    Identity,
    Lambda,
    MixUp,
    RandomApply,
    RandomChoice,
    RandomOrder,
    ToDtype,
    ToImage,
    ToPureTensor,
)
from .sample import Transform

__all__ = [name for name in dir() if name[0].isupper()]
__all__ += ["functional"]

__getattr__ = missing(__name__)
