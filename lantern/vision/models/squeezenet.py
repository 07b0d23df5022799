"""SqueezeNet: AlexNet's accuracy with few parameters. F. Iandola et al., arXiv 1602.07360."""

from __future__ import annotations

from typing import Any

import lantern
from lantern import nn
from lantern.nn import init
from lantern.tensor import Tensor

from .registry import builder


class Fire(nn.Module):
    """A narrow convolution of 1 x 1, then two wide ones side by side, of 1 x 1 and of 3 x 3."""

    def __init__(
        self, inplanes: int, squeeze_planes: int, expand1x1_planes: int, expand3x3_planes: int
    ) -> None:
        super().__init__()
        self.inplanes = inplanes
        self.squeeze = nn.Conv2d(inplanes, squeeze_planes, kernel_size=1)
        self.squeeze_activation = nn.ReLU(inplace=True)
        self.expand1x1 = nn.Conv2d(squeeze_planes, expand1x1_planes, kernel_size=1)
        self.expand1x1_activation = nn.ReLU(inplace=True)
        self.expand3x3 = nn.Conv2d(squeeze_planes, expand3x3_planes, kernel_size=3, padding=1)
        self.expand3x3_activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """The block's output, of the channels of both."""
        x = self.squeeze_activation(self.squeeze(x))
        ones = self.expand1x1_activation(self.expand1x1(x))
        return lantern.cat([ones, self.expand3x3_activation(self.expand3x3(x))], 1)


def _pool() -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


class SqueezeNet(nn.Module):
    """`version` "1_0" or "1_1", which pools earlier, for images `(N, 3, H, W)`.

    Raises ValueError for another version.
    """

    def __init__(self, version: str = "1_0", num_classes: int = 1000, dropout: float = 0.5) -> None:
        super().__init__()
        if version not in ("1_0", "1_1"):
            raise ValueError(f"Unsupported SqueezeNet version {version}: 1_0 or 1_1 expected")
        self.num_classes = num_classes
        first, pooled_after = (96, (2, 6)) if version == "1_0" else (64, (1, 3))
        layers: list[nn.Module] = [
            nn.Conv2d(3, first, kernel_size=7 if version == "1_0" else 3, stride=2),
            nn.ReLU(inplace=True),
            _pool(),
        ]
        channels = first
        for place, narrow in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
            layers.append(Fire(channels, narrow, 4 * narrow, 4 * narrow))
            channels = 8 * narrow
            if place in pooled_after:
                layers.append(_pool())
        self.features = nn.Sequential(*layers)
        final = nn.Conv2d(512, num_classes, kernel_size=1)
        self.classifier = nn.Sequential(
            nn.Dropout(p=dropout), final, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d((1, 1))
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                if module is final:
                    init.normal_(module.weight, mean=0.0, std=0.01)
                else:
                    init.kaiming_uniform_(module.weight)
                init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(N, num_classes)` of images."""
        return lantern.flatten(self.classifier(self.features(x)), 1)


@builder("SqueezeNet1_0")
def squeezenet1_0(**kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.0."""
    return SqueezeNet("1_0", **kwargs)


@builder("SqueezeNet1_1")
def squeezenet1_1(**kwargs: Any) -> SqueezeNet:
    """SqueezeNet 1.1, with 2.4 times less to compute."""
    return SqueezeNet("1_1", **kwargs)
