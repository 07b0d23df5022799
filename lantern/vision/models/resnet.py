"""ResNet: blocks whose input is added to their output. K. He et al., arXiv 1512.03385.

ResNeXt (S. Xie et al., 1611.05431) splits the middle convolution into groups, and wide ResNet
(S. Zagoruyko, N. Komodakis, 1605.07146) widens it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lantern
from lantern import nn
from lantern.tensor import Tensor

from .registry import builder

Norm = Callable[..., nn.Module]


def conv3x3(
    in_planes: int, out_planes: int, stride: int = 1, groups: int = 1, dilation: int = 1
) -> nn.Conv2d:
    """A convolution of 3 x 3 that keeps the size, without bias."""
    return nn.Conv2d(
        in_planes,
        out_planes,
        kernel_size=3,
        stride=stride,
        padding=dilation,
        groups=groups,
        bias=False,
        dilation=dilation,
    )


def conv1x1(in_planes: int, out_planes: int, stride: int = 1) -> nn.Conv2d:
    """A convolution of 1 x 1, without bias."""
    return nn.Conv2d(in_planes, out_planes, kernel_size=1, stride=stride, bias=False)


class BasicBlock(nn.Module):
    """Two convolutions of 3 x 3, for the smaller ResNets.

    Raises ValueError for groups or another width, NotImplementedError for dilation.
    """

    expansion = 1

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if norm_layer is None else norm_layer
        if groups != 1 or base_width != 64:
            raise ValueError("BasicBlock only supports groups=1 and base_width=64")
        if dilation > 1:
            raise NotImplementedError("Dilation > 1 not supported in BasicBlock")
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = norm(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = norm(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """The block's output `(N, planes, H / stride, W / stride)`."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += identity
        return self.relu(out)


class Bottleneck(nn.Module):
    """A convolution of 3 x 3 between two of 1 x 1, for the larger ResNets."""

    expansion = 4

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        downsample: nn.Module | None = None,
        groups: int = 1,
        base_width: int = 64,
        dilation: int = 1,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if norm_layer is None else norm_layer
        width = int(planes * (base_width / 64.0)) * groups
        self.conv1 = conv1x1(inplanes, width)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, stride, groups, dilation)
        self.bn2 = norm(width)
        self.conv3 = conv1x1(width, planes * self.expansion)
        self.bn3 = norm(planes * self.expansion)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """The block's output `(N, 4 * planes, H / stride, W / stride)`."""
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    """Four stages of so many blocks as `layers` says, for images `(N, 3, H, W)`.

    Raises ValueError for a `replace_stride_with_dilation` that does not have three entries.

    >>> small = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=5)
    >>> small(lantern.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        block: type[BasicBlock | Bottleneck],
        layers: Sequence[int],
        num_classes: int = 1000,
        zero_init_residual: bool = False,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
        norm_layer: Norm | None = None,
    ) -> None:
        super().__init__()
        norm = nn.BatchNorm2d if norm_layer is None else norm_layer
        self._norm_layer = norm
        self.inplanes = 64
        self.dilation = 1
        dilate = replace_stride_with_dilation or (False, False, False)
        if len(dilate) != 3:
            raise ValueError(
                "replace_stride_with_dilation should be None or a 3-element tuple, got "
                f"{replace_stride_with_dilation}"
            )
        self.groups = groups
        self.base_width = width_per_group
        self.conv1 = nn.Conv2d(3, 64, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = norm(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 64, layers[0])
        self.layer2 = self._make_layer(block, 128, layers[1], 2, dilate[0])
        self.layer3 = self._make_layer(block, 256, layers[2], 2, dilate[1])
        self.layer4 = self._make_layer(block, 512, layers[3], 2, dilate[2])
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(512 * block.expansion, num_classes)
        self._initialize(zero_init_residual)

    def _initialize(self, zero_init_residual: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        if not zero_init_residual:
            return
        # Each block begins as the identity (P. Goyal et al., arXiv 1706.02677).
        for module in self.modules():
            if isinstance(module, Bottleneck) and module.bn3.weight is not None:
                nn.init.zeros_(module.bn3.weight)
            elif isinstance(module, BasicBlock) and module.bn2.weight is not None:
                nn.init.zeros_(module.bn2.weight)

    def _make_layer(
        self,
        block: type[BasicBlock | Bottleneck],
        planes: int,
        blocks: int,
        stride: int = 1,
        dilate: bool = False,
    ) -> nn.Sequential:
        norm = self._norm_layer
        first_dilation = self.dilation
        if dilate:
            self.dilation *= stride
            stride = 1
        width = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != width:
            downsample = nn.Sequential(conv1x1(self.inplanes, width, stride), norm(width))
        shared = (self.groups, self.base_width)
        made = [block(self.inplanes, planes, stride, downsample, *shared, first_dilation, norm)]
        self.inplanes = width
        for _ in range(1, blocks):
            made.append(block(width, planes, 1, None, *shared, self.dilation, norm))
        return nn.Sequential(*made)

    def forward(self, x: Tensor) -> Tensor:
        """Scores `(N, num_classes)` of images."""
        return self._forward_impl(x)

    def _forward_impl(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(lantern.flatten(self.avgpool(x), 1))


def _fixed(kwargs: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The arguments with `values`; raises ValueError where another value is given."""
    for name, value in values.items():
        if kwargs.setdefault(name, value) != value:
            raise ValueError(
                f"The parameter '{name}' expected value {value} but got {kwargs[name]} instead."
            )
    return kwargs


@builder("ResNet18")
def resnet18(**kwargs: Any) -> ResNet:
    """ResNet of 18 layers."""
    return ResNet(BasicBlock, [2, 2, 2, 2], **kwargs)


@builder("ResNet34")
def resnet34(**kwargs: Any) -> ResNet:
    """ResNet of 34 layers."""
    return ResNet(BasicBlock, [3, 4, 6, 3], **kwargs)


@builder("ResNet50")
def resnet50(**kwargs: Any) -> ResNet:
    """ResNet of 50 layers."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **kwargs)


@builder("ResNet101")
def resnet101(**kwargs: Any) -> ResNet:
    """ResNet of 101 layers."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **kwargs)


@builder("ResNet152")
def resnet152(**kwargs: Any) -> ResNet:
    """ResNet of 152 layers."""
    return ResNet(Bottleneck, [3, 8, 36, 3], **kwargs)


@builder("ResNeXt50_32X4D")
def resnext50_32x4d(**kwargs: Any) -> ResNet:
    """ResNeXt of 50 layers with 32 groups of 4 channels."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **_fixed(kwargs, groups=32, width_per_group=4))


@builder("ResNeXt101_32X8D")
def resnext101_32x8d(**kwargs: Any) -> ResNet:
    """ResNeXt of 101 layers with 32 groups of 8 channels."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **_fixed(kwargs, groups=32, width_per_group=8))


@builder("ResNeXt101_64X4D")
def resnext101_64x4d(**kwargs: Any) -> ResNet:
    """ResNeXt of 101 layers with 64 groups of 4 channels."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **_fixed(kwargs, groups=64, width_per_group=4))


@builder("Wide_ResNet50_2")
def wide_resnet50_2(**kwargs: Any) -> ResNet:
    """ResNet of 50 layers whose middle convolutions are twice as wide."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **_fixed(kwargs, width_per_group=128))


@builder("Wide_ResNet101_2")
def wide_resnet101_2(**kwargs: Any) -> ResNet:
    """ResNet of 101 layers whose middle convolutions are twice as wide."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **_fixed(kwargs, width_per_group=128))
