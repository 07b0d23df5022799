"""DenseNet: every layer sees all layers before it. G. Huang et al., arXiv 1608.06993."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import lantern
from lantern import nn
from lantern.nn import functional
from lantern.tensor import Tensor

from .registry import builder


class _DenseLayer(nn.Module):
    """Makes `growth_rate` channels of all channels before."""

    def __init__(self, channels: int, growth_rate: int, bn_size: int, drop_rate: float) -> None:
        super().__init__()
        width = bn_size * growth_rate
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(channels, width, kernel_size=1, stride=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, growth_rate, kernel_size=3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)

    def forward(self, input: Tensor | list[Tensor]) -> Tensor:
        joined = input if isinstance(input, Tensor) else lantern.cat(input, 1)
        made = self.conv1(self.relu1(self.norm1(joined)))
        made = self.conv2(self.relu2(self.norm2(made)))
        if self.drop_rate > 0:
            made = functional.dropout(made, p=self.drop_rate, training=self.training)
        return made


class _DenseBlock(nn.ModuleDict):
    def __init__(
        self, count: int, channels: int, bn_size: int, growth_rate: int, drop_rate: float
    ) -> None:
        super().__init__()
        for place in range(count):
            layer = _DenseLayer(channels + place * growth_rate, growth_rate, bn_size, drop_rate)
            self.add_module(f"denselayer{place + 1}", layer)

    def forward(self, init_features: Tensor) -> Tensor:
        features = [init_features]
        for layer in self.values():
            features.append(layer(features))
        return lantern.cat(features, 1)


class _Transition(nn.Sequential):
    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(channels, width, kernel_size=1, stride=1, bias=False)
        self.pool = nn.AvgPool2d(kernel_size=2, stride=2)


class DenseNet(nn.Module):
    """Four blocks of so many layers as `block_config` says, for images `(N, 3, H, W)`.

    Raises NotImplementedError for `memory_efficient`, which computes activations twice.
    """

    def __init__(
        self,
        growth_rate: int = 32,
        block_config: Sequence[int] = (6, 12, 24, 16),
        num_init_features: int = 64,
        bn_size: int = 4,
        drop_rate: float = 0,
        num_classes: int = 1000,
        memory_efficient: bool = False,
    ) -> None:
        super().__init__()
        if memory_efficient:
            raise NotImplementedError("DenseNet with memory_efficient=True is not in Lantern yet")
        channels = num_init_features
        first = nn.Conv2d(3, channels, kernel_size=7, stride=2, padding=3, bias=False)
        self.features = nn.Sequential(
            OrderedDict(
                conv0=first,
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(inplace=True),
                pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            )
        )
        for place, count in enumerate(block_config, 1):
            block = _DenseBlock(count, channels, bn_size, growth_rate, drop_rate)
            self.features.add_module(f"denseblock{place}", block)
            channels += count * growth_rate
            if place != len(block_config):
                self.features.add_module(f"transition{place}", _Transition(channels, channels // 2))
                channels //= 2
        self.features.add_module("norm5", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(N, num_classes)` of images."""
        out = functional.relu(self.features(x), inplace=True)
        out = functional.adaptive_avg_pool2d(out, (1, 1))
        return self.classifier(lantern.flatten(out, 1))

    @staticmethod
    def renamed(state: dict[str, Any]) -> dict[str, Any]:
        """The published weights, whose layers are called `norm.1` where today they are `norm1`."""
        dotted = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")
        return {dotted.sub(r"\1\2.", key): value for key, value in state.items()}


@builder("DenseNet121")
def densenet121(**kwargs: Any) -> DenseNet:
    """DenseNet of 121 layers."""
    return DenseNet(32, (6, 12, 24, 16), 64, **kwargs)


@builder("DenseNet161")
def densenet161(**kwargs: Any) -> DenseNet:
    """DenseNet of 161 layers."""
    return DenseNet(48, (6, 12, 36, 24), 96, **kwargs)


@builder("DenseNet169")
def densenet169(**kwargs: Any) -> DenseNet:
    """DenseNet of 169 layers."""
    return DenseNet(32, (6, 12, 32, 32), 64, **kwargs)


@builder("DenseNet201")
def densenet201(**kwargs: Any) -> DenseNet:
    """DenseNet of 201 layers."""
    return DenseNet(32, (6, 12, 48, 32), 64, **kwargs)
