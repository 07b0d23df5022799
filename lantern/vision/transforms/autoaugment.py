"""Augmentations that draw from a fixed set of operations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from typing import Any

import lantern
from lantern import nn
from lantern.tensor import Tensor

from . import functional, policies
from .arguments import draw_integer, fill_for
from .functional import get_dimensions
from .interpolation import InterpolationMode

Fill = Sequence[float] | float | None
# For each operation the strengths to choose from, and whether the sign is drawn as well.
Space = dict[str, tuple[Tensor, bool]]

_CHANGES = {
    "Brightness": lambda img, strength: functional.adjust_brightness(img, 1.0 + strength),
    "Color": lambda img, strength: functional.adjust_saturation(img, 1.0 + strength),
    "Contrast": lambda img, strength: functional.adjust_contrast(img, 1.0 + strength),
    "Sharpness": lambda img, strength: functional.adjust_sharpness(img, 1.0 + strength),
    "Posterize": lambda img, strength: functional.posterize(img, int(strength)),
    "Solarize": functional.solarize,
    "AutoContrast": lambda img, strength: functional.autocontrast(img),
    "Equalize": lambda img, strength: functional.equalize(img),
    "Invert": lambda img, strength: functional.invert(img),
    "Identity": lambda img, strength: img,
}


def _apply(
    img: Any, name: str, strength: float, interpolation: InterpolationMode, fill: Fill
) -> Any:
    """The image after one operation."""
    if name in _CHANGES:
        return _CHANGES[name](img, strength)
    if name == "Rotate":
        return functional.rotate(img, strength, interpolation=interpolation, fill=fill)
    across = name.endswith("X")
    translate, shear, center = [0, 0], [0.0, 0.0], None
    if name.startswith("Translate"):
        translate[0 if across else 1] = int(strength)
    else:  # a shear moves pixels by `strength` for each pixel they are away from the corner
        shear[0 if across else 1] = math.degrees(math.atan(strength))
        center = [0, 0]
    return functional.affine(
        img, 0.0, translate, 1.0, shear, interpolation=interpolation, fill=fill, center=center
    )


def _space(count: int, most: dict[str, float], bits: Tensor | None, plain: Sequence[str]) -> Space:
    """Strengths from 0 to `most` for each operation; then those of other kinds."""
    space: Space = {name: (lantern.linspace(0.0, top, count), True) for name, top in most.items()}
    if bits is not None:
        space["Posterize"] = (bits, False)
        space["Solarize"] = (lantern.linspace(255.0, 0.0, count), False)
    return space | {name: (lantern.tensor(0.0), False) for name in plain}


def _bits(count: int, most: int, fewer: int) -> Tensor:
    return most - (lantern.arange(count) / ((count - 1) / fewer)).round().int()


COLOURS = ("Brightness", "Color", "Contrast", "Sharpness")


def _usual_space(count: int, height: int, width: int) -> Space:
    most = {"ShearX": 0.3, "ShearY": 0.3}
    most |= {"TranslateX": 150.0 / 331.0 * width, "TranslateY": 150.0 / 331.0 * height}
    most |= {"Rotate": 30.0} | dict.fromkeys(COLOURS, 0.9)
    return _space(count, most, _bits(count, 8, 4), ("AutoContrast", "Equalize"))


def _identity_first(space: Space) -> Space:
    return {"Identity": (lantern.tensor(0.0), False)} | space


class AutoAugmentPolicy(Enum):
    """The dataset that a policy was found for."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


class AutoAugment(nn.Module):
    """Two operations of a policy that was found by search, each with its probability.

    From "AutoAugment: Learning Augmentation Policies from Data", E. Cubuk et al.,
    arXiv 1805.09501. Tensor images have to be uint8.
    """

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        if not isinstance(policy, AutoAugmentPolicy):
            raise ValueError(f"The provided policy {policy} is not recognized.")
        self.policy = policy
        self.interpolation = interpolation
        self.fill = fill
        self.policies = getattr(policies, policy.name)

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Tensor, Tensor]:
        """Draw which pair of operations, two probabilities and two signs."""
        pair = draw_integer(0, transform_num)
        return pair, lantern.rand((2,)), lantern.randint(2, (2,))

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        channels, height, width = get_dimensions(img)
        fill = fill_for(img, self.fill, channels)
        pair, chances, signs = self.get_params(len(self.policies))
        space = _usual_space(10, height, width) | {"Invert": (lantern.tensor(0.0), False)}
        for place, (name, p, number) in enumerate(self.policies[pair]):
            if chances[place] > p:
                continue
            strengths, signed = space[name]
            strength = 0.0 if number is None else float(strengths[number])
            if signed and signs[place] == 0:
                strength *= -1.0
            img = _apply(img, name, strength, self.interpolation, fill)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(policy={self.policy}, fill={self.fill})"


class RandAugment(nn.Module):
    """`num_ops` operations drawn evenly, all of the strength `magnitude`.

    From "RandAugment: Practical automated data augmentation", E. Cubuk et al., arXiv 1909.13719.
    Tensor images have to be uint8.
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        channels, height, width = get_dimensions(img)
        fill = fill_for(img, self.fill, channels)
        space = _identity_first(_usual_space(self.num_magnitude_bins, height, width))
        for _ in range(self.num_ops):
            name = list(space)[draw_integer(0, len(space))]
            strengths, signed = space[name]
            strength = float(strengths[self.magnitude]) if strengths.ndim else 0.0
            if signed and draw_integer(0, 2):
                strength *= -1.0
            img = _apply(img, name, strength, self.interpolation, fill)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_ops={self.num_ops}, magnitude={self.magnitude}, "
            f"num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, "
            f"fill={self.fill})"
        )


def _drawn(space: Space, most: int | None) -> tuple[str, float]:
    """Draw an operation and its strength, among the first `most` or all."""
    name = list(space)[draw_integer(0, len(space))]
    strengths, signed = space[name]
    strength = 0.0
    if strengths.ndim:
        strength = float(strengths[draw_integer(0, most or len(strengths))])
    if signed and draw_integer(0, 2):
        strength *= -1.0
    return name, strength


class TrivialAugmentWide(nn.Module):
    """One operation, drawn evenly with its strength.

    From "TrivialAugment: Tuning-free Yet State-of-the-Art Data Augmentation", S. Müller and
    F. Hutter, arXiv 2103.10158. Tensor images have to be uint8.
    """

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def forward(self, img: Any) -> Any:
        """Transform one image."""
        fill = fill_for(img, self.fill, get_dimensions(img)[0])
        count = self.num_magnitude_bins
        most = {"ShearX": 0.99, "ShearY": 0.99, "TranslateX": 32.0, "TranslateY": 32.0}
        most |= {"Rotate": 135.0} | dict.fromkeys(COLOURS, 0.99)
        space = _space(count, most, _bits(count, 8, 6), ("AutoContrast", "Equalize"))
        name, strength = _drawn(_identity_first(space), None)
        return _apply(img, name, strength, self.interpolation, fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_magnitude_bins={self.num_magnitude_bins}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )


class AugMix(nn.Module):
    """A mixture of the image and `mixture_width` chains of operations on it.

    From "AugMix: A Simple Data Processing Method to Improve Robustness and Uncertainty",
    D. Hendrycks et al., arXiv 1912.02781. Tensor images have to be uint8.
    Raises ValueError for a `severity` outside of 1..10.
    """

    STRENGTHS = 10

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        fill: Fill = None,
    ) -> None:
        super().__init__()
        if not 1 <= severity <= self.STRENGTHS:
            raise ValueError(
                f"The severity must be between [1, {self.STRENGTHS}]. Got {severity} instead."
            )
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        self.fill = fill

    def _operations(self, height: int, width: int) -> Space:
        count = self.STRENGTHS
        most = {"ShearX": 0.3, "ShearY": 0.3, "TranslateX": width / 3.0, "TranslateY": height / 3.0}
        most["Rotate"] = 30.0
        space = _space(count, most, _bits(count, 4, 4), ("AutoContrast", "Equalize"))
        return space | (
            _space(count, dict.fromkeys(COLOURS, 0.9), None, ()) if self.all_ops else {}
        )

    def forward(self, orig_img: Any) -> Any:
        """Transform one image."""
        channels, height, width = get_dimensions(orig_img)
        fill = fill_for(orig_img, self.fill, channels)
        is_tensor = isinstance(orig_img, Tensor)
        img = orig_img if is_tensor else functional.pil_to_tensor(orig_img)
        batch = img.reshape([1] * max(4 - img.ndim, 0) + list(img.shape))
        space = self._operations(height, width)
        ones = [1] * (batch.ndim - 1)
        share = self._weights(2, len(batch))
        weights = self._weights(self.mixture_width, len(batch)) * share[:, 1:]
        mixed = share[:, 0].view(-1, *ones) * batch
        for chain in range(self.mixture_width):
            changed = batch
            for _ in range(self.chain_depth if self.chain_depth > 0 else draw_integer(1, 4)):
                name, strength = _drawn(space, self.severity)
                changed = _apply(changed, name, strength, self.interpolation, fill)
            mixed = mixed + weights[:, chain].view(-1, *ones) * changed
        mixed = mixed.view(img.shape).to(img.dtype)
        return mixed if is_tensor else functional.to_pil_image(mixed)

    def _weights(self, count: int, images: int) -> Tensor:
        """Draw weights that add up to 1, for each image."""
        concentration = lantern.tensor([self.alpha] * count).expand(images, -1)
        return lantern._sample_dirichlet(concentration)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(severity={self.severity}, mixture_width={self.mixture_width}, "
            f"chain_depth={self.chain_depth}, alpha={self.alpha}, all_ops={self.all_ops}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )
