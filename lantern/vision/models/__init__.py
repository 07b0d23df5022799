"""Networks for images: the names of `torchvision.models`, and LeNet.

Functions such as `resnet18` build a network with random weights; `weights=` takes trained ones
from a file that is there already (`weights.py`).
"""

from __future__ import annotations

from lantern.compat.missing import missing

from . import densenet, lenet, mobilenetv2, resnet, squeezenet, vgg
from .alexnet import AlexNet, alexnet
from .densenet import DenseNet, densenet121, densenet161, densenet169, densenet201
from .googlenet import GoogLeNet, GoogLeNetOutputs, googlenet
from .lenet import LeNet
from .mobilenetv2 import MobileNetV2, mobilenet_v2
from .registry import get_model, get_model_builder, get_model_weights, get_weight, list_models
from .resnet import (
    ResNet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
    resnext50_32x4d,
    resnext101_32x8d,
    resnext101_64x4d,
    wide_resnet50_2,
    wide_resnet101_2,
)
from .squeezenet import SqueezeNet, squeezenet1_0, squeezenet1_1
from .vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn
from .weights import WEIGHTS, Weights, WeightsEnum

globals().update(WEIGHTS)  # `ResNet18_Weights` and its like

__all__ = [name for name in dir() if not name.startswith("_") and name not in ("annotations",)]
__all__ = [name for name in __all__ if name not in ("WEIGHTS", "missing", "registry", "weights")]

__getattr__ = missing(__name__)
