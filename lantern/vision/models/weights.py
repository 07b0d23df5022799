"""Trained weights of the models: where their files are looked for, and how images are prepared.

Lantern downloads no weights. A file in the cache of PyTorch's hub (`TORCH_HOME/hub/checkpoints`,
by default `~/.cache/torch/hub/checkpoints`) is read; without it the error names file and address.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any

import lantern
from lantern import nn
from lantern.tensor import Tensor

from ..datasets.download import sha256_of
from ..transforms import InterpolationMode, functional

ADDRESS = "https://download.pytorch.org/models/"
CLASSES = 1000  # of ImageNet
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageClassification(nn.Module):
    """Prepares an image as the weights were trained: resize, cut out the centre, normalize."""

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img: Any) -> Tensor:
        """A float tensor `(..., C, H, W)` of an image."""
        img = functional.resize(
            img, self.resize_size, interpolation=self.interpolation, antialias=self.antialias
        )
        img = functional.center_crop(img, self.crop_size)
        if not isinstance(img, Tensor):
            img = functional.pil_to_tensor(img)
        img = functional.convert_image_dtype(img, lantern.float32)
        return functional.normalize(img, mean=self.mean, std=self.std)

    def __repr__(self) -> str:
        names = ("crop_size", "resize_size", "mean", "std", "interpolation")
        lines = "".join(f"\n    {name}={getattr(self, name)}" for name in names)
        return f"{type(self).__name__}({lines}\n)"


class Weights:
    """A file of weights, and how to prepare images for it."""

    def __init__(self, filename: str, resize_size: int) -> None:
        self.url = ADDRESS + filename
        self.transforms = partial(ImageClassification, crop_size=224, resize_size=resize_size)
        self.meta = {"num_classes": CLASSES}


class WeightsEnum(Enum):
    """The weights there are for one model; `DEFAULT` is the newest."""

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """The member that is meant by itself or by its name; None for None.

        Raises TypeError for a member of another class, KeyError for an unknown name.
        """
        if isinstance(obj, str):
            return cls[obj.replace(cls.__name__ + ".", "")]
        if obj is not None and not isinstance(obj, cls):
            raise TypeError(
                f"Invalid Weight class provided; expected {cls.__name__} but received "
                f"{type(obj).__name__}."
            )
        return obj

    @property
    def url(self) -> str:
        """The address of the file."""
        return self.value.url

    @property
    def transforms(self) -> Callable[..., ImageClassification]:
        """Makes what prepares images for these weights."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of the weights."""
        return self.value.meta

    def get_state_dict(self, progress: bool = True, check_hash: bool = False) -> dict[str, Any]:
        """The weights in the file. Raises RuntimeError where it is not there or is damaged."""
        name = os.path.basename(self.url)
        path = os.path.join(checkpoint_folder(), name)
        if not os.path.isfile(path):
            raise RuntimeError(
                f"Lantern does not download weights. To use {self!r}, put the file {name} from "
                f"{self.url} into the folder {checkpoint_folder()}"
            )
        start = os.path.splitext(name)[0].rpartition("-")[2]
        if check_hash and not sha256_of(path).startswith(start):
            raise RuntimeError(
                f"{path} is damaged: its sha256 does not begin with {start}. Get it again from "
                f"{self.url}"
            )
        return lantern.load(path, map_location="cpu", weights_only=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"


def checkpoint_folder() -> str:
    """The folder in which PyTorch's hub keeps files of weights."""
    from lantern.hub import get_dir  # which imports this package

    return os.path.join(get_dir(), "checkpoints")


# The start of the sha256 in the name of each file, for the weights of 2016 (V1, images resized
# to 256) and, where there are any, those of a better recipe of 2021 (V2, to 232).
_FILES = {
    "AlexNet": ("alexnet-owt-7be5be79",),
    "VGG11": ("vgg11-8a719046",),
    "VGG11_BN": ("vgg11_bn-6002323d",),
    "VGG13": ("vgg13-19584684",),
    "VGG13_BN": ("vgg13_bn-abd245e5",),
    "VGG16": ("vgg16-397923af",),
    "VGG16_BN": ("vgg16_bn-6c64b313",),
    "VGG19": ("vgg19-dcbb9e9d",),
    "VGG19_BN": ("vgg19_bn-c79401a0",),
    "ResNet18": ("resnet18-f37072fd",),
    "ResNet34": ("resnet34-b627a593",),
    "ResNet50": ("resnet50-0676ba61", "resnet50-11ad3fa6"),
    "ResNet101": ("resnet101-63fe2227", "resnet101-cd907fc2"),
    "ResNet152": ("resnet152-394f9c45", "resnet152-f82ba261"),
    "ResNeXt50_32X4D": ("resnext50_32x4d-7cdf4587", "resnext50_32x4d-1a0047aa"),
    "ResNeXt101_32X8D": ("resnext101_32x8d-8ba56ff5", "resnext101_32x8d-110c445d"),
    "ResNeXt101_64X4D": ("resnext101_64x4d-173b62eb",),
    "Wide_ResNet50_2": ("wide_resnet50_2-95faca4d", "wide_resnet50_2-9ba9bcbe"),
    "Wide_ResNet101_2": ("wide_resnet101_2-32ee1156", "wide_resnet101_2-d733dc28"),
    "MobileNet_V2": ("mobilenet_v2-b0353104", "mobilenet_v2-7ebf99e0"),
    "SqueezeNet1_0": ("squeezenet1_0-b66bff10",),
    "SqueezeNet1_1": ("squeezenet1_1-b8a52dc0",),
    "DenseNet121": ("densenet121-a639ec97",),
    "DenseNet161": ("densenet161-8d451a50",),
    "DenseNet169": ("densenet169-b2777c0a",),
    "DenseNet201": ("densenet201-c1103571",),
    "GoogLeNet": ("googlenet-1378be20",),
}
_TRAINED_IN_2021 = ("ResNeXt101_64X4D",)


def _weights_of(model: str, files: tuple[str, ...]) -> Any:
    members = {}
    for version, file in enumerate(files, 1):
        newer = version == 2 or model in _TRAINED_IN_2021
        members[f"IMAGENET1K_V{version}"] = Weights(f"{file}.pth", 232 if newer else 256)
    members["DEFAULT"] = members[f"IMAGENET1K_V{len(files)}"]  # another name of the same member
    return WeightsEnum(f"{model}_Weights", members, module=__name__)  # type: ignore[call-overload]


WEIGHTS = {f"{model}_Weights": _weights_of(model, files) for model, files in _FILES.items()}
globals().update(WEIGHTS)
