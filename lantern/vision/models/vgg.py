"""VGG: stacks of small convolutions. K. Simonyan, A. Zisserman, arXiv 1409.1556."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lantern
from lantern import nn
from lantern.tensor import Tensor

from .registry import builder


class VGG(nn.Module):
    """`features` of images `(N, 3, H, W)`, pooled to 7 x 7, and three layers."""

    def __init__(
        self,
        features: nn.Module,
        num_classes: int = 1000,
        init_weights: bool = True,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            self._initialize()

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(N, num_classes)` of images."""
        x = self.avgpool(self.features(x))
        return self.classifier(lantern.flatten(x, 1))


def make_layers(cfg: Sequence[str | int], batch_norm: bool = False) -> nn.Sequential:
    """A convolution for each number of channels in `cfg`, a pooling for each "M".

    >>> len(make_layers([8, "M", 16], batch_norm=True))
    7
    """
    layers: list[nn.Module] = []
    channels = 3
    for entry in cfg:
        if entry == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        width = int(entry)
        layers.append(nn.Conv2d(channels, width, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(width))
        layers.append(nn.ReLU(inplace=True))
        channels = width
    return nn.Sequential(*layers)


def _stages(*counts: int) -> list[str | int]:
    """So many convolutions at each of the five sizes."""
    cfg: list[str | int] = []
    for width, count in zip((64, 128, 256, 512, 512), counts, strict=True):
        cfg += [width] * count + ["M"]
    return cfg


cfgs: dict[str, list[str | int]] = {
    "A": _stages(1, 1, 2, 2, 2),
    "B": _stages(2, 2, 2, 2, 2),
    "D": _stages(2, 2, 3, 3, 3),
    "E": _stages(2, 2, 4, 4, 4),
}


@builder("VGG11", init_weights=False)
def vgg11(**kwargs: Any) -> VGG:
    """VGG of 11 layers, configuration A."""
    return VGG(make_layers(cfgs["A"]), **kwargs)


@builder("VGG11_BN", init_weights=False)
def vgg11_bn(**kwargs: Any) -> VGG:
    """VGG of 11 layers, configuration A, with batch normalization."""
    return VGG(make_layers(cfgs["A"], batch_norm=True), **kwargs)


@builder("VGG13", init_weights=False)
def vgg13(**kwargs: Any) -> VGG:
    """VGG of 13 layers, configuration B."""
    return VGG(make_layers(cfgs["B"]), **kwargs)


@builder("VGG13_BN", init_weights=False)
def vgg13_bn(**kwargs: Any) -> VGG:
    """VGG of 13 layers, configuration B, with batch normalization."""
    return VGG(make_layers(cfgs["B"], batch_norm=True), **kwargs)


@builder("VGG16", init_weights=False)
def vgg16(**kwargs: Any) -> VGG:
    """VGG of 16 layers, configuration D."""
    return VGG(make_layers(cfgs["D"]), **kwargs)


@builder("VGG16_BN", init_weights=False)
def vgg16_bn(**kwargs: Any) -> VGG:
    """VGG of 16 layers, configuration D, with batch normalization."""
    return VGG(make_layers(cfgs["D"], batch_norm=True), **kwargs)


@builder("VGG19", init_weights=False)
def vgg19(**kwargs: Any) -> VGG:
    """VGG of 19 layers, configuration E."""
    return VGG(make_layers(cfgs["E"]), **kwargs)


@builder("VGG19_BN", init_weights=False)
def vgg19_bn(**kwargs: Any) -> VGG:
    """VGG of 19 layers, configuration E, with batch normalization."""
    return VGG(make_layers(cfgs["E"], batch_norm=True), **kwargs)
